/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The predecessor's database: all its rows, whatever is NULL in them, and nothing else's. */
#include "test_store_help.h"

#include <sqlite3.h>

#include "store/predecessor.h"

#define DOMAINS                                                                                                        \
	"CREATE TABLE domains (id INTEGER NOT NULL, domain VARCHAR(255), hostname VARCHAR(255), username VARCHAR(255), " \
	"zone_data TEXT, zone_updated_at DATETIME, PRIMARY KEY (id), UNIQUE (domain));"

static void make(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void all_rows_come(void **state)
{
	struct fixture *fixture = *state;
	struct predecessor *predecessor;
	struct predecessor_zone zone;
	bool more;

	make(fixture->path, DOMAINS
		"INSERT INTO domains VALUES (2,'b.example','da1.host.example','fred','text','2026-02-21 10:11:12.000123');"
		"INSERT INTO domains VALUES (1,'a.example',NULL,NULL,NULL,NULL);"
		"INSERT INTO domains VALUES (3,NULL,'','',CAST(x'610062' AS TEXT),'');");
	OK(predecessor_open(fixture->path, &predecessor, err));
	OK(predecessor_next(predecessor, &zone, &more, err));
	assert_true(more);
	assert_string_equal(zone.domain, "a.example");
	assert_string_equal(zone.hostname, "");
	assert_string_equal(zone.updated_at, "");
	assert_null(zone.text);
	OK(predecessor_next(predecessor, &zone, &more, err));
	assert_true(more);
	assert_string_equal(zone.domain, "b.example");
	assert_string_equal(zone.hostname, "da1.host.example");
	assert_string_equal(zone.username, "fred");
	assert_string_equal(zone.updated_at, "2026-02-21 10:11:12.000123");
	assert_int_equal(zone.text_size, 4);
	assert_memory_equal(zone.text, "text", 4);
	OK(predecessor_next(predecessor, &zone, &more, err));
	assert_true(more);
	assert_string_equal(zone.domain, "");
	assert_int_equal(zone.text_size, 3);
	assert_memory_equal(zone.text, "a\0b", 3);
	OK(predecessor_next(predecessor, &zone, &more, err));
	assert_false(more);
	predecessor_close(predecessor);
}

static void an_older_one_has_owners_alone(void **state)
{
	struct fixture *fixture = *state;
	struct predecessor *predecessor;
	struct predecessor_zone zone;
	bool more;

	make(fixture->path, "CREATE TABLE domains (id INTEGER PRIMARY KEY, domain TEXT, hostname TEXT, username TEXT);"
		"INSERT INTO domains VALUES (1,'a.example','da1.host.example','fred');");
	OK(predecessor_open(fixture->path, &predecessor, err));
	OK(predecessor_next(predecessor, &zone, &more, err));
	assert_true(more);
	assert_string_equal(zone.hostname, "da1.host.example");
	assert_null(zone.text);
	predecessor_close(predecessor);
}

static void nothing_else_is_taken_for_it(void **state)
{
	struct fixture *fixture = *state;
	struct predecessor *predecessor;

	FAILS(ERR_NOTFOUND, predecessor_open(fixture->path, &predecessor, err));
	assert_int_equal(access(fixture->path, F_OK), -1);
	make(fixture->path, "CREATE TABLE zones (id INTEGER PRIMARY KEY);");
	FAILS(ERR_FOREIGN, predecessor_open(fixture->path, &predecessor, err));
	FILE *file = fopen(fixture->path, "w");
	assert_non_null(file);
	fputs("this is a text file, and long enough to be no header of SQLite at all: it is not a database\n", file);
	fclose(file);
	FAILS(ERR_FOREIGN, predecessor_open(fixture->path, &predecessor, err));
	FAILS(ERR_IO, predecessor_open(fixture->folder, &predecessor, err));
}

static void it_stays_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct predecessor *predecessor;
	struct predecessor_zone zone;
	struct stat before, after;
	bool more;

	make(fixture->path, DOMAINS "INSERT INTO domains (id,domain) VALUES (1,'a.example');");
	assert_int_equal(chmod(fixture->path, 0400), 0);
	assert_int_equal(stat(fixture->path, &before), 0);
	OK(predecessor_open(fixture->path, &predecessor, err));
	OK(predecessor_next(predecessor, &zone, &more, err));
	predecessor_close(predecessor);
	assert_int_equal(stat(fixture->path, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_int_equal(before.st_size, after.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_rows_come, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(an_older_one_has_owners_alone, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(nothing_else_is_taken_for_it, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(it_stays_as_it_is, fixture_make, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
