/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/serial.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* Master file text as a row of words (RFC 1035 5.1). */
struct words {
	const char *at;
	const char *end;
	unsigned depth;      /* of parentheses */
	size_t in_record;    /* words of this record so far */
};

struct word {
	const char *start;   /* NULL: there are no more */
	size_t size;
	size_t index;        /* in its record; an inherited owner counts as the first word */
};

static void end_line(struct words *words)
{
	if (words->depth > 0)
		return;
	words->in_record = words->at < words->end && (*words->at == ' ' || *words->at == '\t') ? 1 : 0;
}

static void skip_comment(struct words *words)
{
	while (words->at < words->end && *words->at != '\n')
		words->at++;
}

static const char *end_of_word(const struct words *words)
{
	bool quoted = false;
	const char *at = words->at;

	for (; at < words->end; at++) {
		if (*at == '\\' && at + 1 < words->end)
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && strchr(" \t\r\n;()", *at) != NULL && *at != '\0')
			break;
	}
	return at;
}

static struct word next_word(struct words *words)
{
	while (words->at < words->end) {
		char c = *words->at;

		if (c == ';') {
			skip_comment(words);
		} else if (strchr(" \t\r\n()", c) == NULL || c == '\0') {
			struct word word = { .start = words->at, .index = words->in_record++ };

			words->at = end_of_word(words);
			word.size = (size_t)(words->at - word.start);
			return word;
		} else {
			words->at++;
			words->depth += c == '(';
			words->depth -= c == ')' && words->depth > 0;
			if (c == '\n')
				end_line(words);
		}
	}
	return (struct word){ 0 };
}

static bool is_number(const struct word *word)
{
	for (size_t i = 0; i < word->size; i++) {
		if (word->start[i] < '0' || word->start[i] > '9')
			return false;
	}
	return word->size > 0;
}

/* The third word of the SOA's data. An owner may be called "soa" too, so the type is never the first word. */
static struct word find_serial(const char *text, size_t size)
{
	struct words words = { .at = text, .end = text + size };
	size_t soa = 0;

	end_line(&words);
	for (;;) {
		struct word word = next_word(&words);

		if (word.start == NULL || (soa > 0 && word.index == soa + 3 && is_number(&word)))
			return word;
		if (word.index == 0)
			soa = 0;
		if (word.index > 0 && soa == 0 && word.size == 3 && strncasecmp(word.start, "SOA", 3) == 0)
			soa = word.index;
	}
}

/* All but the SOA is as it was. */
static bool is_same_but_soa(const struct zone *a, const struct zone *b)
{
	size_t a_count, b_count;
	const struct zone_record *a_records = zone_records(a, &a_count), *b_records = zone_records(b, &b_count);

	for (size_t i = 0; a_count == b_count && i < a_count; i++) {
		if (zone_record_compare(&a_records[i], &b_records[i]) != 0 && strcmp(a_records[i].type, "SOA") != 0)
			return false;
		if (a_records[i].ttl != b_records[i].ttl || strcmp(a_records[i].type, b_records[i].type) != 0)
			return false;
	}
	return a_count == b_count;
}

int zone_text_set_serial(const struct zone *zone, const char *text, size_t size, uint32_t serial, struct buf *out,
	struct zone **changed, struct err *err)
{
	struct word word = find_serial(text, size);

	if (word.start == NULL)
		return err_set(err, ERR_INVALID, "where its serial stands can't be told");
	buf_append(out, text, (size_t)(word.start - text));
	buf_printf(out, "%" PRIu32, serial);
	buf_append(out, word.start + word.size, size - (size_t)(word.start + word.size - text));
	int ret = zone_parse(zone_name(zone), out->data, out->size, 0, changed, err);
	if (ret == ERR_OK && (zone_serial(*changed) != serial || !is_same_but_soa(zone, *changed))) {
		zone_unref(*changed);
		ret = err_set(err, ERR_INVALID, "where its serial stands can't be told");
	}
	if (ret != ERR_OK)
		buf_free(out);
	return ret;
}
