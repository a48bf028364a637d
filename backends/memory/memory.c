/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/memory/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory_row {
	char name[ZONE_NAME_SIZE];
	struct memory_zone zone;
	struct backend_stamp highest; /* that was written, since somebody else changed the stamp */
	struct diff_row *rows;
	size_t row_count;
	char *texts;
};

struct memory_target {
	pthread_mutex_t lock;
	enum memory_fate (*fate)(void *ctx, const char *zone);
	void *ctx;
	struct memory_row **rows; /* sorted by name */
	size_t count;
	uint64_t regressions;
};

struct memory_backend {
	struct backend base; /* first: a struct backend is cast to this */
	struct memory_target *target;
	char store_id[BACKEND_STORE_ID_SIZE];
	atomic_bool cancelled;
};

/* ---- the target ---- */

struct memory_target *memory_target_create(enum memory_fate (*fate)(void *ctx, const char *zone), void *ctx)
{
	struct memory_target *target = xcalloc(1, sizeof(*target));

	CHECK(pthread_mutex_init(&target->lock, NULL) == 0);
	target->fate = fate;
	target->ctx = ctx;
	return target;
}

static void wipe(struct memory_target *target)
{
	for (size_t i = 0; i < target->count; i++) {
		free(target->rows[i]->rows);
		free(target->rows[i]->texts);
		free(target->rows[i]);
	}
	free(target->rows);
	target->rows = NULL;
	target->count = 0;
}

void memory_target_wipe(struct memory_target *target)
{
	CHECK(pthread_mutex_lock(&target->lock) == 0);
	wipe(target);
	pthread_mutex_unlock(&target->lock);
}

void memory_target_destroy(struct memory_target *target)
{
	if (target == NULL)
		return;
	wipe(target);
	pthread_mutex_destroy(&target->lock);
	free(target);
}

