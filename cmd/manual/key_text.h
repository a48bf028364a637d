/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of the table of configuration keys (conf/keys.h) in words, for the manual and README.md. */
#pragma once

#include "base/buf.h"
#include "conf/keys.h"

/* "1 to 65535", "true or false", "hold, warn or off"; "" where any text will do. */
void key_text_values(const struct key *key, struct buf *out);
/* What it is for, and whether a reload can't put it in force. */
void key_text_help(const struct key *key, struct buf *out);
/* "2222"; "empty"; NULL: it is computed, and the help says how. */
const char *key_text_default(const struct key *key);
/* The variable that sets it, NAME for a back end's name; "": it is of the file alone. */
void key_text_variable(const struct key *key, struct buf *out);
