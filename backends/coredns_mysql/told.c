/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/told.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

enum { SLOTS = 1 << 14, MOST = SLOTS / 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t slots[SLOTS]; /* open addressing; 0: free */
static size_t used;

static uint64_t key_of(const char *backend, const char *zone)
{
	struct buf text = { 0 };
	uint8_t hash[HASH_SIZE];
	uint64_t key;

	buf_puts(&text, backend);
	buf_append(&text, "", 1);
	buf_puts(&text, zone);
	hash_sha256(text.data, text.size, hash);
	buf_free(&text);
	memcpy(&key, hash, sizeof(key));
	return key == 0 ? 1 : key;
}

bool told_first(const char *backend, const char *zone)
{
	uint64_t key = key_of(backend, zone);
	size_t at = key % SLOTS;

	pthread_mutex_lock(&lock);
	if (used >= MOST) {
		memset(slots, 0, sizeof(slots));
		used = 0;
	}
	while (slots[at] != 0 && slots[at] != key)
		at = (at + 1) % SLOTS;
	bool first = slots[at] == 0;
	if (first) {
		slots[at] = key;
		used++;
	}
	pthread_mutex_unlock(&lock);
	return first;
}
