/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of zones as they are, and the names of all zones: for people and
 * for importing, so also where zonefan has never written yet and some of the
 * three tables are not there. Thread of the back end; blocks as link.h does.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

/*
 * All statements of one answer see one state of the database, without a lock: else a zone that is written meanwhile would
 * be seen half, and have other rows than were counted.
 */
#define READING_SNAPSHOT                                                                                     \
	"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"

/*
 * As backend_ops.read and list. 0 or -1 (link->text; nothing is answered then). A table that is gone since the connection
 * was made ready is a failure, and the next connection will know of it.
 */
MUST_CHECK int reading_rows(struct target *target, struct backend_read *read);
MUST_CHECK int reading_names(struct target *target, struct backend_list *list);
