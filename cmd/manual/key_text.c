/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "key_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* "hold|warn|off" as "hold, warn or off". */
static void put_choices(const char *choices, struct buf *out)
{
	const char *lead = "";

	while (*choices != '\0') {
		size_t size = strcspn(choices, "|");

		buf_puts(out, lead);
		buf_append(out, choices, size);
		choices += size + (choices[size] == '|');
		lead = strchr(choices, '|') == NULL ? " or " : ", ";
	}
}

static void put_range(const struct key *key, struct buf *out)
{
	buf_printf(out, "%" PRId64 " to %" PRId64 "%s%s", key->low, key->high, key->unit == NULL ? "" : " ",
		key->unit == NULL ? "" : key->unit);
}

void key_text_values(const struct key *key, struct buf *out)
{
	if (key->choices != NULL) {
		put_choices(key->choices, out);
		return;
	}
	switch (key->type) {
	case KEY_BOOL:
		buf_puts(out, "true or false");
		break;
	case KEY_NUMBER:
		put_range(key, out);
		break;
	case KEY_LIST:
		buf_puts(out, "list of numbers, ");
		put_range(key, out);
		break;
	case KEY_WORDS:
		buf_printf(out, "list, each %s", key->wants);
		break;
	case KEY_TEXT:
		buf_puts(out, key->wants == NULL ? "" : key->wants);
		break;
	case KEY_LEVEL: /* its help names them */
		break;
	}
}

void key_text_help(const struct key *key, struct buf *out)
{
	buf_printf(out, "%s%s", key->help, key->restart ? "; a change needs a restart" : "");
}

const char *key_text_default(const struct key *key)
{
	return key->preset != NULL && *key->preset == '\0' ? "empty" : key->preset;
}

void key_text_variable(const struct key *key, struct buf *out)
{
	if (strchr(key->path, '[') != NULL)
		return;
	buf_puts(out, "DADNS_");
	for (const char *c = key->path; *c != '\0'; c++) {
		char upper = *c == '.' ? '_' : *c == '#' ? '1' : (char)toupper((unsigned char)*c);

		if (*c == '*')
			buf_puts(out, "NAME");
		else
			buf_append(out, &upper, 1);
	}
}
