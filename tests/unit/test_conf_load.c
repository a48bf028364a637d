/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_conf_util.h"

#include "conf/file.h"

struct bad {
	const char *text;
	int line;
	const char *message; /* behind "app.yml:<line>: " */
};

static void refuse_all(struct folder *folder, const struct bad *table, size_t count, const char *before, int lines)
{
	for (size_t i = 0; i < count; i++) {
		char *text = xasprintf("%s%s", before, table[i].text);

		assert_refused_at(folder, folder_load(folder, text, NULL), lines + table[i].line, table[i].message);
		free(text);
	}
}

static void syntax_is_refused_with_line(void **state)
{
	static const struct bad table[] = {
		{ "", 1, "the file is empty" },
		{ "\n# nothing\n\n", 1, "the file is empty" },
		{ "---\n", 2, "the document is empty" },
		{ "just text\n", 1, "the document is not a mapping" },
		{ "- a\n- b\n", 1, "the document is not a mapping" },
		{ "app:\n\tlisten_port: 1\n", 2, "YAML syntax: a tab indents this line" },
		{ "app:\n  listen_port: [1\nlog_level: INFO\n", 3, "YAML syntax: " },
		{ "app: {listen_port: 1\n", 2, "YAML syntax: " },
		{ "app:\n  auth_password: \"open\n\n", 4, "YAML syntax: " },
		{ "app:\n  listen_port: 1\n bad: 2\n", 3, "YAML syntax: " },
		{ "log_level: INFO\n---\nlog_level: INFO\n", 2, "a second document begins here" },
		{ "log_level: INFO\n...\n---\n", 3, "a second document begins here" },
		{ "app: &a\n  listen_port: 1\n", 1, "anchors, aliases and tags" },
		{ "log_level: INFO\ntimezone: &a UTC\n", 2, "anchors, aliases and tags" },
		{ "log_level: INFO\n&a timezone: UTC\n", 2, "anchors, aliases and tags" },
		{ "app:\n  auth_username: !!str x\n", 2, "anchors, aliases and tags" },
		{ "!x\nlog_level: INFO\n", 1, "anchors, aliases and tags" },
		{ "app: &a {listen_port: 1}\ndns: *a\n", 1, "anchors, aliases and tags" },
		{ "app:\n  listen_port: 1\n  auth_username: x\n  listen_port: 2\n", 4,
		  "app.listen_port: given twice, first in line 2" },
		{ "log_level: INFO\napp:\n  listen_port: 1\nlog_level: INFO\n", 4,
		  "log_level: given twice, first in line 1" },
		{ "dns:\n  backends:\n    dc1: {type: coredns_mysql}\n    dc1: {type: coredns_mysql}\n", 4,
		  "dns.backends.dc1: given twice, first in line 3" },
		{ "log_level: \"IN\\0FO\"\n", 1, "the value contains a NUL byte" },
		{ "? [a, b]\n: c\n", 1, "a key must be a plain word" },
		{ "\"\": c\n", 1, "a key is empty or contains a control character" },
		{ "\"a\\x1fb\": c\n", 1, "a key is empty or contains a control character" },
		{ "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}\n", 1, "nested too deeply" },
		{ "log_level: INFO\ntimezone: a\001b\n", 2, "YAML syntax: control characters are not allowed" },
		{ "log_level: INFO\n\ntimezone: \xff\n", 3, "YAML syntax: " },
	};

	refuse_all(*state, table, ARRAY_SIZE(table), "", 0);
}

static void unknown_keys_are_refused_with_line_and_nearest_key(void **state)
{
	static const struct bad table[] = {
		{ "log_levl: INFO\n", 1, "log_levl: unknown key; did you mean log_level?" },
		{ "listen_port: 2222\n", 1, "listen_port: unknown key; did you mean app.listen_port?" },
		{ "app.listen_port: 2222\n", 1, "app.listen_port: unknown key" },
		{ "app:\n  auth_username: x\n  listen_prot: 2222\n", 3,
		  "app.listen_prot: unknown key; did you mean app.listen_port?" },
		{ "dns:\n  backends:\n    dc.1:\n      pasword: x\n", 4,
		  "dns.backends.dc.1.pasword: unknown key; did you mean dns.backends.dc.1.password?" },
		{ "dns:\n  backend:\n    dc1:\n      type: coredns_mysql\n", 2, "dns.backend: unknown key" },
		{ "retry:\n  backof_seconds: [1]\n", 2,
		  "retry.backof_seconds: unknown key; did you mean retry.backoff_seconds?" },
		{ "peer_sync:\n  peers:\n    - url: http://a\n      usernam: b\n", 4,
		  "peer_sync.peers[].usernam: unknown key; did you mean peer_sync.peers[].username?" },
		{ "utter_nonsense: 1\n", 1, "utter_nonsense: unknown key" },
		{ "peer_sync:\n  peer:\n    url: x\n", 2, "peer_sync.peer: unknown key" },
		{ "<<: {log_level: INFO}\n", 1, "<<: unknown key" },
		{ "retry:\n  \"backoff_seconds[]\": 5\n", 2, "retry.backoff_seconds[]: unknown key" },
	};

	refuse_all(*state, table, ARRAY_SIZE(table), "", 0);
}

