/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * directdnsonly's own database: its zones are taken over with owner, user and
 * time of acceptance. What it cannot give is told: zones without a text,
 * pushes still in its queues, and what of its app.yml we see differently.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "exit.h"
#include "import.h"
#include "import_report.h"
#include "legacy.h"
#include "progress.h"
#include "store/predecessor.h"
#include "table.h"

static int import_zone(struct importer *importer, const struct predecessor_zone *from, struct import_report *report,
	struct err *err)
{
	struct import_zone zone = { .name = from->domain, .hostname = from->hostname, .username = from->username,
		.text = from->text, .text_size = from->text_size };
	struct import_outcome outcome = { 0 };

	/* Without a time nothing that is held is replaced: that is right for a time that is none, too. */
	if (!clock_parse(from->updated_at, &zone.at_us))
		zone.at_us = 0;
	int ret = importer_submit(importer, &zone, &outcome, err);
	if (ret == ERR_OK)
		import_report_add(report, from->domain, &outcome, NULL);
	return ret;
}

static int import_all(const struct call *call, struct predecessor *predecessor, struct import_report *report,
	struct err *err)
{
	struct importer *importer;
	struct predecessor_zone zone;
	struct progress progress;
	uint64_t done = 0, total = predecessor_count(predecessor);
	bool more = true;
	int ret = importer_open(call, &importer, err);

	if (ret != ERR_OK)
		return ret;
	progress_begin(&progress, "importing", "zones");
	while (ret == ERR_OK && more) {
		progress_tell(&progress, done++, total);
		ret = predecessor_next(predecessor, &zone, &more, err);
		if (ret == ERR_OK && more)
			ret = import_zone(importer, &zone, report, err);
	}
	progress_end(&progress);
	importer_close(importer);
	return ret;
}

static void show_lines(const json_t *lines, const char *what)
{
	size_t index;
	json_t *line;

	json_array_foreach(lines, index, line)
		printf("%s: %s\n", what, json_string_value(line));
}

static void show_configuration(const json_t *configuration)
{
	if (!json_is_object(configuration))
		return;
	printf("\nits configuration %s %s\n", cell_text_at(configuration, "path"),
		json_array_size(json_object_get(configuration, "faults")) == 0 ? "can be used as it is" :
										   "can't be used as it is");
	show_lines(json_object_get(configuration, "faults"), "  fault");
	show_lines(json_object_get(configuration, "notices"), "  notice");
}

static void show_queues(const json_t *queues)
{
	size_t index;
	json_t *queue;

	json_array_foreach(queues, index, queue) {
		const json_t *items = json_object_get(queue, "items");

		printf("\nits queue %s is not drained: ", cell_text_at(queue, "path"));
		if (json_is_integer(items))
			printf("%" JSON_INTEGER_FORMAT " items wait; ", json_integer_value(items));
		puts("let directdnsonly finish it, or let the masters push those zones again");
	}
}

static void show(const json_t *answer)
{
	printf("from %s\n", cell_text_at(answer, "source"));
	import_report_show(answer);
	show_queues(json_object_get(answer, "queues"));
	show_configuration(json_object_get(answer, "configuration"));
}

static int finish(const struct call *call, const char *path, struct import_report *report)
{
	json_t *configuration = legacy_check_configuration(path), *queues = legacy_list_queues(path);
	json_t *answer = json_pack("{s:o, s:b}", "source", text_json(path), "dry_run", call_has(call, OPTION_DRY_RUN));
	struct err err = { 0 };
	bool left_out = report->left_out || json_array_size(queues) > 0 ||
		json_array_size(json_object_get(configuration, "faults")) > 0;

	import_report_end(report, answer);
	json_object_set_new(answer, "queues", queues);
	json_object_set_new(answer, "configuration", configuration);
	int code = commands_finish(call, ERR_OK, &err, answer, show);
	return code == EXIT_WELL && left_out ? EXIT_BEHIND : code;
}

int import_directdnsonly(const struct call *call)
{
	struct import_report report;
	struct predecessor *predecessor;
	char *path;
	struct err err;
	int ret = legacy_find_database(call->words[1], &path, &err);

	if (ret != ERR_OK) {
		commands_failed(&err);
		return EXIT_FAILED; /* what is missing is no zone */
	}
	import_report_begin(&report);
	ret = predecessor_open(path, &predecessor, &err);
	if (ret == ERR_OK) {
		ret = import_all(call, predecessor, &report, &err);
		predecessor_close(predecessor);
	}
	int code = ret == ERR_OK ? finish(call, path, &report) : commands_failed(&err);
	json_decref(report.counts);
	json_decref(report.zones);
	free(path);
	return code;
}
