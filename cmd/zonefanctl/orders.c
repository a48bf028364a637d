/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "orders.h"

#include <stdlib.h>

#include "base/check.h"
#include "exit.h"

static void show_retried(const json_t *answer)
{
	printf("%" JSON_INTEGER_FORMAT " deliveries are tried now\n",
		json_integer_value(json_object_get(answer, "retried")));
}

int orders_retry(const struct call *call)
{
	char *encoded = call->word_count == 0 ? NULL : client_encode(call->words[0]);
	char *path = encoded == NULL ? xstrdup("/api/v1/retry") : xasprintf("/api/v1/retry?zone=%s", encoded);
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, show_retried);
}

static int order(const struct call *call, const char *order)
{
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("/api/v1/backends/%s/%s", encoded, order);
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	if (ret != ERR_OK)
		return commands_failed(&err);
	if (call_has(call, OPTION_JSON))
		commands_print_json(answer);
	else
		printf("%s is %s%s\n", call->words[0], json_is_true(json_object_get(answer, "paused")) ? "paused" : "resumed",
			json_is_true(json_object_get(answer, "changed")) ? "" : " already");
	json_decref(answer);
	return EXIT_WELL;
}

int orders_pause(const struct call *call)
{
	return order(call, "pause");
}

int orders_resume(const struct call *call)
{
	return order(call, "resume");
}

static void show_reloaded(const json_t *answer)
{
	const json_t *changed = json_object_get(answer, "changed");
	const json_t *restart = json_object_get(answer, "needs_restart");
	const json_t *line;
	size_t i;

	json_array_foreach(changed, i, line)
		puts(json_string_value(line));
	json_array_foreach(restart, i, line)
		printf("needs a restart: %s\n", json_string_value(line));
	if (json_array_size(changed) + json_array_size(restart) == 0)
		puts("reloaded: no setting differs");
}

int orders_reload(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, "/api/v1/reload", &answer, &err);

	return commands_finish(call, ret, &err, answer, show_reloaded);
}
