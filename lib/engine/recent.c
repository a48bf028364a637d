/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/recent.h"

#include <stdlib.h>

#include "base/check.h"

static void empty_entry(struct recent *recent, struct recent_entry *entry)
{
	if (entry->source == NULL)
		return;
	source_unref(entry->source);
	entry->source = NULL;
	recent->bytes -= entry->bytes;
	idmap_remove(&recent->index, entry->id);
}

static void drop_oldest(struct recent *recent)
{
	empty_entry(recent, &recent->ring[recent->head]);
	recent->head = (recent->head + 1) % RECENT_ZONES;
	recent->count--;
}

void recent_put(struct recent *recent, int64_t id, uint64_t generation, struct source *source)
{
	size_t bytes = source_memory(source);
	struct recent_entry *old = idmap_get(&recent->index, id);

	if (recent->ring == NULL)
		recent->ring = xcalloc(RECENT_ZONES, sizeof(*recent->ring));
	if (old != NULL)
		empty_entry(recent, old);
	if (bytes > RECENT_BYTES)
		return;
	while (recent->count == RECENT_ZONES || recent->bytes + bytes > RECENT_BYTES)
		drop_oldest(recent);
	struct recent_entry *entry = &recent->ring[(recent->head + recent->count) % RECENT_ZONES];
	*entry = (struct recent_entry){ .id = id, .generation = generation, .source = source_ref(source), .bytes = bytes };
	recent->count++;
	recent->bytes += bytes;
	idmap_set(&recent->index, id, entry);
}

struct source *recent_get(const struct recent *recent, int64_t id, uint64_t generation)
{
	struct recent_entry *entry = idmap_get(&recent->index, id);

	if (entry == NULL || entry->generation != generation)
		return NULL;
	return source_ref(entry->source);
}

void recent_free(struct recent *recent)
{
	while (recent->count > 0)
		drop_oldest(recent);
	free(recent->ring);
	idmap_free(&recent->index);
	*recent = (struct recent){ 0 };
}
