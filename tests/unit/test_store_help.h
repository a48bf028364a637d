/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store's tests share: a folder of their own, zones made from a number, statements that must succeed. */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "store/store.h"

#define OK(call)                                                                                             \
	do {                                                                                                 \
		struct err err_ = { 0 };                                                                     \
		struct err *err = &err_;                                                                     \
		int rc_ = (call);                                                                            \
		if (rc_ != 0)                                                                                \
			fail_msg("%s: %d %s", #call, rc_, err_.text);                                        \
	} while (0)

#define FAILS(expected, call)                                                                                \
	do {                                                                                                 \
		struct err err_ = { 0 };                                                                     \
		struct err *err = &err_;                                                                     \
		int rc_ = (call);                                                                            \
		if (rc_ != (expected) || err_.code != (expected))                                            \
			fail_msg("%s: %d (%d) %s, not %d", #call, rc_, err_.code, err_.text, (expected));    \
	} while (0)

struct fixture {
	char folder[64];
	char path[96];
	struct store *store;
};

UNUSED static int fixture_make(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/store-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/store.db", fixture->folder);
	*state = fixture;
	return 0;
}

UNUSED static void remove_folder(const char *folder)
{
	char *command = xasprintf("rm -rf '%s'", folder);

	assert_int_equal(system(command), 0);
	free(command);
}

UNUSED static int fixture_remove(void **state)
{
	struct fixture *fixture = *state;

	store_close(fixture->store);
	remove_folder(fixture->folder);
	free(fixture);
	return 0;
}

UNUSED static int fixture_open(void **state)
{
	struct fixture *fixture;

	fixture_make(state);
	fixture = *state;
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	return 0;
}

/* ---- zones ---- */

/* The text of zone number i in generation g; *size is its length. */
UNUSED static char *sample_text(int i, uint64_t generation, size_t *size)
{
	char *text = xasprintf("$TTL 300\n@ IN SOA ns1.z%d.test. root.z%d.test. ( %llu 3600 600 86400 300 )\n"
			       "@ IN NS ns1.z%d.test.\nwww IN A 192.0.2.%d\n",
		i, i, (unsigned long long)generation, i, i % 250);

	*size = strlen(text);
	return text;
}

/* hostname and username are static. */
UNUSED static struct store_zone sample_zone(int i, uint64_t generation)
{
	static char hostname[] = "da1.example.net";
	static char username[] = "alice";
	struct store_zone zone = {
		.generation = generation,
		.digest = { .count = 3, .high = UINT64_MAX - (uint64_t)i, .low = generation },
		.serial = UINT32_MAX - (uint32_t)i,
		.hostname = hostname,
		.username = username,
		.updated_at_us = 1000000 * (int64_t)(generation % 1000000) + i,
	};

	snprintf(zone.name, sizeof(zone.name), "z%06d.test.", i);
	return zone;
}

/* Puts zone number i; returns its row. */
UNUSED static int64_t put_sample(struct store *store, int i, uint64_t generation, int64_t id)
{
	struct store_zone zone = sample_zone(i, generation);
	size_t size;
	char *text = sample_text(i, generation, &size);

	zone.id = id;
	OK(store_zone_put(store, &zone, text, size, err));
	free(text);
	return zone.id;
}

/* The zone and its text must be exactly what put_sample wrote. */
UNUSED static void expect_sample(struct store *store, int i, uint64_t generation)
{
	struct store_zone expected = sample_zone(i, generation);
	struct store_zone zone;
	size_t expected_size;
	size_t size;
	char *expected_text = sample_text(i, generation, &expected_size);
	char *text;

	OK(store_zone_find(store, expected.name, &zone, err));
	assert_string_equal(zone.name, expected.name);
	assert_int_equal(zone.generation, generation);
	assert_false(zone.deleted);
	assert_true(zone_digest_equal(&zone.digest, &expected.digest));
	assert_int_equal(zone.serial, expected.serial);
	assert_string_equal(zone.hostname, expected.hostname);
	assert_string_equal(zone.username, expected.username);
	assert_int_equal(zone.updated_at_us, expected.updated_at_us);
	assert_int_equal(zone.text_size, expected_size);
	OK(store_zone_text(store, zone.id, &text, &size, err));
	assert_int_equal(size, expected_size);
	assert_memory_equal(text, expected_text, size);
	free(text);
	free(expected_text);
	store_zone_clear(&zone);
}

/* ---- processes ---- */

/* fork, but a child never outlives a test that failed. */
UNUSED static pid_t start_child(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

UNUSED static void kill_child(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}
