/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/coredns_mysql/coredns_mysql.h"
#include "base/buf.h"

enum { QUEUE_CAPACITY = 1024, STOP_DEADLINE_MS = 5000, MINUTE_US = 60000000 };

static struct coredns_mysql_settings settings_of(const struct conf_backend *conf)
{
	return (struct coredns_mysql_settings){
		.host = conf->host,
		.port = conf->port,
		.unix_socket = conf->unix_socket,
		.database = conf->database,
		.username = conf->username,
		.password = conf->password,
		.zones_table = conf->zones_table,
		.records_table = conf->records_table,
		.state_table = conf->state_table,
		.manage_schema = conf->manage_schema,
		.catch_all_zone = conf->catch_all_zone,
		.signed_zones = strcmp(conf->signed_zones, "refuse") == 0 ? COREDNS_MYSQL_SIGNED_REFUSE :
									     COREDNS_MYSQL_SIGNED_WARN,
		.connect_timeout_ms = conf->connect_timeout_ms,
		.query_timeout_ms = conf->query_timeout_ms,
		.transaction_stall_ms = conf->transaction_stall_ms,
		.transaction_max_ms = conf->transaction_max_ms,
		.ssl_ca = conf->ssl_ca,
		.ssl_cert = conf->ssl_cert,
		.ssl_key = conf->ssl_key,
		.ssl = conf->ssl,
		.ssl_verify = conf->ssl_verify,
	};
}

static enum engine_guard guard_of(const char *mode)
{
	return strcmp(mode, "hold") == 0 ? ENGINE_GUARD_HOLD :
	       strcmp(mode, "warn") == 0 ? ENGINE_GUARD_WARN :
					   ENGINE_GUARD_OFF;
}

static enum engine_healing healing_of(const char *heal)
{
	return strcmp(heal, "report") == 0 ? ENGINE_HEALING_REPORT :
		strcmp(heal, "off") == 0 ? ENGINE_HEALING_OFF : ENGINE_HEALING_REPAIR;
}

static int wire_backends(const struct conf *conf, struct wire *wire, struct err *err)
{
	struct engine_backend *backends = xcalloc(conf->backend_count, sizeof(*backends));
	struct coredns_mysql_settings *settings = xcalloc(conf->backend_count, sizeof(*settings));

	wire->backends = backends;
	wire->settings = settings;
	for (size_t i = 0; i < conf->backend_count; i++) {
		const struct conf_backend *from = &conf->backends[i];

		settings[i] = settings_of(from);
		backends[i] = (struct engine_backend){ .name = from->name, .ops = backend_find(from->type),
			.settings = &settings[i], .connections = from->connections,
			.healing = healing_of(from->heal) };
		if (backends[i].ops == NULL)
			return err_set(err, ERR_INVALID, "back end %s: type %s is not built in", from->name,
				from->type);
	}
	wire->engine.backends = backends;
	wire->engine.backend_count = conf->backend_count;
	return ERR_OK;
}

static enum auth_role role_of(const char *role)
{
	return strcmp(role, "operator") == 0 ? AUTH_OPERATOR : strcmp(role, "read-only") == 0 ? AUTH_READER : AUTH_MASTER;
}

/* Whom it may act for, as auth.h has it. */
static char *join_identities(const struct conf_user *user)
{
	struct buf list = { 0 };

	for (unsigned i = 0; i < user->identity_count; i++)
		buf_printf(&list, "%s%s", i == 0 ? "" : ",", user->identities[i]);
	return user->identity_count == 0 ? NULL : buf_take(&list);
}

