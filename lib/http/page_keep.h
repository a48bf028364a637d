/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the status page keeps between two requests: a secret for the tokens of
 * its forms, what came of the last actions, and how far each back end lagged
 * in the last hour. In memory alone: a restart forgets it, and forms from
 * before are refused. Bounded; one owner; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "engine/engine.h"

enum {
	PAGE_SAMPLE_MS = 10 * 1000,
	PAGE_SAMPLES = 360,                  /* an hour */
	PAGE_LAGS_MAX = 64,                  /* back ends; of further ones no lag is kept */
	PAGE_NOTICES_MAX = 32,
	PAGE_NOTICE_MS = 60 * 1000,
	PAGE_TOKEN_SIZE = 2 * HASH_SIZE + 1, /* with NUL */
	PAGE_NOTICE_ID_SIZE = 2 * 8 + 1
};

struct page_sample {
	int64_t slot;       /* which PAGE_SAMPLE_MS of the monotonic clock; 0: none was taken */
	uint32_t lag_ms;    /* the longest that was seen in it */
	bool down;          /* the back end was not up, once at least */
};

struct page_lag {
	char *backend;
	struct page_sample samples[PAGE_SAMPLES]; /* slot modulo their number */
};

struct page_notice {
	char id[PAGE_NOTICE_ID_SIZE];
	char *login;
	char *text;
	bool bad;
	int64_t at_ms;
};

struct page_keep;

struct page_keep *page_keep_create(void);
void page_keep_destroy(struct page_keep *keep);

/* The token of that login's forms: a keyed hash of its name (decisions.md 15, issue "Status page": CSRF). */
void page_token(const struct page_keep *keep, const char *login, char out[PAGE_TOKEN_SIZE]);
/* In constant time. token: whatever came. */
bool page_token_fits(const struct page_keep *keep, const char *login, const char *token);

/* For PAGE_NOTICE_MS that login may see it; the oldest of too many goes. Its id lives as long as the notice. */
const char *page_notice_add(struct page_keep *keep, const char *login, const char *text, bool bad, int64_t now_ms);
/* NULL: there is none of that id, it is another login's, or too old. */
const struct page_notice *page_notice_find(const struct page_keep *keep, const char *login, const char *id, int64_t now_ms);

/* Notes the lag of each back end, and forgets those that are not told of any more. */
void page_sample(struct page_keep *keep, const struct engine_status *status, int64_t now_ms);
/* NULL: none is known of that back end. */
const struct page_lag *page_lag_of(const struct page_keep *keep, const char *backend);
/* The sample of that slot; NULL: none was taken. */
const struct page_sample *page_sample_at(const struct page_lag *lag, int64_t slot);
int64_t page_slot(int64_t now_ms);
