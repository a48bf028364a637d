/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A back end is to be forgotten, and the store breaks off on the way there. The engine's core alone. */
#include "test_engine_core.h"

#include <sqlite3.h>

/* The store knows dc0, dc1 and dc2; configured are dc1 and dc2. */
static int set_up(void **state)
{
	(void)state;
	make_folder();
	rig_backends[1].name = "dc0";
	start(false);
	stop();
	rig_backends[1].name = "dc2";
	start(false);
	return 0;
}

/* By another connection; the core's sees it with its next statement. */
static void change(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig.path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int retire(const char *name)
{
	turn(order(ENGINE_RETIRE, name));
	for (int turns = 0; rig.answer == NULL && turns < 10; turns++)
		turn(NULL);
	assert_non_null(rig.answer);
	int code = rig.answer->err.code;
	engine_message_destroy(rig.answer);
	rig.answer = NULL;
	return code;
}

/* Of the list, which is by name, the row of dc2 is damaged. */
static void a_list_that_breaks_off_retires_nothing(void **state)
{
	static const char *const names[] = { "dc0", "dc1", "dc2", "dc9" };

	(void)state;
	change("ALTER TABLE backend RENAME TO backend_whole;"
	       "CREATE TABLE backend (name TEXT PRIMARY KEY, number INTEGER, id INTEGER AS (number + 0)) WITHOUT ROWID;"
	       "INSERT INTO backend (name, number) SELECT name, id FROM backend_whole;"
	       "PRAGMA writable_schema = ON;"
	       "UPDATE sqlite_schema SET sql = replace(sql, 'number + 0', 'CASE name WHEN ''dc2'' THEN abs(-9223372036854775807 - 1)"
	       " ELSE number END') WHERE name = 'backend';"
	       "CREATE TABLE whatever (id INTEGER)"); /* so that connections read the schema anew */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(retire(names[i]), ERR_CORRUPT);
	change("DROP TABLE backend; ALTER TABLE backend_whole RENAME TO backend");
	assert_int_equal(retire("dc1"), ERR_INVALID);
	assert_int_equal(retire("dc9"), ERR_NOTFOUND);
	assert_int_equal(retire("dc0"), ERR_OK);
	assert_int_equal(retire("dc0"), ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_list_that_breaks_off_retires_nothing, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
