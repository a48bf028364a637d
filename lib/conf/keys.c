/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/keys.h"

#include <string.h>

#include "base/check.h"
#include "conf/conf.h"
#include "conf/value.h"

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define MAIN(member) FIELD(struct conf, member)
#define BACKEND(member) FIELD(struct conf_backend, member)
#define USER(member) FIELD(struct conf_user, member)
#define MASTER(member) FIELD(struct conf_master, member)
#define PEER(member) FIELD(struct conf_peer, member)
#define LISTENER(member) FIELD(struct conf_listener, member)

#define TEXT_KEY(name, where, what) .path = (name), .type = KEY_TEXT, where, .help = (what)
#define BOOL_KEY(name, where, what) .path = (name), .type = KEY_BOOL, where, .help = (what)
#define NUMBER_KEY(name, where, from, to, in, what)                                                          \
	.path = (name), .type = KEY_NUMBER, where, .low = (from), .high = (to), .unit = (in), .help = (what)

#define WORDS_KEY(name, owner, member, count, what)                                                          \
	.path = (name), .type = KEY_WORDS, FIELD(owner, member), .count_offset = offsetof(owner, count),           \
	.preset = "", .help = (what)

#define OLD_KEY(name, why) { .path = (name), .type = KEY_TEXT, .state = KEY_OLD, .help = (why) }
#define LATER_KEY(name, what) { .path = (name), .type = KEY_TEXT, .state = KEY_LATER, .help = (what) }
#define PEER_KEY(name, hidden)                                                                               \
	{ .path = (name), .type = KEY_TEXT, .state = KEY_TAKEN, .environment_only = true, .secret = (hidden),        \
	  .help = "a peer by the environment" }

#define NETWORK_SHAPE                                                                                        \
	.accepts = value_is_network,                                                                         \
	.wants = "an address, or a network such as 192.0.2.0/24 or 2001:db8::/32 without bits behind its prefix"
#define TABLE_SHAPE .accepts = value_is_table, .wants = "1 to 64 letters, digits or underscores"
#define SOCKET_SHAPE .accepts = value_is_socket_path, .wants = "a path of at most 107 bytes"

