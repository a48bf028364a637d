/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Manual pages in man(7), as groff and mandoc read them. One thread; never blocks. */
#pragma once

#include "base/buf.h"

struct roff_page {
	const char *name;     /* "zonefanctl" */
	int section;
	const char *purpose;  /* one line */
};

/* The title and NAME. */
void roff_begin(struct buf *out, const struct roff_page *page);
/* ".SH": capitals. */
void roff_section(struct buf *out, const char *title);
/* ".SS" */
void roff_part(struct buf *out, const char *title);
/* Text of its own line: nothing in it is taken as a request. Newlines in it are blanks. */
void roff_text(struct buf *out, const char *text);
/* Each line of text is a paragraph; it begins one even if there is text before. */
void roff_paragraphs(struct buf *out, const char *text);
/* A tagged paragraph: the bold title (may be "") and what else stands beside it in roman (NULL: nothing); its text follows. */
void roff_entry(struct buf *out, const char *bold, const char *roman);
/* Lines as they are, indented. */
void roff_example(struct buf *out, const char *text);
/* The other pages. */
void roff_see_also(struct buf *out, const struct roff_page *page);
