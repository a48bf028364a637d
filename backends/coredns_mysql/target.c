/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/told.h"
#include "backends/coredns_mysql/verify.h"
#include "base/clock.h"
#include "base/testing.h"

enum {
	UNKNOWN_VARIABLE = 1193,
	MOST_PACKET = 2 << 20,       /* some 600 zones of 20 records; and a bound on our memory */
	LEAST_PACKET = 1 << 14,
	SAME_RUN_S = 5,              /* Uptime and our clocks agree within that */
	IDLE_TRANSACTION_S = 10,
	LOCK_WAIT_S = 5,
	STATEMENT_S = 8
};

void target_notice(struct target *target, const char *kind, const char *zone, const char *text)
{
	if (target->params.notice != NULL)
		target->params.notice(target->params.notice_ctx, target->params.name, kind, zone, text);
}

static void schema_notice(void *ctx, const char *kind, const char *text)
{
	target_notice(ctx, kind, NULL, text);
}

enum classify_class target_failed(struct target *target, const char *doing, struct err *err)
{
	struct link *link = &target->link;
	enum classify_class class =
		link->timed_out || link->cancelled ? CLASSIFY_CONNECTION : classify_code(link->code);

	if (link->timed_out)
		err_set(err, ERR_TIMEOUT, "%s: no answer within the time allowed, while %s", target->params.name,
			doing);
	else
		err_set(err, class == CLASSIFY_OPERATOR ? ERR_DENIED : ERR_IO, "%s: %s, while %s",
			target->params.name, link->text, doing);
	return class;
}

void target_raise_fence(struct target *target, unsigned long thread_id)
{
	if (PLANTED(no_fence))
		return;
	target->fence = (struct target_fence){ .up = true, .thread_id = thread_id,
		.server_started_s = target->server_started_s };
	memcpy(target->fence.server, target->server, sizeof(target->fence.server));
}

/* ---- session variables ---- */

/*
 * The server must give up before we do (what it still queues when we have left is what fences are for), and a lock
 * before the statement that waits for it, so that the error names the lock.
 */
static uint64_t share_ms(int64_t query_timeout_ms, uint64_t percent, uint64_t most_s)
{
	uint64_t share = (uint64_t)query_timeout_ms * percent / 100;

	return share > most_s * 1000 ? most_s * 1000 : share;
}

/* Whole seconds, at least one. */
static uint64_t lock_wait_s(int64_t query_timeout_ms)
{
	uint64_t share = share_ms(query_timeout_ms, 50, LOCK_WAIT_S);

	return share < 1000 ? 1 : share / 1000;
}

void target_add_haste(struct target *target, struct buf *sql)
{
	uint64_t wait_s = target->hasty ? 1 : lock_wait_s(target->settings->query_timeout_ms);

	if (target->hasty == target->session_hasty)
		return;
	literal_sql(sql, "SET SESSION innodb_lock_wait_timeout=%u,lock_wait_timeout=%u;", wait_s, wait_s);
	target->session_hasty = target->hasty;
}

