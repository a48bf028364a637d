/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_conf_util.h"

/* An environ-like list of at most 7 variables. */
struct variables {
	char *list[8];
};

#define VARIABLES(...) (((struct variables){ { __VA_ARGS__ } }).list)

static void the_environment_beats_the_file(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD "retry:\n  backoff_seconds: [7]\n",
		VARIABLES("DADNS_APP_AUTH_PASSWORD=by-environment", "DADNS_APP_LISTEN_PORT=8080",
			"DADNS_RETRY_BACKOFF_SECONDS=1, 2,3", "DADNS_DNS_BACKENDS_DC1_HOST=db.example",
			"DADNS_DNS_BACKENDS_DC1_MANAGE_SCHEMA=off", "HOME=/root"));
	assert_string_equal(folder->conf->auth_password, "by-environment");
	assert_int_equal(folder->conf->listen_port, 8080);
	assert_int_equal(folder->conf->backoff_count, 3);
	assert_int_equal(folder->conf->backoff_ms[0], 1000);
	assert_int_equal(folder->conf->backoff_ms[2], 3000);
	assert_int_equal(folder->conf->backend_count, 1);
	assert_string_equal(folder->conf->backends[0].host, "db.example");
	assert_false(folder->conf->backends[0].manage_schema);
}

static void a_back_end_is_made_by_the_environment_alone(void **state)
{
	struct folder *folder = *state;

	/* The predecessor's documented setting of one CoreDNS back end, which names no type. */
	assert_loads(folder, LOGIN,
		VARIABLES("DADNS_DNS_DEFAULT_BACKEND=coredns_mysql", "DADNS_DNS_BACKENDS_COREDNS_MYSQL_ENABLED=true",
			"DADNS_DNS_BACKENDS_COREDNS_MYSQL_HOST=mysql.dc1.internal",
			"DADNS_DNS_BACKENDS_COREDNS_MYSQL_CONNECT_TIMEOUT_MS=1234",
			"DADNS_DNS_BACKENDS_COREDNS_MYSQL_PASSWORD=db-secret",
			"DADNS_QUEUE_LOCATION=/app/data/queues", "DADNS_DATASTORE_DB_LOCATION=/app/data/directdns.db"));
	assert_int_equal(folder->conf->backend_count, 1);
	const struct conf_backend *backend = &folder->conf->backends[0];
	assert_string_equal(backend->name, "coredns_mysql");
	assert_string_equal(backend->type, "coredns_mysql");
	assert_string_equal(backend->host, "mysql.dc1.internal");
	assert_string_equal(backend->password, "db-secret");
	assert_int_equal(backend->connect_timeout_ms, 1234);
	assert_string_equal(folder->conf->store_path, "/app/data/directdns.db");
	assert_string_equal(folder->conf->control_socket, "/app/data/zonefan.sock");
	assert_contains(folder->notices.data, "DADNS_QUEUE_LOCATION: accepted, but without meaning here");
}

static void no_file_is_needed(void **state)
{
	struct folder *folder = *state;
	char before[4096];

	assert_non_null(getcwd(before, sizeof(before)));
	if (access("/etc/zonefan/app.yml", F_OK) == 0 || access("/etc/directdnsonly/app.yml", F_OK) == 0)
		skip();
	assert_int_equal(chdir(folder->path), 0);
	int ret = conf_load(NULL,
		VARIABLES("DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_X_TYPE=coredns_mysql",
			"DADNS_DNS_BACKENDS_X_ENABLED=1", "DADNS_DNS_BACKENDS_X_PASSWORD=b"),
		&folder->conf, NULL, &folder->err);
	struct conf *other = NULL;
	int bare = conf_load(NULL, VARIABLES("HOME=/"), &other, NULL, &folder->err);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(ret, 0);
	assert_null(folder->conf->path);
	assert_string_equal(folder->conf->backends[0].name, "x");
	assert_int_equal(bare, ERR_INVALID);
	assert_null(other);
	assert_contains(folder->err.text, "app.auth_password: an empty password is refused");
}

