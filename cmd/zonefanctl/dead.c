/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dead.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "exit.h"
#include "records.h"
#include "table.h"

/* Of the options that were given. */
static void add_query(struct buf *path, const struct call *call, const char *zone)
{
	char *backend = call->options[OPTION_BACKEND] == NULL ? NULL : client_encode(call->options[OPTION_BACKEND]);
	char *name = zone == NULL ? NULL : client_encode(zone);

	buf_printf(path, "?all=%d", call_has(call, OPTION_ALL));
	if (backend != NULL)
		buf_printf(path, "&backend=%s", backend);
	if (name != NULL)
		buf_printf(path, "&zone=%s", name);
	free(backend);
	free(name);
}

static void show_list(const json_t *list)
{
	static const char *const titles[] = { "ZONE", "BACKEND", "STATE", "ATTEMPTS", "SINCE", "NEXT TRY", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *dead;

	json_array_foreach(json_object_get(list, "dead"), index, dead) {
		char *cells[] = { cell_text(dead, "zone"), cell_text(dead, "backend"), cell_text(dead, "state"),
			cell_number(dead, "attempts"), cell_age(dead, "since", false), cell_age(dead, "next_try", true),
			cell_text(dead, "error") };

		table_add(&table, cells);
	}
	table_print(&table);
}

static void show_one(const json_t *answer)
{
	show_list(answer);
	putchar('\n');
	if (json_is_true(json_object_get(answer, "deleted")))
		puts("(the zone is to be deleted there)");
	else
		records_show_text(cell_text_at(answer, "text"));
}

static int list(const struct call *call)
{
	struct buf path = { 0 };
	struct err err;
	json_t *answer = NULL;

	buf_puts(&path, "/api/v1/dead");
	add_query(&path, call, NULL);
	int ret = client_list(call->client, path.data, "dead", "after", 0, &answer, &err);
	buf_free(&path);
	return commands_finish(call, ret, &err, answer, show_list);
}

static int show(const struct call *call)
{
	char *zone = client_encode(call->words[1]);
	struct buf path = { 0 };
	struct err err;
	json_t *answer = NULL;

	buf_printf(&path, "/api/v1/dead/%s", zone);
	add_query(&path, call, NULL);
	int ret = client_get(call->client, path.data, &answer, &err);
	buf_free(&path);
	free(zone);
	return commands_finish(call, ret, &err, answer, show_one);
}

static void show_order(const json_t *answer)
{
	bool replayed = json_is_integer(json_object_get(answer, "replayed"));

	printf("%" JSON_INTEGER_FORMAT " dead letters are %s\n", cell_number_at(answer, replayed ? "replayed" : "dropped"),
		replayed ? "tried now" : "dropped: not tried any more until a push, a thaw or a replay");
}

static int order(const struct call *call, const char *order)
{
	struct buf path = { 0 };
	struct err err;
	json_t *answer = NULL;

	buf_printf(&path, "/api/v1/dead/%s", order);
	add_query(&path, call, call->word_count > 1 ? call->words[1] : NULL);
	int ret = client_post(call->client, path.data, &answer, &err);
	buf_free(&path);
	return commands_finish(call, ret, &err, answer, show_order);
}

int dead_command(const struct call *call)
{
	const char *what = call->words[0];
	bool named = call->word_count == 2;

	if (strcmp(what, "list") == 0 && !named)
		return list(call);
	if (strcmp(what, "show") == 0 && named)
		return show(call);
	if (strcmp(what, "replay") == 0 || (strcmp(what, "drop") == 0 && named))
		return order(call, what);
	return EXIT_USAGE;
}
