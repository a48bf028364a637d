/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include "../zonefand/arguments.h"
#include "page_program.h"

static const char description[] =
	"zonefand is the one Extra DNS server between DirectAdmin masters and the databases that the name servers of each data centre "
	"read. A push is answered when it is durable, and delivered to all data centres at the same time, each with a back-off of its "
	"own, until every one of them holds it.\n"
	"It runs in the foreground, logs to stderr, and becomes the user app.user where root starts it. What it is doing, and what waits "
	"for an operator, zonefanctl(1) tells.";

void manual_page_zonefand(struct buf *out)
{
	const struct roff_page page = { zonefand_program.name, 8, zonefand_program.purpose };

	page_program_begin(out, &zonefand_program, &page);
	roff_section(out, "DESCRIPTION");
	roff_paragraphs(out, description);
	page_program_options(out, &zonefand_program);
	page_program_end(out, &zonefand_program, &page);
}
