/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments of a command as its row tells people ("list | show NAME"), taken apart for completions. Never blocks. */
#pragma once

#include <stddef.h>

enum { FORMS_MOST = 8, FORM_WORDS_MOST = 4, FORM_WORD_SIZE = 32 };

enum word_kind {
	WORD_LITERAL, /* it stands for itself */
	WORD_ZONE,    /* NAME */
	WORD_BACKEND, /* BACKEND */
	WORD_MASTER,  /* MASTER */
	WORD_FILE,    /* FILE, PATH */
	WORD_OTHER    /* nothing can be offered */
};

struct form {
	char words[FORM_WORDS_MOST][FORM_WORD_SIZE];
	size_t count;
};

/* arguments may be NULL. The number of forms. */
size_t forms_parse(const char *arguments, struct form forms[FORMS_MOST]);
enum word_kind forms_kind(const char *word);
