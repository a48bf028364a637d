/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forms.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"

static void add_word(struct form *form, const char *text, size_t size)
{
	/* What may be left out is offered like the rest, what may be repeated once. */
	if (text[0] == '[') {
		text++;
		size = strcspn(text, "]");
	}
	CHECK(form->count < FORM_WORDS_MOST && size < FORM_WORD_SIZE);
	memcpy(form->words[form->count], text, size);
	form->words[form->count++][size] = '\0';
}

size_t forms_parse(const char *arguments, struct form forms[FORMS_MOST])
{
	size_t count = 1;

	if (arguments == NULL)
		return 0;
	memset(forms, 0, FORMS_MOST * sizeof(*forms));
	while (*arguments != '\0') {
		size_t size = strcspn(arguments, " ");

		if (size == 1 && *arguments == '|')
			count++;
		else
			add_word(&forms[count - 1], arguments, size);
		CHECK(count <= FORMS_MOST);
		arguments += size + (arguments[size] == ' ');
	}
	return count;
}

enum word_kind forms_kind(const char *word)
{
	static const struct {
		const char *word;
		enum word_kind kind;
	} kinds[] = { { "NAME", WORD_ZONE }, { "BACKEND", WORD_BACKEND }, { "MASTER", WORD_MASTER },
		  { "FILE", WORD_FILE }, { "PATH", WORD_FILE } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].word, word) == 0)
			return kinds[i].kind;
	}
	return isupper((unsigned char)word[0]) ? WORD_OTHER : WORD_LITERAL;
}
