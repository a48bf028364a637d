/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "records.h"
#include "table.h"

/* ---- what is shown ---- */

char *show_oldest(const json_t *lane)
{
	const json_t *oldest = json_object_get(lane, "oldest_pending_seconds");

	return json_is_number(oldest) ? cell_duration(json_number_value(oldest)) : xstrdup("-");
}

static void show_running_heal(const json_t *lane, FILE *to)
{
	const json_t *heal = json_object_get(lane, "heal");

	if (heal == NULL || !json_is_null(json_object_get(heal, "ended_at")))
		return;
	char *age = cell_age(heal, "started_at", false);
	fprintf(to, "%s: healing pass, %s since %s, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
		    " zones compared, %" JSON_INTEGER_FORMAT " differ\n",
		cell_text_at(lane, "name"), cell_text_at(heal, "state"), age, cell_number_at(heal, "compared"), cell_number_at(heal, "zones"),
		cell_number_at(heal, "missing") + cell_number_at(heal, "changed") + cell_number_at(heal, "stamp") +
			cell_number_at(heal, "undeleted"));
	free(age);
}

static void show_masters(const json_t *reconciler, FILE *to)
{
	size_t index;
	json_t *master;

	json_array_foreach(json_object_get(reconciler, "masters"), index, master) {
		if (strcmp(cell_text_at(master, "state"), "unknown") != 0)
			continue;
		char *cells[] = { cell_text(master, "identity"), cell_age(master, "since", false), cell_text(master, "error") };
		fprintf(to, "master %s is unknown since %s: %s\n", cells[0], cells[1], cells[2]);
		for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
			free(cells[i]);
	}
}

/* What name servers lack, or that they don't say anything. */
static void show_verify(const json_t *lane, FILE *to)
{
	const json_t *verify = json_object_get(lane, "verify");
	const json_t *oldest = json_object_get(verify, "oldest_unanswered_seconds");
	const char *name = cell_text_at(lane, "name");
	size_t index;
	json_t *server;

	if (json_is_number(oldest)) {
		char *age = cell_duration(json_number_value(oldest));

		fprintf(to, "%s: %" JSON_INTEGER_FORMAT " zones are written and not answered, the oldest since %s\n", name,
			cell_number_at(verify, "unanswered"), age);
		free(age);
	}
	if (cell_number_at(verify, "still_answers") > 0)
		fprintf(to, "%s: %" JSON_INTEGER_FORMAT " deleted zones are still answered by its name servers\n", name,
			cell_number_at(verify, "still_answers"));
	json_array_foreach(json_object_get(verify, "servers"), index, server) {
		if (strcmp(cell_text_at(server, "state"), "silent") != 0)
			continue;
		char *since = cell_age(server, "since", false), *error = cell_text(server, "error");
		fprintf(to, "%s: name server %s is silent since %s: %s\n", name, cell_text_at(server, "address"), since, error);
		free(since);
		free(error);
	}
}

static void show_lane_notes(const json_t *status, FILE *to)
{
	const json_t *backends = json_object_get(status, "backends");
	size_t index;
	json_t *lane;

	json_array_foreach(backends, index, lane)
		show_running_heal(lane, to);
	json_array_foreach(backends, index, lane)
		show_verify(lane, to);
	json_array_foreach(backends, index, lane) {
		if (cell_number_at(lane, "contested") > 0)
			fprintf(to, "%s: %" JSON_INTEGER_FORMAT " zones are contested: somebody keeps changing them there (zonefanctl "
				    "events)\n", cell_text_at(lane, "name"), cell_number_at(lane, "contested"));
	}
	json_array_foreach(backends, index, lane) {
		if (cell_number_at(lane, "parked") > 0)
			fprintf(to, "%s: %" JSON_INTEGER_FORMAT " deliveries are parked, frozen or dropped: nothing brings those zones "
				    "there (zonefanctl dead list --all)\n", cell_text_at(lane, "name"), cell_number_at(lane, "parked"));
	}
}

void show_status_notes(const json_t *status, FILE *to)
{
	const json_t *store = json_object_get(status, "store");
	size_t index;
	json_t *name;

	if (json_is_true(json_object_get(status, "dry_run")))
		fputs("dry run (app.dry_run): no back end is sent anything\n", to);
	if (!json_is_true(json_object_get(store, "ok")))
		fprintf(to, "the store can't be written: %s\n", cell_text_at(store, "error"));
	show_lane_notes(status, to);
	show_masters(json_object_get(status, "reconciler"), to);
	json_array_foreach(json_object_get(status, "unconfigured"), index, name)
		fprintf(to, "not configured any more: %s (zonefanctl retire)\n", json_string_value(name));
	if (cell_number_at(status, "frozen") > 0)
		fprintf(to, "frozen zones: %" JSON_INTEGER_FORMAT " (zonefanctl zones)\n", cell_number_at(status, "frozen"));
	if (cell_number_at(status, "held") > 0)
		fprintf(to, "held for your word: %" JSON_INTEGER_FORMAT " (zonefanctl held list)\n", cell_number_at(status, "held"));
}