static void wrong_shapes_and_values_are_refused_with_line_and_key(void **state)
{
	static const struct bad table[] = {
		{ "log_level: loud\n", 1, "log_level: \"loud\" is none of debug|info|warning|error" },
		{ "log_level: [INFO]\n", 1, "log_level: must be a single value" },
		{ "log_level:\n  x: 1\n", 1, "log_level: must be a single value" },
		{ "retry: 5\n", 1, "retry: must be a mapping" },
		{ "retry: [5]\n", 1, "retry: must be a mapping" },
		{ "retry:\n  backoff_seconds: 30\n", 2, "retry.backoff_seconds: must be a list" },
		{ "retry:\n  backoff_seconds: []\n", 2, "retry.backoff_seconds: \"\" is not a whole number" },
		{ "retry:\n  backoff_seconds:\n    - 30\n    - 2m\n", 4,
		  "retry.backoff_seconds[]: \"2m\" is not a whole number of seconds" },
		{ "retry:\n  backoff_seconds: [1, [2]]\n", 2, "retry.backoff_seconds[]: \"\" is not a whole number" },
		{ "retry:\n  backoff_seconds: [\"1,2\"]\n", 2, "retry.backoff_seconds[]: \"1,2\" is not" },
		{ "retry:\n  max_attempts: 0\n", 2, "retry.max_attempts: \"0\" is not a whole number from 1 to 1000" },
		{ "retry:\n  probe_initial_ms: 2000\n  probe_max_ms: 1000\n", 3,
		  "retry.probe_max_ms: is less than retry.probe_initial_ms" },
		{ "peer_sync:\n  peers: {url: x}\n", 2, "peer_sync.peers: must be a list" },
		{ "peer_sync:\n  peers: [x]\n", 2, "peer_sync.peers[]: must be a mapping" },
		{ "peer_sync:\n  enabled: maybe\n", 2, "peer_sync.enabled: \"maybe\" is neither true nor false" },
		{ "peer_sync:\n  enabled: true\n  auth_password: ChangeMe\n", 3,
		  "peer_sync.auth_password: the password \"changeme\" is refused" },
		{ "peer_sync:\n  enabled: true\n  auth_password: x\n  auth_username: directdnsonly\n", 4,
		  "peer_sync.auth_username: is app.auth_username too" },
		{ "notify:\n  url: https://u:p@chat.example/hook\n", 2, "notify.url: " },
		{ "notify:\n  url: chat.example\n", 2, "notify.url: " },
		{ "notify:\n  url: https:/chat.example\n", 2, "notify.url: " },
		{ "notify:\n  url: \"https://chat.example/a b\"\n", 2, "notify.url: " },
		{ "notify:\n  username: a\n  password: \"\"\n", 3, "notify.password: an empty password is refused" },
		{ "notify:\n  password: \"********\"\n", 2, "notify.password: is the mask" },
		{ "healing:\n  interval_minutes: 10m\n", 2, "healing.interval_minutes: \"10m\" is not a whole number of minutes" },
		{ "guard:\n  mode: maybe\n", 2, "guard.mode: \"maybe\" is none of hold|warn|off" },
		{ "history:\n  versions: 0\n", 2, "history.versions: \"0\" is not a whole number from 1 to 1000" },
		{ "reconciliation:\n  orphan_passes: 1\n", 2, "reconciliation.orphan_passes: \"1\" is not" },
		{ "reconciliation:\n  max_delete_percent: 101\n", 2, "reconciliation.max_delete_percent: \"101\" is not" },
		{ "datastore:\n  db_location: \"\"\n", 2, "datastore.db_location: \"\" is not a path" },
	};

	refuse_all(*state, table, ARRAY_SIZE(table), GOOD, GOOD_LINES);
}

static void app_values_are_checked(void **state)
{
	static const struct bad table[] = {
		{ "  ssl_enable: true\n", 1, "app.ssl_enable: needs a certificate: app.ssl_cert must be set" },
		{ "  ssl_enable: true\n  ssl_cert: c.pem\n", 1, "app.ssl_enable: needs the certificate's key: app.ssl_key" },
		{ "  allow: [192.0.2.1/24]\n", 1, "app.allow[]: \"192.0.2.1/24\" is not an address, or a network" },
		{ "  trusted_proxies: [proxy.example]\n", 1, "app.trusted_proxies[]: \"proxy.example\" is not an address" },
		{ "  listeners:\n  - address: ::1\n", 2, "app.listeners[0].port: must be set" },
		{ "  listeners:\n  - port: 0\n", 2, "app.listeners[0].port: \"0\" is not a whole number from 1" },
		{ "  listeners:\n  - port: 2222\n    address: ::1\n", 2, "app.listeners[0].port: another listener is at" },
		{ "  listeners:\n  - port: 2\n    address: ::1\n  - port: 2\n", 4, "app.listeners[1].port: another listener is at" },
		{ "  listeners:\n  - port: 2\n    ssl: true\n", 3, "app.listeners[0].ssl: needs a certificate" },
		{ "  listeners:\n  - port: 2\n    allow: [all]\n", 3, "app.listeners[].allow[]: \"all\" is not an address" },
		{ "  listeners:\n  - port: 2\n    roles: [master, admin]\n", 3,
		  "app.listeners[].roles[]: \"admin\" is not master, peer or operator" },
		{ "  exists_parent: 1\n", 1, "app.exists_parent: \"1\" is none of 0|2|3" },
		{ "  exists_parent: 4\n", 1, "app.exists_parent: \"4\" is not a whole number from 0 to 3" },
		{ "  check_subdomain_owner_in_cluster_domainowners: 2\n", 1,
		  "app.check_subdomain_owner_in_cluster_domainowners: \"2\" is neither true nor false" },
		{ "  auth_username: a:b\n", 1, "app.auth_username: \"a:b\" is not a name without a colon" },
		{ "  auth_username:\n", 1, "app.auth_username: \"\" is not a name without a colon" },
		{ "  listen_address: everywhere\n", 1, "app.listen_address: \"everywhere\" is not an IPv4 or IPv6" },
		{ "  listen_port: 65536\n", 1, "app.listen_port: \"65536\" is not a whole number from 1 to 65535" },
		{ "  max_body_bytes: 2000000\n  max_inflight_bytes: 1000000\n", 2,
		  "app.max_inflight_bytes: is less than app.max_body_bytes" },
		{ "  control_socket: /0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789"
		  "/0123456789/0123456789/0123456789\n",
		  1, "app.control_socket: \"/0123456789" },
		{ "  auth_username: \"a\\nb\"\n", 1, "app.auth_username: the value contains a control character" },
	};

	refuse_all(*state, table, ARRAY_SIZE(table), DC1 LOGIN, GOOD_LINES);
}

