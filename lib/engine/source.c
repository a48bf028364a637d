/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"

enum { PARSED_PER_TEXT = 3 }; /* about; 20 records of 1.5 KB of text take 4 KB */

struct source {
	atomic_uint references;
	size_t memory;
	char *push_id;        /* NULL: not known */
	pthread_mutex_t lock; /* of all below */
	char *text;           /* NULL: it was parsed */
	size_t size;
	struct zone *zone;    /* NULL: not yet, or refused */
	struct err *err;      /* why it was refused; NULL: it was not. Apart, for it is large and there are thousands of us */
};

static struct source *make(size_t memory)
{
	struct source *source = xcalloc(1, sizeof(*source));

	atomic_init(&source->references, 1);
	source->memory = sizeof(*source) + memory;
	CHECK(pthread_mutex_init(&source->lock, NULL) == 0);
	return source;
}

struct source *source_create(char *text, size_t size)
{
	struct source *source = make(size * PARSED_PER_TEXT);

	source->text = text;
	source->size = size;
	return source;
}

struct source *source_parsed(struct zone *zone, const char *push_id)
{
	struct source *source = make(zone == NULL ? 0 : zone_memory(zone));

	source->zone = zone == NULL ? NULL : zone_ref(zone);
	source->push_id = xstrdup(push_id);
	return source;
}

struct source *source_ref(struct source *source)
{
	atomic_fetch_add(&source->references, 1);
	return source;
}

void source_unref(struct source *source)
{
	if (source == NULL || atomic_fetch_sub(&source->references, 1) != 1)
		return;
	pthread_mutex_destroy(&source->lock);
	zone_unref(source->zone);
	free(source->push_id);
	free(source->text);
	free(source->err);
	free(source);
}

const char *source_push_id(const struct source *source)
{
	return source->push_id;
}

size_t source_memory(const struct source *source)
{
	return source->memory;
}

/* Under the lock. */
static void parse(struct source *source, const char *name, size_t max_records)
{
	struct err err;

	if (source->text == NULL)
		return;
	if (zone_parse(name, source->text, source->size, max_records, &source->zone, &err) != ERR_OK) {
		source->zone = NULL;
		source->err = xmalloc(sizeof(err));
		*source->err = err;
	}
	free(source->text);
	source->text = NULL;
}

void source_prepare(struct source *source, const char *name, size_t max_records)
{
	if (pthread_mutex_trylock(&source->lock) != 0)
		return;
	parse(source, name, max_records);
	pthread_mutex_unlock(&source->lock);
}

struct zone *source_zone(struct source *source, const char *name, size_t max_records, struct err *err)
{
	CHECK(pthread_mutex_lock(&source->lock) == 0);
	parse(source, name, max_records);
	struct zone *zone = source->zone;
	if (zone == NULL)
		*err = *source->err;
	pthread_mutex_unlock(&source->lock);
	return zone;
}