#define MIB (INT64_C(1024) * 1024)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* In the order of --check's print: the rows of one mapping stay together. */
const struct key keys_table[] = {
	{ .path = "log_level", .type = KEY_LEVEL, MAIN(log_level), .preset = "INFO",
	  .help = "least level of a line in the log: debug, info, warning or error" },
	{ TEXT_KEY("timezone", MAIN(timezone), "time zone of the log's times; empty: the process's own"),
	  .preset = "", .accepts = value_is_zone_name, .wants = "a name such as Pacific/Auckland" },

	{ TEXT_KEY("app.user", MAIN(user),
		"system user that zonefand becomes when root starts it; the store's folder must be his; empty: stays root"),
	  .preset = "", .restart = true },
	{ TEXT_KEY("app.auth_username", MAIN(auth_username), "user that DirectAdmin and operators log in as"),
	  .preset = "directdnsonly", .accepts = value_is_login, .wants = "a name without a colon" },
	{ TEXT_KEY("app.auth_password", MAIN(auth_password), "password of that user; this or auth_password_file must be set"),
	  .preset = "", .secret = true },
	{ TEXT_KEY("app.auth_password_file", MAIN(auth_password_file), "file that holds the password"), .preset = "" },
	{ NUMBER_KEY("app.listen_port", MAIN(listen_port), 1, 65535, NULL, "TCP port of the HTTP server"),
	  .preset = "2222" },
	{ TEXT_KEY("app.listen_address", MAIN(listen_address), "address the HTTP server binds; empty: all"),
	  .preset = "", .accepts = value_is_address, .wants = "an IPv4 or IPv6 address" },
	{ TEXT_KEY("app.control_socket", MAIN(control_socket),
		"Unix socket for zonefanctl; default: zonefan.sock beside the store; empty: none"),
	  .restart = true, SOCKET_SHAPE },
	{ BOOL_KEY("app.metrics_public", MAIN(metrics_public), "GET /metrics takes no login"), .preset = "false" },
	{ BOOL_KEY("app.ssl_enable", MAIN(ssl_enable), "TLS (1.2 and later) on app.listen_port"), .preset = "false" },
	{ TEXT_KEY("app.ssl_cert", MAIN(ssl_cert), "file of the HTTP server's certificate (PEM), its chain may stand behind it"),
	  .preset = "", .file = true },
	{ TEXT_KEY("app.ssl_key", MAIN(ssl_key), "file of its key (PEM, without a passphrase)"), .preset = "", .file = true },
	{ TEXT_KEY("app.ssl_bundle", MAIN(ssl_bundle), "file of the chain's certificates, if they are not in app.ssl_cert"),
	  .preset = "", .file = true },
	{ WORDS_KEY("app.allow", struct conf, allow, allow_count,
		"who may connect to app.listen_port: addresses and networks; none: everybody"),
	  NETWORK_SHAPE },
	{ WORDS_KEY("app.trusted_proxies", struct conf, trusted_proxies, trusted_proxy_count,
		"proxies whose X-Forwarded-For is believed: addresses and networks"),
	  NETWORK_SHAPE },
	{ TEXT_KEY("app.listeners[].address", LISTENER(address), "a further listener's address; empty: all"),
	  .preset = "", .accepts = value_is_address, .wants = "an IPv4 or IPv6 address" },
	{ NUMBER_KEY("app.listeners[].port", LISTENER(port), 1, 65535, NULL, "its TCP port; must be set"), .preset = "0" },
	{ BOOL_KEY("app.listeners[].ssl", LISTENER(ssl), "TLS there, with the certificate of app.ssl_cert"), .preset = "false" },
	{ WORDS_KEY("app.listeners[].allow", struct conf_listener, allow, allow_count,
		"who may connect there: addresses and networks; none: everybody"),
	  NETWORK_SHAPE },
	{ WORDS_KEY("app.listeners[].roles", struct conf_listener, roles, role_count,
		"what is served there: the DirectAdmin dialect to master, zones to peer, the API to operator; none: all of it"),
	  .accepts = value_is_role, .wants = "master, peer or operator" },
	{ NUMBER_KEY("app.exists_parent", MAIN(exists_parent), 0, 3, NULL,
		"answer to exists for a name whose parent domain is held: 3 with its owner, 2 without, 0 as unknown"),
	  .preset = "3", .choices = "0|2|3" },
	{ NUMBER_KEY("app.max_body_bytes", MAIN(max_body_bytes), 1024, 1024 * MIB, "bytes", "largest request body"),
	  .preset = "16777216" },
	{ NUMBER_KEY("app.max_inflight_bytes", MAIN(max_inflight_bytes), 1024, 65536 * MIB, "bytes",
		"memory of all unfinished requests together"),
	  .preset = "67108864" },
	{ NUMBER_KEY("app.max_connections", MAIN(max_connections), 1, 65535, NULL, "open HTTP connections"),
	  .preset = "512" },
	{ NUMBER_KEY("app.max_connections_per_address", MAIN(max_connections_per_address), 1, 65535, NULL,
		"open HTTP connections of one address"),
	  .preset = "64" },
	{ NUMBER_KEY("app.header_deadline_ms", MAIN(header_deadline_ms), 1, DAY_MS, "ms",
		"time for a request's headers to arrive"),
	  .preset = "10000" },
	{ NUMBER_KEY("app.body_deadline_ms", MAIN(body_deadline_ms), 1, DAY_MS, "ms",
		"time for a request's body to arrive"),
	  .preset = "30000" },
	{ NUMBER_KEY("app.connection_deadline_ms", MAIN(connection_deadline_ms), 1, DAY_MS, "ms",
		"longest life of a connection"),
	  .preset = "60000" },
	{ TEXT_KEY("app.users[].name", USER(name), "login of a further user"),
	  .preset = "", .accepts = value_is_login, .wants = "a name without a colon" },
	{ TEXT_KEY("app.users[].password", USER(password), "its password; this or password_file must be set"),
	  .preset = "", .secret = true },
	{ TEXT_KEY("app.users[].password_file", USER(password_file), "file that holds the password"), .preset = "" },
	{ TEXT_KEY("app.users[].role", USER(role),
		"master: pushes and deletes for its identities; operator: everything of the API; read-only: looks"),
	  .preset = "master", .choices = "master|operator|read-only" },
	{ WORDS_KEY("app.users[].identities", struct conf_user, identities, identity_count,
		"role master: the hostnames that it may push and delete for"),
	  .accepts = value_is_host, .wants = "a host name" },
	{ BOOL_KEY("app.dry_run", MAIN(dry_run), "take pushes, and send no back end anything: all of them stay paused"),
	  .preset = "false" },
	{ BOOL_KEY("app.watch_secrets", MAIN(watch_secrets),
		"read the configuration again when a file of a password or of TLS that it names has changed; looked for every 30 s"),
	  .preset = "true" },
	{ NUMBER_KEY("app.max_zone_records", MAIN(max_zone_records), 0, 10000000, NULL,
		"records in one zone; a push with more is refused; 0: no limit"),
	  .preset = "50000" },

	{ TEXT_KEY("datastore.db_location", MAIN(store_path), "file of the store (SQLite)"),
	  .preset = "data/directdns.db", .restart = true, .accepts = value_is_filled, .wants = "a path" },

	{ TEXT_KEY("dns.default_backend", MAIN(default_backend), "back end that operators mean by default; may be empty"),
	  .preset = "" },
	{ TEXT_KEY("dns.backends.*.type", BACKEND(type), "coredns_mysql; default: the back end's name where it is a type") },
	{ BOOL_KEY("dns.backends.*.enabled", BACKEND(enabled), "zones are delivered there"), .preset = "false" },
	{ TEXT_KEY("dns.backends.*.host", BACKEND(host), "database server"),
	  .preset = "localhost", .accepts = value_is_host, .wants = "a host name or address" },
	{ NUMBER_KEY("dns.backends.*.port", BACKEND(port), 1, 65535, NULL, "its TCP port"), .preset = "3306" },
	{ TEXT_KEY("dns.backends.*.unix_socket", BACKEND(unix_socket), "its Unix socket, instead of host and port"),
	  .preset = "", SOCKET_SHAPE },
	{ TEXT_KEY("dns.backends.*.database", BACKEND(database), "database there"),
	  .preset = "coredns", .accepts = value_is_filled, .wants = "a name" },
	{ TEXT_KEY("dns.backends.*.username", BACKEND(username), "login there"),
	  .preset = "coredns", .accepts = value_is_filled, .wants = "a name" },
	{ TEXT_KEY("dns.backends.*.password", BACKEND(password),
		"its password; this or password_file must be set unless unix_socket is"),
	  .preset = "", .secret = true },
	{ TEXT_KEY("dns.backends.*.password_file", BACKEND(password_file), "file that holds the password"), .preset = "" },
	{ NUMBER_KEY("dns.backends.*.connections", BACKEND(connections), 1, 64, NULL, "connections and threads"),
	  .preset = "2" },
	{ NUMBER_KEY("dns.backends.*.connect_timeout_ms", BACKEND(connect_timeout_ms), 1, DAY_MS, "ms",
		"time to connect and log in"),
	  .preset = "3000" },
	{ NUMBER_KEY("dns.backends.*.query_timeout_ms", BACKEND(query_timeout_ms), 1, DAY_MS, "ms",
		"time for one statement's answer"),
	  .preset = "10000" },
	{ NUMBER_KEY("dns.backends.*.transaction_stall_ms", BACKEND(transaction_stall_ms), 1, DAY_MS, "ms",
		"a transaction ends after this time without a completed statement"),
	  .preset = "15000" },
	{ NUMBER_KEY("dns.backends.*.transaction_max_ms", BACKEND(transaction_max_ms), 1, DAY_MS, "ms",
		"longest life of a transaction"),
	  .preset = "120000" },
	{ TEXT_KEY("dns.backends.*.zones_table", BACKEND(zones_table), "CoreDNS's table of zones"),
	  .preset = "zones", TABLE_SHAPE },
	{ TEXT_KEY("dns.backends.*.records_table", BACKEND(records_table), "CoreDNS's table of records"),
	  .preset = "records", TABLE_SHAPE },
	{ TEXT_KEY("dns.backends.*.state_table", BACKEND(state_table), "zonefan's own table there"),
	  .preset = "zonefan_state", TABLE_SHAPE },
	{ BOOL_KEY("dns.backends.*.manage_schema", BACKEND(manage_schema), "create and complete the tables"),
	  .preset = "true" },
	{ BOOL_KEY("dns.backends.*.catch_all_zone", BACKEND(catch_all_zone),
		"keep the row zone_name = '' that the CoreDNS plugin needs for CNAMEs to elsewhere"),
	  .preset = "true" },
	{ TEXT_KEY("dns.backends.*.signed_zones", BACKEND(signed_zones), "zones with DNSSEC records: warn or refuse"),
	  .preset = "warn", .choices = "warn|refuse" },
	{ TEXT_KEY("dns.backends.*.heal", BACKEND(heal),
		"what the healing passes that begin by themselves do about a difference: repair, report alone, or off"),
	  .preset = "repair", .choices = "repair|report|off" },
	{ BOOL_KEY("dns.backends.*.ssl", BACKEND(ssl), "demand TLS; default: true if another ssl setting is given"),
	  .preset = "false" },
	{ TEXT_KEY("dns.backends.*.ssl_ca", BACKEND(ssl_ca), "file of CA certificates"), .preset = "", .file = true },
	{ TEXT_KEY("dns.backends.*.ssl_cert", BACKEND(ssl_cert), "file of our certificate"), .preset = "", .file = true },
	{ TEXT_KEY("dns.backends.*.ssl_key", BACKEND(ssl_key), "file of its key"), .preset = "", .file = true },
	{ BOOL_KEY("dns.backends.*.ssl_verify", BACKEND(ssl_verify),
		"with TLS: the server's certificate must be the CA's and bear its name"),
	  .preset = "true" },
	{ .path = "dns.backends.*.verify.dns", .type = KEY_WORDS, BACKEND(verify_dns),
	  .count_offset = offsetof(struct conf_backend, verify_dns_count), .preset = "", .accepts = value_is_server,
	  .wants = "HOST:PORT, or [IPV6]:PORT",
	  .help = "name servers that answer from this database: each delivery is verified by asking them" },
	{ NUMBER_KEY("dns.backends.*.verify.interval_seconds", BACKEND(verify_interval_seconds), 1, 86400, "seconds",
		"in this time a sample of all zones is asked of them, deliveries apart"),
	  .preset = "300" },

	{ .path = "retry.backoff_seconds", .type = KEY_LIST, MAIN(backoff_ms), .low = 1, .high = INT64_C(7) * 24 * 3600,
	  .scale = 1000, .unit = "seconds", .count_offset = offsetof(struct conf, backoff_count),
	  .preset = "30,120,300,900,1800", .help = "pauses between the tries of one zone; the last one repeats" },
	{ NUMBER_KEY("retry.max_attempts", MAIN(max_attempts), 1, 1000, NULL,
		"retries after the first failure, then the delivery is listed as dead and tried hourly"),
	  .preset = "5" },
	{ NUMBER_KEY("retry.probe_initial_ms", MAIN(probe_initial_ms), 1, DAY_MS, "ms",
		"first pause before a back end that is down is probed"),
	  .preset = "1000" },
	{ NUMBER_KEY("retry.probe_max_ms", MAIN(probe_max_ms), 1, DAY_MS, "ms", "longest pause between probes"),
	  .preset = "30000" },

	{ BOOL_KEY("healing.enabled", MAIN(healing_enabled), "compare all back ends with the store from time to time"),
	  .preset = "true" },
	{ NUMBER_KEY("healing.interval_minutes", MAIN(healing_interval_minutes), 1, 10080, "minutes",
		"time between two healing passes"),
	  .preset = "10" },

	{ NUMBER_KEY("verify.deadline_seconds", MAIN(verify_deadline_seconds), 1, 86400, "seconds",
		"a delivery that name servers do not answer in this time is told of"),
	  .preset = "60" },
	{ TEXT_KEY("verify.canary", MAIN(verify_canary),
		"zone that zonefan itself changes every minute and follows to each name server; empty: none"),
	  .preset = "", .accepts = value_is_domain, .wants = "a domain name" },

	{ NUMBER_KEY("history.versions", MAIN(history_versions), 1, 1000, NULL, "texts of each zone that are kept"),
	  .preset = "10" },

	{ TEXT_KEY("guard.mode", MAIN(guard_mode),
		"a push that removes all NS, empties the zone or shrinks it too much: hold it for approval, warn, or off"),
	  .preset = "hold", .choices = "hold|warn|off" },
	{ NUMBER_KEY("guard.max_shrink_percent", MAIN(guard_max_shrink_percent), 1, 100, "percent",
		"of more than 20 records, the most that one push may take away"),
	  .preset = "80" },

	{ BOOL_KEY("reconciliation.enabled", MAIN(reconcile_enabled), "compare with the DirectAdmin masters, fetch what was missed"),
	  .preset = "false" },
	{ BOOL_KEY("reconciliation.dry_run", MAIN(reconcile_dry_run), "report alone"), .preset = "false" },
	{ NUMBER_KEY("reconciliation.interval_minutes", MAIN(reconcile_interval_minutes), 1, 10080, "minutes",
		"time between two passes"),
	  .preset = "60" },
	{ NUMBER_KEY("reconciliation.initial_delay_minutes", MAIN(reconcile_delay_minutes), 0, 10080, "minutes",
		"time before the first pass"),
	  .preset = "0" },
	{ BOOL_KEY("reconciliation.verify_ssl", MAIN(reconcile_verify_ssl), "check the masters' certificates"),
	  .preset = "true" },
	{ NUMBER_KEY("reconciliation.ipp", MAIN(reconcile_ipp), 1, 100000, NULL, "zones per page of a master's list"),
	  .preset = "1000" },
	{ NUMBER_KEY("reconciliation.orphan_passes", MAIN(orphan_passes), 2, 1000, NULL,
		"passes in a row that must miss a zone before it is deleted"),
	  .preset = "2" },
	{ NUMBER_KEY("reconciliation.orphan_grace_minutes", MAIN(orphan_grace_minutes), 0, 525600, "minutes",
		"time from the first of them to the deletion"),
	  .preset = "30" },
	{ NUMBER_KEY("reconciliation.min_delete_zones", MAIN(min_delete_zones), 0, 1000000, NULL,
		"zones of a master that one pass may delete without approval, however few it has"),
	  .preset = "5" },
	{ NUMBER_KEY("reconciliation.max_delete_percent", MAIN(max_delete_percent), 0, 100, "percent",
		"of a master's zones, that one pass may delete without approval"),
	  .preset = "2" },
	{ NUMBER_KEY("reconciliation.max_delete_zones", MAIN(max_delete_zones), 0, 1000000, NULL,
		"and never more than these"),
	  .preset = "50" },
	{ TEXT_KEY("reconciliation.directadmin_servers[].hostname", MASTER(hostname), "a DirectAdmin master"),
	  .preset = "", .accepts = value_is_host, .wants = "a host name or address" },
	{ NUMBER_KEY("reconciliation.directadmin_servers[].port", MASTER(port), 1, 65535, NULL, "its port"),
	  .preset = "2222" },
	{ TEXT_KEY("reconciliation.directadmin_servers[].username", MASTER(username), "admin login there"), .preset = "",
	  .accepts = value_is_login, .wants = "a name without a colon" },
	{ TEXT_KEY("reconciliation.directadmin_servers[].password", MASTER(password), "its password or login key"),
	  .preset = "", .secret = true },
	{ TEXT_KEY("reconciliation.directadmin_servers[].password_file", MASTER(password_file),
		"file that holds the password"),
	  .preset = "" },
	{ BOOL_KEY("reconciliation.directadmin_servers[].ssl", MASTER(ssl), "HTTPS to it"), .preset = "true" },
	{ TEXT_KEY("reconciliation.directadmin_servers[].identity", MASTER(identity),
		"the hostname that it uses in pushes; default: its hostname"),
	  .preset = "", .accepts = value_is_host, .wants = "a host name" },
	{ NUMBER_KEY("reconciliation.directadmin_servers[].dns_port", MASTER(dns_port), 1, 65535, NULL,
		"port of its own name server, which is asked for serials"),
	  .preset = "53" },

	{ TEXT_KEY("notify.url", MAIN(notify_url), "webhook that changes of state are posted to, as JSON; empty: none"),
	  .preset = "", .secret = true, .accepts = value_is_webhook, .wants = "http:// or https://, a host, and a path if need be" },
	{ TEXT_KEY("notify.username", MAIN(notify_username), "login there; empty: none is sent"), .preset = "",
	  .accepts = value_is_login_or_none, .wants = "a name without a colon" },
	{ TEXT_KEY("notify.password", MAIN(notify_password), "its password"), .preset = "", .secret = true },
	{ TEXT_KEY("notify.password_file", MAIN(notify_password_file), "file that holds the password"), .preset = "" },
	{ NUMBER_KEY("notify.min_seconds", MAIN(notify_min_seconds), 0, 86400, "seconds",
		"a change is told when it has lasted so long"),
	  .preset = "10" },

	{ BOOL_KEY("peer_sync.enabled", MAIN(peer_enabled), "exchange zones with peers"), .preset = "false" },
	{ NUMBER_KEY("peer_sync.interval_minutes", MAIN(peer_interval_minutes), 1, 10080, "minutes",
		"time between two passes"),
	  .preset = "15" },
	{ TEXT_KEY("peer_sync.auth_username", MAIN(peer_auth_username), "user that peers log in as"),
	  .preset = "peersync", .accepts = value_is_login, .wants = "a name without a colon" },
	{ TEXT_KEY("peer_sync.auth_password", MAIN(peer_auth_password), "password of that user; must be set to exchange, or its file"),
	  .preset = "", .secret = true },
	{ TEXT_KEY("peer_sync.auth_password_file", MAIN(peer_auth_password_file), "file that holds the password"), .preset = "" },
	{ BOOL_KEY("peer_sync.discover", MAIN(peer_discover), "ask peers that peers know, too; they get no credentials"),
	  .preset = "false" },
	{ TEXT_KEY("peer_sync.peers[].url", PEER(url), "a peer: http://host:port"), .preset = "",
	  .accepts = value_is_url, .wants = "http:// or https://, a host, and a port if need be" },
	{ TEXT_KEY("peer_sync.peers[].username", PEER(username), "login there; default: peer_sync.auth_username"),
	  .preset = "" },
	{ TEXT_KEY("peer_sync.peers[].password", PEER(password), "password there; default: peer_sync.auth_password"),
	  .preset = "", .secret = true },
	{ TEXT_KEY("peer_sync.peers[].password_file", PEER(password_file), "file that holds the password"), .preset = "" },
	PEER_KEY("peer_sync.peer.url", false),
	PEER_KEY("peer_sync.peer.username", false),
	PEER_KEY("peer_sync.peer.password", true),
	PEER_KEY("peer_sync.peer.#.url", false),
	PEER_KEY("peer_sync.peer.#.username", false),
	PEER_KEY("peer_sync.peer.#.password", true),

	/* The predecessor's keys without meaning here (decisions.md 16). */
	OLD_KEY("log_format", "use zonefand --log-format logfmt or json"),
	OLD_KEY("queue_location", "pushes are kept in the store"),
	OLD_KEY("environment", "there is one"),
	OLD_KEY("app.queue_location", "pushes are kept in the store"),
	OLD_KEY("app.proxy_support", "app.trusted_proxies says whose forwarded addresses are believed"),
	OLD_KEY("app.proxy_support_base", "app.trusted_proxies says whose forwarded addresses are believed"),
	OLD_KEY("app.log_level", "log_level counts"),
	OLD_KEY("app.log_to", "the log goes to stderr"),
	OLD_KEY("app.token_valid_for_days", "there are no tokens"),
	{ .path = "app.check_subdomain_owner_in_cluster_domainowners", .type = KEY_BOOL, .state = KEY_TAKEN,
	  .help = "app.exists_parent says it: 3 for 1, 2 for 0" },
	OLD_KEY("datastore.type", "the store is SQLite"),
	OLD_KEY("datastore.host", "the store is SQLite"),
	OLD_KEY("datastore.port", "the store is SQLite"),
	OLD_KEY("datastore.name", "the store is SQLite"),
	OLD_KEY("datastore.user", "the store is SQLite"),
	{ .path = "datastore.pass", .type = KEY_TEXT, .state = KEY_OLD, .secret = true, .help = "the store is SQLite" },
	OLD_KEY("dns.backends.*.table_name", "records_table says it"),

	/* The predecessor's keys of features that are not built yet. */
	LATER_KEY("dns.backends.*.zones_dir", "bind and nsd: folder of zone files"),
	LATER_KEY("dns.backends.*.named_conf", "bind: file of zone declarations"),
	LATER_KEY("dns.backends.*.nsd_conf", "nsd: file of zone declarations"),
};

