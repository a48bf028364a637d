/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What differs between two configurations, by the table of keys: a new setting is compared without a line here. */
#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "conf/keys.h"
#include "conf/print.h"

enum { NAME_SIZE = 512 };

/* The elements of a set in one configuration. */
struct elements {
	enum key_set set;
	const char *base;
	size_t size;
	size_t count;
};

static struct elements elements_of(const struct conf *conf, enum key_set set)
{
	switch (set) {
	case SET_MAIN:
		return (struct elements){ set, (const char *)conf, sizeof(*conf), 1 };
	case SET_BACKENDS:
		return (struct elements){ set, (const char *)conf->backends, sizeof(*conf->backends), conf->backend_count };
	case SET_USERS:
		return (struct elements){ set, (const char *)conf->users, sizeof(*conf->users), conf->user_count };
	case SET_MASTERS:
		return (struct elements){ set, (const char *)conf->masters, sizeof(*conf->masters), conf->master_count };
	case SET_PEERS:
		return (struct elements){ set, (const char *)conf->peers, sizeof(*conf->peers), conf->peer_count };
	case SET_LISTENERS:
		return (struct elements){ set, (const char *)conf->listeners, sizeof(*conf->listeners), conf->listener_count };
	case SET_COUNT:
		break;
	}
	WRONG("a set of keys that is none");
}

static const void *element_at(const struct elements *elements, size_t i)
{
	return elements->base + i * elements->size;
}

static const char *address_of(const struct conf_listener *listener, char out[NAME_SIZE])
{
	bool v6 = strchr(listener->address, ':') != NULL;

	snprintf(out, NAME_SIZE, v6 ? "[%s]:%u" : "%s:%u", listener->address, (unsigned)listener->port);
	return out;
}

/* What tells it from the others of its set. */
static const char *name_at(const struct elements *elements, size_t i, char out[NAME_SIZE])
{
	const void *element = element_at(elements, i);

	switch (elements->set) {
	case SET_BACKENDS:
		return ((const struct conf_backend *)element)->name;
	case SET_USERS:
		return ((const struct conf_user *)element)->name;
	case SET_MASTERS:
		return ((const struct conf_master *)element)->hostname;
	case SET_PEERS:
		return ((const struct conf_peer *)element)->url;
	case SET_LISTENERS:
		return address_of(element, out);
	default:
		WRONG("a set without names");
	}
}

/* NULL: there is none of that name. */
static const void *find(const struct elements *elements, const char *name)
{
	char own[NAME_SIZE];

	for (size_t i = 0; i < elements->count; i++) {
		if (strcmp(name_at(elements, i, own), name) == 0)
			return element_at(elements, i);
	}
	return NULL;
}

/* The value as text, secrets as they are. */
static struct buf text_of(const struct key *key, const void *element)
{
	struct buf text = { 0 };

	print_value(key, element, true, &text);
	return text;
}

static void wipe(struct buf *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->capacity);
	buf_free(text);
}

static bool is_same(const struct key *key, const void *before, const void *after)
{
	struct buf a = text_of(key, before);
	struct buf b = text_of(key, after);
	bool same = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;

	wipe(&a);
	wipe(&b);
	return same;
}

/* ---- lines for people ---- */

/* "app.listen_port", "dns.backends.dc1.host", "app.users[fred].role"; the key may be NULL. */
static void put_path(struct buf *out, enum key_set set, const char *name, const struct key *key)
{
	const char *path = keys_set_path(set);
	size_t size = strcspn(path, "*[");

	if (set == SET_MAIN) {
		buf_puts(out, key->path);
		return;
	}
	buf_append(out, path, size);
	buf_printf(out, path[size] == '[' ? "[%s]" : "%s", name);
	if (key != NULL)
		buf_puts(out, key->path + strlen(path));
}

static void put_change(struct buf *out, enum key_set set, const char *name, const struct key *key, const void *before,
	const void *after)
{
	put_path(out, set, name, key);
	if (key->secret) {
		buf_puts(out, ": changed\n");
		return;
	}
	buf_puts(out, ": ");
	print_value(key, before, false, out);
	buf_puts(out, " -> ");
	print_value(key, after, false, out);
	buf_puts(out, "\n");
}

/* Of those that are in both. */
static void compare(struct buf *out, enum key_set set, const char *name, const void *before, const void *after, bool restart)
{
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->state == KEY_LIVE && keys_set(key) == set && key->restart == restart && !is_same(key, before, after))
			put_change(out, set, name, key, before, after);
	}
}

/* Those of one that the other lacks. */
static void put_missing(struct buf *out, const struct elements *these, const struct elements *those, const char *what)
{
	char name[NAME_SIZE];

	for (size_t i = 0; i < these->count; i++) {
		const char *own = name_at(these, i, name);

		if (find(those, own) != NULL)
			continue;
		put_path(out, these->set, own, NULL);
		buf_printf(out, ": %s\n", what);
	}
}

static void compare_set(struct buf *out, enum key_set set, const struct conf *old, const struct conf *new)
{
	struct elements before = elements_of(old, set);
	struct elements after = elements_of(new, set);
	char name[NAME_SIZE];

	put_missing(out, &before, &after, "gone");
	put_missing(out, &after, &before, "new");
	for (size_t i = 0; i < before.count; i++) {
		const char *own = name_at(&before, i, name);
		const void *there = find(&after, own);

		if (there != NULL)
			compare(out, set, own, element_at(&before, i), there, false);
	}
}

void conf_diff(const struct conf *old, const struct conf *new, struct buf *out)
{
	compare(out, SET_MAIN, NULL, old, new, false);
	for (enum key_set set = SET_BACKENDS; set < SET_COUNT; set++)
		compare_set(out, set, old, new);
}

void conf_diff_restart(const struct conf *old, const struct conf *new, struct buf *out)
{
	compare(out, SET_MAIN, NULL, old, new, true);
}

/* ---- for programs ---- */

static void add_all(struct buf *out, const struct conf *conf, const char *prefix)
{
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		struct elements elements = elements_of(conf, keys_set(key));

		if (key->state != KEY_LIVE || strncmp(key->path, prefix, strlen(prefix)) != 0)
			continue;
		for (size_t k = 0; k < elements.count; k++) {
			print_value(key, element_at(&elements, k), true, out);
			buf_append(out, "", 1);
		}
	}
}

bool conf_is_same(const struct conf *a, const struct conf *b, const char *prefix)
{
	struct buf first = { 0 };
	struct buf second = { 0 };

	add_all(&first, a, prefix);
	add_all(&second, b, prefix);
	bool same = first.size == second.size && (first.size == 0 || memcmp(first.data, second.data, first.size) == 0);
	wipe(&first);
	wipe(&second);
	return same;
}

uint64_t conf_backend_version(const struct conf_backend *backend)
{
	struct buf all = { 0 };
	uint8_t hash[HASH_SIZE];
	uint64_t version;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->state != KEY_LIVE || keys_set(key) != SET_BACKENDS)
			continue;
		print_value(key, backend, true, &all);
		buf_append(&all, "", 1);
	}
	hash_sha256(all.data, all.size, hash);
	wipe(&all);
	memcpy(&version, hash, sizeof(version));
	return version;
}