static void wire_logins(const struct conf *conf, struct wire *wire)
{
	struct auth_login *logins = xcalloc(conf->user_count + 2, sizeof(*logins));
	size_t count = 0;

	logins[count++] = (struct auth_login){ .name = conf->auth_username, .password = conf->auth_password,
		.role = AUTH_ALL };
	for (size_t i = 0; i < conf->user_count; i++)
		logins[count++] = (struct auth_login){ .name = conf->users[i].name, .password = conf->users[i].password,
			.role = role_of(conf->users[i].role), .identities = join_identities(&conf->users[i]) };
	if (conf->peer_enabled)
		logins[count++] = (struct auth_login){ .name = conf->peer_auth_username,
			.password = conf->peer_auth_password, .role = AUTH_PEER };
	wire->logins = logins;
	wire->http.logins = logins;
	wire->http.login_count = count;
}

static void wire_masters(const struct conf *conf, struct wire *wire)
{
	wire->reconciles = conf->reconcile_enabled;
	wire->masters = xcalloc(conf->master_count, sizeof(*wire->masters));
	for (size_t i = 0; i < conf->master_count; i++) {
		const struct conf_master *from = &conf->masters[i];

		wire->masters[i] = (struct sync_master){ .hostname = from->hostname, .port = from->port,
			.username = from->username, .password = from->password, .ssl = from->ssl,
			.identity = from->identity, .dns_port = from->dns_port };
	}
	wire->sync = (struct sync_params){
		.dry_run = conf->reconcile_dry_run,
		.interval_minutes = conf->reconcile_interval_minutes,
		.initial_delay_minutes = conf->reconcile_delay_minutes,
		.verify_ssl = conf->reconcile_verify_ssl,
		.ipp = conf->reconcile_ipp,
		.orphans = { .passes = conf->orphan_passes,
			.grace_us = (int64_t)conf->orphan_grace_minutes * MINUTE_US,
			.min_delete_zones = conf->min_delete_zones,
			.max_delete_percent = conf->max_delete_percent,
			.max_delete_zones = conf->max_delete_zones },
		.masters = wire->masters,
		.master_count = conf->master_count,
	};
}

int wire_create(const struct conf *conf, struct wire *out, struct err *err)
{
	coredns_mysql_global_init();
	*out = (struct wire){ 0 };
	out->engine = (struct engine_params){
		.store_path = conf->store_path,
		.backoff_ms = conf->backoff_ms,
		.backoff_count = conf->backoff_count,
		.max_attempts = conf->max_attempts,
		.probe_initial_ms = conf->probe_initial_ms,
		.probe_max_ms = conf->probe_max_ms,
		.guard_mode = guard_of(conf->guard_mode),
		.history_versions = conf->history_versions,
		.guard_max_shrink_percent = conf->guard_max_shrink_percent,
		.max_zone_records = conf->max_zone_records,
		.dry_run = conf->dry_run,
		.healing_enabled = conf->healing_enabled,
		.healing_interval_ms = (int64_t)conf->healing_interval_minutes * 60000,
		.queue_capacity = QUEUE_CAPACITY,
		.queue_bytes = conf->max_inflight_bytes,
	};
	out->http = (struct http_params){
		.listen_address = conf->listen_address,
		.listen_port = conf->listen_port,
		.control_socket = conf->control_socket,
		.exists_parent = conf->exists_parent,
		.max_body_bytes = conf->max_body_bytes,
		.max_inflight_bytes = conf->max_inflight_bytes,
		.max_connections = conf->max_connections,
		.max_connections_per_address = conf->max_connections_per_address,
		.header_deadline_ms = conf->header_deadline_ms,
		.body_deadline_ms = conf->body_deadline_ms,
		.connection_deadline_ms = conf->connection_deadline_ms,
		.stop_deadline_ms = STOP_DEADLINE_MS,
	};
	wire_logins(conf, out);
	wire_masters(conf, out);
	int ret = wire_backends(conf, out, err);
	if (ret != ERR_OK)
		wire_clear(out);
	return ret;
}

void wire_clear(struct wire *wire)
{
	for (size_t i = 0; i < wire->http.login_count; i++)
		free((char *)(uintptr_t)wire->logins[i].identities);
	free(wire->logins);
	free(wire->backends);
	free(wire->settings);
	free(wire->masters);
	*wire = (struct wire){ 0 };
}
