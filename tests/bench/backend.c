/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one back end costs without zonefand around it: zones per second, and
 * the processor time per zone of this program and of the server. Each round
 * begins with an empty database and goes through all kinds in their order:
 *
 *	plain-new, plain-rewrite   a plain client (backend_plain.h)
 *	new, equal, check, one, rewrite, delete   the back end
 *
 * bench_backend [--port N] [--user U] [--database D] [--pid SERVER] [--zones N] [--batch N] [--connections N]
 *               [--rounds N] [--kinds KIND,...] [--far]
 * With --kinds only what these need is run, and only they are reported. --far: many zones are written as they are to a far
 * server, in two round trips.
 * The password comes from BENCH_DB_PASSWORD; the database is dropped and made.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mysql.h>

#include "backend_plain.h"
#include "backend_zones.h"
#include "backends/coredns_mysql/target.h"
#include "base/thread.h"

enum { CONNECTIONS_MAX = 16, ROUNDS_MAX = 64, REPEATS = 3 };

#define STORE "00112233445566778899aabbccddeeff"

/* Contents of the zones as the kinds want them. */
enum content { FIRST, ONE_RECORD, ALL_RECORDS, GONE, CONTENTS };

struct bench {
	struct coredns_mysql_settings settings;
	clockid_t server;
	bool server_known;
	size_t zone_count;
	size_t batch;
	size_t connections;
	size_t rounds;
	const char *wanted; /* kinds between commas; NULL: all */
	bool far;
	struct zone **zones[CONTENTS];
	char (*names)[ZONE_NAME_SIZE];
	struct backend *lanes[CONNECTIONS_MAX];
};

struct kind {
	const char *name;
	enum content content;
	uint64_t generation;
	bool check;
	bool plain;
};

static const struct kind kinds[] = {
	{ .name = "plain-new", .content = FIRST, .plain = true },
	{ .name = "plain-rewrite", .content = ALL_RECORDS, .plain = true },
	{ .name = "new", .content = FIRST, .generation = 1 },
	{ .name = "equal", .content = FIRST, .generation = 1 },
	{ .name = "check", .content = FIRST, .generation = 1, .check = true },
	{ .name = "one", .content = ONE_RECORD, .generation = 2 },
	{ .name = "rewrite", .content = ALL_RECORDS, .generation = 3 },
	{ .name = "delete", .content = GONE, .generation = 4 },
};

struct figures {
	double rate;
	double own_us;
	double server_us;
};

struct lane {
	const struct bench *bench;
	const struct kind *kind;
	size_t number;
	pthread_t thread;
};

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the back end ---- */

static void apply(const struct lane *lane, struct backend_item *items, size_t count)
{
	struct backend *backend = lane->bench->lanes[lane->number];

	for (int repeat = 0;; repeat++) {
		size_t left = 0;

		backend->ops->apply(backend, items, count);
		for (size_t i = 0; i < count; i++) {
			if (items[i].verdict == BACKEND_RETRY && repeat < REPEATS)
				items[left++] = items[i];
			else if (items[i].verdict != BACKEND_OK) {
				fprintf(stderr, "%s: %s: %s\n", lane->kind->name, items[i].name, items[i].err.text);
				exit(1);
			}
		}
		if (left == 0)
			return;
		count = left;
	}
}

static void *lane_run(void *arg)
{
	const struct lane *lane = arg;
	const struct bench *bench = lane->bench;
	struct backend_item *items = xcalloc(bench->batch, sizeof(*items));

	for (size_t at = lane->number * bench->batch; at < bench->zone_count; at += bench->batch * bench->connections) {
		size_t count = bench->zone_count - at < bench->batch ? bench->zone_count - at : bench->batch;

		for (size_t i = 0; i < count; i++)
			items[i] = (struct backend_item){ .name = bench->names[at + i],
				.zone = bench->zones[lane->kind->content][at + i],
				.generation = lane->kind->generation,
				.check = lane->kind->check };
		apply(lane, items, count);
	}
	free(items);
	mysql_thread_end();
	return NULL;
}

