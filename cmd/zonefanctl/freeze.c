/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "freeze.h"

#include <stdlib.h>

#include "table.h"

static void show(const json_t *answer)
{
	printf("%s is %s%s\n", cell_text_at(answer, "zone"),
		json_is_true(json_object_get(answer, "frozen")) ? "frozen" : "thawed",
		json_is_true(json_object_get(answer, "changed")) ? "" : " already");
}

static int order(const struct call *call, const char *order)
{
	char *encoded = client_encode(call->words[0]);
	char *path = xasprintf("/api/v1/zones/%s/%s", encoded, order);
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, path, &answer, &err);

	free(path);
	free(encoded);
	return commands_finish(call, ret, &err, answer, show);
}

int freeze_command(const struct call *call)
{
	return order(call, "freeze");
}

int freeze_thaw(const struct call *call)
{
	return order(call, "thaw");
}
