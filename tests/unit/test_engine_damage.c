/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A damaged store costs what it concerns: that zone, that order. The engine's core alone. */
#include "test_engine_core.h"

#include <sqlite3.h>

static int set_up(void **state)
{
	(void)state;
	make_folder();
	start(false);
	come_up();
	return 0;
}

/* By a connection of its own, which reads the schema as it is now. */
static void change(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig.path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* What stands in the table is changed, and its index of what is due knows nothing of it. */
static void change_without_index(const char *sql)
{
	change("CREATE TABLE aside AS SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 'delivery_due';"
	       "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'delivery_due'");
	change(sql);
	change("PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM aside; DROP TABLE aside");
}

static void deliver(unsigned number)
{
	turn(push(number));
	struct core_job *job = take_job(CORE_JOB_APPLY);

	assert_int_equal(job->zone_count, 1);
	job->items[0].verdict = BACKEND_OK;
	core_turn(rig.core, NULL, 0, &job, 1);
}

/* It lists one that is delivered, and another that was dropped, as due: they are passed over, and the others go. */
static void what_is_not_due_is_passed_over(void **state)
{
	static const char *const damages[] = { "UPDATE delivery SET state = 0", "UPDATE delivery SET state = 6" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(damages); i++) {
		deliver(2 * i + 1);
		change("UPDATE delivery SET state = 1, next_try = 0");
		change_without_index(damages[i]);
		rig.mono_ms += 1000;
		deliver(2 * i + 2);
		change("REINDEX");
		rig.mono_ms += 1000;
	}
}

/* Of two zones that are to be deleted one has a damaged row: nobody knows whose it is. The other goes, and who asked is told. */
static void a_damaged_row_keeps_no_other_zone(void **state)
{
	struct core_command *command = order(ENGINE_DELETE, NULL);
	struct store_zone row;
	struct err err;

	(void)state;
	deliver(1);
	deliver(2);
	change("UPDATE zone SET serial = serial + 1 WHERE name = 'live1.example.'");
	command->request->names = xcalloc(2, sizeof(char *));
	command->request->names[0] = xstrdup("live1.example");
	command->request->names[1] = xstrdup("live2.example");
	command->request->name_count = 2;
	turn(command);
	assert_int_equal(rig.answer->err.code, ERR_CORRUPT);
	assert_int_equal(store_zone_find(rig.store, "live2.example.", &row, &err), ERR_OK);
	assert_true(row.deleted);
	store_zone_clear(&row);
}

/* The store knows dc0 as well, which is not configured any more. */
static int set_up_with_another(void **state)
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
		cmocka_unit_test_setup_teardown(what_is_not_due_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_row_keeps_no_other_zone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_list_that_breaks_off_retires_nothing, set_up_with_another, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
