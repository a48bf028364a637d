/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "audit.h"
#include "backup.h"
#include "dead.h"
#include "exit.h"
#include "freeze.h"
#include "heal.h"
#include "held.h"
#include "history.h"
#include "import.h"
#include "peers.h"
#include "plan.h"
#include "reconcile.h"
#include "retire.h"
#include "show.h"

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

int commands_finish(const struct call *call, int ret, const struct err *err, json_t *answer,
	void (*show)(const json_t *answer))
{
	if (ret != ERR_OK)
		return commands_failed(err);
	if (call->options->json)
		print_json(answer);
	else
		show(answer);
	json_decref(answer);
	return EXIT_WELL;
}

static int status(const struct call *call)
{
	struct err err;
	json_t *answer;
	bool well;

	if (client_get(call->client, "/status", &answer, &err) != ERR_OK)
		return commands_failed(&err);
	if (call->options->json) {
		const char *word = json_string_value(json_object_get(answer, "status"));

		print_json(answer);
		well = word != NULL && strcmp(word, "ok") == 0;
	} else {
		well = show_status(answer);
	}
	json_decref(answer);
	return well ? EXIT_WELL : EXIT_BEHIND;
}

static int zones(const struct call *call)
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

static int zone(const struct call *call)
{
	return one(call, "/api/v1/zones", show_zone);
}

static int rejected(const struct call *call)
{
	struct err err;
	json_t *answer = NULL;

	if (call->word_count > 0)
		return one(call, "/api/v1/rejected", show_refused);
	int ret = client_list(call->client, "/api/v1/rejected", "rejected", "after", 0, &answer, &err);
	return commands_finish(call, ret, &err, answer, show_rejected);
}

static void show_retried(const json_t *answer)
{
	printf("%" JSON_INTEGER_FORMAT " deliveries are tried now\n",
		json_integer_value(json_object_get(answer, "retried")));
}

static int retry(const struct call *call)
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
	if (call->options->json)
		print_json(answer);
	else
		printf("%s is %s%s\n", call->words[0], json_is_true(json_object_get(answer, "paused")) ? "paused" : "resumed",
			json_is_true(json_object_get(answer, "changed")) ? "" : " already");
	json_decref(answer);
	return EXIT_WELL;
}

static int pause_lane(const struct call *call)
{
	return order(call, "pause");
}

static int resume_lane(const struct call *call)
{
	return order(call, "resume");
}

/* ---- the table ---- */