static void back_ends_are_checked(void **state)
{
	static const struct bad table[] = {
		{ "      port: 0\n", 1, "dns.backends.dc1.port: \"0\" is not" },
		{ "      host: a b\n", 1, "dns.backends.dc1.host: \"a b\" is not a host name" },
		{ "      host: \"\"\n", 1, "dns.backends.dc1.host: is empty, and so is unix_socket" },
		{ "      zones_table: a;b\n", 1, "dns.backends.dc1.zones_table: \"a;b\" is not 1 to 64" },
		{ "      zones_table: records\n", -3, "dns.backends.dc1.records_table: is the zones_table too" },
		{ "      state_table: zones\n", 1, "dns.backends.dc1.state_table: is the zones_table or" },
		{ "      signed_zones: ignore\n", 1, "dns.backends.dc1.signed_zones: \"ignore\" is none of warn|refuse" },
		{ "      manage_schema: maybe\n", 1, "dns.backends.dc1.manage_schema: \"maybe\" is neither true nor false" },
		{ "      connections: 65\n", 1, "dns.backends.dc1.connections: \"65\" is not" },
		{ "      ssl: false\n      ssl_ca: /ca.pem\n", 1, "dns.backends.dc1.ssl: is false, but" },
		{ "      ssl: false\n      ssl_verify: true\n", 1, "dns.backends.dc1.ssl: is false, but" },
		{ "      ssl_ca: /ca.pem\n      ssl_cert: /c.pem\n", 2, "dns.backends.dc1.ssl_cert: ssl_cert and ssl_key go" },
		{ "      transaction_stall_ms: 9\n      transaction_max_ms: 8\n", 1,
		  "dns.backends.dc1.transaction_stall_ms: is more than" },
		{ "    \"d 1\":\n      port: 1\n", 1, "dns.backends.d 1: a back end's name is" },
		{ "    dc2:\n      enabled: true\n", 1, "dns.backends.dc2.type: missing" },
		{ "    bind:\n      enabled: true\n", 1, "dns.backends.bind.type: type \"bind\" is not yet supported" },
		{ "    x:\n      type: nsd\n      enabled: true\n", 2, "dns.backends.x.type: type \"nsd\" is not yet" },
		{ "    x:\n      type: cordns\n      enabled: true\n", 2, "dns.backends.x.type: unknown type \"cordns\"" },
		{ "    dc2:\n      type: coredns_mysql\n      enabled: true\n", 1,
		  "dns.backends.dc2.password: an empty password is refused" },
		{ "    dc2:\n      type: coredns_mysql\n      enabled: true\n      password: ChangeMe\n", 4,
		  "dns.backends.dc2.password: the password \"changeme\" is refused" },
		{ "    dc2:\n      type: coredns_mysql\n      enabled: true\n      password: \"********\"\n", 4,
		  "dns.backends.dc2.password: is the mask" },
		{ "    dc2: 5\n", 1, "dns.backends.dc2: must be a mapping" },
		{ "    dc2:\n      type: coredns_mysql\n      enabled: true\n      password: x\n      host: 127.0.0.1\n", 1,
		  "dns.backends.dc2.database: back end \"dc1\" writes to the same tables there" },
		{ "      verify: {dns: 127.0.0.1:53}\n", 1, "dns.backends.dc1.verify.dns: must be a list" },
		{ "      verify: {dns: [\"127.0.0.1\"]}\n", 1, "dns.backends.dc1.verify.dns[]: \"127.0.0.1\" is not HOST:PORT" },
		{ "      verify: {dns: [\"ns1:53\", \"NS1:53\"]}\n", 1, "dns.backends.dc1.verify.dns: \"NS1:53\" stands there twice" },
		{ "      verify: {dns: [\"ns1:53\"]}\n"
		  "    dc2: {type: coredns_mysql, enabled: true, password: x, port: 3307, verify: {dns: [\"ns1:53\"]}}\n", 2,
		  "dns.backends.dc2.verify.dns: \"ns1:53\" is back end \"dc1\"'s" },
		{ "      verify: {interval_seconds: 0}\n", 1, "dns.backends.dc1.verify.interval_seconds: \"0\" is not" },
		{ "verify: {canary: c.example.net}\n", 1, "verify.canary: no back end has verify.dns" },
		{ "  default_backend: dc3\n", 1, "dns.default_backend: there is no back end \"dc3\"" },
	};

	refuse_all(*state, table, ARRAY_SIZE(table), GOOD, GOOD_LINES);
}

#define MASTERS "reconciliation:\n  enabled: true\n  directadmin_servers:\n"
#define MASTER "    - {hostname: da1, username: admin, password: x}\n"
#define PEERS "peer_sync:\n  enabled: true\n  auth_password: x\n  peers:\n"

static void elements_of_lists_are_checked(void **state)
{
	static const struct bad users[] = {
		{ "    - {}\n", 1, "app.users[0].name: must be set" },
		{ "    - {name: a, role: operator}\n", 1, "app.users[0].password: an empty password is refused" },
		{ "    - name: a\n      role: operator\n      password: changeme\n", 3,
		  "app.users[0].password: the password \"changeme\" is refused" },
		{ "    - {name: a, role: king, password: x}\n", 1, "app.users[0].role: \"king\" is none of master|operator|read-only" },
		{ "    - {name: a, password: x}\n", 1, "app.users[0].identities: a master needs one" },
		{ "    - {name: a, password: x, role: operator, identities: [b]}\n", 1,
		  "app.users[0].identities: only the role master has identities" },
		{ "    - {name: a, password: x, identities: [\"b c\"]}\n", 1, "app.users[].identities[]: \"b c\" is not a host name" },
		{ "    - {name: a, password: x, identities: b}\n", 1, "app.users[].identities: must be a list" },
		{ "    - {name: directdnsonly, password: x, identities: [b]}\n", 1, "app.users[0].name: another login has" },
		{ "    - {name: a, password: x, identities: [b]}\n    - {name: a, password: x, identities: [b]}\n", 2,
		  "app.users[1].name: another login has the name \"a\"" },
		{ "    - {name: a, password_file: /nonexistent/x, identities: [b]}\n", 1,
		  "app.users[0].password_file: /nonexistent/x: No such file" },
		{ "    - {name: a, password: x, password_file: /dev/null, identities: [b]}\n", 1,
		  "app.users[0].password_file: password is given, too" },
		{ "    - {name: a, pasword: x}\n", 1, "app.users[].pasword: unknown key; did you mean app.users[].password?" },
	};
	static const struct bad masters[] = {
		{ "    - {username: admin, password: x}\n", 1, "reconciliation.directadmin_servers[0].hostname: must be set" },
		{ "    - {hostname: da1, password: x}\n", 1, "reconciliation.directadmin_servers[0].username: must be set" },
		{ "    - {hostname: da1, username: admin}\n", 1,
		  "reconciliation.directadmin_servers[0].password: an empty password is refused" },
		{ MASTER "    - hostname: da2\n      username: admin\n      password: x\n      port: 0\n", 5,
		  "reconciliation.directadmin_servers[1].port: \"0\" is not a whole number from 1 to 65535" },
		{ MASTER "    - {hostname: da2, identity: DA1, username: admin, password: x}\n", 2,
		  "reconciliation.directadmin_servers[1].identity: another server has the identity \"DA1\"" },
	};
	static const struct bad peers[] = {
		{ "    - {username: u, password: x}\n", 1, "peer_sync.peers[0].url: must be set" },
		{ "    - {url: \"http://u:p@b\", password: x}\n", 1, "peer_sync.peers[0].url: \"http://...@b\" is not http:// or" },
		{ "    - {url: \"http://b/path\"}\n", 1, "peer_sync.peers[0].url: \"http://b/path\" is not" },
		{ "    - {url: \"http://b\", password: changeme}\n", 1, "peer_sync.peers[0].password: the password \"changeme\"" },
		{ "    - {url: \"http://b\"}\n    - {url: \"http://B/\"}\n", 2, "peer_sync.peers[1].url: another peer has the url" },
	};

	refuse_all(*state, users, ARRAY_SIZE(users), DC1 LOGIN "  users:\n", GOOD_LINES + 1);
	refuse_all(*state, masters, ARRAY_SIZE(masters), GOOD MASTERS, GOOD_LINES + 3);
	refuse_all(*state, peers, ARRAY_SIZE(peers), GOOD PEERS, GOOD_LINES + 4);
}

