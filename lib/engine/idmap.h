/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small hash table from an id (a zone's row id, never 0) to a pointer or a
 * number: for what is in flight and what is under suspicion. One owner.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
	struct idmap_slot {
		int64_t id; /* 0: free */
		void *value;
	} *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t size;
};

/* NULL if it is not there. */
void *idmap_get(const struct idmap *map, int64_t id);
/* value must not be NULL; replaces. */
void idmap_set(struct idmap *map, int64_t id, void *value);
/* What was there, or NULL. */
void *idmap_remove(struct idmap *map, int64_t id);
/* Walks: *at starts at 0; NULL at the end. Do not change the map meanwhile. */
void *idmap_next(const struct idmap *map, size_t *at, int64_t *id);
/* Frees the table, not the values. */
void idmap_free(struct idmap *map);
