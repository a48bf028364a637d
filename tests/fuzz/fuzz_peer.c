/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What peers answer: whatever is accepted is within all limits, whichever form it has, and times are read as they stand.
 * The first byte chooses what was asked for.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/peer_form.h"
#include "zone/zone.h"

static const int64_t latest_us = INT64_C(253402300799999999); /* the end of 9999 */

static void require_zone(const struct peer_form *form, const struct engine_peer_zone *zone)
{
	char name[ZONE_NAME_SIZE];

	FUZZ_REQUIRE(zone_name_parse(zone->name, strlen(zone->name), name, NULL) == 0, "%s is no zone's name", zone->name);
	FUZZ_REQUIRE(zone->accepted_us >= 0 && zone->accepted_us <= latest_us, "accepted at %lld", (long long)zone->accepted_us);
	if (!form->versioned) {
		FUZZ_REQUIRE(zone->vector == NULL && zone->digest == NULL && !zone->deleted, "directdnsonly tells no versions");
		return;
	}
	FUZZ_REQUIRE(zone->vector != NULL && zone->origin != NULL && zone->digest != NULL, "a version is told by half");
	FUZZ_REQUIRE(zone->records <= INT64_MAX, "%llu records", (unsigned long long)zone->records);
}

static void require_limits(const struct peer_form *form)
{
	FUZZ_REQUIRE(form->count <= 1000000 && form->count <= form->room, "%zu zones", form->count);
	FUZZ_REQUIRE(form->now_us >= 0 && form->now_us <= latest_us, "now is %lld", (long long)form->now_us);
	FUZZ_REQUIRE(!form->versioned || strspn(form->store_id, "0123456789abcdef") == 32, "store_id is %s", form->store_id);
	for (size_t i = 0; i < form->count; i++)
		require_zone(form, &form->zones[i]);
}

static void try_list(const struct buf *body)
{
	struct peer_form form;
	struct err err;

	if (peer_form_list(body, &form, &err) == 0)
		require_limits(&form);
	peer_form_clear(&form);
}

static void try_zone(const struct buf *body)
{
	struct peer_form form;
	struct err err;

	if (peer_form_zone(body, &form, &err) == 0) {
		require_limits(&form);
		FUZZ_REQUIRE(form.count == 1, "%zu zones instead of one", form.count);
		FUZZ_REQUIRE((form.text == NULL) == form.zones[0].deleted, "a zone that is there has a text");
		FUZZ_REQUIRE(form.text == NULL || form.text_size <= body->size, "the text grew");
	}
	peer_form_clear(&form);
}

static void take_url(void *ctx, const char *url)
{
	*(size_t *)ctx += strlen(url) + 1;
}

static void try_urls(const struct buf *body)
{
	size_t size = 0;
	struct err err;

	if (peer_form_urls(body, take_url, &size, &err) == 0)
		FUZZ_REQUIRE(size <= body->size, "URLs of %zu bytes in %zu", size, body->size);
}

static void try_stamp(const struct buf *body)
{
	char *text = xmemdup(body->data == NULL ? "" : body->data, body->size);
	int64_t us, again;
	char plain[CLOCK_TEXT_SIZE];
	struct err err;

	if (peer_form_stamp(text, &us, &err) == 0) {
		FUZZ_REQUIRE(us > 0 && us <= latest_us, "%s is %lld", text, (long long)us);
		FUZZ_REQUIRE(peer_form_stamp(clock_text(us, plain), &again, &err) == 0 && us == again, "%s became %s", text, plain);
	}
	free(text);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const struct buf *body) = { try_list, try_zone, try_urls, try_stamp };
	struct fuzz_input input = { data, size };
	uint8_t what = fuzz_byte(&input);
	struct buf body = { 0 };

	if (input.left > 0)
		buf_append(&body, input.at, input.left);
	tries[what % ARRAY_SIZE(tries)](&body);
	buf_free(&body);
}