static void names_of_the_file_are_met_whatever_their_spelling(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder,
		LOGIN "dns:\n  backends:\n"
		      "    DC-1.west: {type: coredns_mysql, enabled: true, password: x, database: a}\n"
		      "    dc_1: {type: coredns_mysql, enabled: true, password: x, database: b}\n",
		VARIABLES("DADNS_DNS_BACKENDS_DC_1_WEST_PORT=1", "DADNS_DNS_BACKENDS_DC_1_PORT=2"));
	assert_int_equal(folder->conf->backend_count, 2);
	assert_string_equal(folder->conf->backends[0].name, "DC-1.west");
	assert_int_equal(folder->conf->backends[0].port, 1);
	assert_int_equal(folder->conf->backends[1].port, 2);
	assert_refused(folder,
		folder_load(folder,
			LOGIN "dns:\n  backends:\n    dc-1: {type: coredns_mysql}\n    dc_1: {type: coredns_mysql}\n",
			VARIABLES("DADNS_DNS_BACKENDS_DC_1_PORT=2")),
		"DADNS_DNS_BACKENDS_DC_1_PORT: may mean back end \"dc-1\" or \"dc_1\"");
}

static void the_longest_key_wins(void **state)
{
	struct folder *folder = *state;

	/* "..._SSL_CA" is ssl_ca of dc1, not a key "ca" of "dc1_ssl"; "..._SSL_KEY" likewise. */
	assert_loads(folder, GOOD,
		VARIABLES("DADNS_DNS_BACKENDS_DC1_SSL_CA=/ca.pem", "DADNS_DNS_BACKENDS_DC1_SSL_CERT=/c.pem",
			"DADNS_DNS_BACKENDS_DC1_SSL_KEY=/k.pem", "DADNS_DNS_BACKENDS_DC1_UNIX_SOCKET=/run/x.sock"));
	assert_int_equal(folder->conf->backend_count, 1);
	assert_int_equal(folder->conf->disabled_count, 0);
	assert_string_equal(folder->conf->backends[0].ssl_ca, "/ca.pem");
	assert_string_equal(folder->conf->backends[0].ssl_key, "/k.pem");
	assert_true(folder->conf->backends[0].ssl);
	assert_string_equal(folder->conf->backends[0].unix_socket, "/run/x.sock");
}

static void a_back_end_that_is_not_enabled_is_noticed(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD,
		VARIABLES("DADNS_DNS_BACKENDS_COREDNS_MYSQL_HOST=h", "DADNS_DNS_BACKENDS_NSD_ENABLED=false"));
	assert_int_equal(folder->conf->backend_count, 1);
	assert_int_equal(folder->conf->disabled_count, 2);
	assert_contains(folder->notices.data,
		"false: back end \"coredns_mysql\" comes from DADNS_DNS_BACKENDS_COREDNS_MYSQL_HOST alone");
}

