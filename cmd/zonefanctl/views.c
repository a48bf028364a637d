/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exit.h"
#include "show.h"

int views_status(const struct call *call)
{
	struct err err;
	json_t *answer;
	bool well;

	if (client_get(call->client, "/status", &answer, &err) != ERR_OK)
		return commands_failed(&err);
	if (call_has(call, OPTION_JSON)) {
		const char *word = json_string_value(json_object_get(answer, "status"));

		commands_print_json(answer);
		well = word != NULL && strcmp(word, "ok") == 0;
	} else {
		well = show_status(answer);
	}
	json_decref(answer);
	return well ? EXIT_WELL : EXIT_BEHIND;
}

int views_ready(const struct call *call)
{
	struct err err;
	char *line;

	if (client_get_line(call->client, "/readyz", &line, &err) != ERR_OK)
		return commands_failed(&err);
	if (call_has(call, OPTION_JSON))
		puts("{\"ready\": true}");
	else
		puts(line);
	free(line);
	return EXIT_WELL;
}

int views_zones(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;
	int ret = client_list(call->client, "/api/v1/zones", "zones", "after", 0, &answer, &err);

	return commands_finish(call, ret, &err, answer, show_zones);
}

static int one(const struct call *call, const char *folder, void (*show)(const json_t *answer))
{
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("%s/%s", folder, encoded);
	struct err err;
	json_t *answer = NULL;
	int ret = client_get(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, show);
}

int views_zone(const struct call *call)
{
	return one(call, "/api/v1/zones", show_zone);
}

int views_rejected(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;

	if (call->word_count > 0)
		return one(call, "/api/v1/rejected", show_refused);
	int ret = client_list(call->client, "/api/v1/rejected", "rejected", "after", 0, &answer, &err);
	return commands_finish(call, ret, &err, answer, show_rejected);
}
