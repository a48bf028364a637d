/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What may follow the words that are on a command line: the branches of a case statement, which bash and zsh write in
 * one way, with actions of their own. Never blocks.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "program.h"

/* What a shell is told to offer. */
struct offers_shell {
	const char *indent; /* of branches */
	const char *words_before, *words_behind; /* around words, blanks between them */
	const char *zones;
	const char *backends;
	const char *masters;
	const char *files;
};

/* One branch for each place of a word of each command: "dead) ... ;;", "dead\\ show) ... ;;". */
void offers_put_words(struct buf *out, const struct offers_shell *shell);
/* What an option's argument may be (row->argument): an action, or nothing. false: nothing. */
bool offers_put_argument(struct buf *out, const struct offers_shell *shell, const struct option_row *row);
