/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/coredns_mysql/coredns_mysql.h"

enum { QUEUE_CAPACITY = 1024, STOP_DEADLINE_MS = 5000 };

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
			.settings = &settings[i], .connections = from->connections };
		if (backends[i].ops == NULL)
			return err_set(err, ERR_INVALID, "back end %s: type %s is not built in", from->name,
				from->type);
	}
	wire->engine.backends = backends;
	wire->engine.backend_count = conf->backend_count;
	return ERR_OK;
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
		.max_zone_records = conf->max_zone_records,
		.queue_capacity = QUEUE_CAPACITY,
		.queue_bytes = conf->max_inflight_bytes,
	};
	out->http = (struct http_params){
		.listen_address = conf->listen_address,
		.listen_port = conf->listen_port,
		.control_socket = conf->control_socket,
		.auth_username = conf->auth_username,
		.auth_password = conf->auth_password,
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
	int ret = wire_backends(conf, out, err);
	if (ret != ERR_OK)
		wire_clear(out);
	return ret;
}

void wire_clear(struct wire *wire)
{
	free(wire->backends);
	free(wire->settings);
	*wire = (struct wire){ 0 };
}