const size_t keys_count = ARRAY_SIZE(keys_table);

const struct key *keys_row(const char *path)
{
	for (size_t i = 0; i < keys_count; i++) {
		if (strcmp(keys_table[i].path, path) == 0)
			return &keys_table[i];
	}
	WRONG(path);
}

size_t keys_index(const struct key *key)
{
	return (size_t)(key - keys_table);
}

bool keys_is_list(const struct key *key)
{
	return key->type == KEY_LIST || key->type == KEY_WORDS;
}

static const char *const set_paths[SET_COUNT] = {
	[SET_MAIN] = "",
	[SET_BACKENDS] = "dns.backends.*",
	[SET_USERS] = "app.users[]",
	[SET_MASTERS] = "reconciliation.directadmin_servers[]",
	[SET_PEERS] = "peer_sync.peers[]",
	[SET_LISTENERS] = "app.listeners[]",
};

const char *keys_set_path(enum key_set set)
{
	return set_paths[set];
}

enum key_set keys_set(const struct key *key)
{
	enum key_set set = SET_COUNT - 1;

	while (set != SET_MAIN && strncmp(key->path, set_paths[set], strlen(set_paths[set])) != 0)
		set--;
	return set;
}

enum key_set keys_set_of_list(const char *path)
{
	size_t size = strlen(path);

	for (enum key_set set = SET_USERS; set < SET_COUNT; set++) {
		if (strncmp(path, set_paths[set], size) == 0 && strcmp(set_paths[set] + size, "[]") == 0)
			return set;
	}
	return SET_MAIN;
}
