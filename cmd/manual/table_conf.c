/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include <string.h>

#include "key_text.h"

/* Within a cell of a table of Markdown. */
static void put_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("|<*`\\", *text) != NULL)
			buf_puts(out, "\\");
		buf_append(out, text, 1);
	}
}

static void put_row(struct buf *out, const struct key *key)
{
	const char *preset = key_text_default(key);
	struct buf values = { 0 };
	struct buf help = { 0 };

	buf_printf(out, "| `%s` | ", key->path);
	if (preset != NULL && *key->preset != '\0')
		buf_printf(out, "`%s`", preset);
	else
		buf_puts(out, preset == NULL ? "" : preset);
	buf_puts(out, " | ");
	key_text_help(key, &help);
	put_cell(out, help.data);
	key_text_values(key, &values);
	if (values.size > 0) {
		buf_puts(out, " (");
		put_cell(out, values.data);
		buf_puts(out, ")");
	}
	buf_puts(out, " |\n");
	buf_free(&help);
	buf_free(&values);
}

static void put_others(struct buf *out, const char *lead, enum key_state one, enum key_state other)
{
	const char *between = "";

	buf_puts(out, lead);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if ((key->state != one && key->state != other) || key->environment_only)
			continue;
		buf_printf(out, "%s`%s`", between, key->path);
		between = ", ";
	}
	buf_puts(out, ".\n");
}

void manual_table_conf(struct buf *out)
{
	buf_puts(out, "| key | default | meaning |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < keys_count; i++) {
		if (keys_table[i].state == KEY_LIVE)
			put_row(out, &keys_table[i]);
	}
	put_others(out, "\nOf directdnsonly, accepted with a notice, without meaning here: ", KEY_OLD, KEY_TAKEN);
	put_others(out, "\nOf directdnsonly, for what is not there: accepted while nothing uses it: ", KEY_LATER, KEY_LATER);
}