static void run_lanes(const struct bench *bench, const struct kind *kind)
{
	struct lane lanes[CONNECTIONS_MAX];

	for (size_t i = 0; i < bench->connections; i++) {
		lanes[i] = (struct lane){ .bench = bench, .kind = kind, .number = i };
		lanes[i].thread = thread_start("lane", lane_run, &lanes[i]);
	}
	for (size_t i = 0; i < bench->connections; i++)
		thread_join(lanes[i].thread);
}

static void open_lanes(struct bench *bench)
{
	const struct backend_params params = { .name = "bench", .store_id = STORE, .settings = &bench->settings };

	for (size_t i = 0; i < bench->connections; i++) {
		struct err err = { 0 };

		if (coredns_mysql_ops.create(&params, &bench->lanes[i], &err) < 0 ||
			coredns_mysql_ops.ping(bench->lanes[i], &err) != BACKEND_OK) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		((struct target *)bench->lanes[i])->link.prepares_none = bench->far;
	}
}

static void close_lanes(struct bench *bench)
{
	for (size_t i = 0; i < bench->connections; i++)
		coredns_mysql_ops.destroy(bench->lanes[i]);
}

/* ---- rounds ---- */

static struct figures measure(const struct bench *bench, const struct kind *kind)
{
	double own = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	double server = bench->server_known ? seconds_of(bench->server) : 0;
	double start = seconds_of(CLOCK_MONOTONIC);

	if (kind->plain)
		backend_plain_write(&bench->settings, bench->zones[kind->content], bench->zone_count,
			kind->content != FIRST);
	else
		run_lanes(bench, kind);

	double count = (double)bench->zone_count;
	double took = seconds_of(CLOCK_MONOTONIC) - start;

	own = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - own;
	server = bench->server_known ? seconds_of(bench->server) - server : 0;
	return (struct figures){ count / took, own / count * 1e6, server / count * 1e6 };
}

static void make_database(struct bench *bench)
{
	struct buf sql = { 0 };

	buf_printf(&sql, "DROP DATABASE IF EXISTS `%s`;CREATE DATABASE `%s`;", bench->settings.database,
		bench->settings.database);
	backend_plain_run(&bench->settings, false, sql.data);
	buf_free(&sql);
}

static bool is_wanted(const struct bench *bench, size_t at)
{
	const char *name = kinds[at].name;
	size_t length = strlen(name);

	for (const char *rest = bench->wanted; rest != NULL; rest += strcspn(rest, ",")) {
		rest += *rest == ',';
		if (strncmp(rest, name, length) == 0 && (rest[length] == ',' || rest[length] == '\0'))
			return true;
		if (*rest == '\0')
			return false;
	}
	return true;
}

/* Wanted itself, or made by it is what a later one of its group begins with. */
static bool is_needed(const struct bench *bench, size_t at)
{
	for (size_t i = at; i < ARRAY_SIZE(kinds) && kinds[i].plain == kinds[at].plain; i++)
		if (is_wanted(bench, i))
			return true;
	return false;
}

static void run_group(struct bench *bench, bool plain, struct figures *out)
{
	make_database(bench);
	open_lanes(bench);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].plain == plain && is_needed(bench, i))
			out[i] = measure(bench, &kinds[i]);
	close_lanes(bench);
}

static void run_round(struct bench *bench, struct figures *out)
{
	run_group(bench, true, out);
	run_group(bench, false, out);
}

static int compare_numbers(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_numbers);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void report(const struct bench *bench, struct figures (*rounds)[ARRAY_SIZE(kinds)])
{
	printf("%zu zones x %d records, batches of %zu, %zu connections, median of %zu rounds%s\n", bench->zone_count,
		BACKEND_ZONE_RECORDS, bench->batch, bench->connections, bench->rounds, bench->far ? ", as if far" : "");
	printf("%-14s %10s %16s %16s\n", "kind", "zones/s", "client us/zone", "server us/zone");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		double rate[ROUNDS_MAX];
		double own[ROUNDS_MAX];
		double server[ROUNDS_MAX];

		if (!is_wanted(bench, i))
			continue;
		for (size_t k = 0; k < bench->rounds; k++) {
			rate[k] = rounds[k][i].rate;
			own[k] = rounds[k][i].own_us;
			server[k] = rounds[k][i].server_us;
		}
		printf("%-14s %10.0f %16.1f %16.1f\n", kinds[i].name, median(rate, bench->rounds),
			median(own, bench->rounds), median(server, bench->rounds));
	}
}

