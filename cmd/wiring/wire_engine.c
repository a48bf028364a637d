/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire_engine.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/coredns_mysql/coredns_mysql.h"

enum { QUEUE_CAPACITY = 1024 };

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

static int make_backends(const struct conf *conf, struct wire_engine *wire, struct err *err)
{
	if (conf->backend_count > ENGINE_BACKENDS_MAX)
		return err_set(err, ERR_INVALID, "dns.backends: %zu back ends are enabled; there may be %d", conf->backend_count,
			ENGINE_BACKENDS_MAX);
	struct engine_backend *backends = xcalloc(conf->backend_count, sizeof(*backends));
	struct coredns_mysql_settings *settings = xcalloc(conf->backend_count, sizeof(*settings));

	wire->backends = backends;
	wire->settings = settings;
	for (size_t i = 0; i < conf->backend_count; i++) {
		const struct conf_backend *from = &conf->backends[i];

		settings[i] = settings_of(from);
		backends[i] = (struct engine_backend){ .name = from->name, .ops = backend_find(from->type),
			.settings = &settings[i], .connections = from->connections, .version = conf_backend_version(from),
			.healing = healing_of(from->heal), .verified = from->verify_dns_count > 0 };
		if (backends[i].ops == NULL)
			return err_set(err, ERR_INVALID, "back end %s: type %s is not built in", from->name,
				from->type);
	}
	wire->params.backends = backends;
	wire->params.backend_count = conf->backend_count;
	return ERR_OK;
}

/* The first configuration is wired before threads start; a later one finds it done. */
static void init_once(void)
{
	static bool done;

	if (!done)
		coredns_mysql_global_init();
	done = true;
}

int wire_engine_create(const struct conf *conf, struct wire_engine *out, struct err *err)
{
	init_once();
	*out = (struct wire_engine){ 0 };
	out->params = (struct engine_params){
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
		.peers = conf->peer_enabled,
		.canary = conf->verify_canary,
		.healing_enabled = conf->healing_enabled,
		.healing_interval_ms = (int64_t)conf->healing_interval_minutes * 60000,
		.queue_capacity = QUEUE_CAPACITY,
		.queue_bytes = conf->max_inflight_bytes,
	};
	int ret = make_backends(conf, out, err);
	if (ret != ERR_OK)
		wire_engine_clear(out);
	return ret;
}

void wire_engine_clear(struct wire_engine *wire)
{
	free(wire->backends);
	free(wire->settings);
	*wire = (struct wire_engine){ 0 };
}
