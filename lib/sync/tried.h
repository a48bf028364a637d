/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones whose text was fetched and led to nothing: it was refused, held, or is
 * what we have. They are not fetched again while their master's serial is the
 * same, but once a day. In memory only. Pure; one owner.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strmap.h"

/* Zero-initialise it, tried_free it. */
struct tried {
	struct strmap index;
	struct tried_zone *zones;
	size_t count;
};

void tried_free(struct tried *tried);
/* text may be NULL: there was none. */
void tried_note(struct tried *tried, const char *zone, uint32_t serial, const char *text, size_t size, int64_t now_ms);
void tried_forget(struct tried *tried, const char *zone);
/* The master has that serial: was it fetched in vain less than a day ago? */
bool tried_has_serial(const struct tried *tried, const char *zone, uint32_t serial, int64_t now_ms);
bool tried_has_text(const struct tried *tried, const char *zone, const char *text, size_t size, int64_t now_ms);
