/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/link.h"

#include <errmsg.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backends/coredns_mysql/wait.h"
#include "base/clock.h"

enum {
	MIB = 1 << 20,
	ROW_MOST = 32 * MIB,   /* bytes: a row of a MEDIUMTEXT has half of that */
	ROWS_MOST = 32 * MIB,  /* of all rows of an answer, where link_allow() gives no more */
	ROOM_MOST = 2047 * MIB,
	GOOD_BYE_MS = 500,
	EXPECTED_MOST = 8192, /* bytes: what every socket's buffer holds */
	SCHEMA_STEP_MS = 6 * 3600 * 1000 /* no limit that a real ALTER TABLE meets, but not for ever */
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void link_init(struct link *link, const struct coredns_mysql_settings *settings, const char *backend, int cancel_fd)
{
	*link = (struct link){ .target = { .backend = backend, .settings = settings, .cancel_fd = cancel_fd },
		.statement_ms = settings->query_timeout_ms };
}

int link_open(struct link *link, struct err *err)
{
	CHECK(link->mysql == NULL);
	link->transaction_end_ms = 0;
	link->answering = link->owed = false;
	link->expected = 0;
	link->lost = link->timed_out = link->cancelled = false;
	link->mysql = connect_open(&link->target, &link->code, err);
	if (link->mysql == NULL)
		return err == NULL ? ERR_IO : err->code;
	link->thread_id = mysql_thread_id(link->mysql);
	link->round_trip_us = INT64_MAX / 16;
	link->prepares_none = false;
	return 0;
}

static void close_within(struct link *link, int64_t limit_ms)
{
	struct wait wait = { .deadline_ms = clock_mono_ms(clock_system()) + limit_ms,
		.cancel_fd = link->target.cancel_fd };

	wait_use(&wait);
	mysql_close(link->mysql);
	wait_use(NULL);
	/* OpenSSL keeps errors by thread; what the end of a broken connection leaves would be taken for one of the next. */
	ERR_clear_error();
	link->mysql = NULL;
	/* Behind the connection: before, each would be announced to the server. */
	for (size_t i = 0; i < LINK_STATEMENTS; i++) {
		if (link->statements[i] != NULL)
			mysql_stmt_close(link->statements[i]);
		link->statements[i] = NULL;
	}
	link->answering = link->owed = false;
	link->transaction_end_ms = 0;
}

void link_close(struct link *link)
{
	if (link->mysql == NULL)
		return;
	connect_set_abortive(link->mysql, false);
	close_within(link, GOOD_BYE_MS);
}

void link_abort(struct link *link)
{
	struct pollfd fd;

	if (link->mysql == NULL)
		return;
	/* mysql_close() may add COM_QUIT to what is queued; the RST throws away all of it. */
	fd = (struct pollfd){ .fd = mysql_get_socket(link->mysql) };
	if (fd.fd >= 0)
		connect_set_abortive(link->mysql, true);
	close_within(link, 0);
}

static bool is_client_code(unsigned code)
{
	return (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) || (code >= 5000 && code < 6000);
}

static int fail_by(struct link *link, const struct wait *wait, unsigned code, const char *message)
{
	link->answering = false;
	link->code = code;
	link->timed_out = wait->timed_out;
	link->cancelled = wait->cancelled;
	link->lost = wait_is_over(wait) || is_client_code(code) ||
		classify_code(code) == CLASSIFY_CONNECTION;
	if (wait->cancelled)
		snprintf(link->text, sizeof(link->text), "cancelled");
	else if (wait->too_much)
		snprintf(link->text, sizeof(link->text), "more of one answer than there is room for");
	else if (wait->timed_out)
		snprintf(link->text, sizeof(link->text), "no answer in time");
	else
		classify_explain(code, message, link->text, sizeof(link->text));
	if (link->lost)
		link_abort(link);
	return -1;
}

static int fail(struct link *link, const struct wait *wait)
{
	return fail_by(link, wait, mysql_errno(link->mysql), mysql_error(link->mysql));
}

/* The soonest of: the statement's own limit, the transaction's. */
static struct wait make_wait(const struct link *link, int64_t limit_ms)
{
	int64_t end_ms = clock_mono_ms(clock_system()) + limit_ms;