/* ---- set-up ---- */

static void make_zones(struct bench *bench)
{
	bench->names = xcalloc(bench->zone_count, sizeof(*bench->names));
	for (size_t c = 0; c < CONTENTS; c++)
		bench->zones[c] = xcalloc(bench->zone_count, sizeof(struct zone *));
	for (size_t i = 0; i < bench->zone_count; i++) {
		backend_zone_name(i, bench->names[i]);
		bench->zones[FIRST][i] = backend_zone_make(i, 1, 1);
		bench->zones[ONE_RECORD][i] = backend_zone_make(i, 1, 2);
		bench->zones[ALL_RECORDS][i] = backend_zone_make(i, 2, 1);
	}
}

static void free_zones(struct bench *bench)
{
	for (size_t c = 0; c < CONTENTS; c++) {
		for (size_t i = 0; i < bench->zone_count; i++)
			zone_unref(bench->zones[c][i]);
		free(bench->zones[c]);
	}
	free(bench->names);
}

NORETURN static void usage(void)
{
	fprintf(stderr, "usage: bench_backend [--port N] [--user U] [--database D] [--pid SERVER] [--zones N] [--batch N] "
			"[--connections N] [--rounds N] [--kinds KIND,...] [--far]\n");
	exit(2);
}

static size_t number(const char *text, size_t most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end != '\0' || value == 0 || value > most)
		usage();
	return value;
}

static void read_arguments(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'P' }, { "user", 1, NULL, 'u' },
		{ "database", 1, NULL, 'd' }, { "pid", 1, NULL, 'p' }, { "zones", 1, NULL, 'z' }, { "batch", 1, NULL, 'b' },
		{ "connections", 1, NULL, 'c' }, { "rounds", 1, NULL, 'r' },
		{ "kinds", 1, NULL, 'k' }, { "far", 0, NULL, 'f' }, { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'P':
			bench->settings.port = (uint16_t)number(optarg, UINT16_MAX);
			break;
		case 'u':
			bench->settings.username = optarg;
			break;
		case 'd':
			bench->settings.database = optarg;
			break;
		case 'p':
			bench->server_known =
				clock_getcpuclockid((pid_t)number(optarg, INT32_MAX), &bench->server) == 0;
			break;
		case 'z':
			bench->zone_count = number(optarg, 1000000);
			break;
		case 'b':
			bench->batch = number(optarg, 1000000);
			break;
		case 'c':
			bench->connections = number(optarg, CONNECTIONS_MAX);
			break;
		case 'r':
			bench->rounds = number(optarg, ROUNDS_MAX);
			break;
		case 'k':
			bench->wanted = optarg;
			break;
		case 'f':
			bench->far = true;
			break;
		default:
			usage();
		}
	}
}

int main(int argc, char **argv)
{
	static struct figures rounds[ROUNDS_MAX][ARRAY_SIZE(kinds)];
	const char *password = getenv("BENCH_DB_PASSWORD");
	struct bench bench = { .zone_count = 2000, .batch = 64, .connections = 1, .rounds = 3,
		.settings = { .host = "127.0.0.1", .port = 3306, .unix_socket = "", .database = "bench_backend",
			.username = "root", .password = password == NULL ? "" : password, .zones_table = "zones",
			.records_table = "records", .state_table = "zonefan_state", .manage_schema = true,
			.catch_all_zone = true, .connect_timeout_ms = 3000, .query_timeout_ms = 10000,
			.transaction_stall_ms = 15000, .transaction_max_ms = 120000, .ssl_ca = "", .ssl_cert = "",
			.ssl_key = "" } };

	read_arguments(&bench, argc, argv);
	coredns_mysql_global_init();
	make_zones(&bench);
	for (size_t i = 0; i < bench.rounds; i++)
		run_round(&bench, rounds[i]);
	report(&bench, rounds);
	free_zones(&bench);
	mysql_library_end();
	return 0;
}
