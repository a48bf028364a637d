/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "conf/value.h"

static const char built_type[] = "coredns_mysql";
static const char zoneinfo[] = "/usr/share/zoneinfo";

static bool is_later_type(const char *type)
{
	static const char *const names[] = { "bind", "nsd", "knot", "powerdns", "powerdns_mysql" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], type) == 0)
			return true;
	}
	return false;
}

bool rules_is_type(const char *name)
{
	return strcmp(name, built_type) == 0 || is_later_type(name);
}

/* "dns.backends.*." + leaf, to look up settings. */
static const char *path_of(const char *leaf, char out[64])
{
	snprintf(out, 64, "dns.backends.*.%s", leaf);
	return out;
}

static const struct setting *find(const struct sheet *sheet, const struct sheet_entry *from, const char *leaf)
{
	char path[64];

	return sheet_find(sheet, from, path_of(leaf, path));
}

void rules_check_secret(struct sheet *sheet, const struct sheet_entry *from, const char *path, const char *text,
	bool needed)
{
	if (sheet_find(sheet, from, path)->bad)
		return;
	if (strcmp(text, RULES_MASK) == 0)
		sheet_fault_at(sheet, from, path, "is the mask that --check prints, not a password");
	else if (needed && *text == '\0')
		sheet_fault_at(sheet, from, path,
			"an empty password is refused: set it here, by its DADNS_ variable or by ..._FILE");
	else if (needed && strcasecmp(text, "changeme") == 0)
		sheet_fault_at(sheet, from, path, "the password \"changeme\" is refused: choose another one");
}

/* Whether the back end is of the type that is built; otherwise says so, as a fault if it is to be used. */
static bool check_type(struct sheet *sheet, const struct sheet_entry *from, const struct conf_backend *backend)
{
	static const char path[] = "dns.backends.*.type";

	if (strcmp(backend->type, built_type) == 0)
		return true;
	if (find(sheet, from, "type")->bad || find(sheet, from, "enabled")->bad)
		return false;
	if (!backend->enabled && *backend->type == '\0')
		sheet_notice_at(sheet, from, path, "missing; the back end is disabled and ignored");
	else if (!backend->enabled)
		sheet_notice_at(sheet, from, path, "type \"%.64s\" is not built yet; the back end is disabled and ignored",
			backend->type);
	else if (*backend->type == '\0')
		sheet_fault_at(sheet, from, path, "missing; %s is the type that is built", built_type);
	else if (is_later_type(backend->type))
		sheet_fault_at(sheet, from, path, "type \"%.64s\" is not yet supported: set enabled to false",
			backend->type);
	else
		sheet_fault_at(sheet, from, path, "unknown type \"%.64s\"; %s is the type that is built", backend->type,
			built_type);
	return false;
}

/* Any ssl_* setting demands TLS: nobody who names a CA means "plain text if need be". */
static void settle_tls(struct sheet *sheet, const struct sheet_entry *from, struct conf_backend *backend)
{
	bool given = find(sheet, from, "ssl")->text != NULL;
	bool verify_given = find(sheet, from, "ssl_verify")->text != NULL;
	bool files = *backend->ssl_ca != '\0' || *backend->ssl_cert != '\0' || *backend->ssl_key != '\0';

	if (given && !backend->ssl && (files || (verify_given && backend->ssl_verify)))
		sheet_fault_at(sheet, from, "dns.backends.*.ssl", "is false, but another ssl setting demands TLS");
	if (!given)
		backend->ssl = files || verify_given;
	if (!backend->ssl)
		backend->ssl_verify = false;
	if ((*backend->ssl_cert == '\0') != (*backend->ssl_key == '\0'))
		sheet_fault_at(sheet, from, *backend->ssl_cert == '\0' ? "dns.backends.*.ssl_key" :
			"dns.backends.*.ssl_cert", "ssl_cert and ssl_key go together: one is missing");
}

static void settle_target(struct sheet *sheet, const struct sheet_entry *from, struct conf_backend *backend)
{
	static const char path[] = "dns.backends.*.host";
	const struct setting *host = find(sheet, from, "host");

	if (*backend->unix_socket == '\0') {
		if (*backend->host == '\0' && backend->enabled && !host->bad)
			sheet_fault_at(sheet, from, path, "is empty, and so is unix_socket");
		return;
	}
	if (host->text != NULL && *host->text != '\0')
		sheet_notice_at(sheet, from, path, "ignored: unix_socket is set");
	free((char *)backend->host);
	backend->host = xstrdup("");
}

