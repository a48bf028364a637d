/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration: the predecessor's app.yml and DADNS_* environment, plus our
 * keys, -> one immutable struct conf. One table (conf/keys.c) names every key
 * with its type, default and meaning; file, environment, --check and the
 * manual all come from it.
 *
 * Priority: environment, file, defaults. Called from main before threads
 * start; blocks on files. Errors name file, line and key (or the variable).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct conf_backend {
	const char *name;              /* the key under dns.backends */
	const char *type;              /* "coredns_mysql" */
	bool enabled;
	const char *host;
	uint16_t port;
	const char *unix_socket;
	const char *database;
	const char *username;
	const char *password;
	const char *password_file;     /* the password is from there; "": none */
	unsigned connections;
	int64_t connect_timeout_ms;
	int64_t query_timeout_ms;
	int64_t transaction_stall_ms;
	int64_t transaction_max_ms;
	const char *zones_table;
	const char *records_table;
	const char *state_table;
	bool manage_schema;
	bool catch_all_zone;
	const char *signed_zones;      /* "warn" or "refuse" */
	const char *heal;              /* "repair", "report" or "off" */
	bool ssl;
	const char *ssl_ca;
	const char *ssl_cert;
	const char *ssl_key;
	bool ssl_verify;
	const char *const *verify_dns; /* "HOST:PORT" or "[IPV6]:PORT"; no two back ends have the same */
	unsigned verify_dns_count;
	unsigned verify_interval_seconds;
};

/* A further door of the HTTP server. */
struct conf_listener {
	const char *address;           /* "": all */
	uint16_t port;
	bool ssl;
	const char *const *allow;      /* addresses and networks (base/cidr.h); none: all */
	unsigned allow_count;
	const char *const *roles;      /* "master", "peer", "operator": whom it serves; none: all */
	unsigned role_count;
};

struct conf_user {
	const char *name;
	const char *password;
	const char *password_file;
	const char *role;              /* "master", "operator" or "read-only" */
	const char *const *identities; /* host names; of masters alone */
	unsigned identity_count;
};

/* A DirectAdmin master that is asked for its zones. */
struct conf_master {
	const char *hostname;
	uint16_t port;
	const char *username;
	const char *password;
	const char *password_file;
	bool ssl;
	const char *identity;          /* the hostname of its pushes; no two have the same */
	uint16_t dns_port;
};

struct conf_peer {
	const char *url;               /* "http://host:port", without a final slash; no two are the same */
	const char *username;
	const char *password;
	const char *password_file;
};

