/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/inspect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drift.h"

struct inspect *inspect_create(enum inspect_form form, const char *store_id, size_t room)
{
	struct inspect *inspect = xcalloc(1, sizeof(*inspect));

	inspect->form = form;
	memcpy(inspect->store_id, store_id, sizeof(inspect->store_id));
	inspect->zones = xcalloc(room, sizeof(*inspect->zones));
	return inspect;
}

void inspect_destroy(struct inspect *inspect)
{
	if (inspect == NULL)
		return;
	for (size_t i = 0; i < inspect->count; i++) {
		source_unref(inspect->zones[i].source);
		buf_free(&inspect->zones[i].text);
	}
	free(inspect->zones);
	doc_destroy(inspect->list);
	free(inspect);
}

void inspect_add(struct inspect *inspect, const struct store_zone *zone, struct source *source)
{
	struct inspect_zone *added = &inspect->zones[inspect->count++];

	*added = (struct inspect_zone){ .zone_id = zone->id, .generation = zone->generation, .deleted = zone->deleted,
		.digest = zone->digest, .source = source };
	memcpy(added->name, zone->name, sizeof(added->name));
}

const char *inspect_text(const struct inspect *inspect, int64_t zone_id)
{
	for (size_t i = 0; inspect != NULL && i < inspect->done; i++) {
		if (inspect->zones[i].zone_id == zone_id && inspect->zones[i].text.size > 0)
			return inspect->zones[i].text.data;
	}
	return NULL;
}

/* ---- comparing ---- */

static struct zone_digest digest_of(const struct backend_rows *rows)
{
	struct zone_digest digest = { 0 };

	for (uint64_t i = 0; !rows->cut && i < rows->count; i++)
		zone_digest_add(&digest, rows->rows[i].owner, rows->rows[i].type, rows->rows[i].data, rows->rows[i].ttl,
			rows->rows[i].online);
	return digest;
}

/* As page_judge has it, but for the stamps: a deleted zone that somebody made anew is theirs. */
static bool differs(const struct inspect *inspect, const struct inspect_zone *zone, const struct backend_rows *rows)
{
	if (!rows->exists)
		return !zone->deleted;
	struct zone_digest actual = digest_of(rows);
	bool alike = !rows->cut && zone_digest_equal(&actual, &zone->digest);
	if (!zone->deleted)
		return !alike;
	return strcmp(rows->stamp.store_id, inspect->store_id) == 0 && (!rows->deleted || alike);
}

static void describe(struct inspect_zone *zone, const struct zone *wanted, const struct backend_rows *rows)
{
	struct drift drift;

	if (rows->cut)
		return;
	drift_make(wanted, rows->rows, rows->count, &drift);
	drift_describe(&drift, &zone->text);
	drift_free(&drift);
}

static void list(struct inspect *inspect, const struct inspect_zone *zone, const struct zone *wanted,
	const struct backend_rows *rows, struct doc *object)
{
	size_t added, changed, removed;
	struct drift drift;

	drift_make(wanted, rows->rows, rows->count, &drift);
	drift_count(&drift, &added, &changed, &removed);
	doc_text(object, "change", zone->deleted ? "remove" : rows->exists ? "change" : "add");
	doc_uint(object, "added", added);
	doc_uint(object, "changed", changed);
	doc_uint(object, "removed", removed);
	size_t listed = drift_list(&drift, INSPECT_ZONE_RECORDS, doc_list(object, "records"));
	inspect->listed += listed;
	doc_uint(object, "unlisted", drift.diff.count - listed);
	doc_null(object, "error");
	drift_free(&drift);
}

/* What is not known is said, and is no equality. */
static void list_unknown(struct doc *object, const char *why)
{
	doc_text(object, "change", "unknown");
	doc_text(object, "error", why);
}

static void tell(struct inspect *inspect, struct inspect_zone *zone, const struct backend_rows *rows,
	size_t max_zone_records)
{
	struct doc *object = inspect->form == INSPECT_LIST ? doc_object(inspect->zone_list, NULL) : NULL;
	struct err err = { 0 };
	struct zone *wanted = zone->deleted ? NULL : source_zone(zone->source, zone->name, max_zone_records, &err);

	if (object == NULL) {
		if (zone->deleted || wanted != NULL)
			describe(zone, wanted, rows);
		return;
	}
	doc_name(object, "zone", zone->name);
	if (!zone->deleted && wanted == NULL) {
		err_prefix(&err, "the stored text is not accepted any more");
		list_unknown(object, err.text);
	} else if (rows->cut) {
		char *text = xasprintf("it has %" PRIu64 " rows there, more than can be compared", rows->count);

		list_unknown(object, text);
		free(text);
	} else {
		list(inspect, zone, wanted, rows, object);
	}
}

/* One answer of the back end. False: the page is full. */
static bool take(struct inspect *inspect, const struct backend_read *read, size_t max_zone_records)
{
	for (size_t i = 0; i < read->done; i++) {
		struct inspect_zone *zone = &inspect->zones[inspect->done++];

		if (differs(inspect, zone, &read->zones[i]))
			tell(inspect, zone, &read->zones[i], max_zone_records);
		if (inspect->listed >= INSPECT_RECORDS)
			return false;
	}
	return true;
}

void inspect_run(struct inspect *inspect, struct backend *backend, size_t max_zone_records)
{
	struct backend_rows *rows = xcalloc(inspect->count + 1, sizeof(*rows));
	bool more = true;

	inspect->verdict = BACKEND_OK;
	for (size_t i = 0; i < inspect->count; i++)
		rows[i].name = inspect->zones[i].name;
	while (more && inspect->done < inspect->count) {
		size_t left = inspect->count - inspect->done;
		struct backend_read read = { .zones = rows + inspect->done,
			.count = left < BACKEND_READ_MOST ? left : BACKEND_READ_MOST };

		inspect->verdict = backend->ops->read(backend, &read, &inspect->err);
		more = inspect->verdict == BACKEND_OK && take(inspect, &read, max_zone_records);
		backend_read_free(&read);
	}
	free(rows);
}
