/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A schedule that fails made as short as can be: Zeller's ddmin, by taking out ever smaller runs of steps, each try in a
 * process of its own.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schedules_internal.h"

static bool fails_alike(const struct schedule *schedule, const struct outcome *wanted, struct outcome *got)
{
	schedules_try(schedule, true, NULL, got);
	return got->violated && strcmp(got->kind, wanted->kind) == 0;
}

/* Steps behind the one that failed never ran. */
static void cut_tail(struct schedule *schedule, const struct outcome *outcome)
{
	while (outcome->last != 0 && schedule->count > 0 && schedule->steps[schedule->count - 1] > outcome->last)
		schedule->count--;
}

/* Without size of them, from first on: if that fails as well, it is the schedule from now on. */
static bool take_out(struct schedule *schedule, const struct outcome *outcome, size_t first, size_t size)
{
	size_t rest = schedule->count - first - size;
	struct schedule less = { .seed = schedule->seed, .count = first + rest };
	struct outcome got;

	less.steps = xcalloc(less.count + 1, sizeof(*less.steps));
	memcpy(less.steps, schedule->steps, first * sizeof(*less.steps));
	memcpy(less.steps + first, schedule->steps + first + size, rest * sizeof(*less.steps));
	bool still = fails_alike(&less, outcome, &got);
	if (still) {
		cut_tail(&less, &got);
		schedule->count = less.count;
		memcpy(schedule->steps, less.steps, less.count * sizeof(*less.steps));
	}
	free(less.steps);
	return still;
}

/* All runs of that size, the last one first, for later steps need earlier ones. Were any taken out? */
static bool take_out_all(struct schedule *schedule, const struct outcome *outcome, size_t size)
{
	bool any = false;
	size_t end = schedule->count;

	while (end > 0) {
		size_t first = end > size ? end - size : 0;

		any = take_out(schedule, outcome, first, end - first) || any;
		end = first < schedule->count ? first : schedule->count;
	}
	return any;
}

void shrink(struct schedule *schedule, const struct outcome *outcome)
{
	struct outcome got;

	schedule->whole = false;
	cut_tail(schedule, outcome);
	/* A failure that does not come again, in a process of its own, can't be shrunk: the seed alone may. */
	if (!fails_alike(schedule, outcome, &got))
		return;
	for (size_t size = (schedule->count + 1) / 2; size > 0; size /= 2) {
		while (take_out_all(schedule, outcome, size) && size == 1)
			continue;
	}
}

/* ---- as text ---- */

void shrink_print(const struct schedule *schedule, const struct outcome *outcome, FILE *out)
{
	struct outcome again;

	fprintf(out, "# %s\nseed %" PRIu64 "\n", outcome->text, schedule->seed);
	schedules_try(schedule, true, out, &again);
}

static bool read_line(char *line, struct schedule *schedule)
{
	uint64_t number;
	char more;

	line[strcspn(line, "#\n")] = '\0';
	if (line[strspn(line, " \t")] == '\0')
		return true;
	if (sscanf(line, "seed %" SCNu64 " %c", &number, &more) == 1) {
		schedule->seed = number;
		return true;
	}
	if (sscanf(line, "step %" SCNu64 " %c", &number, &more) != 1 || number == 0 || number >= UINT32_MAX ||
		(schedule->count > 0 && number <= schedule->steps[schedule->count - 1]))
		return false;
	schedule->steps = xrealloc(schedule->steps, (schedule->count + 1) * sizeof(*schedule->steps));
	schedule->steps[schedule->count++] = (uint32_t)number;
	return true;
}

bool shrink_read(const char *path, struct schedule *out)
{
	FILE *in = fopen(path, "r");
	char line[512];
	unsigned number = 0;
	bool good = in != NULL;

	*out = (struct schedule){ .seed = 0 };
	if (!good)
		fprintf(stderr, "%s: it can't be read\n", path);
	while (good && fgets(line, sizeof(line), in) != NULL) {
		number++;
		good = read_line(line, out);
		if (!good)
			fprintf(stderr, "%s: line %u: neither \"seed N\" nor \"step N\" with a higher N than before\n", path, number);
	}
	if (in != NULL)
		fclose(in);
	return good;
}