/* Of the login, of a back end and of peers; the environment counts more than any of them. */
static void every_password_may_stand_in_a_file(void **state)
{
	struct folder *folder = *state;
	char *const environment[] = { "DADNS_APP_AUTH_PASSWORD=by-environment", NULL };
	struct buf text = { 0 }, again = { 0 };
	char empty[160];

	snprintf(empty, sizeof(empty), "%s: app.auth_password: an empty password is refused", folder->file);
	file_put(folder->other, "from-file\n", 10);
	buf_printf(&text, "app:\n  auth_password_file: %s\ndns: {backends: {dc1: {type: coredns_mysql, enabled: true, password_file: %s}}}\n"
		"peer_sync: {enabled: true, auth_password_file: %s}\n", folder->other, folder->other, folder->other);
	assert_loads(folder, text.data, NULL);
	assert_string_equal(folder->conf->auth_password, "from-file");
	assert_string_equal(folder->conf->backends[0].password, "from-file");
	assert_string_equal(folder->conf->peer_auth_password, "from-file");
	conf_print(folder->conf, &again); /* names the file alone, and so loads again */
	assert_loads(folder, again.data, NULL);
	assert_string_equal(folder->conf->backends[0].password, "from-file");
	assert_loads(folder, text.data, environment);
	assert_string_equal(folder->conf->auth_password, "by-environment");
	file_put(folder->other, "\n", 1);
	assert_refused(folder, folder_load(folder, text.data, NULL), empty);
	buf_free(&text);
	buf_free(&again);
	assert_refused_at(folder, folder_load(folder, GOOD "      password_file: /dev/null\n", NULL), GOOD_LINES + 1,
		"dns.backends.dc1.password_file: password is given, too");
	assert_refused_at(folder, folder_load(folder, DC1 "app:\n  auth_password_file: /nonexistent/x\n", NULL), GOOD_LINES,
		"app.auth_password_file: /nonexistent/x: No such file");
}

static void elements_of_lists_are_read(void **state)
{
	struct folder *folder = *state;
	struct buf text = { 0 };

	file_put(folder->other, "from-file\n", 10);
	buf_printf(&text, DC1 LOGIN
		"  users:\n"
		"    - {name: da1, password: one, identities: [da1.example, da1-old.example]}\n"
		"    - {name: eye, password_file: %s, role: read-only}\n"
		MASTERS MASTER
		"    - {hostname: da2, identity: da2.example, port: 443, ssl: false, dns_port: 5353, username: a, password: b}\n",
		folder->other);
	assert_loads(folder, text.data, NULL);
	buf_free(&text);
	const struct conf *conf = folder->conf;
	assert_int_equal(conf->user_count, 2);
	assert_string_equal(conf->users[0].role, "master");
	assert_int_equal(conf->users[0].identity_count, 2);
	assert_string_equal(conf->users[0].identities[0], "da1.example");
	assert_string_equal(conf->users[0].identities[1], "da1-old.example");
	assert_string_equal(conf->users[1].password, "from-file");
	assert_int_equal(conf->users[1].identity_count, 0);
	assert_int_equal(conf->master_count, 2);
	assert_string_equal(conf->masters[0].identity, "da1");
	assert_int_equal(conf->masters[0].port, 2222);
	assert_true(conf->masters[0].ssl);
	assert_int_equal(conf->masters[0].dns_port, 53);
	assert_string_equal(conf->masters[1].identity, "da2.example");
	assert_int_equal(conf->masters[1].port, 443);
	assert_false(conf->masters[1].ssl);
	assert_int_equal(conf->masters[1].dns_port, 5353);
	assert_true(conf->healing_enabled);
	assert_int_equal(conf->healing_interval_minutes, 10);
	assert_string_equal(conf->backends[0].heal, "repair");
	assert_int_equal(conf->orphan_grace_minutes, 30);
}

static void passwords_must_be_chosen(void **state)
{
	struct folder *folder = *state;
	char wanted[256];

	assert_refused_at(folder, folder_load(folder, DC1 "app:\n  auth_password: changeme\n", NULL), 8,
		"app.auth_password: the password \"changeme\" is refused");
	assert_refused_at(folder, folder_load(folder, DC1 "app:\n  auth_password: \"\"\n", NULL), 8,
		"app.auth_password: an empty password is refused");
	assert_refused_at(folder, folder_load(folder, DC1 "app:\n  auth_password:\n", NULL), 8,
		"app.auth_password: an empty password is refused");
	assert_refused_at(folder, folder_load(folder, DC1 "app:\n  auth_password: '********'\n", NULL), 8,
		"app.auth_password: is the mask");
	snprintf(wanted, sizeof(wanted), "%s: app.auth_password: an empty password", folder->file);
	assert_refused(folder, folder_load(folder, DC1, NULL), wanted);
}

