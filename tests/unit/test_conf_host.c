/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_conf_util.h"

/* Loads with that store (relative ones stand in the test's folder) and more lines of dc1, and judges the host. */
static int judge(struct folder *folder, const char *store, const char *more, char *const *environment)
{
	char *path = *store == '/' ? xstrdup(store) : xasprintf("%s/%s", folder->path, store);
	char *text = xasprintf("%s%sdatastore:\n  db_location: %s\n", GOOD, more, path);

	assert_loads(folder, text, environment);
	free(text);
	free(path);
	memset(&folder->err, 0, sizeof(folder->err));
	return conf_check_host(folder->conf, &folder->err);
}

static void assert_unfit(struct folder *folder, int ret, int code, const char *key, const char *path)
{
	if (ret != code)
		fail_msg("%d instead of %d: %s", ret, code, folder->err.text);
	assert_int_equal(folder->err.code, code);
	assert_ptr_equal(strstr(folder->err.text, key), folder->err.text);
	assert_contains(folder->err.text, path);
}

static void a_fit_host_is_told_so(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(judge(folder, "z.db", "", NULL), 0);
	file_put(folder->other, "", 0);
	assert_int_equal(judge(folder, "secret", "", NULL), 0); /* the store is there already */
}

static void the_store_s_folder_must_be_there(void **state)
{
	struct folder *folder = *state;

	assert_unfit(folder, judge(folder, "/nodir/z.db", "", NULL), ERR_NOTFOUND, "datastore.db_location: ", " /nodir: ");
	assert_unfit(folder, judge(folder, "a/b/z.db", "", NULL), ERR_NOTFOUND, "datastore.db_location: ", "/a/b: ");
}

static void the_store_s_folder_must_be_one(void **state)
{
	struct folder *folder = *state;

	file_put(folder->other, "", 0);
	assert_unfit(folder, judge(folder, "secret/z.db", "", NULL), ERR_INVALID, "datastore.db_location: ",
		"/secret is not a folder");
	assert_unfit(folder, judge(folder, "/dev/null/z/z.db", "", NULL), ERR_NOTFOUND, "datastore.db_location: ",
		"/dev/null/z");
}

static void the_store_must_be_a_file(void **state)
{
	struct folder *folder = *state;

	assert_unfit(folder, judge(folder, "/tmp", "", NULL), ERR_INVALID, "datastore.db_location: ", "/tmp is not a file");
}

/* root may write everywhere: these take the rights of nobody for a moment. */
static int judge_as_nobody(struct folder *folder, const char *store, const char *more)
{
	bool root = geteuid() == 0;
	char *path = xasprintf("%s/%s", folder->path, store);
	char *text = xasprintf("%s%sdatastore:\n  db_location: %s\n", GOOD, more, path);

	assert_loads(folder, text, NULL);
	free(text);
	free(path);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	int ret = conf_check_host(folder->conf, &folder->err);
	if (root)
		assert_int_equal(seteuid(0), 0);
	return ret;
}

static void the_store_s_folder_must_be_writable(void **state)
{
	struct folder *folder = *state;

	file_put(folder->file, "", 0); /* made before the folder is closed */
	assert_int_equal(chmod(folder->path, geteuid() == 0 ? 0755 : 0555), 0);
	int ret = judge_as_nobody(folder, "z.db", "");
	assert_int_equal(chmod(folder->path, 0700), 0);
	assert_unfit(folder, ret, ERR_DENIED, "datastore.db_location: ", folder->path);
	assert_contains(folder->err.text, "Permission denied");
}

static void the_store_must_be_writable(void **state)
{
	struct folder *folder = *state;

	file_put(folder->other, "", 0);
	assert_int_equal(chmod(folder->other, 0444), 0);
	assert_int_equal(chmod(folder->path, 0777), 0);
	assert_unfit(folder, judge_as_nobody(folder, "secret", ""), ERR_DENIED, "datastore.db_location: ", folder->other);
}

static void tls_files_must_be_readable(void **state)
{
	struct folder *folder = *state;
	char *there = xasprintf("      ssl_ca: %s\n", folder->other);
	char *both = xasprintf("%s      ssl_cert: /no/cert.pem\n      ssl_key: %s\n", there, folder->other);

	assert_unfit(folder, judge(folder, "z.db", there, NULL), ERR_NOTFOUND, "dns.backends.dc1.ssl_ca: ", folder->other);
	file_put(folder->other, "", 0);
	assert_int_equal(judge(folder, "z.db", there, NULL), 0);
	assert_unfit(folder, judge(folder, "z.db", both, NULL), ERR_NOTFOUND, "dns.backends.dc1.ssl_cert: ",
		"/no/cert.pem");
	assert_unfit(folder, judge(folder, "z.db", "      ssl_ca: /tmp\n", NULL), ERR_INVALID, "dns.backends.dc1.ssl_ca: ",
		"/tmp is not a file");
	assert_int_equal(chmod(folder->other, 0), 0);
	assert_int_equal(chmod(folder->path, 0777), 0);
	assert_unfit(folder, judge_as_nobody(folder, "z.db", there), ERR_DENIED, "dns.backends.dc1.ssl_ca: ",
		folder->other);
	free(there);
	free(both);
}

static void the_control_socket_s_folder_must_be_there(void **state)
{
	char *elsewhere[] = { "DADNS_APP_CONTROL_SOCKET=/nodir/c.sock", NULL };
	char *none[] = { "DADNS_APP_CONTROL_SOCKET=", NULL };
	struct folder *folder = *state;

	assert_unfit(folder, judge(folder, "z.db", "", elsewhere), ERR_NOTFOUND, "app.control_socket: ", " /nodir: ");
	assert_int_equal(judge(folder, "z.db", "", none), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_fit_host_is_told_so),
		TEST(the_store_s_folder_must_be_there),
		TEST(the_store_s_folder_must_be_one),
		TEST(the_store_must_be_a_file),
		TEST(the_store_s_folder_must_be_writable),
		TEST(the_store_must_be_writable),
		TEST(tls_files_must_be_readable),
		TEST(the_control_socket_s_folder_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
