/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/page_keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"

struct page_keep {
	uint8_t secret[HASH_SIZE];
	struct page_notice notices[PAGE_NOTICES_MAX];
	size_t next_notice;
	struct page_lag *lags[PAGE_LAGS_MAX];
	size_t lag_count;
};

struct page_keep *page_keep_create(void)
{
	struct page_keep *keep = xcalloc(1, sizeof(*keep));

	hash_random(keep->secret, sizeof(keep->secret));
	return keep;
}

static void clear_notice(struct page_notice *notice)
{
	free(notice->login);
	free(notice->text);
	*notice = (struct page_notice){ 0 };
}

static void free_lag(struct page_lag *lag)
{
	free(lag->backend);
	free(lag);
}

void page_keep_destroy(struct page_keep *keep)
{
	if (keep == NULL)
		return;
	for (size_t i = 0; i < PAGE_NOTICES_MAX; i++)
		clear_notice(&keep->notices[i]);
	for (size_t i = 0; i < keep->lag_count; i++)
		free_lag(keep->lags[i]);
	explicit_bzero(keep->secret, sizeof(keep->secret));
	free(keep);
}

/* ---- tokens ---- */

static void hex(const uint8_t *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}

void page_token(const struct page_keep *keep, const char *login, char out[PAGE_TOKEN_SIZE])
{
	uint8_t hash[HASH_SIZE];

	hash_hmac_sha256(keep->secret, login, strlen(login), hash);
	hex(hash, sizeof(hash), out);
}

bool page_token_fits(const struct page_keep *keep, const char *login, const char *token)
{
	char wanted[PAGE_TOKEN_SIZE];
	uint8_t a[HASH_SIZE], b[HASH_SIZE];

	page_token(keep, login, wanted);
	hash_sha256(wanted, strlen(wanted), a);
	hash_sha256(token, strlen(token), b);
	return hash_equal(a, b);
}

/* ---- notices ---- */

const char *page_notice_add(struct page_keep *keep, const char *login, const char *text, bool bad, int64_t now_ms)
{
	struct page_notice *notice = &keep->notices[keep->next_notice];
	uint8_t id[(PAGE_NOTICE_ID_SIZE - 1) / 2];

	keep->next_notice = (keep->next_notice + 1) % PAGE_NOTICES_MAX;
	clear_notice(notice);
	hash_random(id, sizeof(id));
	hex(id, sizeof(id), notice->id);
	notice->login = xstrdup(login);
	notice->text = xstrdup(text);
	notice->bad = bad;
	notice->at_ms = now_ms;
	return notice->id;
}

const struct page_notice *page_notice_find(const struct page_keep *keep, const char *login, const char *id, int64_t now_ms)
{
	for (size_t i = 0; i < PAGE_NOTICES_MAX; i++) {
		const struct page_notice *notice = &keep->notices[i];

		if (notice->text != NULL && strcmp(notice->id, id) == 0 && strcmp(notice->login, login) == 0 &&
			now_ms - notice->at_ms < PAGE_NOTICE_MS)
			return notice;
	}
	return NULL;
}

/* ---- lags ---- */

static const struct engine_lane *find_lane(const struct engine_status *status, const char *backend)
{
	for (size_t i = 0; i < status->lane_count; i++) {
		if (strcmp(status->lanes[i].backend, backend) == 0)
			return &status->lanes[i];
	}
	return NULL;
}

static void forget_gone(struct page_keep *keep, const struct engine_status *status)
{
	size_t left = 0;

	for (size_t i = 0; i < keep->lag_count; i++) {
		if (find_lane(status, keep->lags[i]->backend) != NULL)
			keep->lags[left++] = keep->lags[i];
		else
			free_lag(keep->lags[i]);
	}
	keep->lag_count = left;
}

static struct page_lag *find_lag(const struct page_keep *keep, const char *backend)
{
	for (size_t i = 0; i < keep->lag_count; i++) {
		if (strcmp(keep->lags[i]->backend, backend) == 0)
			return keep->lags[i];
	}
	return NULL;
}

const struct page_lag *page_lag_of(const struct page_keep *keep, const char *backend)
{
	return find_lag(keep, backend);
}

/* NULL: there are too many. */
static struct page_lag *take_lag(struct page_keep *keep, const char *backend)
{
	struct page_lag *lag = find_lag(keep, backend);

	if (lag != NULL || keep->lag_count == PAGE_LAGS_MAX)
		return lag;
	lag = xcalloc(1, sizeof(*lag));
	lag->backend = xstrdup(backend);
	keep->lags[keep->lag_count++] = lag;
	return lag;
}

int64_t page_slot(int64_t now_ms)
{
	return now_ms / PAGE_SAMPLE_MS + 1;
}

static void note(struct page_lag *lag, const struct engine_lane *lane, int64_t slot)
{
	struct page_sample *sample = &lag->samples[slot % PAGE_SAMPLES];
	/* Were all that is pending given up, it would be no lag: nothing is on its way. */
	int64_t lag_ms = lane->pending > lane->dead + lane->rejected ? lane->oldest_pending_us / 1000 : 0;

	if (sample->slot != slot)
		*sample = (struct page_sample){ .slot = slot };
	if (lag_ms > UINT32_MAX)
		lag_ms = UINT32_MAX;
	if (lag_ms > sample->lag_ms)
		sample->lag_ms = (uint32_t)lag_ms;
	if (strcmp(lane->state, "up") != 0)
		sample->down = true;
}

void page_sample(struct page_keep *keep, const struct engine_status *status, int64_t now_ms)
{
	forget_gone(keep, status);
	for (size_t i = 0; i < status->lane_count; i++) {
		struct page_lag *lag = take_lag(keep, status->lanes[i].backend);

		if (lag != NULL)
			note(lag, &status->lanes[i], page_slot(now_ms));
	}
}

const struct page_sample *page_sample_at(const struct page_lag *lag, int64_t slot)
{
	const struct page_sample *sample = slot < 1 ? NULL : &lag->samples[slot % PAGE_SAMPLES];

	return sample != NULL && sample->slot == slot ? sample : NULL;
}
