/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "heal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/check.h"
#include "exit.h"
#include "progress.h"
#include "show.h"
#include "table.h"

enum { POLL_MS = 200, POLLS_UNSEEN = 25 };

static int begin(const struct call *call, json_int_t *pass, json_int_t *count, struct err *err)
{
	char *backend = call->options[OPTION_BACKEND] == NULL ? NULL : client_encode(call->options[OPTION_BACKEND]);
	char *path = xasprintf("/api/v1/heal?dry_run=%d%s%s", call_has(call, OPTION_DRY_RUN),
		backend == NULL ? "" : "&backend=", backend == NULL ? "" : backend);
	json_t *answer;
	int ret = client_post(call->client, path, &answer, err);

	free(path);
	free(backend);
	if (ret != ERR_OK)
		return ret;
	*pass = json_integer_value(json_object_get(answer, "pass"));
	*count = json_integer_value(json_object_get(answer, "backends"));
	json_decref(answer);
	return ERR_OK;
}

/* Of the pass alone: other back ends may have one of their own. */
static json_t *parts_of(const json_t *answer, json_int_t pass)
{
	json_t *parts = json_array();
	size_t index;
	json_t *backend;

	json_array_foreach(json_object_get(answer, "backends"), index, backend) {
		const json_t *heal = json_object_get(backend, "heal");

		if (json_integer_value(json_object_get(heal, "pass")) == pass)
			json_array_append(parts, backend);
	}
	return parts;
}

static bool is_over(const json_t *parts)
{
	size_t index;
	json_t *backend;

	json_array_foreach(parts, index, backend) {
		if (json_is_null(json_object_get(json_object_get(backend, "heal"), "ended_at")))
			return false;
	}
	return true;
}

/* Zones to compare, and those of them to repair. */
static void tell(struct progress *progress, const json_t *parts)
{
	static const char *const keys[] = { "repaired", "unrepaired" };
	json_int_t done = 0, total = 0;
	size_t index;
	json_t *backend;

	json_array_foreach(parts, index, backend) {
		const json_t *heal = json_object_get(backend, "heal");

		done += json_integer_value(json_object_get(heal, "compared"));
		total += json_integer_value(json_object_get(heal, "zones")) + json_integer_value(json_object_get(heal, "waiting"));
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			json_int_t settled = json_integer_value(json_object_get(heal, keys[i]));

			done += settled;
			total += settled;
		}
	}
	progress_tell(progress, (uint64_t)done, (uint64_t)total);
}

static int wait_for_end(const struct client *client, json_int_t pass, json_int_t count, struct progress *progress,
	json_t **parts, struct err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	bool seen = false;

	for (int polls = 0;; polls++) {
		json_t *answer;
		int ret = client_get(client, "/api/v1/heal", &answer, err);

		if (ret != ERR_OK)
			return ret;
		*parts = parts_of(answer, pass);
		json_decref(answer);
		bool whole = (json_int_t)json_array_size(*parts) == count;
		/* What is shown may be a moment behind what was answered. */
		if (!whole && (seen || polls == POLLS_UNSEEN)) {
			json_decref(*parts);
			return err_set(err, ERR_CLOSED,
				"the pass is not to be found any more: zonefand was restarted, or another pass began");
		}
		seen = whole;
		if (whole && is_over(*parts))
			return ERR_OK;
		tell(progress, *parts);
		json_decref(*parts);
		nanosleep(&pause, NULL);
	}
}

static int code_of(const json_t *parts)
{
	static const char *const keys[] = { "missing", "changed", "stamp", "undeleted", "stray", "unrepaired" };
	bool differs = false;
	size_t index;
	json_t *backend;

	json_array_foreach(parts, index, backend) {
		const json_t *heal = json_object_get(backend, "heal");

		if (json_is_string(json_object_get(heal, "error")))
			return EXIT_FAILED;
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			differs = differs || json_integer_value(json_object_get(heal, keys[i])) > 0;
	}
	return differs ? EXIT_BEHIND : EXIT_WELL;
}

static void show_begun(const json_t *answer)
{
	printf("a healing pass has begun at %" JSON_INTEGER_FORMAT " back ends; zonefanctl status tells how far it is\n",
		json_integer_value(json_object_get(answer, "backends")));
}

static void show_stopped(const json_t *answer)
{
	printf("stopped at %" JSON_INTEGER_FORMAT " back ends\n", json_integer_value(json_object_get(answer, "stopped")));
}

static int stop(const struct call *call)
{
	char *backend = call->options[OPTION_BACKEND] == NULL ? NULL : client_encode(call->options[OPTION_BACKEND]);
	char *path = xasprintf("/api/v1/heal/stop%s%s", backend == NULL ? "" : "?backend=", backend == NULL ? "" : backend);
	json_t *answer = NULL;
	struct err err;
	int ret = client_post(call->client, path, &answer, &err);

	free(path);
	free(backend);
	return commands_finish(call, ret, &err, answer, show_stopped);
}

static bool is_asked_for(const struct call *call, const json_t *backend)
{
	const char *name = call->options[OPTION_BACKEND];

	return json_is_object(json_object_get(backend, "heal")) &&
		(name == NULL || strcmp(name, cell_text_at(backend, "name")) == 0);
}

static int last(const struct call *call)
{
	json_t *answer, *found = json_array();
	struct err err;
	int ret = client_get(call->client, "/api/v1/heal", &answer, &err);
	size_t index;
	json_t *backend;

	if (ret == ERR_OK) {
		json_array_foreach(json_object_get(answer, "backends"), index, backend) {
			if (is_asked_for(call, backend))
				json_array_append(found, backend);
		}
		json_decref(answer);
	}
	json_t *shown = json_pack("{s:o}", "backends", found);
	if (ret == ERR_OK)
		return commands_finish(call, ret, &err, shown, show_heal);
	json_decref(shown);
	return commands_failed(&err);
}

int heal_command(const struct call *call)
{
	struct progress progress;
	json_t *parts = NULL;
	json_int_t pass, count;
	struct err err;

	if (call_has(call, OPTION_STOP))
		return stop(call);
	if (call_has(call, OPTION_LAST))
		return last(call);
	int ret = begin(call, &pass, &count, &err);
	if (ret == ERR_OK && call_has(call, OPTION_NO_WAIT))
		return commands_finish(call, ret, &err, json_pack("{s:I, s:I}", "pass", pass, "backends", count), show_begun);
	progress_begin(&progress, "healing", "zones");
	if (ret == ERR_OK)
		ret = wait_for_end(call->client, pass, count, &progress, &parts, &err);
	progress_end(&progress);
	if (ret != ERR_OK)
		return commands_failed(&err);
	int code = code_of(parts);
	ret = commands_finish(call, ret, &err, json_pack("{s:o}", "backends", parts), show_heal);
	return ret == EXIT_WELL ? code : ret;
}