static void bad_variables_are_refused_by_name(void **state)
{
	static const struct {
		const char *variable;
		const char *message;
	} table[] = {
		{ "DADNS_APP_LISTEN_PROT=1", "DADNS_APP_LISTEN_PROT: unknown variable; did you mean DADNS_APP_LISTEN_PORT?" },
		{ "DADNS_app_listen_port=1", "DADNS_app_listen_port: unknown variable; did you mean DADNS_APP_LISTEN_PORT?" },
		{ "DADNS_LOGLEVEL=info", "DADNS_LOGLEVEL: unknown variable; did you mean DADNS_LOG_LEVEL?" },
		{ "DADNS_DNS_BACKENDS_DC1_PASWORD=x",
		  "DADNS_DNS_BACKENDS_DC1_PASWORD: unknown variable; did you mean DADNS_DNS_BACKENDS_DC1_PASSWORD?" },
		{ "DADNS_DNS_BACKENDS__HOST=x", "DADNS_DNS_BACKENDS__HOST: unknown variable" },
		{ "DADNS_DNS_BACKENDS_A B_HOST=x", "DADNS_DNS_BACKENDS_A B_HOST: a back end's name is" },
		{ "DADNS_=x", "DADNS_: unknown variable" },
		{ "DADNS_UTTERLY_ELSEWHERE_AND_OTHER=x", "DADNS_UTTERLY_ELSEWHERE_AND_OTHER: unknown variable" },
		{ "DADNS_PEER_SYNC_PEER_10_URL=x", "DADNS_PEER_SYNC_PEER_10_URL: unknown variable" },
		{ "DADNS_PEER_SYNC_PEER_0_URL=x", "DADNS_PEER_SYNC_PEER_0_URL: unknown variable" },
		{ "DADNS_PEER_SYNC_PEERS[]_URL=x", "DADNS_PEER_SYNC_PEERS[]_URL: unknown variable" },
		{ "DADNS_APP_LISTEN_PORT_FILE=/dev/null", "DADNS_APP_LISTEN_PORT_FILE: unknown variable" },
		{ "DADNS_APP_LISTEN_PORT=10m", "DADNS_APP_LISTEN_PORT: \"10m\" is not a whole number from 1 to 65535" },
		{ "DADNS_APP_LISTEN_PORT=", "DADNS_APP_LISTEN_PORT: \"\" is not a whole number" },
		{ "DADNS_RETRY_BACKOFF_SECONDS=1,,2", "DADNS_RETRY_BACKOFF_SECONDS: \"\" is not a whole number of seconds" },
		{ "DADNS_RETRY_BACKOFF_SECONDS=1,2,", "DADNS_RETRY_BACKOFF_SECONDS: \"\" is not a whole number" },
		{ "DADNS_RETRY_BACKOFF_SECONDS=[1,2]", "DADNS_RETRY_BACKOFF_SECONDS: \"[1\" is not a whole number" },
		{ "DADNS_RETRY_BACKOFF_SECONDS=", "DADNS_RETRY_BACKOFF_SECONDS: \"\" is not a whole number" },
		{ "DADNS_RETRY_BACKOFF_SECONDS=1,99999999999999999999999999999999999999999",
		  "DADNS_RETRY_BACKOFF_SECONDS: \"99999999999999999999\" is not a whole number" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=10.0.0.2",
		  "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: \"10.0.0.2\" is not HOST:PORT" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=ns1:70000",
		  "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: \"ns1:70000\" is not HOST:PORT" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=ns1:53, ns1:53",
		  "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: \"ns1:53\" stands there twice" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=ns1:53,,ns2:53", "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: \"\" is not HOST:PORT" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=ns1:53,", "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: \"\" is not HOST:PORT" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS= ", "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: \"\" is not HOST:PORT" },
		{ "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=ns1:53\n",
		  "DADNS_DNS_BACKENDS_DC1_VERIFY_DNS: the value contains a control character" },
		{ "DADNS_APP_ALLOW=10.0.0.0/8 192.168.0.0/16",
		  "DADNS_APP_ALLOW: \"10.0.0.0/8 192.168.0.0/16\" is not " },
		{ "DADNS_APP_TRUSTED_PROXIES=10.0.0.1, proxy", "DADNS_APP_TRUSTED_PROXIES: \"proxy\" is not " },
		{ "DADNS_LOG_LEVEL=x", "DADNS_LOG_LEVEL: \"x\" is none of" },
		{ "DADNS_APP_AUTH_USERNAME=a\nb", "DADNS_APP_AUTH_USERNAME: the value contains a control character" },
		{ "DADNS_APP_AUTH_USERNAME=\xc3\x28", "DADNS_APP_AUTH_USERNAME: the value is not UTF-8" },
		{ "DADNS_APP_SSL_ENABLE=true", "DADNS_APP_SSL_ENABLE: needs a certificate" },
		{ "DADNS_PEER_SYNC_ENABLED=perhaps", "DADNS_PEER_SYNC_ENABLED: \"perhaps\" is neither true nor false" },
		{ "DADNS_PEER_SYNC_PEER_1_URL=ftp://b", "DADNS_PEER_SYNC_PEER_1_URL: \"ftp://b\" is not http:// or https://" },
		{ "DADNS_RECONCILIATION_ENABLED=maybe", "DADNS_RECONCILIATION_ENABLED: \"maybe\" is neither true nor false" },
		{ "DADNS_HEALING_INTERVAL_MINUTES=0", "DADNS_HEALING_INTERVAL_MINUTES: \"0\" is not a whole number of minutes" },
		{ "DADNS_DNS_BACKENDS_BIND_ENABLED=true",
		  "DADNS_DNS_BACKENDS_BIND_ENABLED: dns.backends.bind.type: type \"bind\" is not yet supported" },
		{ "DADNS_DNS_BACKENDS_DC2_ENABLED=true", "DADNS_DNS_BACKENDS_DC2_ENABLED: dns.backends.dc2.type: missing" },
		{ "DADNS_APP_AUTH_PASSWORD=changeme", "DADNS_APP_AUTH_PASSWORD: the password \"changeme\" is refused" },
		{ "DADNS_APP_AUTH_PASSWORD=", "DADNS_APP_AUTH_PASSWORD: an empty password is refused" },
		{ "DADNS_APP_AUTH_PASSWORD_FILE=/nonexistent/x",
		  "DADNS_APP_AUTH_PASSWORD_FILE: /nonexistent/x: No such file" },
	};
	struct folder *folder = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char *variable = xstrdup(table[i].variable);

		assert_refused(folder, folder_load(folder, GOOD, VARIABLES(variable)), table[i].message);
		free(variable);
	}
}

