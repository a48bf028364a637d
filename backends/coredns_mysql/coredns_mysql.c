/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/coredns_mysql.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backends/coredns_mysql/apply.h"
#include "backends/coredns_mysql/examine.h"
#include "backends/coredns_mysql/listing.h"
#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/probe.h"
#include "backends/coredns_mysql/reading.h"
#include "base/clock.h"

enum {
	TOMBSTONE_DAYS = 30,      /* decisions.md 29 */
	PRUNE_EVERY_MS = 3600 * 1000,
	PRUNE_AT_ONCE = 500,
	NO_SUCH_TABLE = 1146
};

void coredns_mysql_global_init(void)
{
	static const char *const astray[] = { "MYSQL_PWD", "MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT",
		"MYSQL_HOME", "MYSQL_GROUP_SUFFIX", "MARIADB_PLUGIN_DIR", "MARIADB_PLUGINS", "LIBMYSQL_PLUGINS",
		"LIBMYSQL_PLUGIN_DIR", "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", "MARIADB_HOME",
		"MARIADB_TLS_DISABLE_PEER_VERIFICATION" };

	for (size_t i = 0; i < ARRAY_SIZE(astray); i++)
		unsetenv(astray[i]);
	CHECK(mysql_library_init(0, NULL, NULL) == 0);
}

/* ---- create and destroy ---- */

static bool is_table_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= 64 &&
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static int check_settings(const struct coredns_mysql_settings *settings, struct err *err)
{
	const struct {
		const char *key;
		const char *name;
	} tables[] = { { "zones_table", settings->zones_table }, { "records_table", settings->records_table },
		{ "state_table", settings->state_table } };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (!is_table_name(tables[i].name))
			return err_set(err, ERR_INVALID, "%s: \"%s\" is no table name (1 to 64 of A-Z a-z 0-9 _)",
				tables[i].key, tables[i].name);
	if (settings->host[0] == '\0' && settings->unix_socket[0] == '\0')
		return err_set(err, ERR_INVALID, "host: neither host nor unix_socket is given");
	if (settings->database[0] == '\0')
		return err_set(err, ERR_INVALID, "database: none is given");
	if (settings->ssl && settings->ssl_verify && settings->ssl_ca[0] == '\0')
		return err_set(err, ERR_INVALID, "ssl_ca: needed to verify the server's certificate (ssl_verify)");
	return 0;
}

static int create(const struct backend_params *params, struct backend **out, struct err *err)
{
	const struct coredns_mysql_settings *settings = params->settings;
	int outcome = check_settings(settings, err);

	if (outcome < 0)
		return outcome;
	int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel_fd < 0)
		return err_set(err, ERR_IO, "no descriptor is left");
	struct target *target = xcalloc(1, sizeof(*target));
	target->backend.ops = &coredns_mysql_ops;
	target->params = *params;
	target->settings = settings;
	target->cancel_fd = cancel_fd;
	target->packet_limit = 1 << 20; /* until a server was asked */
	link_init(&target->link, settings, params->name, cancel_fd);
	*out = &target->backend;
	return 0;
}

static struct target *target_of(struct backend *backend)
{
	return (struct target *)backend;
}

static void destroy(struct backend *backend)
{
	struct target *target = target_of(backend);

	link_close(&target->link);
	close(target->cancel_fd);
	free(target);
	mysql_thread_end();
}

static void cancel(struct backend *backend)
{
	const uint64_t one = 1;

	/* It stays readable, so all later waits end at once too. */
	CHECK(write(target_of(backend)->cancel_fd, &one, sizeof(one)) == sizeof(one));
}

/* ---- ping ---- */

/* Old tombstones go, a few at a time. That it fails is no news: the probe has just told what there is to tell. */
static void prune(struct target *target)
{
	int64_t now_ms = clock_mono_ms(clock_system());
	struct buf sql = { 0 };

	if (target->pruned_ms != 0 && now_ms - target->pruned_ms < PRUNE_EVERY_MS)
		return;
	target->pruned_ms = now_ms;
	literal_sql(&sql,
		"DELETE FROM %t WHERE deleted = 1 AND changed_at < UTC_TIMESTAMP(6) - INTERVAL %u DAY "
		"ORDER BY changed_at LIMIT %u",
		target->settings->state_table, (uint64_t)TOMBSTONE_DAYS, (uint64_t)PRUNE_AT_ONCE);
	if (link_run(&target->link, &sql, 1) < 0)
		target->pruned_ms = 0;
	buf_free(&sql);
}

