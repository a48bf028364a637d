/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "schedules.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "schedules_internal.h"

/* Of those that fail; of more only the seeds are told. */
enum { SHRUNK_MOST = 3, WHOLE_STEPS = 200 };

static const struct schedules_world *world;
static char folder[64];

/* What is under way. */
static struct {
	uint32_t step;          /* 0: all comes to rest */
	bool quiet;
	FILE *told;
	struct outcome *outcome;
} now;

/* Seen by the process that waits, if the one that runs schedules dies. */
static struct {
	struct outcome outcome;
	uint64_t seed;
} *shared;

/* ---- for the world ---- */

void schedules_violated(const char *format, ...)
{
	struct outcome *outcome = now.outcome;
	va_list args;

	if (outcome->violated)
		return;
	outcome->violated = true;
	outcome->last = now.step;
	snprintf(outcome->kind, sizeof(outcome->kind), "%s", format);
	va_start(args, format);
	vsnprintf(outcome->text, sizeof(outcome->text), format, args);
	va_end(args);
	if (!now.quiet)
		fprintf(stderr, "seed %" PRIu64 ", step %" PRIu32 ": %s\n", shared->seed, now.step, outcome->text);
}

bool schedules_is_violated(void)
{
	return now.outcome->violated;
}

void schedules_tell(const char *format, ...)
{
	va_list args;

	if (now.told == NULL)
		return;
	fprintf(now.told, "%-11s # ", "");
	va_start(args, format);
	vfprintf(now.told, format, args);
	va_end(args);
	fputc('\n', now.told);
	fflush(now.told);
}

const char *schedules_folder(void)
{
	return folder;
}

/* ---- one schedule ---- */

static struct rng rng_of(uint64_t seed, uint32_t step)
{
	struct rng rng = { seed };

	rng.state = rng_next(&rng) + step;
	rng.state = rng_next(&rng);
	return rng;
}

static void run(const struct schedule *schedule)
{
	shared->seed = schedule->seed;
	now.step = 0;
	world->create(schedule->seed, rng_of(schedule->seed, 0));
	for (size_t i = 0; i < schedule->count && !schedules_is_violated(); i++) {
		now.step = schedule->steps[i];
		if (now.told != NULL)
			fprintf(now.told, "step %" PRIu32 "\n", now.step);
		world->step(now.step, rng_of(schedule->seed, now.step));
	}
	now.step = 0;
	if (!schedules_is_violated())
		world->settle(schedule->whole && schedule->count >= WHOLE_STEPS, rng_of(schedule->seed, UINT32_MAX));
	world->destroy();
}

/* A process that died says so by its end, unless it could still say what was violated. */
static void learn_end(int status, struct outcome *outcome)
{
	if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || outcome->violated)
		return;
	outcome->violated = true;
	outcome->last = 0;
	if (WIFSIGNALED(status))
		snprintf(outcome->kind, sizeof(outcome->kind), "the process was ended by signal %d", WTERMSIG(status));
	else
		snprintf(outcome->kind, sizeof(outcome->kind), "the process ended with %d", WEXITSTATUS(status));
	memcpy(outcome->text, outcome->kind, sizeof(outcome->kind));
}

void schedules_try(const struct schedule *schedule, bool quiet, FILE *told, struct outcome *out)
{
	int status;

	fflush(NULL);
	shared->outcome = (struct outcome){ .violated = false };
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		now.quiet = quiet;
		now.told = told;
		now.outcome = &shared->outcome;
		if (quiet && told != stderr)
			CHECK(freopen("/dev/null", "w", stderr) != NULL);
		run(schedule);
		fflush(NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	learn_end(status, &shared->outcome);
	*out = shared->outcome;
}

/* ---- all of them ---- */

struct options {
	uint64_t count;
	uint64_t steps;
	uint64_t seed;
	const char *replay;
	const char *save;
	const char *expected;   /* part of the text of a violation; NULL: there must be none */
};

static bool parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "schedules", required_argument, NULL, 'n' },
		{ "steps", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "replay", required_argument, NULL, 'p' },
		{ "save", required_argument, NULL, 'o' },
		{ "expect-violation", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'n')
			options->count = strtoull(optarg, NULL, 10);
		else if (option == 's')
			options->steps = strtoull(optarg, NULL, 10);
		else if (option == 'r')
			options->seed = strtoull(optarg, NULL, 10);
		else if (option == 'p')
			options->replay = optarg;
		else if (option == 'o')
			options->save = optarg;
		else if (option == 'x')
			options->expected = optarg;
		else
			return false;
	}
	return options->steps < UINT32_MAX;
}