static void a_secret_is_never_in_a_message(void **state)
{
	struct folder *folder = *state;

	assert_int_not_equal(folder_load(folder, DC1 "app:\n  auth_password: \"top\\u0007secret\"\n", NULL), 0);
	assert_null(strstr(folder->err.text, "secret"));
	assert_contains(folder->err.text, "app.auth_password: the value contains a control character");
}

static void some_back_end_must_be_enabled(void **state)
{
	struct folder *folder = *state;
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "%s: no back end is enabled", folder->file);
	assert_refused(folder, folder_load(folder, LOGIN, NULL), wanted);
	assert_refused(folder, folder_load(folder, LOGIN "dns:\n  backends:\n    dc1:\n      type: coredns_mysql\n", NULL),
		wanted);
}

static void all_faults_are_told(void **state)
{
	struct folder *folder = *state;
	char line[256];

	assert_refused_at(folder,
		folder_load(folder, "log_levl: x\napp:\n  listen_port: 10m\n  auth_password: changeme\n" DC1, NULL), 1,
		"log_levl: unknown key; did you mean log_level? (and 2 more)");
	snprintf(line, sizeof(line), "fault: %s:3: app.listen_port: \"10m\"", folder->file);
	assert_contains(folder->notices.data, line);
	snprintf(line, sizeof(line), "fault: %s:4: app.auth_password: the password \"changeme\"", folder->file);
	assert_contains(folder->notices.data, line);
}

static void large_files_are_refused(void **state)
{
	struct folder *folder = *state;
	size_t size = 1024 * 1024;
	char *text = xmalloc(size + 2);

	memset(text, ' ', size + 1);
	memcpy(text, GOOD "#", strlen(GOOD) + 1);
	assert_int_equal(folder_load_bytes(folder, text, size, NULL), 0);
	int ret = folder_load_bytes(folder, text, size + 1, NULL);
	assert_int_equal(ret, ERR_LIMIT);
	assert_contains(folder->err.text, "app.yml: larger than 1048576 bytes");
	free(text);
}

/* A file of /proc says that it is empty; a pipe says nothing. */
static void files_that_tell_no_size_are_read_whole(void **state UNUSED)
{
	struct file_text text;
	struct err err;
	char path[32];
	int ends[2];

	assert_int_equal(file_read("/proc/self/maps", 1024 * 1024, &text, &err), 0);
	assert_true(text.size > 1000);
	assert_int_equal(text.data[text.size], '\0');
	assert_non_null(strstr(text.data, "[stack]"));
	file_free(&text);
	assert_int_equal(file_read("/proc/self/maps", 100, &text, &err), ERR_LIMIT);
	assert_contains(err.text, "/proc/self/maps: larger than 100 bytes");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "word", 4), 4);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(file_read(path, 4, &text, &err), 0);
	assert_string_equal(text.data, "word");
	file_free(&text);
	close(ends[0]);
}

static void long_lists_are_refused(void **state)
{
	struct folder *folder = *state;
	struct buf text = { 0 };

	buf_puts(&text, GOOD "retry:\n  backoff_seconds:\n");
	for (int i = 0; i < 64; i++)
		buf_puts(&text, "  - 1\n");
	assert_loads(folder, text.data, NULL);
	assert_int_equal(folder->conf->backoff_count, 64);
	buf_puts(&text, "  - 1\n");
	assert_refused_at(folder, folder_load(folder, text.data, NULL), 10, "retry.backoff_seconds: more than 64 numbers");
	for (int i = 0; i < 120000; i++)
		buf_puts(&text, "  - 1\n");
	/* app, its key, dns, backends, dc1, its three, retry, the list: 10 nodes before the first element in line 11 */
	assert_refused_at(folder, folder_load(folder, text.data, NULL), 11 + 100000 - 10, "more than 100000 values");
	buf_free(&text);
}

/* count networks of 17 bytes each ("10.100.100.100/32"), 18 with their comma. */
static void put_networks(struct buf *text, unsigned count, const char *before, const char *between)
{
	for (unsigned i = 0; i < count; i++)
		buf_printf(text, "%s10.%u.%u.100/32", i == 0 ? before : between, 100 + i / 100, 100 + i % 100);
}

static void a_list_of_words_has_one_bound(void **state)
{
	enum { FULL = 910 }; /* of 16,379 bytes with their commas: "::/0" fits behind them, and nothing more */
	struct folder *folder = *state;
	struct buf text = { 0 };
	struct buf value = { 0 };

	for (unsigned count = 228; count <= 231; count++) { /* 4,103 to 4,157 bytes */
		buf_clear(&text);
		put_networks(&text, count, LOGIN "  allow: [", ", ");
		buf_puts(&text, "]\n" DC1);
		assert_loads(folder, text.data, NULL);
		assert_int_equal(folder->conf->allow_count, count);
	}
	buf_clear(&text);
	put_networks(&text, FULL, DC1 LOGIN "  allow:\n  - ", "\n  - ");
	buf_puts(&text, "\n  - ::/0\n");
	assert_loads(folder, text.data, NULL);
	assert_int_equal(folder->conf->allow_count, FULL + 1);
	buf_puts(&text, "  - ::/1\n  - ::/2\n");
	assert_refused_at(folder, folder_load(folder, text.data, NULL), GOOD_LINES + 1 + FULL + 2,
		"app.allow[]: the list is longer than 16384 bytes");
	assert_null(strstr(folder->err.text, "more)"));
	put_networks(&value, FULL, "DADNS_APP_ALLOW=", ",");
	buf_puts(&value, ",::/0");
	char *const environment[] = { value.data, NULL };
	assert_loads(folder, GOOD, environment);
	assert_int_equal(folder->conf->allow_count, FULL + 1);
	buf_puts(&value, "1");
	char *const longer[] = { value.data, NULL };
	assert_refused(folder, folder_load(folder, GOOD, longer), "DADNS_APP_ALLOW: the value is longer than 16384 bytes");
	buf_free(&value);
	buf_free(&text);
}

