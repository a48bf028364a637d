/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A result set, in no more memory than it is given room: what a server sends
 * is its own choice, and the client library would keep all of it, with many
 * times the bytes where rows are short. One owner.
 */
#pragma once

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

#include "backends/coredns_mysql/wait.h"
#include "base/check.h"

struct result;

/*
 * Reads the result of mysql_use_result() to its end, and frees it. Within the wait that is in use, whose bound of bytes holds for
 * each row. A row for which there is no room (bytes; a cell takes five more than its text has) is too much, or, where it may be
 * cut, is thrown away with all behind it. NULL: the connection failed, mysql_errno() and the wait say why. Not NULL: the caller's to free.
 */
MUST_CHECK struct result *result_read(MYSQL_RES *source, size_t room, bool may_be_cut, struct wait *wait);
void result_free(struct result *result); /* NULL: nothing */

/* There was no room for all of them. */
bool result_cut(const struct result *result);
size_t result_count(const struct result *result);
unsigned result_columns(const struct result *result);
/* The next row's cells, NULL for SQL's NULL, until the next call; the texts as long as the rows. NULL: there is none. */
char **result_next(struct result *result);
/* Of those cells; 0 for NULL. */
const size_t *result_lengths(const struct result *result);
/* The first row is next again. */
void result_rewind(struct result *result);
