/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/shape.h"

#include <string.h>
#include <strings.h>

#include "backends/coredns_mysql/literal.h"

/* Behind the columns and indexes, each of which begins with blanks; inside texts the server writes no line's end. */
static const char options_mark[] = "\n) ENGINE=";
static const char next_id_mark[] = " AUTO_INCREMENT=";

void shape_add(struct buf *sql, const struct coredns_mysql_settings *settings)
{
	literal_sql(sql, "SHOW CREATE TABLE %t;SHOW CREATE TABLE %t;SHOW CREATE TABLE %t", settings->zones_table,
		settings->records_table, settings->state_table);
}

/* Without the next id. */
int shape_take(struct buf *all, struct result *rows, struct err *err)
{
	char **row = rows == NULL ? NULL : result_next(rows);

	if (row == NULL || result_columns(rows) < 2 || row[0] == NULL || row[1] == NULL)
		return err_set(err, ERR_INVALID, "a table's definition cannot be read");
	const char *options = strstr(row[1], options_mark);
	if (options == NULL)
		return err_set(err, ERR_INVALID, "table %s is a view, not InnoDB: nothing is written to a table without "
						 "transactions",
			row[0]);
	const char *engine = options + sizeof(options_mark) - 1;
	size_t length = strcspn(engine, " \n");
	if (length != 6 || strncasecmp(engine, "InnoDB", 6) != 0)
		return err_set(err, ERR_INVALID,
			"table %s is of engine %.*s, not InnoDB: nothing is written to a table without transactions",
			row[0], (int)length, engine);
	const char *next_id = strstr(engine, next_id_mark);
	size_t before = next_id == NULL ? strlen(row[1]) : (size_t)(next_id - row[1]);
	buf_append(all, row[1], before);
	if (next_id != NULL) {
		next_id += sizeof(next_id_mark) - 1;
		buf_puts(all, next_id + strspn(next_id, "0123456789"));
	}
	return 0;
}

struct shape shape_of(const struct buf *all)
{
	struct shape shape = { .size = all->size };

	hash_sha256(all->data, all->size, shape.hash);
	return shape;
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
	return memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}