static void missing_and_odd_paths_are_errors(void **state)
{
	struct folder *folder = *state;
	struct conf *conf = NULL;
	struct err err;

	assert_int_equal(conf_load(folder->file, NULL, &conf, NULL, &err), ERR_NOTFOUND);
	assert_contains(err.text, "app.yml: No such file");
	assert_int_equal(conf_load(folder->path, NULL, &conf, NULL, &err), ERR_IO);
	assert_contains(err.text, "Is a directory");
}

static void the_file_is_searched_for(void **state)
{
	static char password[] = "DADNS_APP_AUTH_PASSWORD=from-environment";
	static char *const environment[] = { password, NULL };
	struct folder *folder = *state;
	char before[4096];
	char config[96];
	char deep[128];

	assert_non_null(getcwd(before, sizeof(before)));
	snprintf(config, sizeof(config), "%s/config", folder->path);
	snprintf(deep, sizeof(deep), "%s/app.yml", config);
	assert_int_equal(chdir(folder->path), 0);
	assert_int_equal(mkdir(config, 0700), 0);
	file_put(deep, DC1 "app:\n  listen_port: 3333\n", strlen(DC1 "app:\n  listen_port: 3333\n"));
	int first = conf_load(NULL, environment, &folder->conf, NULL, &folder->err);
	char *first_path = first == 0 ? xstrdup(folder->conf->path) : NULL;
	conf_destroy(folder->conf);
	folder->conf = NULL;
	file_put(folder->file, GOOD, strlen(GOOD));
	int second = conf_load(NULL, environment, &folder->conf, NULL, &folder->err);
	unlink(deep);
	rmdir(config);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(first, 0);
	assert_string_equal(first_path, "./config/app.yml");
	free(first_path);
	assert_int_equal(second, 0);
	assert_string_equal(folder->conf->path, "./app.yml");
	assert_int_equal(folder->conf->listen_port, 2222);
}

static void defaults_are_as_documented(void **state)
{
	static const int64_t backoff[] = { 30000, 120000, 300000, 900000, 1800000 };
	struct folder *folder = *state;

	assert_loads(folder, GOOD, NULL);
	const struct conf *conf = folder->conf;
	assert_string_equal(conf->path, folder->file);
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
	assert_string_equal(conf->timezone, "");
	assert_string_equal(conf->auth_username, "directdnsonly");
	assert_string_equal(conf->auth_password, "panel-pass");
	assert_string_equal(conf->listen_address, "");
	assert_int_equal(conf->listen_port, 2222);
	assert_false(conf->metrics_public);
	assert_int_equal(conf->exists_parent, 3);
	assert_int_equal(conf->max_body_bytes, 16 * 1024 * 1024);
	assert_int_equal(conf->max_inflight_bytes, 64 * 1024 * 1024);
	assert_int_equal(conf->max_connections, 512);
	assert_int_equal(conf->max_connections_per_address, 64);
	assert_int_equal(conf->header_deadline_ms, 10000);
	assert_int_equal(conf->body_deadline_ms, 30000);
	assert_int_equal(conf->connection_deadline_ms, 60000);
	assert_string_equal(conf->store_path, "data/directdns.db");
	assert_string_equal(conf->control_socket, "data/zonefan.sock");
	assert_string_equal(conf->default_backend, "");
	assert_int_equal(conf->backoff_count, ARRAY_SIZE(backoff));
	assert_memory_equal(conf->backoff_ms, backoff, sizeof(backoff));
	assert_int_equal(conf->max_attempts, 5);
	assert_int_equal(conf->probe_initial_ms, 1000);
	assert_int_equal(conf->probe_max_ms, 30000);
	assert_int_equal(conf->max_zone_records, 50000);
	assert_int_equal(conf->disabled_count, 0);
	assert_int_equal(folder->notices.size, 0);
}

static void back_end_defaults_are_as_documented(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD, NULL);
	assert_int_equal(folder->conf->backend_count, 1);
	const struct conf_backend *backend = &folder->conf->backends[0];
	assert_string_equal(backend->name, "dc1");
	assert_string_equal(backend->type, "coredns_mysql");
	assert_true(backend->enabled);
	assert_string_equal(backend->host, "localhost");
	assert_int_equal(backend->port, 3306);
	assert_string_equal(backend->unix_socket, "");
	assert_string_equal(backend->database, "coredns");
	assert_string_equal(backend->username, "coredns");
	assert_string_equal(backend->password, "db-pass");
	assert_int_equal(backend->connections, 2);
	assert_int_equal(backend->connect_timeout_ms, 3000);
	assert_int_equal(backend->query_timeout_ms, 10000);
	assert_int_equal(backend->transaction_stall_ms, 15000);
	assert_int_equal(backend->transaction_max_ms, 120000);
	assert_string_equal(backend->zones_table, "zones");
	assert_string_equal(backend->records_table, "records");
	assert_string_equal(backend->state_table, "zonefan_state");
	assert_true(backend->manage_schema);
	assert_true(backend->catch_all_zone);
	assert_string_equal(backend->signed_zones, "warn");
	assert_false(backend->ssl);
	assert_false(backend->ssl_verify);
	assert_string_equal(backend->ssl_ca, "");
}

