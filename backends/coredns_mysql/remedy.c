/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/remedy.h"

#include <string.h>

struct advice {
	unsigned code;
	const char *about;
	const char *text; /* $B back end, $D database, $H host, $U user */
};

static const char reach[] = "see whether the server runs and listens there (bind-address, port, skip-networking), and whether a "
			    "firewall stands between: dns.backends.$B.host and .port say where it is looked for";
static const char grant[] = "on that server: GRANT SELECT, INSERT, UPDATE, DELETE ON `$D`.* TO '$U'@'...'; for manage_schema also "
			    "CREATE, ALTER, INDEX, REFERENCES";
static const char login[] = "compare dns.backends.$B.username and its password with the account there; a new one: CREATE USER "
			    "'$U'@'address of this host' IDENTIFIED BY '...'";
static const char writable[] = "name a server that takes writes: a replica, or a node outside of its cluster, does not "
			       "(read_only, wsrep_ready)";
static const char crowded[] = "raise max_connections, or the account's MAX_USER_CONNECTIONS: zonefand wants "
			      "dns.backends.$B.connections, and one more now and then";
static const char tls[] = "dns.backends.$B.ssl_ca must be the CA of the server's certificate, which must bear the name $H and not be "
			  "expired; the server needs ssl_cert and ssl_key, and TLS 1.2 or later";
static const char method[] = "give the account one of mysql_native_password, ed25519, caching_sha2_password (these need no "
			     "plug-in that shows the password)";
static const char room[] = "make room on that server's disk";

static const struct advice advices[] = {
	{ 1021, "room", room },
	{ 1040, "connections", crowded },
	{ 1044, "rights", grant },
	{ 1045, "login", login },
	{ 1047, "read-only", writable },
	{ 1049, "database", "on that server: CREATE DATABASE `$D` CHARACTER SET utf8mb4; or correct dns.backends.$B.database" },
	{ 1054, "schema", "make the column as in schema/coredns_mysql" },
	{ 1114, "room", room },
	{ 1129, "reach", "on that server: mariadb-admin flush-hosts; then look what connects and breaks off" },
	{ 1130, "login", login },
	{ 1142, "rights", grant },
	{ 1143, "rights", grant },
	{ 1146, "schema", "make the table as in schema/coredns_mysql, or let manage_schema do it" },
	{ 1203, "connections", crowded },
	{ 1226, "connections", crowded },
	{ 1227, "rights", grant },
	{ 1290, "read-only", writable },
	{ 1665, "binlog", "on that server: SET GLOBAL binlog_format = MIXED" },
	{ 1698, "login", login },
	{ 1836, "read-only", writable },
	{ 2026, "tls", tls },
	{ 2059, "login", method },
	{ 2061, "login", method },
	{ 3159, "tls", "set dns.backends.$B.ssl, and ssl_ca" },
	{ 4151, "login", "on that server: ALTER USER '$U'@'...' ACCOUNT UNLOCK" },
};

static const char *value_of(char letter, const char *backend, const struct coredns_mysql_settings *settings)
{
	switch (letter) {
	case 'B':
		return backend;
	case 'D':
		return settings->database;
	case 'H':
		return settings->host;
	case 'U':
		return settings->username;
	default:
		WRONG("a placeholder that is none");
	}
}

void remedy_for(unsigned code, const char *backend, const struct coredns_mysql_settings *settings, const char **about,
	struct buf *out)
{
	struct advice found = { code, "reach", reach };

	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (advices[i].code == code)
			found = advices[i];
	}
	*about = found.about;
	for (const char *at = found.text; *at != '\0';) {
		size_t plain = strcspn(at, "$");

		buf_append(out, at, plain);
		at += plain;
		if (*at == '\0')
			break;
		buf_puts(out, value_of(at[1], backend, settings));
		at += 2;
	}
}
