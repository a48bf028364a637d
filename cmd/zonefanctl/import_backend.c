/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones that already stand in the databases of the back ends: those of one
 * are taken over, compared with the others', and what differs there is told;
 * delivering makes them all equal. What makes no zone stays as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "exit.h"
#include "import.h"
#include "import_compare.h"
#include "import_report.h"
#include "import_source.h"
#include "progress.h"
#include "table.h"
#include "wire_engine.h"
#include "zone/rows.h"

/* The import under way. */
struct adoption {
	const struct call *call;
	struct wire_engine wire;
	struct import_source *sources;  /* all back ends, in the order of the configuration */
	size_t count;
	struct import_source *from;     /* whose zones are taken */
	struct import_source *prefer;   /* whose text counts where they differ */
	struct importer *importer;
	struct import_report report;
};

/* ---- which back ends ---- */

static int no_such(const struct wire_engine *wire, const char *name, struct err *err)
{
	struct buf names = { 0 };

	for (size_t i = 0; i < wire->params.backend_count; i++)
		buf_printf(&names, "%s%s", i == 0 ? "" : ", ", wire->params.backends[i].name);
	int ret = err_set(err, ERR_NOTFOUND, "there is no back end %s; there are: %s", name,
		names.size == 0 ? "none" : names.data);
	buf_free(&names);
	return ret;
}

static int find(const struct adoption *adoption, const char *name, struct import_source **out, struct err *err)
{
	for (size_t i = 0; i < adoption->count; i++) {
		if (strcmp(adoption->wire.params.backends[i].name, name) == 0) {
			*out = &adoption->sources[i];
			return ERR_OK;
		}
	}
	return no_such(&adoption->wire, name, err);
}

static int open_sources(struct adoption *adoption, struct err *err)
{
	const char *prefer = adoption->call->options[OPTION_PREFER];

	adoption->count = adoption->wire.params.backend_count;
	adoption->sources = xcalloc(adoption->count, sizeof(*adoption->sources));
	int ret = find(adoption, adoption->call->words[1], &adoption->from, err);
	if (ret == ERR_OK)
		ret = find(adoption, prefer == NULL ? adoption->call->words[1] : prefer, &adoption->prefer, err);
	if (ret != ERR_OK)
		return ret;
	for (size_t i = 0; i < adoption->count; i++)
		import_source_open(&adoption->sources[i], &adoption->wire.params.backends[i]);
	for (size_t i = 0; i < adoption->count; i++) {
		const struct import_source *source = &adoption->sources[i];

		if (!source->readable && (source == adoption->from || source == adoption->prefer))
			return err_set(err, ERR_IO, "back end %s can't be read: %s", source->name, source->error);
		adoption->report.left_out = adoption->report.left_out || !source->readable;
	}
	return ERR_OK;
}

/* ---- one zone ---- */

static void refuse(struct adoption *adoption, const char *zone, const char *result, const char *reason)
{
	struct import_outcome outcome = { 0 };
	char plain[ZONE_NAME_SIZE];

	snprintf(outcome.result, sizeof(outcome.result), "%s", result);
	snprintf(outcome.reason, sizeof(outcome.reason), "%s", reason);
	import_report_add(&adoption->report, strlen(zone) < sizeof(plain) ? zone_name_plain(zone, plain) : zone, &outcome, NULL);
}

/* {backends: [...]}, or NULL: they all hold just that. */
static json_t *compare(struct adoption *adoption, size_t at, const struct zone *zone)
{
	json_t *list = json_array();

	for (size_t i = 0; i < adoption->count; i++) {
		struct import_source *source = &adoption->sources[i];
		json_t *drift = source->readable ? import_compare(source->name, &source->rows[at], zone) : NULL;

		if (drift == NULL)
			continue;
		source->missing += !source->rows[at].exists;
		source->differing += source->rows[at].exists;
		json_array_append_new(list, drift);
	}
	if (json_array_size(list) > 0)
		return json_pack("{s:o}", "backends", list);
	json_decref(list);
	return NULL;
}

static int submit(struct adoption *adoption, size_t at, const struct zone *zone, struct err *err)
{
	struct buf text = { 0 };
	struct import_outcome outcome = { 0 };
	char plain[ZONE_NAME_SIZE];

	zone_print(zone, &text);
	const struct import_zone content = { .name = zone_name_plain(zone_name(zone), plain), .text = text.data,
		.text_size = text.size };
	int ret = importer_submit(adoption->importer, &content, &outcome, err);
	if (ret == ERR_OK)
		import_report_add(&adoption->report, plain, &outcome, compare(adoption, at, zone));
	buf_free(&text);
	return ret;
}

static int adopt(struct adoption *adoption, size_t at, struct err *err)
{
	const struct import_source *chosen =
		adoption->prefer->rows[at].exists ? adoption->prefer : adoption->from;
	const struct backend_rows *rows = &chosen->rows[at];
	struct zone *zone;
	struct err fault;

	if (!rows->exists)
		return ERR_OK; /* it went while we looked */
	if (rows->cut)
		err_set(&fault, ERR_LIMIT, "%s: too large to be read", chosen->name);
	else if (rows_make_zone(rows->name, rows->rows, (size_t)rows->count, adoption->wire.params.max_zone_records, &zone,
			 &fault) == ERR_OK) {
		int ret = submit(adoption, at, zone, err);

		zone_unref(zone);
		return ret;
	} else {
		err_prefix(&fault, "%s", chosen->name);
	}
	refuse(adoption, rows->name, "refused", fault.text);
	return ERR_OK;
}

