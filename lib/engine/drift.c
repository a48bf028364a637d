/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/drift.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	VALUE_MOST = 96,     /* bytes of a value in a line */
	MORE_SIZE = 40,      /* "; and N more" */
	TTL_SIZE = 12
};

void drift_make(const struct zone *wanted, const struct diff_row *rows, size_t count, struct drift *out)
{
	size_t want_count = 0;
	const struct zone_record *want = wanted == NULL ? NULL : zone_records(wanted, &want_count);

	*out = (struct drift){ .want = want, .have = rows };
	diff_make(rows, count, want, want_count, &out->diff);
}

void drift_free(struct drift *drift)
{
	diff_free(&drift->diff);
}

/* ---- a line for people ---- */

/* Any text may stand in a row: what is no text to print is escaped, as in a zone file (RFC 1035 5.1). */
static void add_value(struct buf *out, const char *text)
{
	size_t begin = out->size;

	if (text == NULL) {
		buf_puts(out, "NULL");
		return;
	}
	for (; *text != '\0' && out->size - begin < VALUE_MOST; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte >= 0x7f)
			buf_printf(out, "\\%03u", byte);
		else
			buf_append(out, text, 1);
	}
	if (*text != '\0')
		buf_puts(out, "...");
}

static void add_record(struct buf *out, const char *sign, const char *owner, const char *type, const char *data)
{
	buf_puts(out, sign);
	add_value(out, owner);
	buf_puts(out, " ");
	add_value(out, type);
	buf_puts(out, " ");
	add_value(out, data);
}

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void add_field(struct buf *out, const char *name, const char *wanted, const char *there)
{
	if (same(wanted, there))
		return;
	buf_printf(out, " %s %s -> ", name, wanted);
	add_value(out, there);
}

static const char *ttl_text(const struct zone_record *record, char out[TTL_SIZE])
{
	snprintf(out, TTL_SIZE, "%" PRIu32, record->ttl);
	return out;
}

static void describe_op(const struct drift *drift, const struct diff_op *op, struct buf *out)
{
	const struct diff_row *row = op->kind == DIFF_INSERT ? NULL : &drift->have[op->have];
	const struct zone_record *record = op->kind == DIFF_DELETE ? NULL : &drift->want[op->want];
	char ttl[TTL_SIZE];

	if (op->kind == DIFF_DELETE) {
		add_record(out, "+", row->owner, row->type, row->data);
		return;
	}
	add_record(out, op->kind == DIFF_INSERT ? "-" : "", record->owner, record->type, record->data);
	if (op->kind == DIFF_INSERT)
		return;
	if (!same(record->data, row->data)) {
		buf_puts(out, " -> ");
		add_value(out, row->data);
	}
	add_field(out, "ttl", ttl_text(record, ttl), row->ttl);
	add_field(out, "online", "1", row->online);
}

void drift_describe(const struct drift *drift, struct buf *out)
{
	size_t begin = out->size;
	struct buf one = { 0 };

	for (size_t i = 0; i < drift->diff.count; i++) {
		buf_clear(&one);
		describe_op(drift, &drift->diff.ops[i], &one);
		/* One record alone always has room. */
		if (i > 0 && out->size - begin + one.size + MORE_SIZE > DRIFT_TEXT_SIZE) {
			buf_printf(out, "; and %zu more", drift->diff.count - i);
			break;
		}
		buf_printf(out, "%s%s", i > 0 ? "; " : "", one.data);
	}
	buf_free(&one);
}

/* ---- a list for programs ---- */

static const char *const changes[] = { [DIFF_UPDATE] = "change", [DIFF_DELETE] = "remove", [DIFF_INSERT] = "add" };

static void list_row(struct doc *object, const struct diff_row *row)
{
	doc_text(object, "data", row->data);
	doc_text(object, "ttl", row->ttl);
	doc_text(object, "online", row->online);
}

static void list_op(const struct drift *drift, const struct diff_op *op, struct doc *list)
{
	const struct diff_row *row = op->kind == DIFF_INSERT ? NULL : &drift->have[op->have];
	const struct zone_record *record = op->kind == DIFF_DELETE ? NULL : &drift->want[op->want];
	struct doc *object = doc_object(list, NULL);
	char ttl[TTL_SIZE];

	doc_text(object, "change", changes[op->kind]);
	doc_text(object, "hostname", op->kind == DIFF_DELETE ? row->owner : record->owner);
	doc_text(object, "type", op->kind == DIFF_DELETE ? row->type : record->type);
	if (op->kind == DIFF_DELETE) {
		list_row(object, row);
		return;
	}
	doc_text(object, "data", record->data);
	doc_text(object, "ttl", ttl_text(record, ttl));
	if (op->kind == DIFF_UPDATE)
		list_row(doc_object(object, "was"), row);
}

size_t drift_list(const struct drift *drift, size_t most, struct doc *list)
{
	size_t count = drift->diff.count < most ? drift->diff.count : most;

	for (size_t i = 0; i < count; i++)
		list_op(drift, &drift->diff.ops[i], list);
	return count;
}

void drift_count(const struct drift *drift, size_t *added, size_t *changed, size_t *removed)
{
	*added = *changed = *removed = 0;
	for (size_t i = 0; i < drift->diff.count; i++) {
		enum diff_kind kind = drift->diff.ops[i].kind;

		*added += kind == DIFF_INSERT;
		*changed += kind == DIFF_UPDATE;
		*removed += kind == DIFF_DELETE;
	}
}