static const struct command commands[] = {
	{ "status", "", "every data centre: state, since when, what is behind, why", 0, 0, 0, status },
	{ "zones", "", "all zones", 0, 0, 0, zones },
	{ "zone", "NAME", "one zone and its deliveries", 1, 1, 0, zone },
	{ "rejected", "[NAME]", "pushes that were refused; with NAME the refused text too", 0, 1, 0, rejected },
	{ "events", "",
		"the newest events: who did what, when, from where\n"
		" --follow         and those to come, also over a restart of zonefand; with --json a line each\n"
		" --zone NAME      of that zone alone\n"
		" --kind KIND      of that kind alone",
		0, 0, OPTION_FOLLOW | OPTION_ZONE | OPTION_KIND, audit_events },
	{ "retry", "[NAME]", "try every delivery that waits (of that zone) now; a zone that is clean is compared", 0, 1, 0, retry },
	{ "plan", "[NAME]",
		"what would be written at every back end now (of that zone), record by record; nothing is written\n"
		" --backend B      at this one alone",
		0, 1, OPTION_BACKEND, plan_command },
	{ "heal", "",
		"compare every zone at every back end with what is wanted, deliver again what differs, and wait for it\n"
		" --backend B      at this one alone\n"
		" --dry-run        deliver nothing, only say what differs (events tells the zones)\n"
		" --no-wait        do not wait\n"
		" --stop           end what is under way instead; what it found is delivered all the same",
		0, 0, OPTION_BACKEND | OPTION_DRY_RUN | OPTION_NO_WAIT | OPTION_STOP, heal_command },
	{ "reconcile", "",
		"ask the DirectAdmin masters for their zones now, and wait for it; it counts as an orphan pass\n"
		" --dry-run        change nothing, only say what differs\n"
		" --no-wait        do not wait",
		0, 0, OPTION_DRY_RUN | OPTION_NO_WAIT, reconcile_command },
	{ "orphans", "", "zones that their masters do not list any more", 0, 0, 0, orphans_command },
	{ "pause", "BACKEND",
		"send nothing more there; pushes are taken all the same, also over restarts, until it is resumed", 1, 1, 0,
		pause_lane },
	{ "resume", "BACKEND", "deliver again, all that waits", 1, 1, 0, resume_lane },
	{ "backup", "FILE", "a copy of the store, written by zonefand while it runs, or under the store's lock while it is down", 1, 1, 0,
		backup_command },
	{ "retire", "BACKEND",
		"what the store still has of a back end that is not configured any more\n"
		" --confirm        drop it",
		1, 1, OPTION_CONFIRM, retire_command },
	{ "history", "NAME", "the last texts of that zone", 1, 1, 0, history_command },
	{ "diff", "NAME A [B]", "what changed between two versions of it; B is the present one", 2, 3, 0, history_diff },
	{ "rollback", "NAME VERSION", "serve the content of that version again, until the master's next push", 2, 2, 0,
		history_rollback },
	{ "undelete", "NAME", "bring back a zone that was deleted in the last 30 days", 1, 1, 0, history_undelete },
	{ "dead", "list | show NAME | replay [NAME] | drop NAME",
		"deliveries that were given up for an hour, or that a back end can't hold: list them, show what waits, try them\n"
		"now, or drop them: then only a push, a thaw or a replay tries them again\n"
		" --backend B      of this one alone\n"
		" --all            list: dropped ones too",
		1, 2, OPTION_BACKEND | OPTION_ALL, dead_command },
	{ "import", "directdnsonly PATH | backend NAME",
		"take over what stood elsewhere before, where nothing newer is held (works without zonefand): the zones of\n"
		"directdnsonly's own database (PATH: the file, or its folder), or those in a back end's database\n"
		" --dry-run        only say what would come of it, and how the back ends differ\n"
		" --prefer NAME    backend: zones that differ there are taken from this one",
		2, 2, OPTION_DRY_RUN | OPTION_PREFER | COMMAND_ALONE, import_command },
	{ "freeze", "NAME", "store what is pushed of that zone, and deliver nothing of it, until it is thawed", 1, 1, 0,
		freeze_command },
	{ "thaw", "NAME", "deliver the newest of it", 1, 1, 0, freeze_thaw },
	{ "peers", "[sync]",
		"what is known of each peer; with sync after a pass over all of them\n"
		" --no-wait        do not wait for that pass",
		0, 1, OPTION_NO_WAIT, peers_command },
	{ "held", "list | show ID", "what waits for your word, and what it would change", 1, 2, 0, held_command },
	{ "approve", "ID", "put in force what is held as ID, as it is", 1, 1, 0, held_approve },
	{ "discard", "ID", "drop what is held as ID", 1, 1, 0, held_discard },
};

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

enum { TITLE_WIDTH = 18 };

static void print_command(FILE *to, const struct command *command)
{
	char *title = xasprintf("%s %s", command->name, command->arguments);
	const char *line = command->help;

	/* A long title has a line of its own. */
	fprintf(to, strlen(title) > TITLE_WIDTH ? "  %s\n%*s" : "  %s%*s", title,
		strlen(title) > TITLE_WIDTH ? TITLE_WIDTH + 3 : TITLE_WIDTH + 1 - (int)strlen(title), "");
	for (size_t size; *line != '\0'; line += size) {
		size = strcspn(line, "\n");
		fprintf(to, "%*s%.*s\n", line == command->help ? 0 : *line == ' ' ? 3 : TITLE_WIDTH + 3, "", (int)size, line);
		size += line[size] == '\n';
	}
	free(title);
}

void commands_print(FILE *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		print_command(to, &commands[i]);
}
