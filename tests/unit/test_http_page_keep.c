/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the status page keeps: tokens, notices, the lag of the last hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "http/page_keep.h"

static void test_tokens(void **state UNUSED)
{
	struct page_keep *keep = page_keep_create(), *restarted = page_keep_create();
	char token[PAGE_TOKEN_SIZE], other[PAGE_TOKEN_SIZE];

	page_token(keep, "ops", token);
	assert_int_equal(strlen(token), 64);
	assert_true(page_token_fits(keep, "ops", token));
	assert_false(page_token_fits(keep, "eve", token));
	assert_false(page_token_fits(keep, "ops", ""));
	assert_false(page_token_fits(restarted, "ops", token));
	page_token(keep, "eve", other);
	assert_string_not_equal(token, other);
	for (size_t i = 0; i < strlen(token); i++) {
		token[i] ^= 1;
		assert_false(page_token_fits(keep, "ops", token));
		token[i] ^= 1;
	}
	token[63] = '\0';
	assert_false(page_token_fits(keep, "ops", token));
	page_keep_destroy(keep);
	page_keep_destroy(restarted);
	page_keep_destroy(NULL);
}

/* RFC 4231, test case 1 has a shorter key: HMAC pads it with zeros to the same one. */
static void test_hmac(void **state UNUSED)
{
	static const uint8_t key[HASH_SIZE] = { 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11 };
	static const uint8_t wanted[HASH_SIZE] = { 0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf,
		0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7 };
	uint8_t out[HASH_SIZE];

	hash_hmac_sha256(key, "Hi There", 8, out);
	assert_memory_equal(out, wanted, sizeof(wanted));
}

static void test_notices(void **state UNUSED)
{
	struct page_keep *keep = page_keep_create();
	char id[PAGE_NOTICE_ID_SIZE];

	snprintf(id, sizeof(id), "%s", page_notice_add(keep, "ops", "dc2 is now paused.", false, 1000));
	assert_string_equal(page_notice_find(keep, "ops", id, 1000)->text, "dc2 is now paused.");
	assert_non_null(page_notice_find(keep, "ops", id, 1000 + PAGE_NOTICE_MS - 1));
	assert_null(page_notice_find(keep, "ops", id, 1000 + PAGE_NOTICE_MS));
	assert_null(page_notice_find(keep, "eve", id, 1000));
	assert_null(page_notice_find(keep, "ops", "", 1000));
	for (int i = 0; i < PAGE_NOTICES_MAX - 1; i++)
		page_notice_add(keep, "ops", "another", true, 1000);
	assert_non_null(page_notice_find(keep, "ops", id, 1000));
	assert_true(page_notice_find(keep, "ops", page_notice_add(keep, "ops", "the last", true, 1000), 1000)->bad);
	assert_null(page_notice_find(keep, "ops", id, 1000));
	page_keep_destroy(keep);
}

static void sample(struct page_keep *keep, const char *backend, const char *lane_state, int64_t lag_ms, int64_t now_ms)
{
	struct engine_lane lane = { .backend = xstrdup(backend), .state = lane_state, .pending = lag_ms > 0,
		.oldest_pending_us = lag_ms * 1000 };
	struct engine_status status = { .lanes = &lane, .lane_count = 1 };

	page_sample(keep, &status, now_ms);
	free(lane.backend);
}

static void test_lags(void **state UNUSED)
{
	struct page_keep *keep = page_keep_create();
	int64_t slot = page_slot(50000);

	assert_null(page_lag_of(keep, "dc1"));
	sample(keep, "dc1", "up", 0, 50000);
	const struct page_lag *lag = page_lag_of(keep, "dc1");
	assert_int_equal(page_sample_at(lag, slot)->lag_ms, 0);
	assert_false(page_sample_at(lag, slot)->down);
	sample(keep, "dc1", "down", 3000, 52000);
	sample(keep, "dc1", "up", 1000, 54000);
	assert_int_equal(page_sample_at(lag, slot)->lag_ms, 3000); /* the most of them */
	assert_true(page_sample_at(lag, slot)->down);
	assert_null(page_sample_at(lag, slot - 1));
	assert_null(page_sample_at(lag, slot + 1));
	/* An hour later the same place is another time's. */
	sample(keep, "dc1", "up", 7, 50000 + (int64_t)PAGE_SAMPLES * PAGE_SAMPLE_MS);
	assert_null(page_sample_at(lag, slot));
	assert_int_equal(page_sample_at(lag, slot + PAGE_SAMPLES)->lag_ms, 7);
	sample(keep, "dc1", "up", INT64_MAX / 1000, 90000000);
	assert_int_equal(page_sample_at(lag, page_slot(90000000))->lag_ms, UINT32_MAX);
	assert_null(page_sample_at(lag, 0));
	assert_null(page_sample_at(lag, -5));
	/* One that is not told of any more is forgotten. */
	sample(keep, "dc2", "up", 0, 90000000);
	assert_null(page_lag_of(keep, "dc1"));
	assert_non_null(page_lag_of(keep, "dc2"));
	page_keep_destroy(keep);
}

/* What was given up is no lag. */
static void test_given_up(void **state UNUSED)
{
	struct page_keep *keep = page_keep_create();
	struct engine_lane lane = { .backend = (char[]){ "dc1" }, .state = "up", .pending = 3, .dead = 2, .rejected = 1,
		.oldest_pending_us = 9000000 };
	struct engine_status status = { .lanes = &lane, .lane_count = 1 };

	page_sample(keep, &status, 0);
	assert_int_equal(page_sample_at(page_lag_of(keep, "dc1"), page_slot(0))->lag_ms, 0);
	lane.pending = 4;
	page_sample(keep, &status, 0);
	assert_int_equal(page_sample_at(page_lag_of(keep, "dc1"), page_slot(0))->lag_ms, 9000);
	page_keep_destroy(keep);
}

static void test_many_backends(void **state UNUSED)
{
	struct page_keep *keep = page_keep_create();
	struct engine_lane lanes[PAGE_LAGS_MAX + 5];
	struct engine_status status = { .lanes = lanes, .lane_count = ARRAY_SIZE(lanes) };
	char last[16];

	for (size_t i = 0; i < ARRAY_SIZE(lanes); i++)
		lanes[i] = (struct engine_lane){ .backend = xasprintf("dc%zu", i), .state = "up" };
	page_sample(keep, &status, 0);
	page_sample(keep, &status, 0);
	snprintf(last, sizeof(last), "dc%d", PAGE_LAGS_MAX - 1);
	assert_non_null(page_lag_of(keep, last));
	snprintf(last, sizeof(last), "dc%d", PAGE_LAGS_MAX);
	assert_null(page_lag_of(keep, last));
	page_keep_destroy(keep);
	for (size_t i = 0; i < ARRAY_SIZE(lanes); i++)
		free(lanes[i].backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_lags),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_many_backends),
	};

	return cmocka_run_group_tests_name("http_page_keep", tests, NULL, NULL);
}
