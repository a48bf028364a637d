/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "complete.h"

#include "../zonefanctl/commands.h"

void complete_put_names(struct buf *out, const struct option_row *row, const char *between)
{
	if (row->letter != '\0')
		buf_printf(out, "-%c%s", row->letter, between);
	buf_printf(out, "--%s", row->name);
}

void complete_put_commands(struct buf *out, const char *between)
{
	for (size_t i = 0; i < commands_count; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : between, commands_table[i].name);
}
