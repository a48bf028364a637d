/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "exit.h"
#include "table.h"

enum { POLL_MS = 100 };

static void show(const json_t *sync)
{
	static const char *const titles[] = { "PEER", "KIND", "HEALTH", "SEEN", "SKEW", "ZONES", "TAKEN", "BEHIND", "WAITING",
		"ERROR" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *peer;

	json_array_foreach(json_object_get(sync, "peers"), index, peer) {
		bool healthy = json_is_true(json_object_get(peer, "healthy"));
		char *cells[] = { cell_text(peer, "url"), cell_text(peer, "kind"),
			xasprintf("%s%s", healthy ? "good" : "degraded", json_is_true(json_object_get(peer, "learnt")) ? ", learnt" : ""),
			cell_age(peer, "last_seen", false),
			xasprintf("%.1f s", json_number_value(json_object_get(peer, "skew_seconds"))), cell_number(peer, "zones"),
			cell_number(peer, "taken"), cell_number(peer, "behind"), cell_number(peer, "waiting"),
			cell_text(peer, "last_error") };

		table_add(&table, cells);
	}
	table_print(&table);
	if (!json_is_true(json_object_get(sync, "enabled")))
		puts("peer sync is not switched on");
}

static int get(const struct client *client, json_t **sync, struct err *err)
{
	json_t *status;
	int ret = client_get(client, "/status", &status, err);

	if (ret != ERR_OK)
		return ret;
	*sync = json_incref(json_object_get(status, "peer_sync"));
	json_decref(status);
	return ERR_OK;
}

/* Until that pass is over. */
static int wait_for(const struct client *client, json_int_t pass, json_t **sync, struct err *err)
{
	static const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (;;) {
		int ret = get(client, sync, err);

		if (ret != ERR_OK || cell_number_at(*sync, "passed") >= pass)
			return ret;
		bool lost = cell_number_at(*sync, "pass") < pass;
		json_decref(*sync);
		if (lost)
			return err_set(err, ERR_CLOSED,
				"the pass is not to be found any more: zonefand was restarted, or its peers are others now");
		nanosleep(&pause, NULL);
	}
}

static void show_begun(const json_t *answer)
{
	printf("pass %" JSON_INTEGER_FORMAT " begins\n", json_integer_value(json_object_get(answer, "pass")));
}

/* The pass that begins; *over: no more than that was asked for. */
static void begin(const struct call *call, json_int_t *pass, bool *over, int *code)
{
	struct err err;
	json_t *answer = NULL;
	int ret = client_post(call->client, "/api/v1/peers/sync", &answer, &err);

	*pass = ret == ERR_OK ? json_integer_value(json_object_get(answer, "pass")) : 0;
	*over = ret != ERR_OK || call_has(call, OPTION_NO_WAIT);
	if (*over)
		*code = commands_finish(call, ret, &err, answer, show_begun);
	else
		json_decref(answer);
}

static int code_of(const json_t *sync)
{
	size_t index;
	json_t *peer;

	json_array_foreach(json_object_get(sync, "peers"), index, peer) {
		if (json_is_string(json_object_get(peer, "last_error")) || json_is_true(json_object_get(peer, "unfinished")))
			return EXIT_BEHIND;
	}
	return EXIT_WELL;
}

int peers_command(const struct call *call)
{
	json_int_t pass = 0;
	json_t *sync = NULL;
	struct err err;
	bool over = false;
	int code = EXIT_WELL;

	if (call->word_count > 0 && strcmp(call->words[0], "sync") != 0)
		return EXIT_USAGE;
	if (call->word_count > 0)
		begin(call, &pass, &over, &code);
	if (over)
		return code;
	int ret = wait_for(call->client, pass, &sync, &err);
	if (ret == ERR_OK)
		code = code_of(sync);
	ret = commands_finish(call, ret, &err, sync, show);
	return ret == EXIT_WELL ? code : ret;
}