static void lists_of_the_environment_may_have_blanks(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD,
		VARIABLES("DADNS_DNS_BACKENDS_DC1_VERIFY_DNS=127.0.0.1:39053, [::1]:39054 ",
			"DADNS_APP_ALLOW=10.0.0.0/8, 192.168.0.0/16", "DADNS_APP_TRUSTED_PROXIES= 10.0.0.1 ,10.0.0.2"));
	const struct conf *conf = folder->conf;
	assert_int_equal(conf->backends[0].verify_dns_count, 2);
	assert_string_equal(conf->backends[0].verify_dns[0], "127.0.0.1:39053");
	assert_string_equal(conf->backends[0].verify_dns[1], "[::1]:39054");
	assert_int_equal(conf->allow_count, 2);
	assert_string_equal(conf->allow[1], "192.168.0.0/16");
	assert_int_equal(conf->trusted_proxy_count, 2);
	assert_string_equal(conf->trusted_proxies[0], "10.0.0.1");
	assert_string_equal(conf->trusted_proxies[1], "10.0.0.2");
	assert_loads(folder, LOGIN "  allow: [10.0.0.1]\n" DC1, VARIABLES("DADNS_APP_ALLOW="));
	assert_int_equal(folder->conf->allow_count, 0);
}

static void a_huge_variable_is_refused(void **state)
{
	struct folder *folder = *state;
	size_t size = 1024 * 1024;
	char *huge = xmalloc(size + 1);

	memset(huge, 'x', size);
	huge[size] = '\0';
	memcpy(huge, "DADNS_APP_AUTH_USERNAME=", 24);
	assert_refused(folder, folder_load(folder, GOOD, VARIABLES(huge)),
		"DADNS_APP_AUTH_USERNAME: the value is longer than 4096 bytes");
	memcpy(huge, "DADNS_xxxxxxxxxxxxxxxxxx", 24);
	huge[size - 1] = '=';
	assert_int_equal(folder_load(folder, GOOD, VARIABLES(huge)), ERR_INVALID);
	assert_contains(folder->err.text, "DADNS_xxx");
	free(huge);
}

static void peers_come_from_the_environment(void **state)
{
	struct folder *folder = *state;
	const struct conf *conf;
	char file[160];

	file_put(folder->other, "from-file\n", 10);
	snprintf(file, sizeof(file), "DADNS_PEER_SYNC_PEER_9_PASSWORD_FILE=%s", folder->other);
	assert_loads(folder, GOOD "peer_sync:\n  peers:\n    - {url: \"http://file/\", username: f, password: g}\n",
		VARIABLES("DADNS_PEER_SYNC_ENABLED=true", "DADNS_PEER_SYNC_AUTH_PASSWORD=ours",
			"DADNS_PEER_SYNC_PEER_URL=http://a:2222", "DADNS_PEER_SYNC_PEER_9_URL=https://b", file,
			"DADNS_PEER_SYNC_PEER_9_USERNAME=u"));
	conf = folder->conf;
	assert_int_equal(conf->peer_count, 3);
	assert_string_equal(conf->peers[0].url, "http://file");
	assert_string_equal(conf->peers[0].username, "f");
	assert_string_equal(conf->peers[0].password, "g");
	assert_string_equal(conf->peers[1].url, "http://a:2222");
	assert_string_equal(conf->peers[1].username, "peersync");
	assert_string_equal(conf->peers[1].password, "ours");
	assert_string_equal(conf->peers[2].url, "https://b");
	assert_string_equal(conf->peers[2].username, "u");
	assert_string_equal(conf->peers[2].password, "from-file");
	assert_refused(folder,
		folder_load(folder, GOOD, VARIABLES("DADNS_PEER_SYNC_ENABLED=true", "DADNS_PEER_SYNC_AUTH_PASSWORD=x",
			"DADNS_PEER_SYNC_PEER_2_USERNAME=u")),
		"DADNS_PEER_SYNC_PEER_2_USERNAME: peer_sync.peers[env2].url: must be set");
}

