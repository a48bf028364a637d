/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each write and each sync of a short life of the store fails in turn, and the power is cut at each: what was acknowledged
 * is there ever after. The life: a start, pushes, an end with power or without, a start, more pushes, a power cut, a start.
 * Prints how many lives it took.
 *
 *	sim_store [SEEDS]	each life so often, with other choices at each cut (4)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "disk.h"
#include "store/store.h"
#include "vfs.h"

enum { PUSHES = 8, FIRST = 5 };

static char folder[] = "/tmp/zonefan-sim-store-XXXXXX";
static char path[64];
static uint64_t failures;

struct life {
	enum disk_fault fault;
	unsigned nth;
	struct rng rng;
	struct store *store;        /* NULL: it could not be opened */
	bool acknowledged[PUSHES];
};

static void fail(const struct life *life, const char *what, int which)
{
	static const char *const faults[] = { "", "write", "sync", "power cut" };

	failures++;
	fprintf(stderr, "%s %u: %s %d\n", faults[life->fault], life->nth, what, which);
}

static void name_of(int which, char out[ZONE_NAME_SIZE])
{
	snprintf(out, ZONE_NAME_SIZE, "z%d.example.", which);
}

/* Large enough to take several pages. */
static int push(struct store *store, int which, struct err *err)
{
	struct store_zone zone = { .generation = 1, .hostname = xstrdup("da1"), .username = xstrdup("fred") };
	char text[9000];

	name_of(which, zone.name);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 2654435761U >> 13);
	int ret = store_begin(store, err);
	if (ret == ERR_OK)
		ret = store_zone_put(store, &zone, text, sizeof(text), err);
	if (ret == ERR_OK)
		ret = store_commit(store, err);
	if (ret != ERR_OK)
		store_rollback(store);
	store_zone_clear(&zone);
	return ret;
}

static void push_some(struct life *life, int from, int to)
{
	struct err err;

	for (int i = from; life->store != NULL && i < to; i++) {
		if (push(life->store, i, &err) == ERR_OK && !disk_is_stopped())
			life->acknowledged[i] = true;
	}
}

static void check(struct life *life)
{
	struct err err;

	for (int i = 0; i < PUSHES; i++) {
		struct store_zone zone = { 0 };
		char name[ZONE_NAME_SIZE];

		name_of(i, name);
		if (life->acknowledged[i] && store_zone_find(life->store, name, &zone, &err) != ERR_OK)
			fail(life, "acknowledged, and lost: push", i);
		store_zone_clear(&zone);
	}
	if (store_quick_check(life->store, &err) != ERR_OK)
		fail(life, err.text, 0);
}

/* The process ends, killed or (gently) by itself, and the next one starts. */
static void start_anew(struct life *life, bool gently, bool cut)
{
	struct err err;

	if (!gently)
		disk_stop();
	store_close(life->store);
	life->store = NULL;
	disk_start(cut, &life->rng);
	if (store_open(path, &life->store, NULL, &err) != ERR_OK)
		fail(life, err.text, 0);
}

/* False: the fault was never met. */
static bool live(enum disk_fault fault, unsigned nth, uint64_t seed)
{
	struct life life = { .fault = fault, .nth = nth, .rng = { seed * 100000 + nth } };
	struct err err;

	disk_wipe();
	disk_fail(fault, nth);
	if (store_open(path, &life.store, NULL, &err) != ERR_OK)
		life.store = NULL;
	push_some(&life, 0, FIRST);
	bool met = disk_failed();
	/* One that met a failing disk leaves by itself, and its power stays on; or it fails as well. */
	bool gently = fault != DISK_FAULT_CUT && seed % 2 == 0;
	start_anew(&life, gently, !gently);
	push_some(&life, FIRST, PUSHES);
	start_anew(&life, false, true);
	if (life.store != NULL)
		check(&life);
	store_close(life.store);
	return met;
}

int main(int argc, char **argv)
{
	uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 4;
	uint64_t lives = 0;

	vfs_register();
	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/store.db", folder);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		for (enum disk_fault fault = DISK_FAULT_WRITE; fault <= DISK_FAULT_CUT; fault++) {
			for (unsigned nth = 1; live(fault, nth, seed); nth++)
				lives++;
		}
	}
	unlink(path);
	strcat(path, ".lock");
	unlink(path);
	CHECK(rmdir(folder) == 0);
	printf("%" PRIu64 " lives, %" PRIu64 " failures\n", lives, failures);
	return failures == 0 && lives > 0 ? 0 : 1;
}