/* Where name is, or where it would go. */
static size_t find(const struct memory_target *target, const char *name, bool *found)
{
	size_t low = 0;
	size_t high = target->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(target->rows[middle]->name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct memory_row *get_or_make(struct memory_target *target, const char *name)
{
	bool found;
	size_t at = find(target, name, &found);

	if (!found) {
		struct memory_row *row = xcalloc(1, sizeof(*row));

		CHECK(strlen(name) < sizeof(row->name));
		memcpy(row->name, name, strlen(name) + 1);
		row->zone.name = row->name;
		target->rows = xrealloc(target->rows, (target->count + 1) * sizeof(struct memory_row *));
		memmove(target->rows + at + 1, target->rows + at, (target->count - at) * sizeof(struct memory_row *));
		target->rows[at] = row;
		target->count++;
	}
	return target->rows[at];
}

bool memory_target_get(struct memory_target *target, const char *name, struct memory_zone *out)
{
	bool found;

	CHECK(pthread_mutex_lock(&target->lock) == 0);
	size_t at = find(target, name, &found);
	if (found)
		*out = target->rows[at]->zone;
	pthread_mutex_unlock(&target->lock);
	return found;
}

uint64_t memory_target_regressions(struct memory_target *target)
{
	return target->regressions;
}

static bool same_stamp(const struct backend_stamp *a, const struct backend_stamp *b)
{
	return strcmp(a->store_id, b->store_id) == 0 && a->generation == b->generation;
}

/* Not by a write: what was written before says nothing about what may come. */
static void set_stamp(struct memory_row *row, const struct backend_stamp *stamp)
{
	if (!same_stamp(&row->zone.stamp, stamp))
		row->highest = (struct backend_stamp){ .generation = 0 };
	row->zone.stamp = *stamp;
}

void memory_target_stamp(struct memory_target *target, const char *name, const struct backend_stamp *stamp)
{
	CHECK(pthread_mutex_lock(&target->lock) == 0);
	struct memory_row *row = get_or_make(target, name);
	row->zone.exists = row->zone.exists || row->zone.stamp.store_id[0] == '\0';
	set_stamp(row, stamp);
	pthread_mutex_unlock(&target->lock);
}

void memory_target_put(struct memory_target *target, const struct memory_zone *zone)
{
	CHECK(pthread_mutex_lock(&target->lock) == 0);
	struct memory_row *row = get_or_make(target, zone->name);
	uint64_t writes = row->zone.writes;

	set_stamp(row, &zone->stamp);
	row->zone = *zone;
	row->zone.name = row->name;
	row->zone.writes = writes;
	pthread_mutex_unlock(&target->lock);
}

/* ---- rows ---- */

static size_t size_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

static const char *keep(char **at, const char *text)
{
	size_t size = size_of(text);

	if (text == NULL)
		return NULL;
	memcpy(*at, text, size);
	*at += size;
	return *at - size;
}

/* A copy; *texts is where it lives. */
static struct diff_row *copy_rows(const struct diff_row *rows, size_t count, char **texts)
{
	struct diff_row *copy = xcalloc(count + 1, sizeof(*copy));
	size_t size = 1;

	for (size_t i = 0; i < count; i++)
		size += size_of(rows[i].owner) + size_of(rows[i].type) + size_of(rows[i].data) + size_of(rows[i].ttl) +
			size_of(rows[i].online);
	char *at = *texts = xmalloc(size);
	for (size_t i = 0; i < count; i++) {
		copy[i].owner = keep(&at, rows[i].owner);
		copy[i].type = keep(&at, rows[i].type);
		copy[i].data = keep(&at, rows[i].data);
		copy[i].ttl = keep(&at, rows[i].ttl);
		copy[i].online = keep(&at, rows[i].online);
	}
	return copy;
}

static void set_rows(struct memory_row *row, const struct diff_row *rows, size_t count)
{
	free(row->rows);
	free(row->texts);
	row->rows = copy_rows(rows, count, &row->texts);
	row->row_count = count;
}

/* zone NULL: none. */
static void set_records(struct memory_row *row, const struct zone *zone)
{
	size_t count = 0;
	const struct zone_record *records = zone == NULL ? NULL : zone_records(zone, &count);
	struct diff_row *rows = xcalloc(count + 1, sizeof(*rows));
	char(*ttls)[12] = xcalloc(count + 1, sizeof(*ttls));

	for (size_t i = 0; i < count; i++) {
		snprintf(ttls[i], sizeof(ttls[i]), "%u", (unsigned)records[i].ttl);
		rows[i] = (struct diff_row){ records[i].owner, records[i].type, records[i].data, ttls[i], "1" };
	}
	set_rows(row, rows, count);
	free(rows);
	free(ttls);
}

static struct zone_digest digest_of(const struct diff_row *rows, size_t count)
{
	struct zone_digest digest = { 0 };

	for (size_t i = 0; i < count; i++)
		zone_digest_add(&digest, rows[i].owner, rows[i].type, rows[i].data, rows[i].ttl, rows[i].online);
	return digest;
}

void memory_target_edit(struct memory_target *target, const char *name, const struct diff_row *rows, size_t count)
{
	bool found;

	CHECK(pthread_mutex_lock(&target->lock) == 0);
	size_t at = find(target, name, &found);
	CHECK(found);
	set_rows(target->rows[at], rows, count);
	target->rows[at]->zone.digest = digest_of(rows, count);
	pthread_mutex_unlock(&target->lock);
}

/* ---- the operations ---- */

static int create(const struct backend_params *params, struct backend **out, struct err *err)
{
	const struct memory_settings *settings = params->settings;
	struct memory_backend *backend = xcalloc(1, sizeof(*backend));

	(void)err;
	backend->base.ops = &memory_ops;
	backend->target = settings->target;
	strncpy(backend->store_id, params->store_id, sizeof(backend->store_id) - 1);
	*out = &backend->base;
	return ERR_OK;
}

static void destroy(struct backend *base)
{
	free(base);
}

static enum memory_fate fate_of(struct memory_backend *backend, const char *zone)
{
	if (atomic_load(&backend->cancelled))
		return MEMORY_DOWN;
	return backend->target->fate == NULL ? MEMORY_OK : backend->target->fate(backend->target->ctx, zone);
}

static enum backend_verdict verdict_of(enum memory_fate fate, struct err *err)
{
	if (fate == MEMORY_OK || fate == MEMORY_RETRY)
		return BACKEND_OK;
	err_set(err, ERR_IO, "the target is away");
	return BACKEND_DOWN;
}

static enum backend_verdict ping(struct backend *base, struct err *err)
{
	struct memory_backend *backend = (struct memory_backend *)base;

	CHECK(pthread_mutex_lock(&backend->target->lock) == 0);
	enum memory_fate fate = fate_of(backend, NULL);
	pthread_mutex_unlock(&backend->target->lock);
	return verdict_of(fate, err);
}

static bool is_stale(const struct memory_backend *backend, const struct memory_zone *zone,
	const struct backend_item *item)
{
	if (zone->stamp.store_id[0] == '\0' || same_stamp(&zone->stamp, &item->supersede))
		return false;
	return strcmp(zone->stamp.store_id, backend->store_id) != 0 || zone->stamp.generation > item->generation;
}

/* Whatever let the write pass, a supersede as well: no store goes back behind what it wrote. */
static void watch(struct memory_target *target, struct memory_row *row, const struct backend_stamp *stamp)
{
	if (strcmp(row->highest.store_id, stamp->store_id) == 0 && row->highest.generation > stamp->generation)
		target->regressions++;
	else
		row->highest = *stamp;
}

static void write_zone(struct memory_backend *backend, struct memory_row *row, const struct backend_item *item,
	bool wrong)
{
	static const struct zone_digest none = { 0 };
	struct memory_zone *zone = &row->zone;
	struct backend_stamp stamp = { .generation = item->generation };

	memcpy(stamp.store_id, backend->store_id, sizeof(stamp.store_id));
	watch(backend->target, row, &stamp);
	zone->stamp = stamp;
	zone->deleted = item->zone == NULL;
	zone->exists = item->zone != NULL;
	zone->stamped = item->zone == NULL ? none : *zone_digest(item->zone);
	zone->digest = zone->stamped;
	set_records(row, item->zone);
	if (wrong)
		zone->digest.low++;
	zone->writes++;
}

/* Nothing is written where the target holds it already. */
static bool holds(const struct memory_backend *backend, const struct memory_zone *zone,
	const struct backend_item *item)
{
	struct zone_digest none = { 0 };
	const struct zone_digest *digest = item->zone == NULL ? &none : zone_digest(item->zone);

	return strcmp(zone->stamp.store_id, backend->store_id) == 0 && zone->stamp.generation == item->generation &&
		zone->deleted == (item->zone == NULL) && zone->exists == (item->zone != NULL) &&
		zone_digest_equal(&zone->digest, digest) && zone_digest_equal(&zone->stamped, digest);
}

/* A delete that is checked, and what is there is not what was deleted. */
static bool is_theirs(const struct memory_backend *backend, const struct memory_zone *zone,
	const struct backend_item *item)
{
	if (!item->check || item->zone != NULL)
		return false;
	return strcmp(zone->stamp.store_id, backend->store_id) != 0 ||
		(zone->exists && zone->deleted && !zone_digest_equal(&zone->digest, &item->last));
}

static void answer(struct backend_item *item, enum backend_verdict verdict, const char *text)
{
	item->verdict = verdict;
	item->lost = item->untried = false;
	if (verdict != BACKEND_OK)
		err_set(&item->err, verdict == BACKEND_REJECT ? ERR_INVALID : ERR_IO, "%s", text);
}

/* Returns false when the connection is gone. */
static bool apply_one(struct memory_backend *backend, struct backend_item *item)
{
	struct memory_row *row = get_or_make(backend->target, item->name);
	struct memory_zone *zone = &row->zone;
	enum memory_fate fate = fate_of(backend, item->name);

	switch (fate) {
	case MEMORY_RETRY:
		answer(item, BACKEND_RETRY, "deadlock");
		return true;
	case MEMORY_UNTRIED:
		answer(item, BACKEND_RETRY, "not tried");
		item->untried = true;
		return true;
	case MEMORY_REJECT:
		answer(item, BACKEND_REJECT, "does not fit");
		return true;
	case MEMORY_DOWN:
		answer(item, BACKEND_DOWN, "the target is away");
		return false;
	case MEMORY_LOST_BEFORE:
		answer(item, BACKEND_DOWN, "the connection was lost");
		item->lost = true;
		return false;
	case MEMORY_OK:
	case MEMORY_LOST_AFTER:
	case MEMORY_WRONG:
		break;
	}
	bool theirs = is_theirs(backend, zone, item);
	if (!theirs && is_stale(backend, zone, item)) {
		answer(item, BACKEND_STALE, "another stamp");
		item->found = zone->stamp;
		return true;
	}
	if (!theirs && !holds(backend, zone, item))
		write_zone(backend, row, item, fate == MEMORY_WRONG);
	answer(item, BACKEND_OK, NULL);
	if (fate != MEMORY_LOST_AFTER)
		return true;
	answer(item, BACKEND_DOWN, "the connection was lost");
	item->lost = true;
	return false;
}

static void apply(struct backend *base, struct backend_item *items, size_t count)
{
	struct memory_backend *backend = (struct memory_backend *)base;
	size_t at = 0;

	CHECK(pthread_mutex_lock(&backend->target->lock) == 0);
	while (at < count && apply_one(backend, &items[at]))
		at++;
	for (size_t i = at + 1; i < count; i++)
		answer(&items[i], BACKEND_DOWN, "the connection was lost before");
	pthread_mutex_unlock(&backend->target->lock);
}

static enum backend_verdict zone_exists(struct backend *base, const char *name, bool *exists, struct err *err)
{
	struct memory_backend *backend = (struct memory_backend *)base;
	struct memory_zone zone;

	*exists = memory_target_get(backend->target, name, &zone) && zone.exists;
	return ping(base, err);
}

static void see(const struct memory_target *target, struct backend_seen *seen)
{
	bool found;
	size_t at = find(target, seen->name, &found);
	const struct memory_zone *zone = found ? &target->rows[at]->zone : NULL;

	*seen = (struct backend_seen){ .name = seen->name };
	if (zone == NULL)
		return;
	seen->exists = zone->exists;
	seen->stamp = zone->stamp;
	seen->deleted = zone->deleted;
	seen->stamped = zone->stamped;
	if (zone->exists)
		seen->actual = zone->digest;
}

static void look_for_strays(const struct memory_backend *backend, struct backend_look *look)
{
	const struct memory_target *target = backend->target;
	size_t at = 0;

	for (size_t i = 0; i < target->count; i++) {
		const struct memory_zone *zone = &target->rows[i]->zone;

		if (strcmp(zone->name, look->after) <= 0 || (look->upto[0] != '\0' && strcmp(zone->name, look->upto) > 0))
			continue;
		while (at < look->done && strcmp(look->zones[at].name, zone->name) < 0)
			at++;
		if ((at < look->done && strcmp(look->zones[at].name, zone->name) == 0) || zone->deleted ||
			strcmp(zone->stamp.store_id, backend->store_id) != 0)
			continue;
		buf_append(&look->strays, zone->name, strlen(zone->name) + 1);
		look->stray_count++;
	}
}

static enum backend_verdict look(struct backend *base, struct backend_look *look, struct err *err)
{
	struct memory_backend *backend = (struct memory_backend *)base;
	struct memory_target *target = backend->target;

	CHECK(pthread_mutex_lock(&target->lock) == 0);
	enum memory_fate fate = fate_of(backend, NULL);
	/* Half of it, if it is told so: whoever asks must be ready for that. */
	look->done = fate == MEMORY_RETRY && look->count > 1 ? look->count / 2 : look->count;
	look->upto[0] = '\0';
	if (look->done < look->count || !look->to_end)
		memcpy(look->upto, look->zones[look->done - 1].name, strlen(look->zones[look->done - 1].name) + 1);
	for (size_t i = 0; i < look->done; i++)
		see(target, &look->zones[i]);
	look_for_strays(backend, look);
	pthread_mutex_unlock(&target->lock);
	return verdict_of(fate, err);
}

static void read_zone(const struct memory_target *target, struct backend_rows *out)
{
	bool found;
	size_t at = find(target, out->name, &found);

	if (!found)
		return;
	const struct memory_row *row = target->rows[at];
	out->exists = row->zone.exists;
	out->stamp = row->zone.stamp;
	out->deleted = row->zone.deleted;
	if (!out->exists)
		return;
	struct zone_digest digest = digest_of(row->rows, row->row_count);
	out->rows = copy_rows(row->rows, row->row_count, &out->texts);
	out->count = row->row_count;
	if (out->count > 0 && !zone_digest_equal(&digest, &row->zone.digest))
		out->rows[0].online = "0";
}

/* Told RETRY it stops half-way, as a look does. */
static enum backend_verdict read_rows(struct backend *base, struct backend_read *read, struct err *err)
{
	struct memory_backend *backend = (struct memory_backend *)base;

	CHECK(pthread_mutex_lock(&backend->target->lock) == 0);
	enum memory_fate fate = fate_of(backend, NULL);
	enum backend_verdict verdict = verdict_of(fate, err);
	backend_read_free(read);
	read->done = fate == MEMORY_RETRY && read->count > 1 ? read->count / 2 : read->count;
	for (size_t i = 0; verdict == BACKEND_OK && i < read->done; i++)
		read_zone(backend->target, &read->zones[i]);
	pthread_mutex_unlock(&backend->target->lock);
	return verdict;
}

static enum backend_verdict list_names(struct backend *base, struct backend_list *list, struct err *err)
{
	struct memory_backend *backend = (struct memory_backend *)base;
	const struct memory_target *target = backend->target;

	CHECK(pthread_mutex_lock(&backend->target->lock) == 0);
	enum backend_verdict verdict = verdict_of(fate_of(backend, NULL), err);
	size_t at = verdict == BACKEND_OK ? list->after : target->count;
	backend_list_free(list);
	list->names = xcalloc(list->most, sizeof(*list->names));
	for (size_t seen = 0; at < target->count && seen < list->most; at++, seen++) {
		const struct memory_row *row = target->rows[at];

		if (row->zone.exists)
			list->names[list->count++] = (struct backend_name){ .name = xstrdup(row->name),
				.rows = row->row_count, .stamp = row->zone.stamp, .deleted = row->zone.deleted };
	}
	list->next = at < target->count ? at : 0;
	pthread_mutex_unlock(&backend->target->lock);
	return verdict;
}

static void examine(struct backend *base, void (*tell)(void *ctx, const struct backend_finding *finding), void *ctx)
{
	struct memory_backend *backend = (struct memory_backend *)base;
	struct err err = { .text = "in memory" };

	CHECK(pthread_mutex_lock(&backend->target->lock) == 0);
	bool well = verdict_of(fate_of(backend, NULL), &err) == BACKEND_OK;
	pthread_mutex_unlock(&backend->target->lock);
	tell(ctx, &(struct backend_finding){ .health = well ? BACKEND_WELL : BACKEND_ILL, .about = "reach", .text = err.text,
		.remedy = "" });
}

static void describe(struct backend *base, struct buf *out)
{
	(void)base;
	buf_puts(out, "memory");
}

static void cancel(struct backend *base)
{
	atomic_store(&((struct memory_backend *)base)->cancelled, true);
}

const struct backend_ops memory_ops = {
	.type = "memory",
	.create = create,
	.destroy = destroy,
	.ping = ping,
	.apply = apply,
	.zone_exists = zone_exists,
	.look = look,
	.read = read_rows,
	.list = list_names,
	.examine = examine,
	.describe = describe,
	.cancel = cancel,
};
