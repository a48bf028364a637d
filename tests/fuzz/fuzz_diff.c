/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two sets of rows, any text: the difference applied to the one gives the other, digests agree with that, no two
 * operations touch one row, and there is no cheaper way.
 *
 * The input: fields that end with 0x01, five to a row that is held ("-": NULL), then behind 0x02 three and a number to a
 * record that is wanted.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "zone/diff.h"

enum { MOST = 32 };

struct sets {
	struct diff_row have[MOST];
	struct zone_record want[MOST];
	char ttls[MOST][12]; /* of want */
	size_t have_count;
	size_t want_count;
	char *texts[MOST * 8];
	size_t text_count;
};

static const char *take_text(struct sets *sets, struct fuzz_input *input)
{
	char *text = fuzz_text(input, '\x01');

	sets->texts[sets->text_count++] = text;
	return text;
}

static const char *take_field(struct sets *sets, struct fuzz_input *input)
{
	const char *text = take_text(sets, input);

	return strcmp(text, "-") == 0 ? NULL : text;
}

static void take_sets(struct sets *sets, struct fuzz_input *input)
{
	while (input->left > 0 && input->at[0] != 2 && sets->have_count < MOST) {
		struct diff_row *row = &sets->have[sets->have_count++];

		row->owner = take_field(sets, input);
		row->type = take_field(sets, input);
		row->data = take_field(sets, input);
		row->ttl = take_field(sets, input);
		row->online = take_field(sets, input);
	}
	fuzz_byte(input);
	while (input->left > 0 && sets->want_count < MOST) {
		struct zone_record *record = &sets->want[sets->want_count++];

		record->owner = take_text(sets, input);
		record->type = take_text(sets, input);
		record->data = take_text(sets, input);
		record->ttl = fuzz_u16(input);
	}
	for (size_t i = 0; i < sets->want_count; i++) {
		char *text = xasprintf("%u", sets->want[i].ttl);

		strncpy(sets->ttls[i], text, sizeof(sets->ttls[i]) - 1);
		free(text);
	}
}

static struct diff_row wanted_row(const struct sets *sets, size_t i)
{
	const struct zone_record *record = &sets->want[i];

	return (struct diff_row){ record->owner, record->type, record->data, sets->ttls[i], "1" };
}

static void add(struct zone_digest *digest, const struct diff_row *row)
{
	zone_digest_add(digest, row->owner, row->type, row->data, row->ttl, row->online);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_rrset(const struct diff_row *a, const struct diff_row *b)
{
	return same(a->owner, b->owner) && same(a->type, b->type);
}

static bool same_row(const struct diff_row *a, const struct diff_row *b)
{
	return same_rrset(a, b) && same(a->data, b->data) && same(a->ttl, b->ttl) && same(a->online, b->online);
}

/* The rows after the difference: those that no operation touched, and what updates and inserts made. */
static void require_applied(const struct sets *sets, const struct diff *diff)
{
	bool touched[MOST] = { false }, made[MOST] = { false };
	struct zone_digest got = { 0 }, want = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < diff->count; i++) {
		const struct diff_op *op = &diff->ops[i];

		FUZZ_REQUIRE(i == 0 || diff->ops[i - 1].kind <= op->kind, "operations are out of order");
		if (op->kind != DIFF_INSERT) {
			FUZZ_REQUIRE(op->have < sets->have_count && !touched[op->have], "row %zu is touched twice", op->have);
			touched[op->have] = true;
		}
		if (op->kind == DIFF_DELETE)
			continue;
		FUZZ_REQUIRE(op->want < sets->want_count && !made[op->want], "record %zu is made twice", op->want);
		made[op->want] = true;
		struct diff_row row = wanted_row(sets, op->want);
		FUZZ_REQUIRE(op->kind != DIFF_UPDATE || same_rrset(&row, &sets->have[op->have]), "an update leaves its RRset");
		add(&got, &row);
	}
	for (size_t i = 0; i < sets->have_count; i++) {
		if (!touched[i])
			add(&got, &sets->have[i]);
		kept += !touched[i];
	}
	for (size_t i = 0; i < sets->want_count; i++) {
		struct diff_row row = wanted_row(sets, i);

		add(&want, &row);
	}
	FUZZ_REQUIRE(zone_digest_equal(&got, &want), "the difference does not give what is wanted");
	FUZZ_REQUIRE(kept == diff->kept, "%zu rows are kept, %zu told", kept, diff->kept);
}

/* Rows of have for which want has one each, by that equality. */
static size_t pairs(const struct sets *sets, bool (*equal)(const struct diff_row *, const struct diff_row *))
{
	bool taken[MOST] = { false };
	size_t count = 0;

	for (size_t i = 0; i < sets->have_count; i++) {
		for (size_t k = 0; k < sets->want_count; k++) {
			struct diff_row row = wanted_row(sets, k);

			if (!taken[k] && equal(&sets->have[i], &row)) {
				taken[k] = true;
				count++;
				break;
			}
		}
	}
	return count;
}

static void require_minimal(const struct sets *sets, const struct diff *diff)
{
	size_t in_place = pairs(sets, same_rrset);

	FUZZ_REQUIRE(diff->kept == pairs(sets, same_row), "rows that are right are written");
	FUZZ_REQUIRE(diff->count == sets->have_count + sets->want_count - in_place - diff->kept, "%zu writes are not the fewest",
		diff->count);
}

static void require_digest_text(const struct zone_digest *digest)
{
	char text[ZONE_DIGEST_TEXT_SIZE];
	struct zone_digest again;
	struct err err;

	FUZZ_REQUIRE(zone_digest_parse(zone_digest_text(digest, text), digest->count, &again, &err) == 0, "%s", err.text);
	FUZZ_REQUIRE(zone_digest_equal(digest, &again), "%s is another digest", text);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct sets sets = { .have_count = 0 };
	struct zone_digest digest = { 0 };
	struct diff diff;
	struct err err;

	take_sets(&sets, &input);
	diff_make(sets.have, sets.have_count, sets.want, sets.want_count, &diff);
	require_applied(&sets, &diff);
	require_minimal(&sets, &diff);
	diff_free(&diff);
	for (size_t i = 0; i < sets.have_count; i++)
		add(&digest, &sets.have[i]);
	require_digest_text(&digest);
	for (size_t i = 0; i < sets.text_count; i++) {
		if (zone_digest_parse(sets.texts[i], 1, &digest, &err) == 0)
			require_digest_text(&digest);
		free(sets.texts[i]);
	}
}
