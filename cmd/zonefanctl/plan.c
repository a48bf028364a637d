/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "exit.h"
#include "table.h"

/* What was found over all pages of all back ends. */
struct plan {
	const struct call *call;
	json_t *backends;      /* for --json */
	bool differs;
	bool unknown;
};

/* Of one back end. */
struct tally {
	json_int_t compared, zones, added, changed, removed;
};

/* ---- for people ---- */

static void print_record(const json_t *record)
{
	const char *change = cell_text_at(record, "change");
	const json_t *was = json_object_get(record, "was");
	char *cells[] = { cell_text(record, "hostname"), cell_text(record, "ttl"), cell_text(record, "type"),
		cell_text(record, "data") };

	printf("  %c %s %s %s %s", strcmp(change, "add") == 0 ? '+' : strcmp(change, "remove") == 0 ? '-' : '~', cells[0],
		cells[1], cells[2], cells[3]);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		free(cells[i]);
	if (was != NULL) {
		char *ttl = cell_text(was, "ttl"), *data = cell_text(was, "data");
		bool online = strcmp(cell_text_at(was, "online"), "1") == 0;

		printf("  (is %s %s%s)", ttl, data, online ? "" : ", not online");
		free(ttl);
		free(data);
	}
	putchar('\n');
}

static void print_zone(const char *backend, const json_t *zone)
{
	const char *change = cell_text_at(zone, "change");
	size_t index;
	json_t *record;

	if (strcmp(change, "unknown") == 0) {
		char *error = cell_text(zone, "error");

		printf("%s: %s: not known: %s\n", backend, cell_text_at(zone, "zone"), error);
		free(error);
		return;
	}
	printf("%s: %s%s: %" JSON_INTEGER_FORMAT " added, %" JSON_INTEGER_FORMAT " changed, %" JSON_INTEGER_FORMAT " removed\n",
		backend, cell_text_at(zone, "zone"),
		strcmp(change, "add") == 0 ? " (is not there)" : strcmp(change, "remove") == 0 ? " (is to go)" : "",
		cell_number_at(zone, "added"), cell_number_at(zone, "changed"), cell_number_at(zone, "removed"));
	json_array_foreach(json_object_get(zone, "records"), index, record)
		print_record(record);
	if (cell_number_at(zone, "unlisted") > 0)
		printf("  and %" JSON_INTEGER_FORMAT " more\n", cell_number_at(zone, "unlisted"));
}

static void print_end(const char *backend, const struct tally *tally, const char *error)
{
	if (error != NULL) {
		printf("%s: can't be asked: %s\n", backend, error);
		return;
	}
	printf("%s: %" JSON_INTEGER_FORMAT " zones compared, %" JSON_INTEGER_FORMAT " differ", backend, tally->compared,
		tally->zones);
	if (tally->zones > 0)
		printf(": %" JSON_INTEGER_FORMAT " records to add, %" JSON_INTEGER_FORMAT " to change, %" JSON_INTEGER_FORMAT
		       " to remove", tally->added, tally->changed, tally->removed);
	putchar('\n');
}

/* ---- the walk ---- */

static void take_page(struct plan *plan, const char *backend, const json_t *page, json_t *zones, struct tally *tally)
{
	size_t index;
	json_t *zone;

	tally->compared += cell_number_at(page, "compared");
	json_array_foreach(json_object_get(page, "zones"), index, zone) {
		bool unknown = strcmp(cell_text_at(zone, "change"), "unknown") == 0;

		plan->unknown = plan->unknown || unknown;
		plan->differs = plan->differs || !unknown;
		tally->zones++;
		tally->added += cell_number_at(zone, "added");
		tally->changed += cell_number_at(zone, "changed");
		tally->removed += cell_number_at(zone, "removed");
		if (call_has(plan->call, OPTION_JSON))
			json_array_append(zones, zone);
		else
			print_zone(backend, zone);
	}
}

static int get_page(const struct plan *plan, const char *backend, const char *after, json_t **page, struct err *err)
{
	char *name = client_encode(backend);
	char *value = client_encode(plan->call->word_count > 0 ? plan->call->words[0] : after);
	char *path = xasprintf("/api/v1/plan?backend=%s&%s=%s", name, plan->call->word_count > 0 ? "zone" : "after", value);
	int ret = client_get(plan->call->client, path, page, err);

	free(name);
	free(value);
	free(path);
	return ret;
}

static void keep(struct plan *plan, const char *backend, const json_t *page, json_t *zones, const struct tally *tally)
{
	json_t *entry = json_pack("{s:s, s:O, s:I, s:O, s:o}", "name", backend, "state", json_object_get(page, "state"),
		"compared", tally->compared, "error", json_object_get(page, "error"), "zones", zones);

	CHECK(entry != NULL);
	json_array_append_new(plan->backends, entry);
}

/* All pages of one back end. */
static int walk(struct plan *plan, const char *backend, struct err *err)
{
	struct tally tally = { 0 };
	json_t *zones = json_array();
	char *after = xstrdup("");
	json_t *page = NULL;
	int ret;

	for (bool more = true; more;) {
		ret = get_page(plan, backend, after, &page, err);
		if (ret != ERR_OK)
			break;
		take_page(plan, backend, page, zones, &tally);
		const char *next = json_string_value(json_object_get(page, "next"));
		free(after);
		after = xstrdup(next == NULL ? "" : next);
		more = next != NULL;
		if (more)
			json_decref(page);
	}
	free(after);
	if (ret != ERR_OK) {
		json_decref(zones);
		return ret;
	}
	const char *error = json_string_value(json_object_get(page, "error"));
	plan->unknown = plan->unknown || error != NULL;
	if (!call_has(plan->call, OPTION_JSON))
		print_end(backend, &tally, error);
	keep(plan, backend, page, zones, &tally);
	json_decref(page);
	return ERR_OK;
}

static int walk_all(struct plan *plan, struct err *err)
{
	size_t index;
	json_t *answer, *backend;
	int ret = client_get(plan->call->client, "/api/v1/heal", &answer, err);

	if (ret != ERR_OK)
		return ret;
	json_array_foreach(json_object_get(answer, "backends"), index, backend) {
		ret = walk(plan, cell_text_at(backend, "name"), err);
		if (ret != ERR_OK)
			break;
	}
	json_decref(answer);
	return ret;
}

static void show_nothing(const json_t *answer)
{
	(void)answer; /* it was printed page by page */
}

int plan_command(const struct call *call)
{
	struct plan plan = { .call = call, .backends = json_array() };
	struct err err;
	int ret = call->options[OPTION_BACKEND] != NULL ? walk(&plan, call->options[OPTION_BACKEND], &err) : walk_all(&plan, &err);
	json_t *answer = json_pack("{s:o}", "backends", plan.backends);

	if (ret != ERR_OK) {
		json_decref(answer);
		return commands_failed(&err);
	}
	int code = commands_finish(call, ret, &err, answer, show_nothing);
	return code != EXIT_WELL || plan.unknown ? EXIT_FAILED : plan.differs ? EXIT_BEHIND : EXIT_WELL;
}
