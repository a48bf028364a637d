/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reconcile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "exit.h"
#include "table.h"

enum { POLL_MS = 200 };

static int begin(const struct call *call, json_t **answer, struct err *err)
{
	char *path = xasprintf("/api/v1/reconcile?dry_run=%d", call_has(call, OPTION_DRY_RUN));
	int ret = client_post(call->client, path, answer, err);

	free(path);
	return ret;
}

/* *reconciler: what the status shows once that pass is over. */
static int wait_for_end(const struct client *client, json_int_t pass, json_t **reconciler, struct err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (;;) {
		json_t *status;
		int ret = client_get(client, "/status", &status, err);

		if (ret != ERR_OK)
			return ret;
		*reconciler = json_incref(json_object_get(status, "reconciler"));
		json_decref(status);
		if (cell_number_at(json_object_get(*reconciler, "last_run"), "pass") >= pass)
			return ERR_OK;
		bool lost = cell_number_at(*reconciler, "asked") < pass;
		json_decref(*reconciler);
		if (lost)
			return err_set(err, ERR_CLOSED,
				"the pass is not to be found any more: zonefand was restarted, or its masters are others now");
		nanosleep(&pause, NULL);
	}
}

static int code_of(const json_t *reconciler)
{
	static const char *const keys[] = { "orphans_found", "zones_behind", "zones_pulled", "pulls_failed",
		"hostnames_backfilled", "hostnames_migrated", "zones_contested" };
	const json_t *run = json_object_get(reconciler, "last_run");

	if (strcmp(cell_text_at(run, "status"), "ok") != 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (cell_number_at(run, keys[i]) > 0)
			return EXIT_BEHIND;
	}
	return EXIT_WELL;
}

static void show(const json_t *reconciler)
{
	static const char *const titles[] = { "MASTER", "STATE", "ZONES", "MISSING", "DELETING", "HELD", "ID", "BEHIND",
		"PULLED", "FAILED", "ERROR" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *master;

	json_array_foreach(json_object_get(reconciler, "masters"), index, master) {
		char *cells[] = { cell_text(master, "identity"), cell_text(master, "state"), cell_number(master, "zones"),
			cell_number(master, "missing"), cell_number(master, "deleting"), cell_number(master, "held"),
			cell_number(master, "held_id"), cell_number(master, "behind"), cell_number(master, "pulled"),
			cell_number(master, "failed"), cell_text(master, "error") };

		table_add(&table, cells);
	}
	table_print(&table);
}

static void show_begun(const json_t *answer)
{
	printf("pass %" JSON_INTEGER_FORMAT " over the masters has begun; zonefanctl status --json tells how it ends\n",
		cell_number_at(answer, "pass"));
}

static int last(const struct call *call)
{
	json_t *status = NULL, *reconciler = NULL;
	struct err err;
	int ret = client_get(call->client, "/status", &status, &err);

	if (ret == ERR_OK)
		reconciler = json_incref(json_object_get(status, "reconciler"));
	json_decref(status);
	return commands_finish(call, ret, &err, reconciler, show);
}

int reconcile_command(const struct call *call)
{
	json_t *answer = NULL, *reconciler = NULL;
	struct err err;

	if (call_has(call, OPTION_LAST))
		return last(call);
	int ret = begin(call, &answer, &err);

	if (ret == ERR_OK && call_has(call, OPTION_NO_WAIT))
		return commands_finish(call, ret, &err, answer, show_begun);
	if (ret == ERR_OK) {
		ret = wait_for_end(call->client, cell_number_at(answer, "pass"), &reconciler, &err);
		json_decref(answer);
	}
	if (ret != ERR_OK)
		return commands_failed(&err);
	int code = code_of(reconciler);
	ret = commands_finish(call, ret, &err, reconciler, show);
	return ret == EXIT_WELL ? code : ret;
}

static void show_orphans(const json_t *list)
{
	static const char *const titles[] = { "ZONE", "MASTER", "MISSING FOR", "PASSES", "DELETING" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *orphan;

	json_array_foreach(json_object_get(list, "orphans"), index, orphan) {
		char *cells[] = { cell_text(orphan, "zone"), cell_text(orphan, "master"),
			cell_age(orphan, "first_missing_at", false), cell_number(orphan, "passes"),
			xstrdup(json_is_true(json_object_get(orphan, "deleting")) ? "yes" : "no") };

		table_add(&table, cells);
	}
	table_print(&table);
}

int orphans_command(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;
	int ret = client_list(call->client, "/api/v1/orphans", "orphans", "after", 0, &answer, &err);

	return commands_finish(call, ret, &err, answer, show_orphans);
}
