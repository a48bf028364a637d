/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "import_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "table.h"

static const struct {
	const char *result;
	bool listed;
	bool left_out;
	const char *meaning; /* for people, where there is no reason */
} results[] = {
	{ "imported", false, false, "taken over" },
	{ "same", false, false, "held already, with the same records" },
	{ "owner", true, false, "held already; the owner was taken over" },
	{ "kept", true, false, "held already, and not older" },
	{ "deleted", true, false, "deleted here since" },
	{ "quarantined", true, true, "held for your word" },
	{ "elsewhere", true, true, "stands in another database only" },
	{ "no_text", true, true, "no text was kept: it waits for the master's push, or for import backend" },
	{ "refused", true, true, "not a zone" },
};

static size_t find(const char *result)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(results) - 1 && strcmp(results[i].result, result) != 0)
		i++;
	return i;
}

void import_report_begin(struct import_report *report)
{
	*report = (struct import_report){ .counts = json_object(), .zones = json_array() };
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		json_object_set_new(report->counts, results[i].result, json_integer(0));
}

void import_report_add(struct import_report *report, const char *zone, const struct import_outcome *outcome, json_t *more)
{
	size_t at = find(outcome->result);
	json_t *count = json_object_get(report->counts, results[at].result);

	json_integer_set(count, json_integer_value(count) + 1);
	report->left_out = report->left_out || results[at].left_out;
	if (more == NULL && !results[at].listed)
		return;
	json_t *entry = json_object();
	json_object_set_new(entry, "zone", text_json(zone));
	json_object_set_new(entry, "result", json_string(results[at].result));
	json_object_set_new(entry, "reason", outcome->reason[0] == '\0' ? json_null() : text_json(outcome->reason));
	if (more != NULL)
		json_object_update(entry, more);
	json_decref(more);
	json_array_append_new(report->zones, entry);
}

void import_report_end(struct import_report *report, json_t *answer)
{
	json_object_set_new(answer, "counts", report->counts);
	json_object_set_new(answer, "zones", report->zones);
	*report = (struct import_report){ 0 };
}

static void show_counts(const json_t *counts)
{
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		if (cell_number_at(counts, results[i].result) > 0)
			printf("%8" JSON_INTEGER_FORMAT "  %-12s %s\n", cell_number_at(counts, results[i].result),
				results[i].result, results[i].meaning);
	}
}

static void show_zones(const json_t *zones)
{
	static const char *const titles[] = { "ZONE", "RESULT", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *zone;

	json_array_foreach(zones, index, zone) {
		const char *result = cell_text_at(zone, "result");
		char *cells[] = { cell_text(zone, "zone"), cell_text(zone, "result"),
			json_is_string(json_object_get(zone, "reason")) ? cell_text(zone, "reason") :
									  xstrdup(results[find(result)].meaning) };

		table_add(&table, cells);
	}
	table_print(&table);
}

void import_report_show(const json_t *answer)
{
	const json_t *zones = json_object_get(answer, "zones");

	if (json_is_true(json_object_get(answer, "dry_run")))
		puts("dry run: nothing was changed");
	show_counts(json_object_get(answer, "counts"));
	if (json_array_size(zones) > 0)
		show_zones(zones);
}
