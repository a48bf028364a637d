/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A map from short byte strings to 32-bit numbers, for a great many of them:
 * an entry takes 8 bytes and its key, rounded up to 4, and between 5 and 11
 * bytes of the table. Zero-initialise it ({ 0 }), strmap_free it. One owner;
 * never blocks.
 *
 * Entries stand one behind the other in one piece of memory. A removed one is
 * used again for a key of its length; memory shrinks only when the last entry
 * goes. All sizes are in bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	STRMAP_EXACT = 72, /* entries of up to so many words have a list of free ones for each length */
	STRMAP_LISTS = STRMAP_EXACT + 1 + 32
};

struct strmap {
	uint32_t *words;   /* the entries, from word 1 on */
	uint32_t used;     /* words */
	uint32_t room;
	uint32_t *slots;   /* where entries are found; 0: free */
	uint32_t capacity; /* slots; a power of two, or 0 */
	uint32_t count;
	uint32_t unused[STRMAP_LISTS]; /* removed entries, by length; 0: none */
};

/* The entry of that key, or 0. It is good until it is removed. */
uint32_t strmap_find(const struct strmap *map, const void *key, size_t size);
/* The key must not be there yet. Pointers into the map are not good any more after it. */
uint32_t strmap_add(struct strmap *map, const void *key, size_t size, uint32_t value);
void strmap_remove(struct strmap *map, uint32_t entry);
/* Aligned to 4; until the next strmap_add or strmap_remove. */
const void *strmap_key(const struct strmap *map, uint32_t entry);
/* Likewise, and may be written. */
uint32_t *strmap_value(struct strmap *map, uint32_t entry);
uint32_t strmap_get(const struct strmap *map, uint32_t entry);
/* All that it holds; what was never used of it costs address space only. */
size_t strmap_memory(const struct strmap *map);
void strmap_free(struct strmap *map);