static void service_links_and_peers_are_let_pass(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD,
		VARIABLES("DADNS_SERVICE_HOST=10.0.0.1", "DADNS_SERVICE_PORT_HTTP=2222", "DADNS_PORT=tcp://10.0.0.1:2222",
			"DADNS_PORT_2222_TCP_ADDR=10.0.0.1", "DADNS_PEER_SYNC_PEER_URL=http://a",
			"DADNS_PEER_SYNC_PEER_1_URL=http://b", "DADNS_PEER_SYNC_PEER_9_PASSWORD_FILE=/dev/null"));
	assert_loads(folder, GOOD,
		VARIABLES("DADNS_PEER_SYNC_PEER_1_URL=http://b", "DADNS_PEER_SYNC_PEER_2_URL=http://c",
			"DADNS_PEER_SYNC_PEER_2_USERNAME=u", "DADNS_PEER_SYNC_PEER_2_PASSWORD=p",
			"DADNS_PEER_SYNC_INTERVAL_MINUTES=5", "DADNS_APP_SSL_ENABLE=false"));
	assert_int_equal(folder->notices.size, 0);
}

static void secrets_come_from_files(void **state)
{
	static const struct {
		const char *content;
		const char *password;
	} table[] = {
		{ "se cret", "se cret" }, { "secret\n", "secret" }, { "secret\n\n", NULL }, { "secret\r\n", "secret" },
		{ " secret \n", " secret " }, { "s\xc3\xa9", "s\xc3\xa9" },
	};
	struct folder *folder = *state;
	char variable[160];

	snprintf(variable, sizeof(variable), "DADNS_APP_AUTH_PASSWORD_FILE=%s", folder->other);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		file_put(folder->other, table[i].content, strlen(table[i].content));
		if (table[i].password == NULL) {
			assert_refused(folder, folder_load(folder, GOOD, VARIABLES(variable)),
				"DADNS_APP_AUTH_PASSWORD_FILE: the value contains a control character");
			continue;
		}
		assert_loads(folder, GOOD, VARIABLES(variable));
		assert_string_equal(folder->conf->auth_password, table[i].password);
	}
	file_put(folder->other, "a\0b", 3);
	assert_refused(folder, folder_load(folder, GOOD, VARIABLES(variable)), "DADNS_APP_AUTH_PASSWORD_FILE: ");
	assert_contains(folder->err.text, ": contains a NUL byte");
	file_put(folder->other, "\n", 1);
	assert_refused(folder, folder_load(folder, GOOD, VARIABLES(variable)),
		"DADNS_APP_AUTH_PASSWORD_FILE: an empty password is refused");
	file_put(folder->other, "changeme\n", 9);
	assert_refused(folder, folder_load(folder, GOOD, VARIABLES(variable)),
		"DADNS_APP_AUTH_PASSWORD_FILE: the password \"changeme\" is refused");
}

static void a_back_end_s_secret_comes_from_a_file(void **state)
{
	struct folder *folder = *state;
	char variable[160];

	file_put(folder->other, "from-file\n", 10);
	snprintf(variable, sizeof(variable), "DADNS_DNS_BACKENDS_DC1_PASSWORD_FILE=%s", folder->other);
	assert_loads(folder, GOOD, VARIABLES(variable));
	assert_string_equal(folder->conf->backends[0].password, "from-file");
	assert_refused(folder,
		folder_load(folder, GOOD, VARIABLES("DADNS_DNS_BACKENDS_DC1_PASSWORD=x", variable)),
		"DADNS_DNS_BACKENDS_DC1_PASSWORD_FILE: DADNS_DNS_BACKENDS_DC1_PASSWORD is set as well");
	assert_refused(folder,
		folder_load(folder, GOOD, VARIABLES(variable, "DADNS_DNS_BACKENDS_DC1_PASSWORD=x")),
		"DADNS_DNS_BACKENDS_DC1_PASSWORD: DADNS_DNS_BACKENDS_DC1_PASSWORD_FILE is set as well");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_environment_beats_the_file),
		TEST(a_back_end_is_made_by_the_environment_alone),
		TEST(no_file_is_needed),
		TEST(names_of_the_file_are_met_whatever_their_spelling),
		TEST(the_longest_key_wins),
		TEST(a_back_end_that_is_not_enabled_is_noticed),
		TEST(bad_variables_are_refused_by_name),
		TEST(lists_of_the_environment_may_have_blanks),
		TEST(a_huge_variable_is_refused),
		TEST(peers_come_from_the_environment),
		TEST(service_links_and_peers_are_let_pass),
		TEST(secrets_come_from_files),
		TEST(a_back_end_s_secret_comes_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