static struct schedule make_schedule(uint64_t seed, uint64_t steps)
{
	struct schedule schedule = { .seed = seed, .count = steps, .whole = true };

	schedule.steps = xcalloc(steps + 1, sizeof(*schedule.steps));
	for (size_t i = 0; i < steps; i++)
		schedule.steps[i] = (uint32_t)i + 1;
	return schedule;
}

static void save(const char *path, const struct schedule *schedule, const struct outcome *outcome)
{
	FILE *out = fopen(path, "w");

	CHECK(out != NULL);
	shrink_print(schedule, outcome, out);
	CHECK(fclose(out) == 0);
}

static void make_smaller(const struct options *options, uint64_t seed, struct outcome outcome)
{
	struct schedule schedule = make_schedule(seed, options->steps);

	shrink(&schedule, &outcome);
	fprintf(stderr, "---- of %" PRIu64 " steps these %zu are enough (for %s --replay):\n", options->steps, schedule.count,
		world->program);
	shrink_print(&schedule, &outcome, stderr);
	fprintf(stderr, "----\n");
	if (options->save != NULL)
		save(options->save, &schedule, &outcome);
	free(schedule.steps);
}

static bool is_expected(const struct options *options, const struct outcome *outcome)
{
	return outcome->violated && options->expected != NULL && strstr(outcome->text, options->expected) != NULL;
}

/* failed: so many, with this one. What was expected is shrunk only if somebody wants to see it. */
static bool is_shrunk(const struct options *options, const struct outcome *outcome, uint64_t failed)
{
	if (options->expected == NULL)
		return outcome->violated && failed <= SHRUNK_MOST;
	return options->save != NULL && is_expected(options, outcome);
}

static int end(const struct options *options, uint64_t done, uint64_t failed, bool found)
{
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", done - failed, failed);
	if (options->expected == NULL)
		return failed > 0 ? 1 : 0;
	if (found)
		printf("found after %" PRIu64 " schedules\n", done);
	else
		printf("not found: %s\n", options->expected);
	return found ? 0 : 1;
}

static int run_all(const struct options *options)
{
	uint64_t failed = 0;
	uint64_t done = 0;
	bool found = false;

	while (done < options->count && !found) {
		struct schedule schedule = make_schedule(options->seed + done++, options->steps);

		shared->outcome = (struct outcome){ .violated = false };
		now.outcome = &shared->outcome;
		run(&schedule);
		free(schedule.steps);
		struct outcome outcome = shared->outcome;
		failed += outcome.violated;
		found = is_expected(options, &outcome);
		if (is_shrunk(options, &outcome, failed))
			make_smaller(options, schedule.seed, outcome);
	}
	world->print_sum();
	return end(options, done, failed, found);
}

/* In a process of its own: one that dies leaves the seed, and is the last of them. */
static int run_apart(const struct options *options)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		exit(run_all(options));
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return WEXITSTATUS(status);
	uint64_t seed = shared->seed;
	learn_end(status, &shared->outcome);
	struct outcome outcome = shared->outcome;
	fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, outcome.text);
	if (is_shrunk(options, &outcome, 1))
		make_smaller(options, seed, outcome);
	if (!is_expected(options, &outcome))
		return 1;
	printf("found after %" PRIu64 " schedules\n", seed - options->seed + 1);
	return 0;
}

static int replay(const char *path)
{
	struct schedule schedule;
	struct outcome outcome;

	if (!shrink_read(path, &schedule)) {
		free(schedule.steps);
		return 64;
	}
	schedules_try(&schedule, false, stdout, &outcome);
	printf("%s\n", outcome.violated ? outcome.text : "nothing is violated");
	free(schedule.steps);
	return outcome.violated ? 1 : 0;
}

/* ---- the folder ---- */

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "%s/zonefan-%s-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
		world->program);
	CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	CHECK(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	CHECK(rmdir(folder) == 0);
}

int schedules_main(const struct schedules_world *which, int argc, char **argv)
{
	struct options options = { .count = which->count, .steps = which->steps, .seed = 1 };

	world = which;
	if (!parse(&options, argc, argv))
		return 64;
	/* The engine's own log says nothing that the invariants do not; its lines would be millions. */
	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	make_folder();
	int ret = options.replay != NULL ? replay(options.replay) : run_apart(&options);
	remove_folder();
	return ret;
}
