/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "conf/conf.h"
#include "exit.h"

enum { MOST = 100 }; /* more are no help */

static void print_names(const json_t *list, const char *beginning)
{
	size_t index;
	json_t *element;

	json_array_foreach(list, index, element) {
		const char *name = json_string_value(json_object_get(element, "name"));

		if (name != NULL && strncmp(name, beginning, strlen(beginning)) == 0)
			puts(name);
	}
}

/* Names come in order: those that begin so follow it. */
static char *zones_path(const char *beginning)
{
	char *encoded = client_encode(beginning);
	char *path = *beginning == '\0' ? xasprintf("/api/v1/zones?limit=%d", MOST) :
					  xasprintf("/api/v1/zones?limit=%d&after=%s", MOST, encoded);

	free(encoded);
	return path;
}

/* Those that are configured: zonefand need not run. */
static int print_masters(const struct conf *conf, const char *beginning)
{
	for (size_t i = 0; conf != NULL && i < conf->master_count; i++) {
		if (strncmp(conf->masters[i].hostname, beginning, strlen(beginning)) == 0)
			puts(conf->masters[i].hostname);
	}
	return EXIT_WELL;
}

int complete_command(const struct call *call)
{
	const char *what = call->words[0];
	const char *beginning = call->word_count > 1 ? call->words[1] : "";
	bool zones = strcmp(what, "zones") == 0;
	json_t *answer = NULL;
	struct err err;

	if (strcmp(what, "masters") == 0)
		return print_masters(call->conf, beginning);
	if (!zones && strcmp(what, "backends") != 0)
		return EXIT_USAGE;
	char *path = zones ? zones_path(beginning) : xstrdup("/status");
	int ret = client_get(call->client, path, &answer, &err);
	free(path);
	if (ret != ERR_OK)
		return EXIT_FAILED;
	print_names(json_object_get(answer, what), beginning);
	json_decref(answer);
	return EXIT_WELL;
}