static void check_tables(struct sheet *sheet, const struct sheet_entry *from, const struct conf_backend *backend)
{
	if (strcmp(backend->zones_table, backend->records_table) == 0)
		sheet_fault_at(sheet, from, "dns.backends.*.records_table", "is the zones_table too");
	else if (strcmp(backend->state_table, backend->zones_table) == 0 ||
		strcmp(backend->state_table, backend->records_table) == 0)
		sheet_fault_at(sheet, from, "dns.backends.*.state_table", "is the zones_table or records_table too");
}

static void check_strangers(struct sheet *sheet, const struct sheet_entry *from)
{
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (keys_set(key) == SET_BACKENDS && key->state == KEY_LATER && sheet_setting(sheet, from, key)->text != NULL)
			sheet_notice_at(sheet, from, key->path, "without meaning for type %s (%s)", built_type, key->help);
	}
}

void rules_apply_backend(struct sheet *sheet, const struct sheet_entry *from, struct conf_backend *backend)
{
	settle_tls(sheet, from, backend);
	settle_target(sheet, from, backend);
	if (!check_type(sheet, from, backend))
		return;
	check_strangers(sheet, from);
	if (!backend->enabled) {
		if (from->variable != NULL)
			sheet_notice_at(sheet, from, "dns.backends.*.enabled", "false: back end \"%s\" comes from %s alone",
				from->name, from->variable);
		return;
	}
	rules_check_secret(sheet, from, "dns.backends.*.password", backend->password, *backend->unix_socket == '\0');
	check_tables(sheet, from, backend);
	if (backend->transaction_stall_ms > backend->transaction_max_ms)
		sheet_fault_at(sheet, from, "dns.backends.*.transaction_stall_ms", "is more than transaction_max_ms");
}

static bool same_host(const char *a, const char *b)
{
	/* The commonest two names of one server; others cannot be told apart without asking. */
	const char *left = strcasecmp(a, "localhost") == 0 ? "127.0.0.1" : a;
	const char *right = strcasecmp(b, "localhost") == 0 ? "127.0.0.1" : b;

	return strcasecmp(left, right) == 0;
}

static bool is_table_of(const char *table, const struct conf_backend *backend)
{
	return strcmp(table, backend->zones_table) == 0 || strcmp(table, backend->records_table) == 0 ||
		strcmp(table, backend->state_table) == 0;
}

static bool same_target(const struct conf_backend *a, const struct conf_backend *b)
{
	if (strcmp(a->unix_socket, b->unix_socket) != 0 || strcmp(a->database, b->database) != 0)
		return false;
	if (*a->unix_socket == '\0' && (a->port != b->port || !same_host(a->host, b->host)))
		return false;
	return is_table_of(a->zones_table, b) || is_table_of(a->records_table, b) || is_table_of(a->state_table, b);
}

/* Two lanes that write the same rows would undo and fence each other for ever. */
static void check_targets(struct sheet *sheet, const struct conf *conf)
{
	for (size_t i = 1; i < conf->backend_count; i++) {
		const struct conf_backend *backend = &conf->backends[i];

		for (size_t j = 0; j < i; j++) {
			if (!same_target(&conf->backends[j], backend))
				continue;
			struct match_name name = { backend->name, strlen(backend->name) };
			sheet_fault_at(sheet, sheet_entry_find(sheet, SET_BACKENDS, name), "dns.backends.*.database",
				"back end \"%s\" writes to the same tables there", conf->backends[j].name);
			break;
		}
	}
}

static bool has_server(const struct conf_backend *backend, unsigned count, const char *server)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcasecmp(backend->verify_dns[i], server) == 0)
			return true;
	}
	return false;
}

/* One answers from one database, and is asked one question at a time. */
static void check_servers(struct sheet *sheet, const struct conf *conf)
{
	for (size_t i = 0; i < conf->backend_count; i++) {
		const struct conf_backend *backend = &conf->backends[i];
		struct match_name name = { backend->name, strlen(backend->name) };
		const struct sheet_entry *from = sheet_entry_find(sheet, SET_BACKENDS, name);

		for (unsigned k = 0; k < backend->verify_dns_count; k++) {
			if (has_server(backend, k, backend->verify_dns[k]))
				sheet_fault_at(sheet, from, "dns.backends.*.verify.dns", "\"%s\" stands there twice",
					backend->verify_dns[k]);
			for (size_t j = 0; j < i; j++) {
				if (has_server(&conf->backends[j], conf->backends[j].verify_dns_count, backend->verify_dns[k]))
					sheet_fault_at(sheet, from, "dns.backends.*.verify.dns",
						"\"%s\" is back end \"%s\"'s: a name server answers from one database",
						backend->verify_dns[k], conf->backends[j].name);
			}
		}
	}
}

