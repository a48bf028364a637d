/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stored zone on its way to the lanes: its text is parsed once, by
 * whichever lane needs it first, and then serves all of them. Counted; any
 * thread. Blocks only while another thread parses the same text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "zone/zone.h"

struct source;

/* With one reference, the caller's. Owns the text. */
struct source *source_create(char *text, size_t size);
/* One that is parsed already; takes a reference of the zone (NULL: it is deleted). push_id (NULL: not known) is copied. */
struct source *source_parsed(struct zone *zone, const char *push_id);
/* The request that it came with; NULL: not known. */
const char *source_push_id(const struct source *source);
struct source *source_ref(struct source *source);
/* NULL is allowed. */
void source_unref(struct source *source);
/* Bytes that it takes, or will take once it is parsed. */
size_t source_memory(const struct source *source);

/* Parses the text, unless that is done or another thread is at it. */
void source_prepare(struct source *source, const char *name, size_t max_records);
/* The zone, the source's own; NULL: it can't be parsed (any more), err says why. */
struct zone *source_zone(struct source *source, const char *name, size_t max_records, struct err *err);