static void settings_arrive_where_they_belong(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder,
		"log_level: Warning\n"
		"app:\n  auth_password: 'it''s: a #secret'\n  auth_username: da\n  listen_address: \"::1\"\n"
		"  listen_port: \"8053\"\n  exists_parent: 0\n  control_socket: \"\"\n  max_zone_records: 0\n  metrics_public: on\n"
		"datastore: {db_location: zonefan.db}\n"
		"retry:\n  backoff_seconds: [1, 2]\n  max_attempts: 9\n"
		"dns:\n  default_backend: zz\n  backends:\n"
		"    zz: {type: coredns_mysql, enabled: on, password: p, database: z, connections: 4, manage_schema: no,\n"
		"      catch_all_zone: off, signed_zones: refuse, query_timeout_ms: 500, state_table: s}\n"
		"    aa: {type: coredns_mysql, enabled: 1, unix_socket: /run/db.sock, host: x, password: changeme}\n",
		NULL);
	const struct conf *conf = folder->conf;
	assert_int_equal(conf->log_level, LOG_LEVEL_WARN);
	assert_string_equal(conf->auth_password, "it's: a #secret");
	assert_string_equal(conf->auth_username, "da");
	assert_string_equal(conf->listen_address, "::1");
	assert_int_equal(conf->listen_port, 8053);
	assert_true(conf->metrics_public);
	assert_int_equal(conf->exists_parent, 0);
	assert_string_equal(conf->control_socket, "");
	assert_int_equal(conf->max_zone_records, 0);
	assert_string_equal(conf->store_path, "zonefan.db");
	assert_int_equal(conf->backoff_count, 2);
	assert_int_equal(conf->backoff_ms[1], 2000);
	assert_int_equal(conf->max_attempts, 9);
	assert_string_equal(conf->default_backend, "zz");
	assert_int_equal(conf->backend_count, 2);
	assert_string_equal(conf->backends[0].name, "aa");
	assert_string_equal(conf->backends[0].unix_socket, "/run/db.sock");
	assert_string_equal(conf->backends[0].host, "");
	assert_contains(folder->notices.data, "dns.backends.aa.host: ignored: unix_socket is set");
	const struct conf_backend *zz = &conf->backends[1];
	assert_string_equal(zz->name, "zz");
	assert_int_equal(zz->connections, 4);
	assert_false(zz->manage_schema);
	assert_false(zz->catch_all_zone);
	assert_string_equal(zz->signed_zones, "refuse");
	assert_int_equal(zz->query_timeout_ms, 500);
	assert_string_equal(zz->state_table, "s");
}

static void listeners_arrive_in_their_order(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, DC1 LOGIN
		"  ssl_enable: true\n  ssl_cert: c.pem\n  ssl_key: k.pem\n  allow: [192.0.2.0/24, \"::1\"]\n"
		"  trusted_proxies: [10.0.0.1]\n  listeners:\n  - port: 8080\n    address: 127.0.0.1\n    roles: [operator, peer]\n"
		"  - {port: 8443, ssl: true, allow: [203.0.113.9]}\n",
		NULL);
	const struct conf *conf = folder->conf;
	assert_true(conf->ssl_enable);
	assert_string_equal(conf->ssl_cert, "c.pem");
	assert_int_equal(conf->allow_count, 2);
	assert_string_equal(conf->allow[1], "::1");
	assert_int_equal(conf->trusted_proxy_count, 1);
	assert_int_equal(conf->listener_count, 2);
	assert_int_equal(conf->listeners[0].port, 8080);
	assert_string_equal(conf->listeners[0].address, "127.0.0.1");
	assert_false(conf->listeners[0].ssl);
	assert_int_equal(conf->listeners[0].role_count, 2);
	assert_string_equal(conf->listeners[0].roles[0], "operator");
	assert_true(conf->listeners[1].ssl);
	assert_int_equal(conf->listeners[1].role_count, 0);
	assert_string_equal(conf->listeners[1].allow[0], "203.0.113.9");
	assert_loads(folder, DC1 LOGIN "  ssl_cert: c.pem\n", NULL);
	assert_contains(folder->notices.data, "app.ssl_cert: not used: app.ssl_enable is false");
}

static void the_control_socket_stands_beside_the_store(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD "datastore: {db_location: /var/lib/zonefan/store.db}\n", NULL);
	assert_string_equal(folder->conf->control_socket, "/var/lib/zonefan/zonefan.sock");
	assert_loads(folder, GOOD "datastore: {db_location: store.db}\n", NULL);
	assert_string_equal(folder->conf->control_socket, "zonefan.sock");
}

static void any_ssl_setting_demands_tls(void **state)
{
	static const struct {
		const char *text;
		bool ssl, verify;
	} table[] = {
		{ "      ssl: true\n", true, true },
		{ "      ssl_ca: /ca.pem\n", true, true },
		{ "      ssl_cert: /c.pem\n      ssl_key: /k.pem\n", true, true },
		{ "      ssl_verify: true\n", true, true },
		{ "      ssl_verify: false\n", true, false },
		{ "      ssl_ca: /ca.pem\n      ssl_verify: no\n", true, false },
		{ "      ssl: false\n", false, false },
		{ "      ssl: false\n      ssl_verify: false\n", false, false },
		{ "      ssl_ca: \"\"\n", false, false },
	};
	struct folder *folder = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char *text = xasprintf("%s%s", GOOD, table[i].text);

		assert_loads(folder, text, NULL);
		assert_int_equal(folder->conf->backends[0].ssl, table[i].ssl);
		assert_int_equal(folder->conf->backends[0].ssl_verify, table[i].verify);
		free(text);
	}
}

static void same_server_with_other_tables_or_database_is_fine(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder,
		GOOD "    dc2: {type: coredns_mysql, enabled: true, password: x, database: other}\n"
		     "    dc3: {type: coredns_mysql, enabled: true, password: x, port: 3307}\n"
		     "    dc4: {type: coredns_mysql, enabled: true, password: x, zones_table: z, records_table: r,\n"
		     "      state_table: s}\n"
		     "    dc5: {type: coredns_mysql, enabled: false, password: x}\n",
		NULL);
	assert_int_equal(folder->conf->backend_count, 4);
	assert_int_equal(folder->conf->disabled_count, 1);
	assert_int_not_equal(folder_load(folder,
				     GOOD "    dc4: {type: coredns_mysql, enabled: true, password: x, zones_table: z,\n"
					  "      records_table: r}\n",
				     NULL),
		0);
	assert_contains(folder->err.text, "dns.backends.dc4.database: back end \"dc1\" writes to the same tables");
}

static void a_disabled_default_back_end_is_noticed(void **state)
{
	struct folder *folder = *state;

	assert_loads(folder, GOOD "    bind:\n      zones_dir: /z\n  default_backend: bind\n", NULL);
	assert_contains(folder->notices.data, "app.yml:11: dns.default_backend: back end \"bind\" is disabled\n");
	assert_contains(folder->notices.data,
		"app.yml:9: dns.backends.bind.type: type \"bind\" is not built yet; the back end is disabled");
}

