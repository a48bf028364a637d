/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "retire.h"

#include <stdlib.h>

#include "table.h"

static void show_rows(const json_t *answer)
{
	printf("%s%s: %" JSON_INTEGER_FORMAT " deliveries, %" JSON_INTEGER_FORMAT " of them pending, %" JSON_INTEGER_FORMAT
	       " dead, %" JSON_INTEGER_FORMAT " parked\n", cell_text_at(answer, "backend"),
		json_is_true(json_object_get(answer, "configured")) ? " is configured and can't be retired" : "",
		cell_number_at(answer, "deliveries"), cell_number_at(answer, "pending"), cell_number_at(answer, "dead"),
		cell_number_at(answer, "parked"));
	if (!json_is_true(json_object_get(answer, "configured")))
		puts("nothing was changed; with --confirm they are dropped, and the back end is forgotten. What stands in its "
		     "database stays there");
}

static void show_retired(const json_t *answer)
{
	printf("%s is retired, %" JSON_INTEGER_FORMAT " deliveries were dropped\n", cell_text_at(answer, "backend"),
		cell_number_at(answer, "dropped"));
}

int retire_command(const struct call *call)
{
	bool confirmed = call_has(call, OPTION_CONFIRM);
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("/api/v1/backends/%s%s", encoded, confirmed ? "/retire" : "");
	struct err err;
	json_t *answer = NULL;
	int ret = confirmed ? client_post(call->client, path, &answer, &err) : client_get(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, confirmed ? show_retired : show_rows);
}
