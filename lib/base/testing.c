/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/testing.h"

#ifdef ZONEFAN_TESTING

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

#define TESTING_NAME(name) #name,

static const char *const points[] = { TESTING_POINTS(TESTING_NAME) };
static const char *const bugs[] = { TESTING_BUGS(TESTING_NAME) };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static size_t kill_at = ARRAY_SIZE(points); /* none */
static atomic_long passes_left;
static size_t planted = ARRAY_SIZE(bugs);

static size_t find(const char *const *names, size_t count, const char *name, size_t size, const char *variable)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
			return i;
	}
	fprintf(stderr, "level=fatal msg=\"no such name\" %s=%s\n", variable, name);
	abort();
}

static void read_environment(void)
{
	const char *point = getenv("ZONEFAN_KILL_AT");
	const char *bug = getenv("ZONEFAN_PLANTED");

	if (point != NULL) {
		const char *colon = strchrnul(point, ':');

		kill_at = find(points, ARRAY_SIZE(points), point, (size_t)(colon - point), "ZONEFAN_KILL_AT");
		atomic_store(&passes_left, *colon == '\0' ? 1 : strtol(colon + 1, NULL, 10));
	}
	if (bug != NULL)
		planted = find(bugs, ARRAY_SIZE(bugs), bug, strlen(bug), "ZONEFAN_PLANTED");
}

void testing_pass(enum testing_point point)
{
	pthread_once(&once, read_environment);
	if (point == kill_at && atomic_fetch_sub(&passes_left, 1) == 1)
		kill(getpid(), SIGKILL);
}

bool testing_is_planted(enum testing_bug bug)
{
	pthread_once(&once, read_environment);
	return bug == planted;
}

bool testing_is_traceable(void)
{
	return getenv("ZONEFAN_TRACEABLE") != NULL;
}

#else

typedef int testing_is_empty; /* ISO C wants something in every file */

#endif
