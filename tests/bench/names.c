/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the index of names that zonefand keeps for "exists" (lib/http/names.h)
 * costs: memory, and time of an answer.
 *
 *	bench_names FINDS < NAMES
 *
 * NAMES is, for each zone, a line "NAME HOSTNAME USERNAME". Finds names that
 * are held and names that are not, FINDS of each, in random order. Prints JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/rng.h"
#include "http/names.h"
#include "now.h"

enum { FIELD_SIZE = 256 };

/* The names one behind the other, as they were read: what is looked for must not come from the index itself. */
struct known {
	struct buf text;
	struct buf offsets; /* size_t each */
	size_t count;
};

static void know(struct known *known, const char *name)
{
	size_t at = known->text.size;

	buf_append(&known->text, name, strlen(name) + 1);
	buf_append(&known->offsets, &at, sizeof(at));
	known->count++;
}

static const char *pick(const struct known *known, struct rng *rng)
{
	size_t at;
	size_t which = (size_t)rng_between(rng, 0, (int64_t)known->count - 1);

	memcpy(&at, known->offsets.data + which * sizeof(at), sizeof(at));
	return known->text.data + at;
}

/* Nanoseconds for each, with picking; 0 names: of picking alone. */
static double find_all(const struct names *names, const struct known *known, size_t finds, size_t *found)
{
	struct rng rng = { .state = 1 };
	int64_t start_ns = now_ns();

	*found = 0;
	for (size_t i = 0; i < finds; i++) {
		struct names_owner owner;
		const char *name = pick(known, &rng);

		*found += names == NULL ? name[0] != '\0' : names_find(names, name, &owner);
	}
	return (double)(now_ns() - start_ns) / (double)finds;
}

int main(int argc, char **argv)
{
	char name[FIELD_SIZE], hostname[FIELD_SIZE], username[FIELD_SIZE], missing[FIELD_SIZE + 1];
	size_t finds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct names *names = names_create();
	struct known held = { 0 }, unknown = { 0 };
	size_t found, none, picked;

	if (finds == 0) {
		fputs("usage: bench_names FINDS < NAMES\n", stderr);
		return EX_USAGE;
	}
	while (scanf("%255s %255s %255s", name, hostname, username) == 3) {
		snprintf(missing, sizeof(missing), "x%s", name);
		know(&held, name);
		know(&unknown, missing);
		names_set(names, name, hostname, username);
	}
	if (held.count == 0) {
		fputs("bench_names: no names\n", stderr);
		return EX_DATAERR;
	}
	double pick_ns = find_all(NULL, &held, finds, &picked);
	double held_ns = find_all(names, &held, finds, &found);
	double unknown_ns = find_all(names, &unknown, finds, &none);
	if (found != finds || none != 0) {
		fputs("bench_names: the index is wrong\n", stderr);
		return EX_SOFTWARE;
	}
	printf("{\"names\": %zu, \"bytes\": %zu, \"held_ns\": %.0f, \"unknown_ns\": %.0f}\n", names_count(names),
		names_memory(names), held_ns - pick_ns, unknown_ns - pick_ns);
	names_destroy(names);
	buf_free(&held.text);
	buf_free(&held.offsets);
	buf_free(&unknown.text);
	buf_free(&unknown.offsets);
	return 0;
}
