/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "exit.h"
#include "table.h"

enum { SHOWN = 100, POLL_MS = 300 };

/* ---- a table ---- */

static void show_events(const json_t *list)
{
	static const char *const titles[] = { "AT", "KIND", "ZONE", "BACKEND", "WHO", "FROM", "PUSH", "WHAT" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *event;

	json_array_foreach(json_object_get(list, "events"), index, event) {
		char *cells[] = { cell_text(event, "at"), cell_text(event, "kind"), cell_text(event, "zone"),
			cell_text(event, "backend"), cell_text(event, "actor"), cell_text(event, "source"),
			cell_text(event, "push"), cell_text(event, "detail") };

		table_add(&table, cells);
	}
	table_print(&table);
}

static void add_text(struct buf *path, const char *key, const char *text)
{
	char *encoded = text == NULL ? NULL : client_encode(text);

	if (text != NULL)
		buf_printf(path, "%c%s=%s", strchr(path->data, '?') == NULL ? '?' : '&', key, encoded);
	free(encoded);
}

static char *path_of(const struct call *call, json_int_t after)
{
	struct buf path = { 0 };
	char *number = after == 0 ? NULL : xasprintf("%" JSON_INTEGER_FORMAT, after);

	buf_puts(&path, "/api/v1/events");
	add_text(&path, "zone", call->options[OPTION_ZONE]);
	add_text(&path, "kind", call->options[OPTION_KIND]);
	add_text(&path, "after", number);
	free(number);
	return path.data;
}

/* ---- following ---- */

static void print_line(const struct call *call, const json_t *event)
{
	static const char *const keys[] = { "at", "kind", "zone", "backend", "actor", "source", "push", "detail" };

	if (call_has(call, OPTION_JSON)) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *cell = cell_text(event, keys[i]);

		printf("%s%s", i == 0 ? "" : "  ", cell);
		free(cell);
	}
	putchar('\n');
}

/* Oldest first, however they came. False: nobody reads them any more. */
static bool print_events(const struct call *call, const json_t *answer, json_int_t *after)
{
	const json_t *events = json_object_get(answer, "events");
	size_t count = json_array_size(events);
	bool newest_first = count > 1 && cell_number_at(json_array_get(events, 0), "id") >
		cell_number_at(json_array_get(events, count - 1), "id");

	for (size_t i = 0; i < count; i++) {
		const json_t *event = json_array_get(events, newest_first ? count - 1 - i : i);

		print_line(call, event);
		*after = cell_number_at(event, "id");
	}
	return fflush(stdout) == 0;
}

/* The newest, then what comes: asked for again and again by its number, so that a restart of zonefand loses none. */
static int follow(const struct call *call)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	json_int_t after = 0;
	bool told = false;

	for (;;) {
		char *path = path_of(call, after);
		struct err err;
		json_t *answer = NULL;
		int ret = client_get(call->client, path, &answer, &err);

		free(path);
		if (ret == ERR_OK && !print_events(call, answer, &after))
			return EXIT_FAILED;
		if (ret != ERR_OK && !told)
			fprintf(stderr, "zonefanctl: %s; waiting\n", err.text);
		told = ret != ERR_OK;
		json_decref(answer);
		nanosleep(&pause, NULL);
	}
}

int audit_events(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;

	if (call_has(call, OPTION_FOLLOW))
		return follow(call);
	char *path = path_of(call, 0);
	int ret = client_list(call->client, path, "events", "before", SHOWN, &answer, &err);
	free(path);
	return commands_finish(call, ret, &err, answer, show_events);
}
