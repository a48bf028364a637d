/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "exit.h"
#include "show.h"

enum { EVENTS_SHOWN = 100 };

int commands_failed(const struct err *err)
{
	fprintf(stderr, "zonefanctl: %s\n", err->text);
	return err->code == ERR_NOTFOUND ? EXIT_MISSING : EXIT_FAILED;
}

static void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int finish(const struct options *options, int ret, const struct err *err, json_t *answer,
	void (*show)(const json_t *answer))
{
	if (ret != ERR_OK)
		return commands_failed(err);
	if (options->json)
		print_json(answer);
	else
		show(answer);
	json_decref(answer);
	return EXIT_WELL;
}

static int status(const struct options *options, const struct client *client, const char *name)
{
	struct err err;
	json_t *answer;
	bool well;

	(void)name;
	if (client_get(client, "/status", &answer, &err) != ERR_OK)
		return commands_failed(&err);
	if (options->json) {
		const char *word = json_string_value(json_object_get(answer, "status"));

		print_json(answer);
		well = word != NULL && strcmp(word, "ok") == 0;
	} else {
		well = show_status(answer);
	}
	json_decref(answer);
	return well ? EXIT_WELL : EXIT_BEHIND;
}

static int zones(const struct options *options, const struct client *client, const char *name)
{
	struct err err;
	json_t *answer = NULL;

	(void)name;
	int ret = client_list(client, "/api/v1/zones", "zones", "after", 0, &answer, &err);
	return finish(options, ret, &err, answer, show_zones);
}

static int one(const struct options *options, const struct client *client, const char *folder, const char *name,
	void (*show)(const json_t *answer))
{
	char *encoded = client_encode(name);
	char *path = xasprintf("%s/%s", folder, encoded);
	struct err err;
	json_t *answer = NULL;
	int ret = client_get(client, path, &answer, &err);

	free(path);
	free(encoded);
	return finish(options, ret, &err, answer, show);
}

static int zone(const struct options *options, const struct client *client, const char *name)
{
	return one(options, client, "/api/v1/zones", name, show_zone);
}

static int rejected(const struct options *options, const struct client *client, const char *name)
{
	struct err err;
	json_t *answer = NULL;

	if (name != NULL)
		return one(options, client, "/api/v1/rejected", name, show_refused);
	int ret = client_list(client, "/api/v1/rejected", "rejected", "after", 0, &answer, &err);
	return finish(options, ret, &err, answer, show_rejected);
}

static int events(const struct options *options, const struct client *client, const char *name)
{
	struct err err;
	json_t *answer = NULL;

	(void)name;
	int ret = client_list(client, "/api/v1/events", "events", "before", EVENTS_SHOWN, &answer, &err);
	return finish(options, ret, &err, answer, show_events);
}

static void show_retried(const json_t *answer)
{
	printf("%" JSON_INTEGER_FORMAT " deliveries are tried now\n",
		json_integer_value(json_object_get(answer, "retried")));
}

static int retry(const struct options *options, const struct client *client, const char *name)
{
	char *encoded = name == NULL ? NULL : client_encode(name);
	char *path = name == NULL ? xstrdup("/api/v1/retry") : xasprintf("/api/v1/retry?zone=%s", encoded);
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(client, path, &answer, &err);

	free(path);
	free(encoded);
	return finish(options, ret, &err, answer, show_retried);
}

static int order(const struct options *options, const struct client *client, const char *name, const char *order)
{
	char *encoded = client_encode(name);
	char *path = xasprintf("/api/v1/backends/%s/%s", encoded, order);
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(client, path, &answer, &err);

	free(path);
	free(encoded);
	if (ret != ERR_OK)
		return commands_failed(&err);
	if (options->json)
		print_json(answer);
	else
		printf("%s is %s%s\n", name, json_is_true(json_object_get(answer, "paused")) ? "paused" : "resumed",
			json_is_true(json_object_get(answer, "changed")) ? "" : " already");
	json_decref(answer);
	return EXIT_WELL;
}

static int pause_lane(const struct options *options, const struct client *client, const char *name)
{
	return order(options, client, name, "pause");
}

static int resume_lane(const struct options *options, const struct client *client, const char *name)
{
	return order(options, client, name, "resume");
}

static int heal(const struct options *options, const struct client *client, const char *name)
{
	struct err err;
	int code;

	(void)name;
	return heal_run(client, &options->heal, &code, &err) == ERR_OK ? code : commands_failed(&err);
}

static const struct command commands[] = {
	{ "status", NO_NAME, status },     { "zones", NO_NAME, zones },   { "zone", MUST_NAME, zone },
	{ "rejected", MAY_NAME, rejected }, { "events", NO_NAME, events }, { "retry", MAY_NAME, retry },
	{ "pause", MUST_NAME, pause_lane }, { "resume", MUST_NAME, resume_lane },
	{ "heal", NO_NAME, heal },
};

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}
