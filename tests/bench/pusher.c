/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives zonefand: pushes all zones of a plan (push.h) and reports when each
 * was begun, answered and, if asked for, committed.
 *
 * bench_pusher [-r PUSHES_PER_SECOND] PLAN OUT PORT WORKERS USER
 *              [PAUSE_MS DATABASE_USER DATABASE DATABASE_PORT...]
 * bench_pusher -w PLAN OUT PORT WORKERS
 *
 * -w: the bodies of the plan are whole HTTP requests, to another server.
 * With databases named (one worker only) each push is followed until all of
 * them show it, and the next begins PAUSE_MS later. Passwords come from
 * BENCH_PASSWORD and BENCH_DB_PASSWORD. OUT gets JSON: start_ns on the
 * monotonic clock and start_wall_us on the wall clock are one moment, and for
 * each push there are the microseconds from then to its start, its answer and
 * its commit (-1: not known). commit_error_us is, for each, how much earlier it
 * may have been committed than it was seen to be. wall_drift_us is how far the
 * two clocks were apart at the end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mysql.h>

#include "base/buf.h"
#include "base/clock.h"
#include "now.h"
#include "plan.h"
#include "push.h"
#include "watch.h"

enum { DATABASES_MAX = 8, COMMIT_TIMEOUT_MS = 30000 };

struct pusher {
	struct plan plan;
	struct push_run run;
	struct watch *watch;       /* NULL: commits are not followed */
	int64_t pause_ms;
	size_t failed;
	int64_t start_ns;
	int64_t start_wall_us;
	int64_t wall_drift_us;
};

static void put_base64(struct buf *out, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;
		char four[4] = { '=', '=', '=', '=' };

		if (i + 1 < size)
			bits |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (i + 2 < size)
			bits |= (unsigned char)text[i + 2];
		for (size_t k = 0; k < 4 && i + k <= size; k++)
			four[k] = digits[(bits >> (18 - 6 * k)) & 63];
		buf_append(out, four, sizeof(four));
	}
}

static bool follow(void *ctx, struct plan_push *push)
{
	struct pusher *pusher = ctx;
	struct timespec pause = timespec_of_ns(pusher->pause_ms * 1000000);
	struct err err = { 0 };

	if (watch_wait(pusher->watch, push->sql, push->sql_size, COMMIT_TIMEOUT_MS, &push->unseen_ns,
		    &err) != 0) {
		fprintf(stderr, "bench_pusher: %s: %s\n", push->name, err.text);
		return false;
	}
	push->commit_ns = now_ns();
	nanosleep(&pause, NULL);
	return true;
}

static void run(struct pusher *pusher)
{
	pusher->start_wall_us = clock_wall_us(clock_system());
	pusher->start_ns = now_ns();
	pusher->failed = push_all(&pusher->run);
	pusher->wall_drift_us = clock_wall_us(clock_system()) - pusher->start_wall_us -
		(now_ns() - pusher->start_ns) / 1000;
}

static int64_t since_us(int64_t start_ns, int64_t ns)
{
	return ns == 0 ? -1 : (ns - start_ns) / 1000;
}

/* One that was there when it was first asked for was committed between its start and then. */
static int64_t commit_error_us(const struct plan_push *push)
{
	int64_t since_ns = push->unseen_ns != 0 ? push->unseen_ns : push->start_ns;

	return push->commit_ns == 0 ? -1 : (push->commit_ns - since_ns) / 1000;
}

