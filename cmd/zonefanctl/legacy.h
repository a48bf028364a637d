/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where directdnsonly keeps what it has: its database (data/directdns.db below
 * its folder, by default), its app.yml (there, or in config/), and its queues
 * (data/queues/save, delete, retry). Only looked at. One thread; blocks on
 * the disk.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"

/*
 * The database: path itself, or in that folder data/directdns.db, directdns.db, or the only *.db file of directdnsonly's.
 * ERR_NOTFOUND: there is none. ERR_INVALID: several. The caller frees *out, an absolute path.
 */
MUST_CHECK int legacy_find_database(const char *path, char **out, struct err *err);
/*
 * {path, notices: [...], faults: [...]}: what our configuration says of the app.yml that belongs to the database, with the
 * environment of this process; null: there is none.
 */
json_t *legacy_check_configuration(const char *database);
/* [{queue, path, items}]: those that are not empty; items null: nobody can tell how many. */
json_t *legacy_list_queues(const char *database);
