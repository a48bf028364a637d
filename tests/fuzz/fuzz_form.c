/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forms and query strings: what is decoded, encoded again, decodes to the same, and no value holds a NUL. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "http/form.h"

static void require_equal(const struct form_field *a, const struct form_field *b)
{
	FUZZ_REQUIRE((a->key == NULL) == (b->key == NULL) && (a->value == NULL) == (b->value == NULL),
		"a field was good and is bad, or the other way round");
	FUZZ_REQUIRE(a->key == NULL || strcmp(a->key, b->key) == 0, "key %s became %s", a->key, b->key);
	FUZZ_REQUIRE(a->value == NULL || strcmp(a->value, b->value) == 0, "value %s became %s", a->value, b->value);
}

/* A bad escape stands for what was bad. */
static void encode_or_spoil(struct buf *out, const char *text)
{
	if (text == NULL)
		buf_puts(out, "%00");
	else
		form_encode(out, text);
}

static void require_round_trip(const struct form *form)
{
	struct buf text = { 0 };
	struct form again = { 0 };
	struct err err;

	for (size_t i = 0; i < form->count; i++) {
		buf_puts(&text, i == 0 ? "" : "&");
		encode_or_spoil(&text, form->fields[i].key);
		buf_puts(&text, "=");
		encode_or_spoil(&text, form->fields[i].value);
	}
	FUZZ_REQUIRE(form_parse(&again, text.data == NULL ? "" : text.data, text.size, &err) == 0, "%s", err.text);
	FUZZ_REQUIRE(again.count == form->count, "%zu fields became %zu", form->count, again.count);
	for (size_t i = 0; i < form->count; i++)
		require_equal(&form->fields[i], &again.fields[i]);
	form_free(&again);
	buf_free(&text);
}

static void look_up_each(const struct form *form)
{
	const struct form_field *found;
	struct err err;

	for (size_t i = 0; i < form->count && i < 16; i++) {
		if (form->fields[i].key == NULL || form_get(form, form->fields[i].key, &found, &err) != 0)
			continue;
		FUZZ_REQUIRE(found != NULL, "%s is there and is not found", form->fields[i].key);
		FUZZ_REQUIRE(strlen(found->value) == found->value_size, "%s has a NUL", found->key);
	}
}

/* Any text without NUL survives. */
static void require_path_round_trip(const uint8_t *data, size_t size)
{
	char *text = xmemdup(data, size);
	struct buf encoded = { 0 };
	char *decoded = form_decode_path((const char *)data, size);

	FUZZ_REQUIRE(decoded == NULL || strlen(decoded) <= size, "a path's segment grew");
	free(decoded);
	form_encode(&encoded, text);
	for (char *at = encoded.data; at != NULL && (at = strchr(at, '+')) != NULL; at++)
		*at = ' ';
	decoded = form_decode_path(encoded.data == NULL ? "" : encoded.data, encoded.size);
	FUZZ_REQUIRE(decoded != NULL && strcmp(decoded, text) == 0, "%s became %s", text, decoded);
	free(decoded);
	buf_free(&encoded);
	free(text);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct form form = { 0 };
	struct err err;

	if (form_parse(&form, (const char *)data, size, &err) == 0) {
		require_round_trip(&form);
		look_up_each(&form);
	}
	form_free(&form);
	require_path_round_trip(data, size);
}
