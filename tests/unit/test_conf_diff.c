/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_conf_util.h"

#include "conf/keys.h"

/* Loads the first, keeps it, loads the second. */
static struct conf *load_two(struct folder *folder, const char *first, const char *second, char *const *environment)
{
	assert_loads(folder, first, environment);
	struct conf *kept = folder->conf;
	folder->conf = NULL;
	assert_loads(folder, second, environment);
	return kept;
}

static void assert_differ(struct folder *folder, const char *first, const char *second, const char *wanted,
	const char *wanted_restart)
{
	struct conf *kept = load_two(folder, first, second, NULL);
	struct buf live = { 0 };
	struct buf restart = { 0 };

	conf_diff(kept, folder->conf, &live);
	conf_diff_restart(kept, folder->conf, &restart);
	buf_puts(&live, "");
	buf_puts(&restart, "");
	assert_string_equal(live.data, wanted);
	assert_string_equal(restart.data, wanted_restart);
	buf_free(&live);
	buf_free(&restart);
	conf_destroy(kept);
}

static void nothing_differs(void **state)
{
	assert_differ(*state, GOOD, GOOD, "", "");
	assert_differ(*state, GOOD "retry: {max_attempts: 5}\n", GOOD, "", "");
}

static void each_key_has_its_line(void **state)
{
	assert_differ(*state, GOOD,
		"log_level: debug\n" LOGIN "  max_connections: 600\n  dry_run: true\n" DC1 "      host: db.example\n      port: 3307\n"
		"retry: {backoff_seconds: [1, 2]}\nguard: {mode: warn}\n",
		"log_level: info -> debug\n"
		"app.max_connections: 512 -> 600\n"
		"app.dry_run: false -> true\n"
		"retry.backoff_seconds: [30, 120, 300, 900, 1800] -> [1, 2]\n"
		"guard.mode: \"hold\" -> \"warn\"\n"
		"dns.backends.dc1.host: \"localhost\" -> \"db.example\"\n"
		"dns.backends.dc1.port: 3306 -> 3307\n",
		"");
}

static void a_secret_is_never_told(void **state)
{
	assert_differ(*state, GOOD,
		"app:\n  auth_password: other-pass\n"
		"dns:\n  backends:\n    dc1:\n      type: coredns_mysql\n      enabled: true\n      password: hidden-pass\n",
		"app.auth_password: changed\n"
		"dns.backends.dc1.password: changed\n",
		"");
}

#define DC2 "    dc2:\n      type: coredns_mysql\n      enabled: true\n      password: p2\n      database: two\n"

static void what_comes_and_goes_is_named(void **state)
{
	struct folder *folder = *state;
	const char *users = LOGIN "  users:\n    - {name: ann, password: a1, role: operator}\n"
				  "    - {name: bob, password: b1, role: operator}\n" DC1;
	const char *others = LOGIN "  users:\n    - {name: bob, password: b2, role: read-only}\n"
				   "    - {name: eve, password: e1, role: operator}\n" DC1 DC2;

	assert_differ(folder, users, others,
		"dns.backends.dc2: new\n"
		"app.users[ann]: gone\n"
		"app.users[eve]: new\n"
		"app.users[bob].password: changed\n"
		"app.users[bob].role: \"operator\" -> \"read-only\"\n",
		"");
	assert_differ(folder, LOGIN "  listeners:\n    - {address: 127.0.0.1, port: 81}\n    - {address: \"::1\", port: 82}\n" DC1,
		LOGIN "  listeners:\n    - {address: 127.0.0.1, port: 81, roles: [peer]}\n    - {port: 82}\n" DC1,
		"app.listeners[[::1]:82]: gone\n"
		"app.listeners[:82]: new\n"
		"app.listeners[127.0.0.1:81].roles: [] -> [\"peer\"]\n",
		"");
	assert_differ(folder, GOOD DC2, GOOD "    dc2: {type: coredns_mysql, enabled: false}\n", "dns.backends.dc2: gone\n", "");
}

static void what_needs_a_restart_is_told_apart(void **state)
{
	assert_differ(*state, GOOD,
		LOGIN "  control_socket: /run/other.sock\n  user: daemon\n" DC1
		"datastore: {db_location: /srv/other.db}\nhistory: {versions: 3}\n",
		"history.versions: 10 -> 3\n",
		"app.user: \"\" -> \"daemon\"\n"
		"app.control_socket: \"data/zonefan.sock\" -> \"/run/other.sock\"\n"
		"datastore.db_location: \"data/directdns.db\" -> \"/srv/other.db\"\n");
}

static void sections_are_compared_whole(void **state)
{
	struct folder *folder = *state;
	struct conf *kept = load_two(folder, GOOD,
		GOOD "reconciliation:\n  directadmin_servers:\n    - {hostname: da1.example, username: u, password: p}\n", NULL);

	assert_false(conf_is_same(kept, folder->conf, "reconciliation."));
	assert_true(conf_is_same(kept, folder->conf, "peer_sync."));
	assert_true(conf_is_same(kept, folder->conf, "dns."));
	conf_destroy(kept);
}

static void any_setting_of_a_back_end_is_another_version(void **state)
{
	static const char *const settings[] = { "host: other.example", "port: 1", "database: other", "connections: 3",
		"query_timeout_ms: 11", "heal: report", "zones_table: z", "ssl_ca: /ca.pem", "unix_socket: /run/db.sock" };
	struct folder *folder = *state;
	uint64_t versions[ARRAY_SIZE(settings) + 1];

	assert_loads(folder, GOOD, NULL);
	versions[0] = conf_backend_version(&folder->conf->backends[0]);
	assert_loads(folder, GOOD, NULL);
	assert_true(versions[0] == conf_backend_version(&folder->conf->backends[0]));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		char *text = xasprintf("%s      %s\n", GOOD, settings[i]);

		assert_loads(folder, text, NULL);
		versions[i + 1] = conf_backend_version(&folder->conf->backends[0]);
		for (size_t k = 0; k <= i; k++)
			assert_true(versions[k] != versions[i + 1]);
		free(text);
	}
	assert_loads(folder, LOGIN "dns:\n  backends:\n    dc1:\n      type: coredns_mysql\n      enabled: true\n      password: x\n",
		NULL);
	assert_true(versions[0] != conf_backend_version(&folder->conf->backends[0]));
}

/* All files whose change means something, wherever they are named. */
static void files_are_known(void **state)
{
	struct folder *folder = *state;
	char *variable = xasprintf("DADNS_APP_AUTH_PASSWORD_FILE=%s", folder->other);
	char *environment[] = { variable, NULL };
	char *text = xasprintf("dns:\n  backends:\n    dc1:\n      type: coredns_mysql\n      enabled: true\n"
		"      password_file: %s\n      ssl_ca: /etc/ca.pem\n", folder->other);

	file_put(folder->other, "secret\n", 7);
	assert_loads(folder, text, environment);
	assert_int_equal(folder->conf->file_count, 3);
	assert_string_equal(folder->conf->files[0], folder->other);
	assert_string_equal(folder->conf->files[1], folder->other);
	assert_string_equal(folder->conf->files[2], "/etc/ca.pem");
	free(text);
	free(variable);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_differs),
		CASE(each_key_has_its_line),
		CASE(a_secret_is_never_told),
		CASE(what_comes_and_goes_is_named),
		CASE(what_needs_a_restart_is_told_apart),
		CASE(sections_are_compared_whole),
		CASE(any_setting_of_a_back_end_is_another_version),
		CASE(files_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