struct conf {
	const char *path;              /* of the file read; NULL: none was found */
	enum log_level log_level;
	const char *timezone;          /* of log times, for TZ; "": the process's own */
	const char *user;              /* that root becomes; "": stays */
	const char *auth_username;
	const char *auth_password;
	const char *auth_password_file; /* as in conf_backend, and so are all further ones */
	const char *listen_address;    /* "": all */
	uint16_t listen_port;
	const char *control_socket;    /* "": none */
	bool metrics_public;           /* /metrics takes no login */
	bool ssl_enable;               /* of the listener above */
	const char *ssl_cert;          /* files; "": none, and then no listener wants TLS */
	const char *ssl_key;
	const char *ssl_bundle;
	const char *const *allow;      /* for the listener above, as in struct conf_listener */
	unsigned allow_count;
	const char *const *trusted_proxies;
	unsigned trusted_proxy_count;
	const struct conf_listener *listeners; /* further ones; no two at the same place */
	size_t listener_count;
	unsigned exists_parent;        /* 0, 2 or 3 */
	size_t max_body_bytes;
	size_t max_inflight_bytes;
	unsigned max_connections;
	unsigned max_connections_per_address;
	int64_t header_deadline_ms;
	int64_t body_deadline_ms;
	int64_t connection_deadline_ms;
	const char *store_path;        /* datastore.db_location */
	const char *default_backend;   /* "": none */
	const struct conf_backend *backends; /* the enabled ones, sorted by name */
	size_t backend_count;
	const struct conf_backend *disabled; /* the others, sorted by name, of whatever type; unchecked, for the print */
	size_t disabled_count;
	const int64_t *backoff_ms;
	unsigned backoff_count;
	unsigned max_attempts;
	int64_t probe_initial_ms;
	int64_t probe_max_ms;
	size_t max_zone_records;
	bool dry_run;
	bool watch_secrets;
	bool healing_enabled;
	unsigned healing_interval_minutes;
	unsigned verify_deadline_seconds;
	const char *verify_canary;     /* "": none */
	unsigned history_versions;
	const char *guard_mode;        /* "hold", "warn" or "off" */
	unsigned guard_max_shrink_percent;
	const struct conf_user *users;
	size_t user_count;
	bool reconcile_enabled;
	bool reconcile_dry_run;
	unsigned reconcile_interval_minutes;
	unsigned reconcile_delay_minutes; /* before the first pass */
	bool reconcile_verify_ssl;
	unsigned reconcile_ipp;
	unsigned orphan_passes;
	unsigned orphan_grace_minutes;
	unsigned min_delete_zones;
	unsigned max_delete_percent;
	unsigned max_delete_zones;
	const struct conf_master *masters;
	size_t master_count;
	const char *notify_url;        /* "": nobody is told */
	const char *notify_username;   /* "": no login is sent */
	const char *notify_password;
	const char *notify_password_file;
	unsigned notify_min_seconds;
	bool peer_enabled;
	unsigned peer_interval_minutes;
	const char *peer_auth_username;
	const char *peer_auth_password;
	const char *peer_auth_password_file;
	bool peer_discover;
	const struct conf_peer *peers;
	size_t peer_count;
	const char *const *files;      /* of secrets and of TLS that it names, whether it has read them or whoever uses them will */
	size_t file_count;
};

/*
 * Reads the configuration. path NULL: the first of the search order that exists (/etc/zonefan/app.yml, ./app.yml,
 * ./config/app.yml, /etc/directdnsonly/app.yml); none is no error if the environment says enough. environment is an
 * environ-like list. Relative paths in the configuration stay so: they are relative to the working directory.
 *
 * On failure err has the first fault: "app.yml:12: app.listen_port: ..." or "DADNS_APP_LISTEN_PORT: ...". notices
 * (may be NULL) gets one line for each old key accepted and for what else an operator should know; on failure also
 * a line for each further fault, after "fault: ". Lines end with a newline.
 */
MUST_CHECK int conf_load(const char *path, char *const *environment, struct conf **out, struct buf *notices,
	struct err *err);
void conf_destroy(struct conf *conf); /* NULL is fine; secrets are wiped */
/*
 * Whether the host has what the configuration names: the folders of the store and of the control socket, writable; the
 * files of TLS, readable. Makes nothing. For --check; the rights are those of the process. The error names key and path.
 */
MUST_CHECK int conf_check_host(const struct conf *conf, struct err *err);
/*
 * A line for each key that differs, "app.max_connections: 512 -> 600"; of a secret alone that it does. Back ends, users, masters and
 * peers that are in one of them only: "dns.backends.dc2: new", "gone". Keys that a process which runs can't change are left to
 * conf_diff_restart.
 */
void conf_diff(const struct conf *old, const struct conf *new, struct buf *out);
void conf_diff_restart(const struct conf *old, const struct conf *new, struct buf *out);
/* All keys that begin with prefix, of all elements. */
bool conf_is_same(const struct conf *a, const struct conf *b, const char *prefix);
/* A number that is another one when any setting of the back end, a secret too, is another. Not for storing. */
uint64_t conf_backend_version(const struct conf_backend *backend);
/*
 * The effective configuration as YAML. Secrets are masked, and conf_load refuses a mask: with the secrets given
 * again (by the environment, say) the print loads to the same configuration.
 */
void conf_print(const struct conf *conf, struct buf *out);
/* The same as one JSON object, which conf_load takes too. */
void conf_print_json(const struct conf *conf, struct buf *out);
