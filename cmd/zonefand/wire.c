/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "wire_files.h"

enum { STOP_DEADLINE_MS = 5000, MINUTE_US = 60000000 };

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

static unsigned acts_of(const char *role)
{
	if (strcmp(role, "master") == 0)
		return AUTH_SERVES(AUTH_PUSH);
	if (strcmp(role, "peer") == 0)
		return AUTH_SERVES(AUTH_EXCHANGE);
	return AUTH_SERVES(AUTH_LOOK) | AUTH_SERVES(AUTH_CHANGE);
}

static void wire_listeners(const struct conf *conf, struct wire *wire)
{
	wire->http.main = (struct http_listener){ .address = conf->listen_address, .port = conf->listen_port,
		.ssl = conf->ssl_enable, .allow = conf->allow, .allow_count = conf->allow_count };
	wire->listeners = xcalloc(conf->listener_count, sizeof(*wire->listeners));
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct conf_listener *from = &conf->listeners[i];

		wire->listeners[i] = (struct http_listener){ .address = from->address, .port = from->port, .ssl = from->ssl,
			.allow = from->allow, .allow_count = from->allow_count };
		for (unsigned k = 0; k < from->role_count; k++)
			wire->listeners[i].serves |= acts_of(from->roles[k]);
	}
	wire->http.listeners = wire->listeners;
	wire->http.listener_count = conf->listener_count;
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

static void wire_peers(const struct conf *conf, struct wire *wire)
{
	struct peer_address *peers = xcalloc(conf->peer_count, sizeof(*peers));

	for (size_t i = 0; i < conf->peer_count; i++)
		peers[i] = (struct peer_address){ .url = conf->peers[i].url, .username = conf->peers[i].username,
			.password = conf->peers[i].password };
	wire->peers = (struct peer_params){ .interval_minutes = conf->peer_interval_minutes, .discover = conf->peer_discover,
		.peers = peers, .peer_count = conf->peer_count, .visit_ms = PEER_VISIT_MS,
		.zones_most = PEER_ZONES_MOST };
	wire->peers_enabled = conf->peer_enabled;
}

static void wire_verify(const struct conf *conf, struct wire *wire)
{
	wire->verified = xcalloc(conf->backend_count, sizeof(*wire->verified));
	for (size_t i = 0; i < conf->backend_count; i++) {
		const struct conf_backend *from = &conf->backends[i];

		wire->verified[i] = (struct verify_backend){ .name = from->name, .servers = from->verify_dns,
			.server_count = from->verify_dns_count, .interval_seconds = from->verify_interval_seconds };
		wire->verifies = wire->verifies || from->verify_dns_count > 0;
	}
	wire->verify = (struct verify_params){ .backends = wire->verified, .backend_count = conf->backend_count,
		.deadline_seconds = conf->verify_deadline_seconds, .canary = conf->verify_canary };
}

static void wire_notify(const struct conf *conf, struct wire *wire)
{
	wire->notify = (struct notify_params){ .url = conf->notify_url, .username = conf->notify_username,
		.password = conf->notify_password, .min_seconds = conf->notify_min_seconds,
		.unanswered_seconds = conf->verify_deadline_seconds };
	wire->notifies = *conf->notify_url != '\0';
}

int wire_create(const struct conf *conf, struct wire *out, struct err *err)
{
	*out = (struct wire){ 0 };
	out->http = (struct http_params){
		.ssl_cert = conf->ssl_cert,
		.ssl_key = conf->ssl_key,
		.ssl_bundle = conf->ssl_bundle,
		.trusted_proxies = conf->trusted_proxies,
		.trusted_proxy_count = conf->trusted_proxy_count,
		.control_socket = conf->control_socket,
		.metrics_public = conf->metrics_public,
		.exists_parent = conf->exists_parent,
		.max_body_bytes = conf->max_body_bytes,
		.max_inflight_bytes = conf->max_inflight_bytes,
		.max_connections = conf->max_connections,
		.max_connections_per_address = conf->max_connections_per_address,
		.reserved_files = wire_count_files(conf),
		.header_deadline_ms = conf->header_deadline_ms,
		.body_deadline_ms = conf->body_deadline_ms,
		.connection_deadline_ms = conf->connection_deadline_ms,
		.stop_deadline_ms = STOP_DEADLINE_MS,
	};
	wire_logins(conf, out);
	wire_listeners(conf, out);
	wire_masters(conf, out);
	wire_peers(conf, out);
	wire_verify(conf, out);
	wire_notify(conf, out);
	int ret = wire_engine_create(conf, &out->engine, err);
	if (ret != ERR_OK)
		wire_clear(out);
	return ret;
}

void wire_clear(struct wire *wire)
{
	free((void *)(uintptr_t)wire->peers.peers);
	for (size_t i = 0; i < wire->http.login_count; i++)
		free((char *)(uintptr_t)wire->logins[i].identities);
	free(wire->logins);
	free(wire->listeners);
	http_unbind(&wire->http);
	wire_engine_clear(&wire->engine);
	free(wire->masters);
	free(wire->verified);
	*wire = (struct wire){ 0 };
}
