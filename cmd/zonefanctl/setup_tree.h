/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A configuration while it is put together: a tree of JSON objects, by the dotted keys of app.yml ("dns.backends.dc1.host";
 * elements of lists by number from 1: "app.users.1.name"), and its text. Pure; one thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct key;

/* The row of conf/keys.h that a key of the tree is; NULL: there is none. */
const struct key *setup_tree_row(const char *key);
/* ERR_INVALID: key or value is no UTF-8, a part of the key is empty, or a value where others have keys below it. */
MUST_CHECK int setup_tree_set(json_t *tree, const char *key, const char *value, struct err *err);
/* A value; NULL: there is none. */
const char *setup_tree_get(const json_t *tree, const char *key);
void setup_tree_remove(json_t *tree, const char *key);
/* What stands at that key; NULL: nothing. */
json_t *setup_tree_below(const json_t *tree, const char *key);
/* All values, in their order; the tree must not change meanwhile. */
void setup_tree_walk(const json_t *tree, void (*each)(void *ctx, const char *key, const char *value), void *ctx);
/* As YAML. */
void setup_tree_print(const json_t *tree, struct buf *out);
