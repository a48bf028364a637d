/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"

enum { COLUMNS_MAX = 12 };

/* ---- a table ---- */

struct table {
	size_t widths[COLUMNS_MAX];
	size_t columns;
	size_t row_count;
	char ***all;
};

static void add_row(struct table *table, char *const *cells)
{
	char **row = xcalloc(table->columns, sizeof(*row));

	for (size_t i = 0; i < table->columns; i++) {
		size_t width = strlen(cells[i]);

		row[i] = cells[i];
		if (width > table->widths[i])
			table->widths[i] = width;
	}
	table->all = xrealloc(table->all, (table->row_count + 1) * sizeof(*table->all));
	table->all[table->row_count++] = row;
}

static struct table table_of(size_t columns, const char *const *titles)
{
	struct table table = { .columns = columns };
	char *cells[COLUMNS_MAX];

	for (size_t i = 0; i < columns; i++)
		cells[i] = xstrdup(titles[i]);
	add_row(&table, cells);
	return table;
}

/* Prints and frees it. The last column is not padded: it may be long. */
static void print_table(struct table *table)
{
	for (size_t i = 0; i < table->row_count; i++) {
		for (size_t k = 0; k < table->columns; k++) {
			if (k + 1 < table->columns)
				printf("%-*s  ", (int)table->widths[k], table->all[i][k]);
			else
				printf("%s\n", table->all[i][k]);
			free(table->all[i][k]);
		}
		free(table->all[i]);
	}
	free(table->all);
}

/* ---- values ---- */

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL || text[0] == '\0' ? "-" : text;
}

static json_int_t number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static char *number_cell(const json_t *object, const char *key)
{
	return xasprintf("%" JSON_INTEGER_FORMAT, number_at(object, key));
}