static void check_canary(struct sheet *sheet, const struct conf *conf)
{
	bool asked = false;

	for (size_t i = 0; i < conf->backend_count; i++)
		asked = asked || conf->backends[i].verify_dns_count > 0;
	if (*conf->verify_canary != '\0' && !asked)
		sheet_fault_at(sheet, NULL, "verify.canary", "no back end has verify.dns: nobody would look for it");
}

static void check_default_backend(struct sheet *sheet, const struct conf *conf)
{
	static const char path[] = "dns.default_backend";
	const char *name = conf->default_backend;

	if (*name == '\0' || sheet_find(sheet, NULL, path)->bad)
		return;
	for (size_t i = 0; i < conf->backend_count; i++) {
		if (strcmp(conf->backends[i].name, name) == 0)
			return;
	}
	if (sheet_entry_find(sheet, SET_BACKENDS, (struct match_name){ name, strlen(name) }) != NULL)
		sheet_notice_at(sheet, NULL, path, "back end \"%s\" is disabled", name);
	else
		sheet_fault_at(sheet, NULL, path, "there is no back end \"%.64s\"", name);
}

static void check_timezone(struct sheet *sheet, const struct conf *conf)
{
	static const char path[] = "timezone";
	char file[256];
	struct stat status;

	if (*conf->timezone == '\0' || sheet_find(sheet, NULL, path)->bad)
		return;
	if (stat(zoneinfo, &status) != 0) {
		sheet_notice_at(sheet, NULL, path, "cannot be checked: there is no %s", zoneinfo);
		return;
	}
	snprintf(file, sizeof(file), "%s/%s", zoneinfo, conf->timezone);
	if (stat(file, &status) != 0 || !S_ISREG(status.st_mode))
		sheet_fault_at(sheet, NULL, path, "there is no time zone \"%s\" in %s", conf->timezone, zoneinfo);
}

void rules_check_certificate(struct sheet *sheet, const struct sheet_entry *from, const char *path, const struct conf *conf)
{
	if (*conf->ssl_cert == '\0')
		sheet_fault_at(sheet, from, path, "needs a certificate: app.ssl_cert must be set");
	else if (*conf->ssl_key == '\0')
		sheet_fault_at(sheet, from, path, "needs the certificate's key: app.ssl_key must be set");
}

void rules_apply_main(struct sheet *sheet, const struct conf *conf)
{
	rules_check_secret(sheet, NULL, "app.auth_password", conf->auth_password, true);
	check_timezone(sheet, conf);
	if (conf->ssl_enable)
		rules_check_certificate(sheet, NULL, "app.ssl_enable", conf);
	if (conf->max_inflight_bytes < conf->max_body_bytes)
		sheet_fault_at(sheet, NULL, "app.max_inflight_bytes", "is less than app.max_body_bytes");
	/* The predecessor's own example has a poor one while it is off. */
	if (conf->peer_enabled)
		rules_check_secret(sheet, NULL, "peer_sync.auth_password", conf->peer_auth_password, true);
	if (conf->peer_enabled && strcmp(conf->peer_auth_username, conf->auth_username) == 0)
		sheet_fault_at(sheet, NULL, "peer_sync.auth_username", "is app.auth_username too: peers need a login of their own");
	rules_check_secret(sheet, NULL, "notify.password", conf->notify_password, *conf->notify_username != '\0');
	if (conf->probe_max_ms < conf->probe_initial_ms)
		sheet_fault_at(sheet, NULL, "retry.probe_max_ms", "is less than retry.probe_initial_ms");
}

static void check_unused_certificate(struct sheet *sheet, const struct conf *conf)
{
	bool used = conf->ssl_enable;

	for (size_t i = 0; i < conf->listener_count; i++)
		used = used || conf->listeners[i].ssl;
	if (!used && *conf->ssl_cert != '\0')
		sheet_notice_at(sheet, NULL, "app.ssl_cert", "not used: app.ssl_enable is false, and no listener has ssl");
}

void rules_apply_whole(struct sheet *sheet, const struct conf *conf)
{
	check_unused_certificate(sheet, conf);
	check_default_backend(sheet, conf);
	/* A fault elsewhere may be the very reason why a back end is missing, or looks like another. */
	if (sheet->fault_count > 0)
		return;
	check_targets(sheet, conf);
	check_servers(sheet, conf);
	check_canary(sheet, conf);
	if (conf->backend_count == 0)
		sheet_fault(sheet, sheet->file != NULL ? sheet->file : "dns.backends", "no back end is enabled");
}