static void add_variable(struct buf *sql, size_t at, int64_t query_timeout_ms)
{
	uint64_t statement_ms;

	switch (at) {
	case 0:
		buf_puts(sql, "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'");
		break;
	case 1:
		/* Gap locks make writers of different zones deadlock (reliability.md 10.3 D3). */
		buf_puts(sql, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
		break;
	case 2:
		literal_sql(sql, "SET SESSION innodb_lock_wait_timeout = %u", lock_wait_s(query_timeout_ms));
		break;
	case 3:
		literal_sql(sql, "SET SESSION lock_wait_timeout = %u", lock_wait_s(query_timeout_ms));
		break;
	case 4:
		statement_ms = share_ms(query_timeout_ms, 80, STATEMENT_S);
		literal_sql(sql, "SET SESSION max_statement_time = %u.%u", statement_ms / 1000,
			statement_ms % 1000 / 100);
		break;
	case 5:
		/* Else a black-holed writer keeps its row locks for hours. */
		literal_sql(sql, "SET SESSION idle_transaction_timeout = %u", (uint64_t)IDLE_TRANSACTION_S);
		break;
	case 6:
		/* What an administrator may have set for all sessions, and must not hold for ours: COMMIT AND CHAIN, short
		   results. Of MariaDB alone: it makes a join of a list of 1,000 names, which takes forty times as long. */
		literal_sql(sql,
			"SET SESSION autocommit = 1, completion_type = 0, sql_select_limit = 18446744073709551615, "
			"sql_big_selects = 1, group_concat_max_len = %u "
			"/*M!100300 , in_predicate_conversion_threshold = 0 */",
			(uint64_t)VERIFY_TEXT);
		break;
	default:
		WRONG("a session variable that is none");
	}
}

static const char *const variables[] = { "sql_mode", "isolation level", "innodb_lock_wait_timeout",
	"lock_wait_timeout", "max_statement_time", "idle_transaction_timeout", "autocommit" };

static void tell_skipped(struct target *target, const char *skipped)
{
	char text[256];

	snprintf(text, sizeof(text), "the server does not know %s; that bound is missing there", skipped);
	if (told_first(target->params.name, text))
		target_notice(target, "session", NULL, text);
}

/* All in one packet. An unknown variable ends it there; the rest is sent again without. */
static int set_variables(struct target *target)
{
	struct buf sql = { 0 };
	char skipped[128] = "";
	size_t next = 0;
	int outcome = 0;

	while (next < ARRAY_SIZE(variables)) {
		buf_clear(&sql);
		for (size_t i = next; i < ARRAY_SIZE(variables); i++) {
			if (i > next)
				buf_puts(&sql, ";");
			add_variable(&sql, i, target->settings->query_timeout_ms);
		}
		outcome = link_run(&target->link, &sql, ARRAY_SIZE(variables) - next);
		if (outcome == 0)
			break;
		if (target->link.lost || target->link.code != UNKNOWN_VARIABLE)
			break;
		next += target->link.answered;
		size_t used = strlen(skipped);
		snprintf(skipped + used, sizeof(skipped) - used, "%s%s", used > 0 ? ", " : "", variables[next]);
		next++;
		outcome = 0;
	}
	buf_free(&sql);
	if (outcome == 0 && skipped[0] != '\0')
		tell_skipped(target, skipped);
	return outcome;
}

/* ---- who the server is, and the fence ---- */

static const char *cell(struct result *rows, unsigned at)
{
	char **row = NULL;

	if (rows != NULL && at < result_columns(rows)) {
		result_rewind(rows);
		row = result_next(rows);
	}
	return row == NULL || row[at] == NULL ? "" : row[at];
}

static int identify(struct target *target)
{
	static const unsigned columns[] = { 3, 2 };
	struct buf sql = { 0 };
	struct result *rows[2];
	uint64_t packet;

	buf_puts(&sql, "SELECT CONCAT(@@hostname, ':', @@port, ':', @@server_id), @@max_allowed_packet, VERSION();"
		       "SHOW GLOBAL STATUS LIKE 'Uptime'");
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, rows, 2);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	snprintf(target->server, sizeof(target->server), "%s", cell(rows[0], 0));
	packet = strtoull(cell(rows[0], 1), NULL, 10);
	/* The limit is for a packet; a statement of ours may pass it by one record before it is cut. */
	target->packet_limit = packet / 2 < LEAST_PACKET ? LEAST_PACKET :
		packet / 2 > MOST_PACKET ? MOST_PACKET : packet / 2;
	snprintf(target->version, sizeof(target->version), "%s", cell(rows[0], 2));
	target->server_started_s =
		clock_mono_ms(clock_system()) / 1000 - strtoll(cell(rows[1], 1), NULL, 10);
	result_free(rows[0]);
	result_free(rows[1]);
	return 0;
}

/* A run that is over within SAME_RUN_S of its start is taken for the next one: a session of ours may be ended there in vain. */
static bool is_same_run(const struct target *target)
{
	int64_t apart_s = target->server_started_s - target->fence.server_started_s;

	return strcmp(target->server, target->fence.server) == 0 && apart_s <= SAME_RUN_S && apart_s >= -SAME_RUN_S;
}

/*
 * A statement that is late must not come after ours. Killing a session of the same user needs no right. Whether it is
 * gone already, or may not be killed, the row lock orders us behind it.
 */
static int lower_fence(struct target *target)
{
	struct buf sql = { 0 };
	int outcome = 0;

	if (target->fence.up && is_same_run(target)) {
		literal_sql(&sql, "KILL %u", (uint64_t)target->fence.thread_id);
		outcome = link_run(&target->link, &sql, 1);
		buf_free(&sql);
		if (outcome < 0 && !target->link.lost)
			outcome = 0;
	}
	if (outcome == 0)
		target->fence.up = false;
	return outcome;
}

static int try_out(struct target *target)
{
	int outcome = verify_try(&target->link, &target->stops);

	target->false_alarms = 0;
	target->session_hasty = false;
	return outcome;
}

/* ---- ready ---- */

static int connect_anew(struct target *target, struct err *err)
{
	if (target->link.unheard) {
		/* It may hold locks there as long as the server does not know that we have gone. */
		target_raise_fence(target, target->link.thread_id);
		target->link.unheard = false;
	}
	int outcome = link_open(&target->link, err);
	if (outcome < 0)
		return outcome;
	target->bare = true;
	if (set_variables(target) < 0 || identify(target) < 0 || lower_fence(target) < 0 || try_out(target) < 0) {
		target_failed(target, "preparing the connection", err);
		link_abort(&target->link);
		return err->code;
	}
	return 0;
}

int target_connected(struct target *target, struct err *err)
{
	target->fresh = !link_is_alive(&target->link);
	return target->fresh ? connect_anew(target, err) : 0;
}

int target_ready(struct target *target, struct err *err)
{
	const struct schema_notices notices = { target->params.name, schema_notice, target };
	int outcome = target_connected(target, err);

	if (outcome < 0 || !target->bare)
		return outcome;
	outcome = schema_check(&target->link, &notices, &target->schema, err);
	if (outcome < 0) {
		link_close(&target->link);
		err_prefix(err, "%s", target->params.name);
		return outcome;
	}
	target->bare = false;
	return 0;
}
