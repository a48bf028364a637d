/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "offers.h"

#include <string.h>

#include "../zonefanctl/commands.h"
#include "forms.h"

/* NULL: there is nothing to offer. */
static const char *action_of(const struct offers_shell *shell, enum word_kind kind)
{
	switch (kind) {
	case WORD_ZONE:
		return shell->zones;
	case WORD_BACKEND:
		return shell->backends;
	case WORD_MASTER:
		return shell->masters;
	case WORD_FILE:
		return shell->files;
	case WORD_LITERAL:
	case WORD_OTHER:
		break;
	}
	return NULL;
}

/* The pattern of the command and the first words of a form. */
static void put_pattern(struct buf *out, const struct offers_shell *shell, const struct command *command,
	const struct form *form, size_t words)
{
	buf_printf(out, "%s%s", shell->indent, command->name);
	for (size_t i = 0; i < words; i++)
		buf_printf(out, "\\ %s", forms_kind(form->words[i]) == WORD_LITERAL ? form->words[i] : "*");
	buf_puts(out, ") ");
}

static void put_branch(struct buf *out, const struct offers_shell *shell, const struct command *command,
	const struct form *form, size_t at)
{
	const char *word = form->words[at];
	const char *action = action_of(shell, forms_kind(word));

	if (forms_kind(word) == WORD_OTHER)
		return;
	put_pattern(out, shell, command, form, at);
	if (action != NULL)
		buf_puts(out, action);
	else
		buf_printf(out, "%s%s%s", shell->words_before, word, shell->words_behind);
	buf_puts(out, " ;;\n");
}

/* The first words of all forms: each is another one. */
static void put_first(struct buf *out, const struct offers_shell *shell, const struct command *command,
	const struct form *forms, size_t count)
{
	if (count == 1) {
		put_branch(out, shell, command, forms, 0);
		return;
	}
	put_pattern(out, shell, command, forms, 0);
	buf_puts(out, shell->words_before);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : " ", forms[i].words[0]);
	buf_printf(out, "%s ;;\n", shell->words_behind);
}

void offers_put_words(struct buf *out, const struct offers_shell *shell)
{
	struct form forms[FORMS_MOST];

	for (size_t i = 0; i < commands_count; i++) {
		size_t count = forms_parse(commands_table[i].arguments, forms);

		if (count > 0)
			put_first(out, shell, &commands_table[i], forms, count);
		for (size_t j = 0; j < count; j++) {
			for (size_t at = 1; at < forms[j].count; at++)
				put_branch(out, shell, &commands_table[i], &forms[j], at);
		}
	}
}

bool offers_put_argument(struct buf *out, const struct offers_shell *shell, const struct option_row *row)
{
	const char *action = row->argument == NULL ? NULL : action_of(shell, forms_kind(row->argument));

	if (action != NULL) {
		buf_puts(out, action);
		return true;
	}
	if (row->argument == NULL || strchr(row->argument, '|') == NULL)
		return false;
	buf_puts(out, shell->words_before);
	for (const char *c = row->argument; *c != '\0'; c++)
		buf_append(out, *c == '|' ? " " : c, 1);
	buf_puts(out, shell->words_behind);
	return true;
}
