/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strmap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/*
 * An entry: its value (an unused one: the next unused one of that length), the
 * size of its key (an unused one: UNUSED_MARK and its length in words), the key.
 */
enum { VALUE = 0, SIZE = 1, KEY = 2, ROOM_MIN = 1024, CAPACITY_MIN = 64 };

#define UNUSED_MARK UINT32_C(0x80000000)

/* ---- entries ---- */

/* Of an entry, in words. Long ones are rounded up so that there are few lengths of them. */
static uint32_t length_for(size_t size)
{
	size_t length = KEY + (size + sizeof(uint32_t) - 1) / sizeof(uint32_t);
	size_t rounded = STRMAP_EXACT;

	CHECK(size < UNUSED_MARK);
	if (length <= STRMAP_EXACT)
		return (uint32_t)length;
	while (rounded < length)
		rounded *= 2;
	return (uint32_t)rounded;
}

static uint32_t length_of(const struct strmap *map, uint32_t entry)
{
	uint32_t size = map->words[entry + SIZE];

	return (size & UNUSED_MARK) != 0 ? size & ~UNUSED_MARK : length_for(size);
}

static uint32_t *unused_list(struct strmap *map, uint32_t length)
{
	size_t list = STRMAP_EXACT;

	if (length <= STRMAP_EXACT)
		return &map->unused[length];
	for (; length > STRMAP_EXACT; length /= 2)
		list++;
	return &map->unused[list];
}

static uint32_t take_entry(struct strmap *map, uint32_t length)
{
	uint32_t *list = unused_list(map, length);
	uint32_t entry = *list;

	if (entry != 0) {
		*list = map->words[entry + VALUE];
		return entry;
	}
	if (map->used == 0)
		map->used = 1;
	if ((uint64_t)map->used + length > map->room) {
		uint64_t room = (uint64_t)map->room + map->room / 4 + length + ROOM_MIN;

		CHECK(room <= UINT32_MAX);
		/* For large ones the kernel moves the pages: no second copy, not even for a moment. */
		map->words = xrealloc(map->words, (size_t)room * sizeof(uint32_t));
		map->room = (uint32_t)room;
	}
	entry = map->used;
	map->used += length;
	return entry;
}

/* ---- slots ---- */

/* FNV-1a, folded. Keys come from the panel behind a login, or are addresses of connections, of which there are never many: no need for a keyed hash. */
static uint32_t hash_key(const void *key, size_t size)
{
	const unsigned char *bytes = key;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t home_of(const struct strmap *map, uint32_t entry)
{
	return hash_key(&map->words[entry + KEY], map->words[entry + SIZE]) & (map->capacity - 1);
}

static bool has_key(const struct strmap *map, uint32_t entry, const void *key, size_t size)
{
	return map->words[entry + SIZE] == size && memcmp(&map->words[entry + KEY], key, size) == 0;
}

/* Linear probing: the slot of this key, or the free one where it would go. */
static uint32_t find_slot(const struct strmap *map, const void *key, size_t size)
{
	uint32_t mask = map->capacity - 1;
	uint32_t slot = hash_key(key, size) & mask;

	while (map->slots[slot] != 0 && !has_key(map, map->slots[slot], key, size))
		slot = (slot + 1) & mask;
	return slot;
}

static void put_slot(struct strmap *map, uint32_t entry)
{
	uint32_t mask = map->capacity - 1;
	uint32_t slot = home_of(map, entry);

	while (map->slots[slot] != 0)
		slot = (slot + 1) & mask;
	map->slots[slot] = entry;
}

/* The entries tell all: the old slots are gone before the new ones are made, and what is read is read in a row. */
static void resize(struct strmap *map, uint32_t capacity)
{
	free(map->slots);
	map->slots = xcalloc(capacity, sizeof(uint32_t));
	map->capacity = capacity;
	for (uint32_t entry = 1; entry < map->used; entry += length_of(map, entry)) {
		if ((map->words[entry + SIZE] & UNUSED_MARK) == 0)
			put_slot(map, entry);
	}
}

/* Those behind the hole move up, so that no slot has to be marked as once used. */
static void clear_slot(struct strmap *map, uint32_t hole)
{
	uint32_t mask = map->capacity - 1;

	for (uint32_t slot = (hole + 1) & mask; map->slots[slot] != 0; slot = (slot + 1) & mask) {
		uint32_t home = home_of(map, map->slots[slot]);

		/* Not if its home lies behind the hole. */
		if (((slot - home) & mask) >= ((slot - hole) & mask)) {
			map->slots[hole] = map->slots[slot];
			hole = slot;
		}
	}
	map->slots[hole] = 0;
}

/* ---- what others call ---- */

uint32_t strmap_find(const struct strmap *map, const void *key, size_t size)
{
	return map->capacity == 0 ? 0 : map->slots[find_slot(map, key, size)];
}

uint32_t strmap_add(struct strmap *map, const void *key, size_t size, uint32_t value)
{
	uint32_t entry = take_entry(map, length_for(size));

	map->words[entry + VALUE] = value;
	map->words[entry + SIZE] = (uint32_t)size;
	memcpy(&map->words[entry + KEY], key, size);
	if (((uint64_t)map->count + 1) * 4 > (uint64_t)map->capacity * 3)
		resize(map, map->capacity == 0 ? CAPACITY_MIN : map->capacity * 2);
	else
		put_slot(map, entry);
	map->count++;
	return entry;
}

void strmap_remove(struct strmap *map, uint32_t entry)
{
	uint32_t slot = find_slot(map, &map->words[entry + KEY], map->words[entry + SIZE]);
	uint32_t length = length_of(map, entry);
	uint32_t *list = unused_list(map, length);

	CHECK(map->slots[slot] == entry);
	if (--map->count == 0) {
		strmap_free(map);
		return;
	}
	clear_slot(map, slot);
	map->words[entry + SIZE] = UNUSED_MARK | length;
	map->words[entry + VALUE] = *list;
	*list = entry;
	if (map->capacity > CAPACITY_MIN && map->count < map->capacity / 8)
		resize(map, map->capacity / 2);
}

const void *strmap_key(const struct strmap *map, uint32_t entry)
{
	return &map->words[entry + KEY];
}

uint32_t *strmap_value(struct strmap *map, uint32_t entry)
{
	return &map->words[entry + VALUE];
}

uint32_t strmap_get(const struct strmap *map, uint32_t entry)
{
	return map->words[entry + VALUE];
}

size_t strmap_memory(const struct strmap *map)
{
	return ((size_t)map->room + map->capacity) * sizeof(uint32_t);
}

void strmap_free(struct strmap *map)
{
	free(map->words);
	free(map->slots);
	*map = (struct strmap){ 0 };
}