static int write_report(const char *path, const struct pusher *pusher)
{
	FILE *out = fopen(path, "w");

	if (out == NULL) {
		fprintf(stderr, "bench_pusher: %s: %s\n", path, strerror(errno));
		return 1;
	}
	fprintf(out,
		"{\"start_ns\": %lld, \"start_wall_us\": %lld, \"wall_drift_us\": %lld, \"workers\": %zu, "
		"\"failed\": %zu, \"pushes\": [",
		(long long)pusher->start_ns, (long long)pusher->start_wall_us, (long long)pusher->wall_drift_us,
		pusher->run.workers, pusher->failed);
	for (size_t i = 0; i < pusher->plan.count; i++) {
		const struct plan_push *push = &pusher->plan.pushes[i];

		fprintf(out, "%s\n[%lld, %lld, %lld]", i == 0 ? "" : ",",
			(long long)since_us(pusher->start_ns, push->start_ns),
			(long long)since_us(pusher->start_ns, push->ack_ns),
			(long long)since_us(pusher->start_ns, push->commit_ns));
	}
	fprintf(out, "], \"commit_error_us\": [");
	for (size_t i = 0; i < pusher->plan.count; i++)
		fprintf(out, "%s%lld", i == 0 ? "" : ", ", (long long)commit_error_us(&pusher->plan.pushes[i]));
	fprintf(out, "]}\n");
	return fclose(out) == 0 ? 0 : 1;
}

static const char *secret(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL ? value : "";
}

/* argv: PAUSE_MS DATABASE_USER DATABASE DATABASE_PORT... */
static int open_watch(struct pusher *pusher, int argc, char **argv, struct err *err)
{
	unsigned ports[DATABASES_MAX];
	size_t count = 0;

	if (argc < 4 || argc - 3 > DATABASES_MAX)
		return err_set(err, ERR_INVALID, "one to %d database ports", DATABASES_MAX);
	for (int i = 3; i < argc; i++)
		ports[count++] = (unsigned)strtoul(argv[i], NULL, 10);
	pusher->pause_ms = strtol(argv[0], NULL, 10);
	pusher->run.answered = follow;
	pusher->run.ctx = pusher;
	return watch_open(argv[1], secret("BENCH_DB_PASSWORD"), argv[2], ports, count, &pusher->watch, err);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: bench_pusher [-r PUSHES_PER_SECOND] PLAN OUT PORT WORKERS USER [PAUSE_MS DATABASE_USER "
		"DATABASE PORT...]\n"
		"       bench_pusher -w PLAN OUT PORT WORKERS\n"
		"1 to %d workers, one where commits are watched\n",
		PUSH_WORKERS_MAX);
	return 2;
}

int main(int argc, char **argv)
{
	struct pusher pusher = { 0 };
	struct buf login = { 0 };
	struct buf authorization = { 0 };
	struct err err = { 0 };
	bool whole = false;
	int option;

	while ((option = getopt(argc, argv, "r:w")) == 'r' || option == 'w') {
		if (option == 'r')
			pusher.run.per_second = strtod(optarg, NULL);
		else
			whole = true;
	}
	argc -= optind;
	argv += optind;
	if (option != -1 || (whole ? argc != 4 : argc < 5))
		return usage();
	pusher.run.plan = &pusher.plan;
	pusher.run.port = (uint16_t)strtoul(argv[2], NULL, 10);
	pusher.run.workers = strtoul(argv[3], NULL, 10);
	if (pusher.run.workers < 1 || pusher.run.workers > PUSH_WORKERS_MAX || (argc > 5 && pusher.run.workers != 1))
		return usage();
	if (!whole) {
		buf_printf(&login, "%s:%s", argv[4], secret("BENCH_PASSWORD"));
		put_base64(&authorization, login.data);
		pusher.run.authorization = authorization.data;
	}
	if (plan_read(argv[0], &pusher.plan, &err) != 0 ||
		(argc > 5 && open_watch(&pusher, argc - 5, argv + 5, &err) != 0)) {
		fprintf(stderr, "bench_pusher: %s\n", err.text);
		return 1;
	}
	run(&pusher);

	int status = write_report(argv[1], &pusher);

	if (pusher.failed != 0) {
		fprintf(stderr, "bench_pusher: %zu of %zu pushes failed\n", pusher.failed, pusher.plan.count);
		status = 1;
	}
	watch_close(pusher.watch);
	plan_free(&pusher.plan);
	buf_free(&login);
	buf_free(&authorization);
	return status;
}
