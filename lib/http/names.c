/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* RFC 1035: 253 characters without the final dot; anything longer is no name that could be held. */
enum { NAME_MAX_LENGTH = 253, TABLE_MIN = 64 };

/* What hangs in a table begins so. */
struct item {
	uint32_t hash;
	uint32_t key_size;
};

struct owner {
	struct item item;
	size_t uses;
	struct names_owner text; /* points into key */
	char key[];              /* hostname NUL username NUL */
};

struct name {
	struct item item;
	struct owner *owner;
	char key[];              /* canonical, without final dot, no NUL */
};

/* Linear probing; a power of two, at most 3/4 full; removal moves followers back, so there are no tombstones. */
struct table {
	struct item **slots;
	size_t capacity;
	size_t count;
	size_t key_offset;
};

struct names {
	struct table names;
	struct table owners;
};

/* FNV-1a with a final mix. Names come from the panel behind a login: no need for a keyed hash. */
static uint32_t hash_key(const char *key, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

static void table_init(struct table *table, size_t key_offset)
{
	*table = (struct table){ .capacity = TABLE_MIN, .key_offset = key_offset };
	table->slots = xcalloc(TABLE_MIN, sizeof(struct item *));
}

static const char *item_key(const struct table *table, const struct item *item)
{
	return (const char *)item + table->key_offset;
}

/* The slot of this key, or the free slot where it would go. */
static size_t table_slot(const struct table *table, uint32_t hash, const char *key, size_t size)
{
	size_t i = hash & (table->capacity - 1);

	for (; table->slots[i] != NULL; i = (i + 1) & (table->capacity - 1)) {
		const struct item *item = table->slots[i];

		if (item->hash == hash && item->key_size == size && memcmp(item_key(table, item), key, size) == 0)
			break;
	}
	return i;
}

static struct item *table_find(const struct table *table, const char *key, size_t size)
{
	return table->slots[table_slot(table, hash_key(key, size), key, size)];
}

static void table_resize(struct table *table, size_t capacity)
{
	struct item **old = table->slots;
	size_t old_capacity = table->capacity;

	table->slots = xcalloc(capacity, sizeof(struct item *));
	table->capacity = capacity;
	for (size_t i = 0; i < old_capacity; i++) {
		if (old[i] != NULL)
			table->slots[table_slot(table, old[i]->hash, item_key(table, old[i]), old[i]->key_size)] =
				old[i];
	}
	free(old);
}

/* The key must not be there yet. */
static void table_add(struct table *table, struct item *item)
{
	if ((table->count + 1) * 4 > table->capacity * 3)
		table_resize(table, table->capacity * 2);
	table->slots[table_slot(table, item->hash, item_key(table, item), item->key_size)] = item;
	table->count++;
}

static void table_remove(struct table *table, const struct item *item)
{
	size_t mask = table->capacity - 1;
	size_t hole = table_slot(table, item->hash, item_key(table, item), item->key_size);

	CHECK(table->slots[hole] == item);
	for (size_t i = (hole + 1) & mask; table->slots[i] != NULL; i = (i + 1) & mask) {
		size_t home = table->slots[i]->hash & mask;

		/* It may move into the hole unless its home lies behind the hole. */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			table->slots[hole] = table->slots[i];
			hole = i;
		}
	}
	table->slots[hole] = NULL;
	table->count--;
	if (table->capacity > TABLE_MIN && table->count * 8 < table->capacity)
		table_resize(table, table->capacity / 2);
}

static void table_free(struct table *table)
{
	for (size_t i = 0; i < table->capacity; i++)
		free(table->slots[i]);
	free(table->slots);
}

struct names *names_create(void)
{
	struct names *names = xcalloc(1, sizeof(*names));

	table_init(&names->names, offsetof(struct name, key));
	table_init(&names->owners, offsetof(struct owner, key));
	return names;
}

void names_destroy(struct names *names)
{
	if (names == NULL)
		return;
	table_free(&names->names);
	table_free(&names->owners);
	free(names);
}

size_t names_count(const struct names *names)
{
	return names->names.count;
}

static struct owner *owner_take(struct names *names, const char *hostname, const char *username)
{
	size_t hostname_size = strlen(hostname) + 1;
	size_t username_size = strlen(username) + 1;
	size_t size = hostname_size + username_size;
	struct owner *fresh = xmalloc(sizeof(*fresh) + size);
	struct owner *owner;

	memcpy(fresh->key, hostname, hostname_size);
	memcpy(fresh->key + hostname_size, username, username_size);
	owner = (struct owner *)table_find(&names->owners, fresh->key, size);
	if (owner != NULL) {
		free(fresh);
	} else {
		owner = fresh;
		owner->item = (struct item){ hash_key(owner->key, size), (uint32_t)size };
		owner->uses = 0;
		owner->text = (struct names_owner){ owner->key, owner->key + hostname_size };
		table_add(&names->owners, &owner->item);
	}
	owner->uses++;
	return owner;
}

static void owner_drop(struct names *names, struct owner *owner)
{
	if (--owner->uses > 0)
		return;
	table_remove(&names->owners, &owner->item);
	free(owner);
}

/* Lower case, without one final dot. 0: nothing that could be held. */
static size_t normalise(const char *name, char out[NAME_MAX_LENGTH + 1])
{
	size_t length = strnlen(name, NAME_MAX_LENGTH + 2);

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length > NAME_MAX_LENGTH)
		return 0;
	for (size_t i = 0; i < length; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	out[length] = '\0';
	return length;
}

void names_set(struct names *names, const char *name, const char *hostname, const char *username)
{
	char key[NAME_MAX_LENGTH + 1];
	size_t size = normalise(name, key);
	struct owner *owner;
	struct name *held;

	CHECK(size > 0);
	owner = owner_take(names, hostname != NULL ? hostname : "", username != NULL ? username : "");
	held = (struct name *)table_find(&names->names, key, size);
	if (held != NULL) {
		owner_drop(names, held->owner);
		held->owner = owner;
		return;
	}
	held = xmalloc(sizeof(*held) + size);
	held->item = (struct item){ hash_key(key, size), (uint32_t)size };
	held->owner = owner;
	memcpy(held->key, key, size);
	table_add(&names->names, &held->item);
}

void names_remove(struct names *names, const char *name)
{
	char key[NAME_MAX_LENGTH + 1];
	size_t size = normalise(name, key);
	struct name *held = (struct name *)table_find(&names->names, key, size);

	if (held == NULL)
		return;
	table_remove(&names->names, &held->item);
	owner_drop(names, held->owner);
	free(held);
}

const struct names_owner *names_find(const struct names *names, const char *name)
{
	char key[NAME_MAX_LENGTH + 1];
	size_t size = normalise(name, key);
	const struct name *held = size > 0 ? (struct name *)table_find(&names->names, key, size) : NULL;

	return held != NULL ? &held->owner->text : NULL;
}

const struct names_owner *names_find_parent(const struct names *names, const char *name)
{
	char key[NAME_MAX_LENGTH + 1];
	const char *parent = key;

	if (normalise(name, key) == 0)
		return NULL;
	while ((parent = strchr(parent, '.')) != NULL && strchr(++parent, '.') != NULL) {
		const struct name *held = (struct name *)table_find(&names->names, parent, strlen(parent));

		if (held != NULL)
			return &held->owner->text;
	}
	return NULL;
}
