/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/form.h"

#include <stdlib.h>
#include <string.h>

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* NULL if an escape is bad or a NUL is in it. */
static char *decode(const char *text, size_t size, bool plus_is_blank, size_t *out_size)
{
	char *out = xmalloc(size + 1);
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high = size - i > 2 ? hex_value((unsigned char)text[i + 1]) : -1;
			int low = size - i > 2 ? hex_value((unsigned char)text[i + 2]) : -1;

			c = high < 0 || low < 0 ? 0 : high * 16 + low;
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		if (c == 0) {
			free(out);
			return NULL;
		}
		out[used++] = (char)c;
	}
	out[used] = '\0';
	*out_size = used;
	return out;
}

static void add_field(struct form *form, const char *text, size_t size)
{
	const char *equals = memchr(text, '=', size);
	size_t key_size = equals != NULL ? (size_t)(equals - text) : size;
	const char *value = equals != NULL ? equals + 1 : text + size;
	struct form_field *field;
	size_t ignored;

	if (form->count == form->capacity) {
		form->capacity = form->capacity == 0 ? 8 : form->capacity * 2;
		form->fields = xrealloc(form->fields, form->capacity * sizeof(*form->fields));
	}
	field = &form->fields[form->count++];
	*field = (struct form_field){ 0 };
	field->key = decode(text, key_size, true, &ignored);
	field->value = decode(value, size - (size_t)(value - text), true, &field->value_size);
}

int form_parse(struct form *form, const char *text, size_t size, struct err *err)
{
	const char *end = text + size;

	while (text < end) {
		const char *next = memchr(text, '&', (size_t)(end - text));
		size_t length = (size_t)((next != NULL ? next : end) - text);

		if (length > 0) {
			if (form->count == FORM_FIELDS_MAX)
				return err_set(err, ERR_LIMIT, "more than %d fields", FORM_FIELDS_MAX);
			add_field(form, text, length);
		}
		text += length + 1;
	}
	return 0;
}

void form_free(struct form *form)
{
	for (size_t i = 0; i < form->count; i++) {
		free(form->fields[i].key);
		free(form->fields[i].value);
	}
	free(form->fields);
	*form = (struct form){ 0 };
}

int form_get(const struct form *form, const char *key, const struct form_field **out, struct err *err)
{
	const struct form_field *found = NULL;

	*out = NULL;
	for (size_t i = 0; i < form->count; i++) {
		const struct form_field *field = &form->fields[i];

		if (field->key == NULL || strcmp(field->key, key) != 0)
			continue;
		if (field->value == NULL)
			return err_set(err, ERR_INVALID, "%s is badly encoded", key);
		if (found != NULL && (found->value_size != field->value_size ||
			memcmp(found->value, field->value, field->value_size) != 0))
			return err_set(err, ERR_INVALID, "%s is given twice with different values", key);
		if (found == NULL)
			found = field;
	}
	*out = found;
	return 0;
}

char *form_decode_path(const char *text, size_t size)
{
	size_t ignored;

	return decode(text, size, false, &ignored);
}

void form_encode(struct buf *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
			c == '.' || c == '_' || c == '~') {
			buf_append(out, &c, 1);
		} else if (c == ' ') {
			buf_append(out, "+", 1);
		} else {
			char escape[3] = { '%', digits[c >> 4], digits[c & 15] };
			buf_append(out, escape, sizeof(escape));
		}
	}
}
