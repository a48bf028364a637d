/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/idmap.h"

#include <stdlib.h>

#include "base/check.h"

static size_t home(const struct idmap *map, int64_t id)
{
	return (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (map->capacity - 1);
}

/* The slot that holds id, or the free one where it would go. */
static size_t find(const struct idmap *map, int64_t id)
{
	size_t at = home(map, id);

	while (map->slots[at].id != 0 && map->slots[at].id != id)
		at = (at + 1) & (map->capacity - 1);
	return at;
}

static void grow(struct idmap *map)
{
	struct idmap bigger = { .capacity = map->capacity == 0 ? 64 : map->capacity * 2, .size = map->size };

	bigger.slots = xcalloc(bigger.capacity, sizeof(*bigger.slots));
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].id != 0)
			bigger.slots[find(&bigger, map->slots[i].id)] = map->slots[i];
	}
	free(map->slots);
	*map = bigger;
}

void *idmap_get(const struct idmap *map, int64_t id)
{
	return map->capacity == 0 ? NULL : map->slots[find(map, id)].value;
}

void idmap_set(struct idmap *map, int64_t id, void *value)
{
	CHECK(id != 0 && value != NULL);
	if (map->size * 2 >= map->capacity)
		grow(map);
	struct idmap_slot *slot = &map->slots[find(map, id)];
	if (slot->id == 0)
		map->size++;
	*slot = (struct idmap_slot){ .id = id, .value = value };
}

void *idmap_remove(struct idmap *map, int64_t id)
{
	if (map->capacity == 0)
		return NULL;
	size_t hole = find(map, id);
	void *value = map->slots[hole].value;
	if (map->slots[hole].id == 0)
		return NULL;
	map->slots[hole] = (struct idmap_slot){ 0 };
	map->size--;
	/* Linear probing: what stands behind the hole may have been pushed past it. */
	for (size_t at = (hole + 1) & (map->capacity - 1); map->slots[at].id != 0;
		at = (at + 1) & (map->capacity - 1)) {
		struct idmap_slot moved = map->slots[at];

		map->slots[at] = (struct idmap_slot){ 0 };
		map->slots[find(map, moved.id)] = moved;
	}
	return value;
}

void *idmap_next(const struct idmap *map, size_t *at, int64_t *id)
{
	while (*at < map->capacity) {
		const struct idmap_slot *slot = &map->slots[(*at)++];

		if (slot->id != 0) {
			*id = slot->id;
			return slot->value;
		}
	}
	return NULL;
}

void idmap_free(struct idmap *map)
{
	free(map->slots);
	*map = (struct idmap){ 0 };
}
