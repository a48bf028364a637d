/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The canary: a zone of our own that is changed every minute and goes the way
 * of every push. Where it is answered, everything on that way works.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "verify/internal.h"

enum { BEAT_MS = 60000 };

void canary_begin(struct verify *verify)
{
	const char *name = verify->params.canary == NULL ? "" : verify->params.canary;
	struct err err;

	verify->canary_ms = verify_now_ms();
	if (*name != '\0' && zone_name_parse(name, strlen(name), verify->canary, &err) != ERR_OK) {
		verify->canary[0] = '\0';
		log_error("verify.canary is no zone's name", LOG_ERR(&err));
	}
}

/* Not if it belongs to somebody. */
static bool is_ours(struct verify *verify)
{
	struct engine_request *request = engine_request_create(ENGINE_ZONE, 0);
	struct engine_message *reply;
	bool ours = true;

	request->zone = xstrdup(verify->canary);
	if (engine_ask(verify->engine, request, &reply) != ERR_OK)
		return false;
	if (reply->err.code == ERR_OK)
		ours = reply->zones[0].deleted || reply->zones[0].hostname == NULL || reply->zones[0].hostname[0] == '\0';
	engine_message_destroy(reply);
	return ours;
}

static void push(struct verify *verify)
{
	struct engine_request *request = engine_request_create(ENGINE_PUSH, 0);
	int64_t wall_us = verify_wall_us();
	struct engine_message *reply;
	char when[CLOCK_TEXT_SIZE];
	struct buf text = { 0 };

	buf_printf(&text,
		"$TTL 60\n@ IN SOA localhost. hostmaster.%s %" PRIu32 " 3600 600 86400 60\n@ IN NS localhost.\n@ IN TXT \"%s\"\n",
		verify->canary, (uint32_t)(wall_us / 1000000), clock_text(wall_us, when));
	request->zone = xstrdup(verify->canary);
	request->actor = xstrdup("canary");
	request->canary = true;
	request->text_size = text.size;
	request->text = buf_take(&text);
	if (verify_ask(verify, request, "the canary is not changed", &reply))
		engine_message_destroy(reply);
}

void canary_go_on(struct verify *verify)
{
	if (verify->canary[0] == '\0' || verify_now_ms() < verify->canary_ms)
		return;
	verify->canary_ms = verify_now_ms() + BEAT_MS;
	bool ours = is_ours(verify);
	if (ours)
		push(verify);
	else if (!verify->canary_refused && !atomic_load(&verify->stopping))
		tell_note(verify, "canary_refused", NULL, verify->canary, "the zone has an owner: it is left alone");
	verify->canary_refused = !ours;
}