	if (link->transaction_end_ms != 0 && link->transaction_end_ms < end_ms)
		end_ms = link->transaction_end_ms;
	return (struct wait){ .deadline_ms = end_ms, .cancel_fd = link->target.cancel_fd, .most = WAIT_SAID_MOST };
}

static int64_t answer_limit_ms(const struct link *link)
{
	return link->statement_ms == 0 ? SCHEMA_STEP_MS : link->statement_ms;
}

/* Each answer has a limit of its own; all of a packet together have that of a transaction, within one or not. */
static void begin_answers(struct link *link)
{
	int64_t all_ms = link->target.settings->transaction_max_ms;

	if (all_ms < answer_limit_ms(link))
		all_ms = answer_limit_ms(link);
	link->answering = link->first = true;
	link->answers_end_ms = clock_mono_ms(clock_system()) + all_ms;
}

/* No fewer than there are: where a value held a semicolon there would be more. */
static size_t count_statements(const struct buf *sql)
{
	const char *end = sql->data + sql->size;
	size_t count = 1;

	for (const char *at = sql->data; (at = memchr(at, ';', (size_t)(end - at))) != NULL; at++)
		count++;
	return count;
}

static bool settle(struct link *link);

int link_send(struct link *link, const struct buf *sql)
{
	/* Until the whole packet is out no statement can complete: the bound on a standstill applies. */
	struct wait wait = make_wait(link, link->target.settings->transaction_stall_ms);

	CHECK(link->mysql != NULL && !link->answering);
	bool settled = settle(link);
	link->answered = 0;
	if (!settled)
		return -1;
	wait_use(&wait);
	int failed = mysql_send_query(link->mysql, sql->data, (unsigned long)sql->size);
	wait_use(NULL);
	if (failed)
		return fail(link, &wait);
	link->asked = count_statements(sql);
	link->results = 0;
	link->sent_us = now_us();
	begin_answers(link);
	return 0;
}

void link_demand(struct link *link, const unsigned *columns, size_t count)
{
	link->columns = columns;
	link->column_count = count;
}

void link_allow(struct link *link, size_t from, uint64_t bytes)
{
	link->cut_from = from;
	link->room = bytes < ROOM_MOST ? (size_t)bytes : ROOM_MOST;
}

/* The next packet is another one. */
static void forget_demand(struct link *link)
{
	link->columns = NULL;
	link->column_count = 0;
	link->room = 0;
}

static void keep_round_trip(struct link *link)
{
	int64_t took_us = now_us() - link->sent_us;

	if (took_us < link->round_trip_us)
		link->round_trip_us = took_us;
}

/* What is not even as wide as what was asked for is no answer to it, and must not be looked into. */
static bool is_wide_enough(const struct link *link, size_t at)
{
	if (link->column_count == 0)
		return true;
	return mysql_field_count(link->mysql) >= link->columns[at < link->column_count ? at : link->column_count - 1];
}

/* The server's answers are not those to what was asked. */
static int fail_to_understand(struct link *link)
{
	link->code = CR_MALFORMED_PACKET;
	link->lost = true;
	link->timed_out = link->cancelled = false;
	snprintf(link->text, sizeof(link->text), "the server answers with fewer columns than were asked for");
	link_abort(link);
	return -1;
}

/* 1, or -1. */
static int take_result(struct link *link, struct wait *wait, struct result **result)
{
	size_t at = link->results++;
	bool may_be_cut = link->room > 0 && at >= link->cut_from;
	MYSQL_RES *source;

	if (!is_wide_enough(link, at))
		return fail_to_understand(link);
	wait->most = ROW_MOST;
	wait_use(wait);
	source = mysql_use_result(link->mysql);
	*result = source == NULL ? NULL : result_read(source, may_be_cut ? link->room : ROWS_MOST, may_be_cut, wait);
	wait_use(NULL);
	return *result == NULL ? fail(link, wait) : 1;
}

int link_next(struct link *link, struct result **result)
{
	struct wait wait = make_wait(link, answer_limit_ms(link));
	int outcome;

	*result = NULL;
	CHECK(link->mysql != NULL && link->answering);
	/* Nobody would ever see the end of answers that go on and on. */
	if (!link->first && link->answered >= link->asked && mysql_more_results(link->mysql))
		return link_fell_short(link, link->asked);
	if (link->answers_end_ms < wait.deadline_ms)
		wait.deadline_ms = link->answers_end_ms;
	wait_use(&wait);
	if (link->first) {
		wait.at_least = (int)link->expected;
		link->expected = 0;
		outcome = mysql_read_query_result(link->mysql) ? 1 : 0;
		keep_round_trip(link);
	} else {
		outcome = mysql_next_result(link->mysql);
	}
	wait_use(NULL);
	link->first = false;
	if (outcome > 0 || wait_is_over(&wait))
		return fail(link, &wait);
	if (outcome < 0) {
		link->answering = false;
		return 0;
	}
	if (mysql_field_count(link->mysql) > 0 && take_result(link, &wait, result) < 0)
		return -1;
	link->answered++;
	return 1;
}

/* Takes the answer of link_post(). False: it was none, or an error, and the connection is closed. */
static bool settle(struct link *link)
{
	struct result *rows;
	int got;

	if (!link->owed)
		return true;
	link->owed = false;
	begin_answers(link);
	while ((got = link_next(link, &rows)) > 0)
		result_free(rows);
	if (got < 0) {
		link_abort(link);
		link->lost = link->unheard = true;
	}
	return got == 0;
}

bool link_is_alive(struct link *link)
{
	struct pollfd fd;

	if (link->mysql == NULL || !settle(link))
		return false;
	/* A server has nothing to say unasked but that it leaves (1927, 4031, FIN, RST). */
	fd = (struct pollfd){ .fd = mysql_get_socket(link->mysql), .events = POLLIN };
	if (fd.fd >= 0 && poll(&fd, 1, 0) == 0)
		return true;
	link_abort(link);
	return false;
}

int link_fetch(struct link *link, const struct buf *sql, struct result **rows, size_t results)
{
	size_t count = 0;
	struct result *result;
	int got;

	CHECK(link->column_count > 0);
	for (size_t i = 0; i < results; i++)
		rows[i] = NULL;
	got = link_send(link, sql) < 0 ? -1 : 1;
	while (got > 0 && (got = link_next(link, &result)) > 0) {
		if (result != NULL && count < results)
			rows[count++] = result;
		else
			result_free(result);
	}
	forget_demand(link);
	if (got == 0 && count == results)
		return 0;
	for (size_t i = 0; i < count; i++) {
		result_free(rows[i]);
		rows[i] = NULL;
	}
	return got < 0 ? -1 : link_fell_short(link, results);
}

void link_expect(struct link *link, size_t bytes)
{
	link->expected = bytes < EXPECTED_MOST ? bytes : EXPECTED_MOST;
}

int link_stream(struct link *link, const struct buf *sql, void (*take)(void *ctx, size_t at, struct result *rows), void *ctx)
{
	size_t results = 0;
	struct result *rows;
	int got;

	CHECK(take == NULL || link->column_count > 0);
	got = link_send(link, sql) < 0 ? -1 : 1;
	while (got > 0 && (got = link_next(link, &rows)) > 0) {
		if (rows != NULL && take != NULL)
			take(ctx, results++, rows);
		result_free(rows);
	}
	forget_demand(link);
	return got;
}

int link_run(struct link *link, const struct buf *sql, size_t statements)
{
	int outcome = link_stream(link, sql, NULL, NULL);
	/* Also an error behind all that was sent: link->answered says which statement failed, and there is none. */
	bool odd = outcome == 0 ? link->answered != statements : !link->lost && link->answered >= statements;

	return odd ? link_fell_short(link, statements) : outcome;
}

void link_post(struct link *link, const char *statement)
{
	struct buf sql = { 0 };

	buf_puts(&sql, statement);
	if (link_send(link, &sql) == 0) {
		link->answering = false;
		link->owed = true;
	} else {
		link_abort(link);
		link->unheard = true;
	}
	buf_free(&sql);
}

int link_fell_short(struct link *link, size_t asked)
{
	link->code = CR_MALFORMED_PACKET;
	link->lost = true;
	link->timed_out = link->cancelled = false;
	if (link->answered < asked)
		snprintf(link->text, sizeof(link->text), "the server answered only %zu statements of a packet of at least %zu",
			link->answered, asked);
	else
		snprintf(link->text, sizeof(link->text), "the server answered more than the %zu statements of a packet", asked);
	link_abort(link);
	return -1;
}

bool link_takes_arrays(const struct link *link)
{
	unsigned long capabilities = 0; /* the second 32 bits */

	return link->mysql != NULL && !link->prepares_none &&
		mariadb_get_infov(link->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities) == 0 &&
		(capabilities & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}

int link_execute(struct link *link, size_t number, const char *sql, MYSQL_BIND *binds, unsigned rows)
{
	struct wait wait = make_wait(link, link->target.settings->transaction_stall_ms + link->statement_ms);
	MYSQL_STMT *statement = link->statements[number];
	bool good = true;

	CHECK(link->mysql != NULL && !link->answering && number < LINK_STATEMENTS);
	if (!settle(link))
		return -1;
	wait_use(&wait);
	if (statement == NULL) {
		statement = link->statements[number] = mysql_stmt_init(link->mysql);
		CHECK(statement != NULL);
		good = mysql_stmt_prepare(statement, sql, (unsigned long)strlen(sql)) == 0;
		link->prepares_none = !good;
	}
	good = good && !mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows) &&
		!mysql_stmt_bind_param(statement, binds) && mysql_stmt_execute(statement) == 0;
	wait_use(NULL);
	if (good && !wait_is_over(&wait))
		return 0;
	return fail_by(link, &wait, mysql_stmt_errno(statement), mysql_stmt_error(statement));
}

void link_transaction_begin(struct link *link, int64_t end_ms)
{
	link->transaction_end_ms = end_ms;
}

void link_transaction_end(struct link *link)
{
	link->transaction_end_ms = 0;
}

bool link_rollback(struct link *link)
{
	struct buf sql = { 0 };
	bool heard = false;

	if (link->mysql != NULL) {
		buf_puts(&sql, "ROLLBACK");
		heard = link_run(link, &sql, 1) == 0;
		buf_free(&sql);
	}
	link_transaction_end(link);
	return heard;
}
