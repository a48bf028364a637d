/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zones that were pushed or loaded last, so that N lanes share one parse.
 * Bounded in number and memory; oldest out first. One owner.
 */
#pragma once

#include "engine/idmap.h"
#include "engine/source.h"

enum { RECENT_ZONES = 2048, RECENT_BYTES = 8 * 1024 * 1024 };

struct recent {
	struct recent_entry {
		int64_t id;
		uint64_t generation;
		struct source *source; /* NULL: replaced by a newer entry */
		size_t bytes;
	} *ring;
	size_t head;
	size_t count;
	size_t bytes;
	struct idmap index; /* zone id -> struct recent_entry */
};

/* Takes a reference of its own. */
void recent_put(struct recent *recent, int64_t id, uint64_t generation, struct source *source);
/* A new reference, or NULL. */
struct source *recent_get(const struct recent *recent, int64_t id, uint64_t generation);
void recent_free(struct recent *recent);
