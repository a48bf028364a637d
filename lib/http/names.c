/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/strmap.h"

/* RFC 1035: 253 characters without the final dot; anything longer is no name that could be held. */
enum { NAME_MAX_LENGTH = 253 };

struct names {
	struct strmap names;  /* canonical, without final dot -> its owner's entry */
	struct strmap owners; /* entry of the host, then the username and NUL -> how many names are theirs */
	struct strmap hosts;  /* hostname and NUL -> how many owners are there */
	struct buf key;       /* an owner's, while it is put together */
};

struct names *names_create(void)
{
	return xcalloc(1, sizeof(struct names));
}

void names_destroy(struct names *names)
{
	if (names == NULL)
		return;
	strmap_free(&names->names);
	strmap_free(&names->owners);
	strmap_free(&names->hosts);
	buf_free(&names->key);
	free(names);
}

size_t names_count(const struct names *names)
{
	return names->names.count;
}

size_t names_memory(const struct names *names)
{
	return sizeof(*names) + names->key.capacity + strmap_memory(&names->names) +
		strmap_memory(&names->owners) + strmap_memory(&names->hosts);
}

/* ---- owners ---- */

static uint32_t host_of(const struct names *names, uint32_t owner)
{
	uint32_t host;

	memcpy(&host, strmap_key(&names->owners, owner), sizeof(host));
	return host;
}

static struct names_owner show_owner(const struct names *names, uint32_t owner)
{
	return (struct names_owner){ .hostname = strmap_key(&names->hosts, host_of(names, owner)),
		.username = (const char *)strmap_key(&names->owners, owner) + sizeof(uint32_t) };
}

/* Counts one more name that is theirs. */
static uint32_t take_owner(struct names *names, const char *hostname, const char *username)
{
	size_t hostname_size = strlen(hostname) + 1;
	uint32_t host = strmap_find(&names->hosts, hostname, hostname_size);
	uint32_t owner;

	if (host == 0)
		host = strmap_add(&names->hosts, hostname, hostname_size, 0);
	buf_clear(&names->key);
	buf_append(&names->key, &host, sizeof(host));
	buf_append(&names->key, username, strlen(username) + 1);
	owner = strmap_find(&names->owners, names->key.data, names->key.size);
	if (owner == 0) {
		owner = strmap_add(&names->owners, names->key.data, names->key.size, 0);
		++*strmap_value(&names->hosts, host);
	}
	++*strmap_value(&names->owners, owner);
	return owner;
}

static void drop_owner(struct names *names, uint32_t owner)
{
	uint32_t host = host_of(names, owner);

	if (--*strmap_value(&names->owners, owner) > 0)
		return;
	strmap_remove(&names->owners, owner);
	if (--*strmap_value(&names->hosts, host) == 0)
		strmap_remove(&names->hosts, host);
}

/* ---- names ---- */

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
	uint32_t owner, held;

	CHECK(size > 0);
	/* The new owner first: where it is the same, it must not go in between. */
	owner = take_owner(names, hostname != NULL ? hostname : "", username != NULL ? username : "");
	held = strmap_find(&names->names, key, size);
	if (held == 0) {
		strmap_add(&names->names, key, size, owner);
		return;
	}
	drop_owner(names, *strmap_value(&names->names, held));
	*strmap_value(&names->names, held) = owner;
}

void names_remove(struct names *names, const char *name)
{
	char key[NAME_MAX_LENGTH + 1];
	size_t size = normalise(name, key);
	uint32_t held = strmap_find(&names->names, key, size);

	if (held == 0)
		return;
	drop_owner(names, *strmap_value(&names->names, held));
	strmap_remove(&names->names, held);
}

static bool find(const struct names *names, const char *key, size_t size, struct names_owner *owner)
{
	uint32_t held = strmap_find(&names->names, key, size);

	if (held == 0)
		return false;
	*owner = show_owner(names, strmap_get(&names->names, held));
	return true;
}

bool names_find(const struct names *names, const char *name, struct names_owner *owner)
{
	char key[NAME_MAX_LENGTH + 1];
	size_t size = normalise(name, key);

	return size > 0 && find(names, key, size, owner);
}

bool names_find_parent(const struct names *names, const char *name, struct names_owner *owner)
{
	char key[NAME_MAX_LENGTH + 1];
	const char *parent = key;

	if (normalise(name, key) == 0)
		return false;
	while ((parent = strchr(parent, '.')) != NULL && strchr(++parent, '.') != NULL) {
		if (find(names, parent, strlen(parent), owner))
			return true;
	}
	return false;
}
