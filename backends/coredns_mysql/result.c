/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/result.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct result {
	struct buf cells;  /* of each its length, 32 bits, then the text and a NUL; of a NULL only ABSENT */
	size_t count;
	unsigned columns;
	bool cut;
	size_t at;         /* in cells: the next row */
	char **row;        /* the one that was given last */
	size_t *lengths;
};

static const uint32_t absent = UINT32_MAX;

enum { CELL_OVERHEAD = sizeof(absent) + 1 };

static bool has_room(const struct result *result, const unsigned long *lengths, size_t room)
{
	size_t size = result->cells.size;

	for (unsigned i = 0; i < result->columns; i++) {
		if (lengths[i] >= room || size > room - lengths[i])
			return false;
		size += lengths[i] + CELL_OVERHEAD;
	}
	return size <= room;
}

static void add_row(struct result *result, MYSQL_ROW row, const unsigned long *lengths)
{
	for (unsigned i = 0; i < result->columns; i++) {
		uint32_t length = row[i] == NULL ? absent : (uint32_t)lengths[i];

		buf_append(&result->cells, &length, sizeof(length));
		if (row[i] != NULL) {
			buf_append(&result->cells, row[i], length);
			buf_append(&result->cells, "", 1);
		}
	}
	result->count++;
}

struct result *result_read(MYSQL_RES *source, size_t room, bool may_be_cut, struct wait *wait)
{
	struct result *result = xcalloc(1, sizeof(*result));
	MYSQL *mysql = source->handle;
	MYSQL_ROW row;

	CHECK(room < absent);
	result->columns = mysql_num_fields(source);
	result->row = xcalloc(result->columns, sizeof(*result->row));
	result->lengths = xcalloc(result->columns, sizeof(*result->lengths));
	while (wait->taken = 0, (row = mysql_fetch_row(source)) != NULL) {
		const unsigned long *lengths = mysql_fetch_lengths(source);

		result->cut = result->cut || !has_room(result, lengths, room);
		if (!result->cut)
			add_row(result, row, lengths);
		else if (!may_be_cut && !wait_is_over(wait))
			wait_give_up(wait, mysql);
	}
	bool failed = mysql_errno(mysql) != 0 || wait_is_over(wait); /* the socket may have held the rest */
	mysql_free_result(source);
	if (!failed)
		return result;
	result_free(result);
	return NULL;
}

void result_free(struct result *result)
{
	if (result == NULL)
		return;
	buf_free(&result->cells);
	free(result->row);
	free(result->lengths);
	free(result);
}

bool result_cut(const struct result *result)
{
	return result->cut;
}

size_t result_count(const struct result *result)
{
	return result->count;
}

unsigned result_columns(const struct result *result)
{
	return result->columns;
}

char **result_next(struct result *result)
{
	if (result->at == result->cells.size)
		return NULL;
	for (unsigned i = 0; i < result->columns; i++) {
		uint32_t length;

		memcpy(&length, result->cells.data + result->at, sizeof(length));
		result->at += sizeof(length);
		result->row[i] = length == absent ? NULL : result->cells.data + result->at;
		result->lengths[i] = length == absent ? 0 : length;
		if (length != absent)
			result->at += (size_t)length + 1;
	}
	return result->row;
}

const size_t *result_lengths(const struct result *result)
{
	return result->lengths;
}

void result_rewind(struct result *result)
{
	result->at = 0;
}
