/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <string.h>

enum { NAME_MAX_PLAIN = 253, LABEL_MAX = 63 };

/* The byte as it is kept, or 0 if a zone name must not hold it. */
static char name_char(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return c;
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return 0;
}

static int refuse_char(char c, size_t at, struct err *err)
{
	if (c > ' ' && c < 0x7f)
		return err_set(err, ERR_INVALID, "zone name: '%c' at position %zu is not allowed", c, at + 1);
	return err_set(err, ERR_INVALID, "zone name: byte 0x%02x at position %zu is not allowed", (unsigned char)c,
		at + 1);
}

int zone_name_parse(const char *text, size_t length, char out[ZONE_NAME_SIZE], struct err *err)
{
	size_t label = 0;

	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0)
		return err_set(err, ERR_INVALID, "zone name: empty");
	if (length > NAME_MAX_PLAIN)
		return err_set(err, ERR_INVALID, "zone name: longer than %d characters", NAME_MAX_PLAIN);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.') {
			if (label == 0)
				return err_set(err, ERR_INVALID, "zone name: empty label at position %zu", i + 1);
			label = 0;
			out[i] = '.';
			continue;
		}
		out[i] = name_char(text[i]);
		if (out[i] == 0)
			return refuse_char(text[i], i, err);
		if (++label > LABEL_MAX)
			return err_set(err, ERR_INVALID, "zone name: label longer than %d characters", LABEL_MAX);
	}
	if (label == 0)
		return err_set(err, ERR_INVALID, "zone name: empty label at position %zu", length + 1);
	out[length] = '.';
	out[length + 1] = '\0';
	return 0;
}

const char *zone_name_plain(const char *name, char out[ZONE_NAME_SIZE])
{
	size_t length = strnlen(name, ZONE_NAME_SIZE - 1);

	if (length > 0 && name[length - 1] == '.')
		length--;
	memcpy(out, name, length);
	out[length] = '\0';
	return out;
}