static enum backend_verdict ping(struct backend *backend, struct err *err)
{
	struct target *target = target_of(backend);

	for (int attempt = 0;; attempt++) {
		if (target_ready(target, err) < 0)
			return BACKEND_DOWN;
		bool fresh = target->fresh;
		enum backend_verdict verdict = probe_target(target, err);
		if (verdict == BACKEND_OK) {
			prune(target);
			return BACKEND_OK;
		}
		/* A connection that died while nobody used it says nothing about the server. Nor does a table that was
		   dropped, where we may make it anew: that is done when a connection is made. */
		if (fresh || attempt > 0 || target->link.timed_out || target->link.cancelled)
			return verdict;
		link_abort(&target->link);
	}
}

/* ---- deliveries and questions ---- */

static void apply(struct backend *backend, struct backend_item *items, size_t count)
{
	apply_items(target_of(backend), items, count);
}

static enum backend_verdict ask_failed(struct target *target, const char *doing, struct err *err)
{
	target_failed(target, doing, err);
	link_abort(&target->link);
	return BACKEND_DOWN;
}

static enum backend_verdict zone_exists(struct backend *backend, const char *name, bool *exists, struct err *err)
{
	struct target *target = target_of(backend);

	if (target_ready(target, err) < 0)
		return BACKEND_DOWN;
	return listing_exists(target, name, exists) < 0 ? ask_failed(target, "looking for a zone", err) : BACKEND_OK;
}

/* A question; once more where the connection died while nobody used it, or the tables that it had seen are gone. */
static enum backend_verdict put(struct target *target, int (*ready)(struct target *target, struct err *err),
	int (*question)(struct target *target, void *arg), void *arg, const char *doing, struct err *err)
{
	for (int attempt = 0;; attempt++) {
		if (ready(target, err) < 0)
			return BACKEND_DOWN;
		bool fresh = target->fresh;
		if (question(target, arg) == 0)
			return BACKEND_OK;
		bool stale = target->link.lost && !target->link.timed_out && !target->link.cancelled;
		stale = stale || (target->link.code == NO_SUCH_TABLE && !target->bare);
		ask_failed(target, doing, err);
		if (fresh || attempt > 0 || !stale)
			return BACKEND_DOWN;
	}
}

static int put_look(struct target *target, void *look)
{
	return listing_look(target, look);
}

static enum backend_verdict look(struct backend *backend, struct backend_look *look, struct err *err)
{
	return put(target_of(backend), target_ready, put_look, look, "comparing the zones", err);
}

static int put_read(struct target *target, void *read)
{
	return reading_rows(target, read);
}

static enum backend_verdict read_rows(struct backend *backend, struct backend_read *read, struct err *err)
{
	return put(target_of(backend), target_connected, put_read, read, "reading zones", err);
}

static int put_list(struct target *target, void *list)
{
	return reading_names(target, list);
}

static enum backend_verdict list_names(struct backend *backend, struct backend_list *list, struct err *err)
{
	return put(target_of(backend), target_connected, put_list, list, "listing the zones", err);
}

static void examine(struct backend *backend, void (*tell)(void *ctx, const struct backend_finding *finding), void *ctx)
{
	examine_target(target_of(backend), tell, ctx);
}

static void describe(struct backend *backend, struct buf *out)
{
	const struct target *target = target_of(backend);
	const struct coredns_mysql_settings *settings = target->settings;

	if (settings->unix_socket[0] != '\0')
		buf_printf(out, "coredns_mysql at %s", settings->unix_socket);
	else
		buf_printf(out, "coredns_mysql at %s:%u", settings->host, (unsigned)settings->port);
	buf_printf(out, ", database %s, server %s%s", settings->database,
		target->version[0] == '\0' ? "not seen yet" : target->version, settings->ssl ? ", TLS" : "");
}

const struct backend_ops coredns_mysql_ops = {
	.type = "coredns_mysql",
	.create = create,
	.destroy = destroy,
	.ping = ping,
	.apply = apply,
	.zone_exists = zone_exists,
	.look = look,
	.read = read_rows,
	.list = list_names,
	.examine = examine,
	.describe = describe,
	.cancel = cancel,
};