/* ---- all of them ---- */

/* The same zones at every back end that can be read; *done: how many of them each has given. */
static int read_all(struct adoption *adoption, char *const *names, size_t count, size_t *done, struct err *err)
{
	int ret = ERR_OK;

	*done = count;
	for (size_t i = 0; i < adoption->count && ret == ERR_OK; i++) {
		if (adoption->sources[i].readable)
			ret = import_source_read(&adoption->sources[i], names, *done, done, err);
	}
	return ret;
}

static int adopt_all(struct adoption *adoption, struct err *err)
{
	const struct import_source *from = adoption->from;
	struct progress progress;
	int ret = ERR_OK;

	progress_begin(&progress, "importing", "zones");
	for (size_t at = 0, done = 0; at < from->count && ret == ERR_OK; at += done) {
		size_t left = from->count - at;

		ret = read_all(adoption, from->names + at, left < BACKEND_READ_MOST ? left : BACKEND_READ_MOST, &done, err);
		for (size_t i = 0; i < done && ret == ERR_OK; i++) {
			progress_tell(&progress, at + i, from->count);
			ret = adopt(adoption, i, err);
		}
	}
	progress_end(&progress);
	for (size_t i = 0; i < from->odd_count && ret == ERR_OK; i++)
		refuse(adoption, from->odd[i], "refused", "not a zone name in lower case with its final dot: nobody is served it");
	return ret;
}

/* Zones that others have and the chosen one has not: nobody can tell here whether they are too many or too few. */
static void tell_alone(struct adoption *adoption)
{
	for (size_t i = 0; i < adoption->count; i++) {
		struct import_source *source = &adoption->sources[i];
		char *reason = xasprintf("at %s alone, left as it is: import backend %s takes it", source->name, source->name);

		for (size_t k = 0; k < source->count; k++) {
			if (source == adoption->from || import_source_has(adoption->from, source->names[k]))
				continue;
			source->alone++;
			refuse(adoption, source->names[k], "elsewhere", reason);
		}
		free(reason);
	}
}

static int run(struct adoption *adoption, struct err *err)
{
	int ret = open_sources(adoption, err);

	if (ret == ERR_OK)
		ret = importer_open(adoption->call, &adoption->importer, err);
	if (ret == ERR_OK)
		ret = adopt_all(adoption, err);
	if (ret == ERR_OK)
		tell_alone(adoption);
	importer_close(adoption->importer);
	return ret;
}

/* ---- what came of it ---- */

static void show_backends(const json_t *backends)
{
	static const char *const titles[] = { "BACKEND", "ZONES", "DIFFERING", "MISSING", "ALONE", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *backend;

	json_array_foreach(backends, index, backend) {
		char *cells[] = { cell_text(backend, "name"), cell_number(backend, "zones"), cell_number(backend, "differing"),
			cell_number(backend, "missing"), cell_number(backend, "alone"), cell_text(backend, "error") };

		table_add(&table, cells);
	}
	table_print(&table);
}

static void show(const json_t *answer)
{
	size_t index;
	json_t *zone;

	printf("from the database of %s\n", cell_text_at(answer, "source"));
	show_backends(json_object_get(answer, "backends"));
	import_report_show(answer);
	json_array_foreach(json_object_get(answer, "zones"), index, zone)
		import_compare_show(zone);
}

static int finish(struct adoption *adoption)
{
	const struct call *call = adoption->call;
	json_t *answer = json_pack("{s:s, s:s, s:b}", "source", adoption->from->name, "prefer", adoption->prefer->name,
		"dry_run", call_has(call, OPTION_DRY_RUN));
	json_t *backends = json_array();
	bool left_out = adoption->report.left_out;
	struct err err = { 0 };

	for (size_t i = 0; i < adoption->count; i++)
		json_array_append_new(backends, import_source_json(&adoption->sources[i]));
	json_object_set_new(answer, "backends", backends);
	import_report_end(&adoption->report, answer);
	int code = commands_finish(call, ERR_OK, &err, answer, show);
	return code == EXIT_WELL && left_out ? EXIT_BEHIND : code;
}

int import_backend(const struct call *call)
{
	struct adoption adoption = { .call = call };
	struct err err;

	if (call->conf == NULL) {
		err_set(&err, ERR_INVALID, "import backend reads the databases itself: it needs --config, not --url");
		return commands_failed(&err);
	}
	import_report_begin(&adoption.report);
	int ret = wire_engine_create(call->conf, &adoption.wire, &err);
	if (ret == ERR_OK)
		ret = run(&adoption, &err);
	int code = ret == ERR_OK ? finish(&adoption) : commands_failed(&err);
	json_decref(adoption.report.counts);
	json_decref(adoption.report.zones);
	for (size_t i = 0; i < adoption.count; i++)
		import_source_close(&adoption.sources[i]);
	free(adoption.sources);
	wire_engine_clear(&adoption.wire);
	return code;
}
