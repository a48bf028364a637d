/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "held.h"

#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "records.h"
#include "table.h"

static void show_list(const json_t *list)
{
	static const char *const titles[] = { "ID", "KIND", "ZONE", "SINCE", "FROM", "OWNER", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *held;

	json_array_foreach(json_object_get(list, "held"), index, held) {
		const char *about = json_is_string(json_object_get(held, "zone")) ? "zone" : "subject";
		char *cells[] = { cell_number(held, "id"), cell_text(held, "kind"), cell_text(held, about),
			cell_age(held, "at", false), cell_text(held, "source"), cell_text(held, "hostname"),
			cell_text(held, "reason") };

		table_add(&table, cells);
	}
	table_print(&table);
}

static void show_zones(const json_t *held)
{
	size_t index;
	json_t *zone;

	json_array_foreach(json_object_get(held, "zones"), index, zone)
		printf("%s%s\n", cell_text_at(zone, "name"),
			json_is_true(json_object_get(zone, "unchanged")) ? "" : " (changed since, it would be left alone)");
}

static void show_one(const json_t *held)
{
	const char *about = json_is_string(json_object_get(held, "zone")) ? "zone" : "subject";
	char *cells[] = { cell_text(held, "kind"), cell_text(held, about), cell_text(held, "source"),
		cell_text(held, "hostname"), cell_text(held, "reason") };

	printf("%" JSON_INTEGER_FORMAT ": %s, %s, since %s, from %s (%s)\n%s\n\n", cell_number_at(held, "id"), cells[0],
		cells[1], cell_text_at(held, "at"), cells[2], cells[3], cells[4]);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		free(cells[i]);
	records_show_diff(held);
	show_zones(held);
}

static int show(const struct call *call)
{
	char *encoded = client_encode(call->words[1]);
	char *path = xasprintf("/api/v1/held/%s", encoded);
	struct err err;
	json_t *answer = NULL;
	int ret = client_get(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, show_one);
}

int held_command(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;

	if (call->word_count == 2 && strcmp(call->words[0], "show") == 0)
		return show(call);
	if (call->word_count != 1 || strcmp(call->words[0], "list") != 0)
		return EXIT_USAGE;
	int ret = client_list(call->client, "/api/v1/held", "held", "after", 0, &answer, &err);
	return commands_finish(call, ret, &err, answer, show_list);
}

static void show_order(const json_t *answer)
{
	printf("%" JSON_INTEGER_FORMAT " is %s\n", cell_number_at(answer, "id"),
		json_is_true(json_object_get(answer, "approved")) ? "approved" : "dropped");
}

static int order(const struct call *call, const char *order)
{
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("/api/v1/held/%s/%s", encoded, order);
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, show_order);
}

int held_approve(const struct call *call)
{
	return order(call, "approve");
}

int held_discard(const struct call *call)
{
	return order(call, "discard");
}
