/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "roff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void put_character(struct buf *out, char c)
{
	switch (c) {
	case '\\':
		buf_puts(out, "\\e");
		break;
	case '-': /* else it is a hyphen, which nobody can paste into a shell */
		buf_puts(out, "\\-");
		break;
	case '\'':
		buf_puts(out, "\\(aq");
		break;
	case '^':
		buf_puts(out, "\\(ha");
		break;
	case '~':
		buf_puts(out, "\\(ti");
		break;
	case '`':
		buf_puts(out, "\\(ga");
		break;
	default:
		buf_append(out, &c, 1);
	}
}

static void put_escaped(struct buf *out, const char *text, size_t size)
{
	if (size > 0 && text[0] == '.')
		buf_puts(out, "\\&");
	for (size_t i = 0; i < size; i++)
		put_character(out, text[i]);
}

void roff_begin(struct buf *out, const struct roff_page *page)
{
	buf_puts(out, ".TH ");
	for (const char *c = page->name; *c != '\0'; c++)
		put_character(out, (char)toupper((unsigned char)*c));
	buf_printf(out, " %d \"\" \"zonefan %s\" \"zonefan\"\n", page->section, ZONEFAN_VERSION);
	/* Names of keys and options are to be found as they are. */
	buf_puts(out, ".nh\n.ad l\n");
	roff_section(out, "NAME");
	put_escaped(out, page->name, strlen(page->name));
	buf_puts(out, " \\- ");
	roff_text(out, page->purpose);
}

void roff_section(struct buf *out, const char *title)
{
	buf_printf(out, ".SH %s\n", title);
}

void roff_part(struct buf *out, const char *title)
{
	buf_puts(out, ".SS ");
	put_escaped(out, title, strlen(title));
	buf_puts(out, "\n");
}

void roff_text(struct buf *out, const char *text)
{
	for (const char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");

		put_escaped(out, line, size);
		buf_puts(out, "\n");
		line += size + (line[size] == '\n');
	}
}

void roff_paragraphs(struct buf *out, const char *text)
{
	for (const char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");

		buf_puts(out, ".PP\n");
		put_escaped(out, line, size);
		buf_puts(out, "\n");
		line += size + (line[size] == '\n');
	}
}

void roff_entry(struct buf *out, const char *bold, const char *roman)
{
	buf_puts(out, ".TP\n\\fB");
	put_escaped(out, bold, strlen(bold));
	buf_puts(out, "\\fR");
	if (roman != NULL) {
		buf_puts(out, " ");
		put_escaped(out, roman, strlen(roman));
	}
	buf_puts(out, "\n");
}

void roff_example(struct buf *out, const char *text)
{
	buf_puts(out, ".PP\n.RS 4\n.nf\n");
	roff_text(out, text);
	buf_puts(out, ".fi\n.RE\n");
}

void roff_see_also(struct buf *out, const struct roff_page *page)
{
	static const struct {
		const char *name;
		int section;
	} pages[] = { { "zonefan.yml", 5 }, { "zonefanctl", 1 }, { "zonefand", 8 } };
	const char *lead = "";

	roff_section(out, "SEE ALSO");
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (strcmp(pages[i].name, page->name) == 0)
			continue;
		buf_printf(out, "%s\\fB%s\\fR(%d)", lead, pages[i].name, pages[i].section);
		lead = ", ";
	}
	buf_puts(out, "\n");
}
