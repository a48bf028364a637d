/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a store that holds many zones, each delivered to every back end named:
 * what zonefand would have after as many pushes, in a fraction of their time.
 *
 *	bench_fill STORE BACKEND... < ZONES
 *
 * ZONES is, for each zone, a line "NAME HOSTNAME USERNAME SIZE" and then SIZE
 * bytes of zone text. Prints the number of zones as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "store/store.h"
#include "zone/zone.h"

enum { ZONES_PER_TRANSACTION = 2000, BACKENDS_MAX = 16, FIELD_SIZE = 256 };

struct fill {
	struct store *store;
	int64_t backends[BACKENDS_MAX];
	size_t backend_count;
	uint64_t zones;
};

struct entry {
	char name[FIELD_SIZE];
	char hostname[FIELD_SIZE];
	char username[FIELD_SIZE];
	char *text;
	size_t size;
};

static void leave(const struct err *err)
{
	fprintf(stderr, "bench_fill: %s\n", err->text);
	exit(EX_SOFTWARE);
}

static void leave_format(void)
{
	fputs("bench_fill: the input is not as it should be\n", stderr);
	exit(EX_DATAERR);
}

/* False at the end of the input. */
static bool read_entry(struct entry *entry)
{
	int got = scanf("%255s %255s %255s %zu", entry->name, entry->hostname, entry->username, &entry->size);

	if (got == EOF)
		return false;
	if (got != 4 || getchar() != '\n')
		leave_format();
	entry->text = xrealloc(entry->text, entry->size + 1);
	if (fread(entry->text, 1, entry->size, stdin) != entry->size)
		leave_format();
	return true;
}

static int put_deliveries(struct fill *fill, const struct store_zone *zone, struct err *err)
{
	struct delivery delivery = { .state = DELIVERY_CLEAN, .wanted = zone->generation, .applied = zone->generation,
		.applied_at_us = zone->updated_at_us };

	for (size_t i = 0; i < fill->backend_count; i++) {
		int rc = store_delivery_save(fill->store, zone->id, fill->backends[i], &delivery, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_entry(struct fill *fill, struct entry *entry, struct err *err)
{
	struct store_zone row = { .generation = 1, .hostname = entry->hostname, .username = entry->username,
		.updated_at_us = clock_wall_us(clock_system()) };
	struct zone *zone;
	int rc = zone_name_parse(entry->name, strlen(entry->name), row.name, err);

	if (rc == 0)
		rc = zone_parse(row.name, entry->text, entry->size, 0, &zone, err);
	if (rc < 0)
		return rc;
	row.digest = *zone_digest(zone);
	row.serial = zone_serial(zone);
	zone_unref(zone);
	rc = store_zone_put(fill->store, &row, entry->text, entry->size, err);
	return rc < 0 ? rc : put_deliveries(fill, &row, err);
}

static int fill_store(struct fill *fill, struct err *err)
{
	struct entry entry = { 0 };
	int rc = store_begin(fill->store, err);

	while (rc == 0 && read_entry(&entry)) {
		rc = put_entry(fill, &entry, err);
		if (rc == 0 && ++fill->zones % ZONES_PER_TRANSACTION == 0) {
			rc = store_commit(fill->store, err);
			if (rc == 0)
				rc = store_begin(fill->store, err);
		}
	}
	free(entry.text);
	return rc < 0 ? rc : store_commit(fill->store, err);
}

int main(int argc, char **argv)
{
	struct fill fill = { .backend_count = (size_t)argc - 2 };
	int64_t now_us = clock_wall_us(clock_system());
	struct err err = { 0 };

	if (argc < 3 || fill.backend_count > BACKENDS_MAX) {
		fputs("usage: bench_fill STORE BACKEND... < ZONES\n", stderr);
		return EX_USAGE;
	}
	int rc = store_open(argv[1], &fill.store, NULL, &err);
	for (size_t i = 0; rc == 0 && i < fill.backend_count; i++)
		rc = store_backend_register(fill.store, argv[i + 2], now_us, &fill.backends[i], &err);
	if (rc == 0)
		rc = fill_store(&fill, &err);
	if (rc < 0)
		leave(&err);
	store_close(fill.store);
	printf("{\"zones\": %llu}\n", (unsigned long long)fill.zones);
	return 0;
}