static void the_old_switch_maps_to_exists_parent(void **state)
{
	static const struct {
		const char *text;
		unsigned wanted;
		const char *notice;
	} table[] = {
		{ "  check_subdomain_owner_in_cluster_domainowners: 1\n", 3, "taken as app.exists_parent: 3\n" },
		{ "  check_subdomain_owner_in_cluster_domainowners: 0\n", 2, "taken as app.exists_parent: 2\n" },
		{ "  check_subdomain_owner_in_cluster_domainowners: 0\n  exists_parent: 3\n", 3,
		  "accepted, but without meaning here: app.exists_parent is given\n" },
		{ "  check_subdomain_owner_in_cluster_domainowners: 1\n  exists_parent: 0\n", 0,
		  "accepted, but without meaning here: app.exists_parent is given\n" },
	};
	struct folder *folder = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char *text = xasprintf("%s%s", DC1 LOGIN, table[i].text);

		assert_loads(folder, text, NULL);
		assert_int_equal(folder->conf->exists_parent, table[i].wanted);
		free(text);
		text = xasprintf("app.check_subdomain_owner_in_cluster_domainowners: %s", table[i].notice);
		assert_contains(folder->notices.data, text);
		assert_string_equal(strchr(folder->notices.data, '\n'), "\n"); /* no second notice */
		free(text);
	}
}

static void secrets_in_a_world_readable_file_are_noticed(void **state)
{
	struct folder *folder = *state;
	char path[256];

	assert_loads(folder, GOOD, NULL);
	assert_int_equal(folder->notices.size, 0);
	conf_destroy(folder->conf);
	folder->conf = NULL;
	assert_int_equal(chmod(folder->file, 0644), 0);
	assert_int_equal(conf_load(folder->file, NULL, &folder->conf, &folder->notices, &folder->err), 0);
	snprintf(path, sizeof(path), "%s: everyone on this host can read it", folder->file);
	assert_contains(folder->notices.data, path);
	assert_null(strstr(folder->notices.data, "db-pass"));
}

static void time_zones_are_looked_up(void **state)
{
	struct folder *folder = *state;
	struct stat status;

	if (stat("/usr/share/zoneinfo", &status) != 0) {
		assert_loads(folder, GOOD "timezone: No/Such\n", NULL);
		assert_contains(folder->notices.data, "timezone: cannot be checked");
		return;
	}
	assert_loads(folder, GOOD "timezone: UTC\n", NULL);
	assert_string_equal(folder->conf->timezone, "UTC");
	assert_refused_at(folder, folder_load(folder, GOOD "timezone: Pacific/Aucland\n", NULL), 9,
		"timezone: there is no time zone \"Pacific/Aucland\"");
	assert_refused_at(folder, folder_load(folder, GOOD "timezone: Pacific\n", NULL), 9, "timezone: there is no");
	assert_refused_at(folder, folder_load(folder, GOOD "timezone: ../../etc/passwd\n", NULL), 9,
		"timezone: \"../../etc/passwd\" is not a name");
}

static void the_predecessor_s_file_is_accepted(void **state)
{
	static const char *const noticed[] = {
		"log_format", "queue_location", "environment", "datastore.type", "datastore.host", "datastore.port",
		"datastore.name", "datastore.user", "datastore.pass", "app.proxy_support", "app.proxy_support_base",
		"app.log_level", "app.log_to", "app.token_valid_for_days", "app.queue_location",
		"app.check_subdomain_owner_in_cluster_domainowners", "dns.backends.bind.type", "dns.backends.nsd.type",
		"dns.backends.coredns_dc1.table_name", "dns.backends.coredns_dc2.table_name",
	};
	struct folder *folder = *state;

	if (conf_load(ZONEFAN_SOURCE_DIR "/tests/data/app-predecessor.yml", NULL, &folder->conf, &folder->notices,
		    &folder->err) != 0)
		fail_msg("refused: %s", folder->err.text);
	const struct conf *conf = folder->conf;
	for (size_t i = 0; i < ARRAY_SIZE(noticed); i++) {
		char part[128];

		snprintf(part, sizeof(part), ": %s: ", noticed[i]);
		assert_contains(folder->notices.data, part);
	}
	assert_string_equal(conf->auth_password, "panel-pass");
	assert_string_equal(conf->store_path, "./data/directdnsonly.db");
	assert_int_equal(conf->exists_parent, 2);
	assert_int_equal(conf->backend_count, 2);
	assert_string_equal(conf->backends[0].name, "coredns_dc1");
	assert_string_equal(conf->backends[0].host, "mysql-dc1");
	assert_string_equal(conf->backends[1].password, "coredns123");
	assert_int_equal(conf->disabled_count, 2);
	assert_null(strstr(folder->notices.data, "pass\""));
	assert_contains(folder->notices.data, ": log_format: accepted, but without meaning here: "
		"use zonefand --log-format logfmt or json\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(files_that_tell_no_size_are_read_whole),
		TEST(syntax_is_refused_with_line),
		TEST(unknown_keys_are_refused_with_line_and_nearest_key),
		TEST(wrong_shapes_and_values_are_refused_with_line_and_key),
		TEST(app_values_are_checked),
		TEST(back_ends_are_checked),
		TEST(elements_of_lists_are_checked),
		TEST(elements_of_lists_are_read),
		TEST(every_password_may_stand_in_a_file),
		TEST(passwords_must_be_chosen),
		TEST(a_secret_is_never_in_a_message),
		TEST(some_back_end_must_be_enabled),
		TEST(all_faults_are_told),
		TEST(large_files_are_refused),
		TEST(long_lists_are_refused),
		TEST(a_list_of_words_has_one_bound),
		TEST(missing_and_odd_paths_are_errors),
		TEST(the_file_is_searched_for),
		TEST(defaults_are_as_documented),
		TEST(back_end_defaults_are_as_documented),
		TEST(settings_arrive_where_they_belong),
		TEST(listeners_arrive_in_their_order),
		TEST(the_control_socket_stands_beside_the_store),
		TEST(any_ssl_setting_demands_tls),
		TEST(same_server_with_other_tables_or_database_is_fine),
		TEST(a_disabled_default_back_end_is_noticed),
		TEST(the_old_switch_maps_to_exists_parent),
		TEST(secrets_in_a_world_readable_file_are_noticed),
		TEST(time_zones_are_looked_up),
		TEST(the_predecessor_s_file_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