/* What a remote end sent goes to a terminal: control characters must not. */
static char *text_cell(const json_t *object, const char *key)
{
	char *cell = xstrdup(text_at(object, key));

	for (char *c = cell; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	return cell;
}

static char *duration_cell(double seconds)
{
	int64_t whole = (int64_t)seconds;

	if (whole < 60)
		return xasprintf("%" PRId64 "s", whole);
	if (whole < 3600)
		return xasprintf("%" PRId64 "m%02" PRId64 "s", whole / 60, whole % 60);
	if (whole < 86400)
		return xasprintf("%" PRId64 "h%02" PRId64 "m", whole / 3600, whole % 3600 / 60);
	return xasprintf("%" PRId64 "d%02" PRId64 "h", whole / 86400, whole % 86400 / 3600);
}

/* How long from now to (or since) the RFC 3339 time at key; "-" if there is none. */
static char *age_cell(const json_t *object, const char *key, bool ahead)
{
	const char *text = json_string_value(json_object_get(object, key));
	struct tm parts = { 0 };

	if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
		return xstrdup("-");
	double seconds = difftime(time(NULL), timegm(&parts));
	if (ahead)
		seconds = -seconds;
	return duration_cell(seconds < 0 ? 0 : seconds);
}

/* ---- what is shown ---- */

static void show_running_heal(const json_t *lane)
{
	const json_t *heal = json_object_get(lane, "heal");

	if (heal == NULL || !json_is_null(json_object_get(heal, "ended_at")))
		return;
	char *age = age_cell(heal, "started_at", false);
	printf("%s: healing pass, %s since %s, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
	       " zones compared, %" JSON_INTEGER_FORMAT " differ\n",
		text_at(lane, "name"), text_at(heal, "state"), age, number_at(heal, "compared"), number_at(heal, "zones"),
		number_at(heal, "missing") + number_at(heal, "changed") + number_at(heal, "stamp") +
			number_at(heal, "undeleted"));
	free(age);
}

bool show_status(const json_t *status)
{
	static const char *const titles[] = { "BACKEND", "STATE", "SINCE", "PENDING", "OLDEST", "DEAD", "REJECTED",
		"WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	const json_t *store = json_object_get(status, "store");
	size_t index;
	json_t *lane;

	printf("status %s, %" JSON_INTEGER_FORMAT " zones, %" JSON_INTEGER_FORMAT " requests under way\n",
		text_at(status, "status"), number_at(json_object_get(status, "zones"), "total"),
		number_at(json_object_get(status, "queues"), "save"));
	if (json_is_true(json_object_get(status, "dry_run")))
		puts("dry run (app.dry_run): no back end is sent anything");
	if (!json_is_true(json_object_get(store, "ok")))
		printf("the store can't be written: %s\n", text_at(store, "error"));
	json_array_foreach(json_object_get(status, "backends"), index, lane) {
		const json_t *oldest = json_object_get(lane, "oldest_pending_seconds");
		char *cells[] = { text_cell(lane, "name"), text_cell(lane, "state"), age_cell(lane, "since", false),
			number_cell(lane, "pending"),
			json_is_null(oldest) ? xstrdup("-") : duration_cell(json_number_value(oldest)),
			number_cell(lane, "dead"), number_cell(lane, "rejected"), text_cell(lane, "last_error") };

		add_row(&table, cells);
	}
	print_table(&table);
	json_array_foreach(json_object_get(status, "backends"), index, lane)
		show_running_heal(lane);
	return strcmp(text_at(status, "status"), "ok") == 0;
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
		char *cells[] = { text_cell(backend, "name"),
			xasprintf("%s%s", text_at(heal, "state"), json_is_true(json_object_get(heal, "dry_run")) ?
				" (dry run)" : ""),
			number_cell(heal, "compared"), number_cell(heal, "missing"), number_cell(heal, "changed"),
			number_cell(heal, "stamp"), number_cell(heal, "undeleted"), number_cell(heal, "stray"),
			number_cell(heal, "repaired"), number_cell(heal, "unrepaired"),
			xasprintf("%.1f", json_number_value(json_object_get(heal, "seconds"))),
			text_cell(heal, "error") };

		add_row(&table, cells);
	}
	print_table(&table);
}

void show_zones(const json_t *list)
{
	static const char *const titles[] = { "ZONE", "GENERATION", "SERIAL", "RECORDS", "OWNER", "USER", "UPDATED" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *zone;

	json_array_foreach(json_object_get(list, "zones"), index, zone) {
		char *cells[] = { text_cell(zone, "name"), number_cell(zone, "generation"), number_cell(zone, "serial"),
			number_cell(zone, "records"), text_cell(zone, "hostname"), text_cell(zone, "username"),
			text_cell(zone, "updated_at") };

		add_row(&table, cells);
	}
	print_table(&table);
}

void show_zone(const json_t *zone)
{
	static const char *const titles[] = { "BACKEND", "STATE", "APPLIED", "WANTED", "ATTEMPTS", "NEXT TRY",
		"WRITTEN AT", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *delivery;

	printf("%s%s\n", text_at(zone, "name"), json_is_true(json_object_get(zone, "deleted")) ? " (deleted)" : "");
	printf("generation %" JSON_INTEGER_FORMAT ", serial %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
	       " records, digest %s\n",
		number_at(zone, "generation"), number_at(zone, "serial"), number_at(zone, "records"),
		text_at(zone, "digest"));
	char *hostname = text_cell(zone, "hostname"), *username = text_cell(zone, "username");
	printf("owner %s, user %s, updated %s\n", hostname, username, text_at(zone, "updated_at"));
	free(hostname);
	free(username);
	json_array_foreach(json_object_get(zone, "deliveries"), index, delivery) {
		bool suspect = json_is_true(json_object_get(delivery, "suspect"));
		char *cells[] = { text_cell(delivery, "backend"),
			xasprintf("%s%s", text_at(delivery, "state"), suspect ? " (suspect)" : ""),
			number_cell(delivery, "applied_generation"), number_cell(delivery, "wanted_generation"),
			number_cell(delivery, "attempts"), age_cell(delivery, "next_try", true),
			text_cell(delivery, "applied_at"), text_cell(delivery, "last_error") };

		add_row(&table, cells);
	}
	print_table(&table);
}

void show_rejected(const json_t *list)
{
	static const char *const titles[] = { "ZONE", "AT", "FROM", "OWNER", "USER", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *refused;

	json_array_foreach(json_object_get(list, "rejected"), index, refused) {
		char *cells[] = { text_cell(refused, "zone"), text_cell(refused, "at"), text_cell(refused, "source"),
			text_cell(refused, "hostname"), text_cell(refused, "username"), text_cell(refused, "error") };

		add_row(&table, cells);
	}
	print_table(&table);
}

void show_refused(const json_t *refused)
{
	static const char *const keys[] = { "zone", "at", "source", "hostname", "error" };
	char *cells[ARRAY_SIZE(keys)];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		cells[i] = text_cell(refused, keys[i]);
	printf("%s, refused %s, from %s (%s)\n%s\n\n", cells[0], cells[1], cells[2], cells[3], cells[4]);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		free(cells[i]);
	for (const char *c = text_at(refused, "text"); *c != '\0'; c++)
		putchar(((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f ? '?' : *c);
}

void show_events(const json_t *list)
{
	static const char *const titles[] = { "AT", "KIND", "ZONE", "BACKEND", "FROM", "WHAT" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *event;

	json_array_foreach(json_object_get(list, "events"), index, event) {
		char *cells[] = { text_cell(event, "at"), text_cell(event, "kind"), text_cell(event, "zone"),
			text_cell(event, "backend"), text_cell(event, "source"), text_cell(event, "detail") };

		add_row(&table, cells);
	}
	print_table(&table);
}
