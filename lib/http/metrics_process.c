/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This process, as the kernel sees it. What /proc does not tell has no sample. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "http/metrics.h"

static const struct expose_metric build = { "zonefan_build_info", EXPOSE_GAUGE, "1; its label is the version." };
static const struct expose_metric started = { "zonefan_process_start_time_seconds", EXPOSE_GAUGE, "When this process started." };
static const struct expose_metric cpu = { "zonefan_process_cpu_seconds_total", EXPOSE_COUNTER,
	"Time of processors that this process used, its own and the kernel's for it." };
static const struct expose_metric resident = { "zonefan_process_resident_memory_bytes", EXPOSE_GAUGE, "Memory in use." };
static const struct expose_metric mapped = { "zonefan_process_virtual_memory_bytes", EXPOSE_GAUGE, "Memory mapped." };
static const struct expose_metric threads = { "zonefan_process_threads", EXPOSE_GAUGE, "Threads." };
static const struct expose_metric files = { "zonefan_process_open_fds", EXPOSE_GAUGE, "Open file descriptors." };
static const struct expose_metric most_files = { "zonefan_process_max_fds", EXPOSE_GAUGE, "How many there may be." };

/* Entries of a folder of /proc. False: it can't be read. */
static bool count_entries(const char *path, uint64_t *count)
{
	DIR *folder = opendir(path);

	if (folder == NULL)
		return false;
	*count = 0;
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		*count += entry->d_name[0] != '.';
	closedir(folder);
	return true;
}

static void add_processor(struct expose *expose)
{
	struct rusage usage;

	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	expose_us(expose, &cpu, NULL, (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void add_memory(struct expose *expose)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128], *rest;

	if (file == NULL)
		return;
	if (fgets(line, sizeof(line), file) != NULL) {
		expose_count(expose, &mapped, NULL, strtoull(line, &rest, 10) * page);
		expose_count(expose, &resident, NULL, strtoull(rest, NULL, 10) * page);
	}
	fclose(file);
}

static void add_files(struct expose *expose)
{
	struct rlimit limit;
	uint64_t count;

	if (count_entries("/proc/self/fd", &count))
		expose_count(expose, &files, NULL, count - 1); /* but for the one that is open to count them */
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	expose_count(expose, &most_files, NULL, limit.rlim_cur);
}

void metrics_add_process(struct expose *expose, const struct engine_status *status)
{
	uint64_t count;

	expose_count(expose, &build, EXPOSE_LABELS("version", ZONEFAN_VERSION), 1);
	expose_us(expose, &started, NULL, status->started_at_us);
	add_processor(expose);
	add_memory(expose);
	if (count_entries("/proc/self/task", &count))
		expose_count(expose, &threads, NULL, count);
	add_files(expose);
}