bool show_status(const json_t *status)
{
	static const char *const titles[] = { "BACKEND", "STATE", "SINCE", "PENDING", "OLDEST", "DEAD", "REJECTED",
		"WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *lane;

	printf("status %s, %" JSON_INTEGER_FORMAT " zones, %" JSON_INTEGER_FORMAT " requests under way\n",
		cell_text_at(status, "status"), cell_number_at(json_object_get(status, "zones"), "total"),
		cell_number_at(json_object_get(status, "queues"), "save"));
	json_array_foreach(json_object_get(status, "backends"), index, lane) {
		char *cells[] = { cell_text(lane, "name"), cell_text(lane, "state"), cell_age(lane, "since", false),
			cell_number(lane, "pending"), show_oldest(lane), cell_number(lane, "dead"), cell_number(lane, "rejected"),
			cell_text(lane, "last_error") };

		table_add(&table, cells);
	}
	table_print(&table);
	show_status_notes(status, stdout);
	return strcmp(cell_text_at(status, "status"), "ok") == 0;
}

void show_heal(const json_t *list)
{
	static const char *const titles[] = { "BACKEND", "PASS", "ZONES", "MISSING", "CHANGED", "STAMP", "UNDELETED",
		"STRAY", "REPAIRED", "NOT YET", "SECONDS", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *backend;

	json_array_foreach(json_object_get(list, "backends"), index, backend) {
		const json_t *heal = json_object_get(backend, "heal");
		char *cells[] = { cell_text(backend, "name"),
			xasprintf("%s%s", cell_text_at(heal, "state"), json_is_true(json_object_get(heal, "dry_run")) ?
				" (dry run)" : ""),
			cell_number(heal, "compared"), cell_number(heal, "missing"), cell_number(heal, "changed"),
			cell_number(heal, "stamp"), cell_number(heal, "undeleted"), cell_number(heal, "stray"),
			cell_number(heal, "repaired"),
			xasprintf("%" JSON_INTEGER_FORMAT, cell_number_at(heal, "unrepaired") + cell_number_at(heal, "waiting")),
			xasprintf("%.1f", json_number_value(json_object_get(heal, "seconds"))),
			cell_text(heal, "error") };

		table_add(&table, cells);
	}
	table_print(&table);
}

void show_zones(const json_t *list)
{
	static const char *const titles[] = { "ZONE", "GENERATION", "SERIAL", "RECORDS", "OWNER", "USER", "UPDATED", "FROZEN" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *zone;

	json_array_foreach(json_object_get(list, "zones"), index, zone) {
		char *cells[] = { cell_text(zone, "name"), cell_number(zone, "generation"), cell_number(zone, "serial"),
			cell_number(zone, "records"), cell_text(zone, "hostname"), cell_text(zone, "username"),
			cell_text(zone, "updated_at"), cell_text(json_object_get(zone, "frozen"), "since") };

		table_add(&table, cells);
	}
	table_print(&table);
}

static void show_frozen(const json_t *zone)
{
	const json_t *frozen = json_object_get(zone, "frozen");

	if (!json_is_object(frozen))
		return;
	char *by = cell_text(frozen, "by");
	printf("frozen since %s by %s: it is stored, and not delivered\n", cell_text_at(frozen, "since"), by);
	free(by);
}

/* When all its name servers answered it; else what they do; "-" where nobody asks. */
static char *answered_cell(const json_t *delivery)
{
	if (json_is_string(json_object_get(delivery, "answered_at")))
		return cell_text(delivery, "answered_at");
	return cell_text(delivery, "verify_state");
}

void show_zone(const json_t *zone)
{
	static const char *const titles[] = { "BACKEND", "STATE", "APPLIED", "WANTED", "ATTEMPTS", "NEXT TRY",
		"WRITTEN AT", "ANSWERED AT", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *delivery;

	printf("%s%s\n", cell_text_at(zone, "name"), json_is_true(json_object_get(zone, "deleted")) ? " (deleted)" : "");
	printf("generation %" JSON_INTEGER_FORMAT ", serial %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
	       " records, digest %s\n",
		cell_number_at(zone, "generation"), cell_number_at(zone, "serial"), cell_number_at(zone, "records"),
		cell_text_at(zone, "digest"));
	char *hostname = cell_text(zone, "hostname"), *username = cell_text(zone, "username");
	printf("owner %s, user %s, updated %s\n", hostname, username, cell_text_at(zone, "updated_at"));
	free(hostname);
	free(username);
	show_frozen(zone);
	json_array_foreach(json_object_get(zone, "deliveries"), index, delivery) {
		bool suspect = json_is_true(json_object_get(delivery, "suspect"));
		bool contested = json_is_true(json_object_get(delivery, "contested"));
		char *cells[] = { cell_text(delivery, "backend"),
			xasprintf("%s%s%s", cell_text_at(delivery, "state"), suspect ? " (suspect)" : "",
				contested ? " (contested)" : ""),
			cell_number(delivery, "applied_generation"), cell_number(delivery, "wanted_generation"),
			cell_number(delivery, "attempts"), cell_age(delivery, "next_try", true),
			cell_text(delivery, "written_at"), answered_cell(delivery),
			cell_text(delivery, json_is_string(json_object_get(delivery, "last_error")) ? "last_error" :
												      "verify_error") };

		table_add(&table, cells);
	}
	table_print(&table);
}

void show_rejected(const json_t *list)
{
	static const char *const titles[] = { "ZONE", "AT", "FROM", "OWNER", "USER", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *refused;

	json_array_foreach(json_object_get(list, "rejected"), index, refused) {
		char *cells[] = { cell_text(refused, "zone"), cell_text(refused, "at"), cell_text(refused, "source"),
			cell_text(refused, "hostname"), cell_text(refused, "username"), cell_text(refused, "error") };

		table_add(&table, cells);
	}
	table_print(&table);
}

void show_refused(const json_t *refused)
{
	static const char *const keys[] = { "zone", "at", "source", "hostname", "error" };
	char *cells[ARRAY_SIZE(keys)];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		cells[i] = cell_text(refused, keys[i]);
	printf("%s, refused %s, from %s (%s)\n%s\n\n", cells[0], cells[1], cells[2], cells[3], cells[4]);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		free(cells[i]);
	records_show_text(cell_text_at(refused, "text"));
}
