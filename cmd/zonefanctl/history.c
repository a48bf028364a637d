/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "history.h"

#include <stdlib.h>

#include "records.h"
#include "table.h"

static void show_versions(const json_t *list)
{
	static const char *const titles[] = { "VERSION", "AT", "ORIGIN", "SERIAL", "RECORDS", "FROM", "BY", "OWNER",
		"USER" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *version;

	json_array_foreach(json_object_get(list, "versions"), index, version) {
		bool current = json_is_true(json_object_get(version, "current"));
		char *cells[] = {
			xasprintf("%" JSON_INTEGER_FORMAT "%s", cell_number_at(version, "version"), current ? " *" : ""),
			cell_text(version, "at"), cell_text(version, "origin"), cell_number(version, "serial"),
			cell_number(version, "records"), cell_text(version, "source"), cell_text(version, "actor"),
			cell_text(version, "hostname"), cell_text(version, "username") };

		table_add(&table, cells);
	}
	table_print(&table);
}

int history_command(const struct call *call)
{
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("/api/v1/zones/%s/history", encoded);
	struct err err;
	json_t *answer = NULL;
	int ret = client_list(call->client, path, "versions", "before", 0, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, show_versions);
}

int history_diff(const struct call *call)
{
	char *encoded = client_encode(call->words[0]), *from = client_encode(call->words[1]);
	char *to = call->word_count < 3 ? xstrdup("") : client_encode(call->words[2]);
	char *path = xasprintf("/api/v1/zones/%s/diff?from=%s%s%s", encoded, from, to[0] == '\0' ? "" : "&to=", to);
	struct err err;
	json_t *answer = NULL;
	int ret = client_get(call->client, path, &answer, &err);

	free(path);
	free(to);
	free(from);
	free(encoded);
	return commands_finish(call, ret, &err, answer, records_show_diff);
}

static void show_order(const json_t *answer)
{
	printf("%s is in force again, under serial %" JSON_INTEGER_FORMAT "\n", cell_text_at(answer, "zone"),
		cell_number_at(answer, "serial"));
}

static int order(const struct call *call, char *path)
{
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, path, &answer, &err);

	free(path);
	return commands_finish(call, ret, &err, answer, show_order);
}

int history_rollback(const struct call *call)
{
	char *encoded = client_encode(call->words[0]), *version = client_encode(call->words[1]);
	char *path = xasprintf("/api/v1/zones/%s/rollback?version=%s", encoded, version);

	free(version);
	free(encoded);
	return order(call, path);
}

int history_undelete(const struct call *call)
{
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("/api/v1/zones/%s/undelete", encoded);

	free(encoded);
	return order(call, path);
}
