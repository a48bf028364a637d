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

/* So every canary begins. */
static void put_head(const struct verify *verify, struct buf *text)
{
	buf_printf(text, "$TTL 60\n@ IN SOA localhost. hostmaster.%s ", verify->canary);
}

/* A zone without an owner may have been imported. */
static bool is_a_canary(struct verify *verify)
{
	struct engine_request *request = engine_request_create(ENGINE_PEER_ZONES, 0);
	struct engine_message *reply;
	struct buf head = { 0 };

	request->zone = xstrdup(verify->canary);
	if (!verify_ask(verify, request, "whether the zone is the canary is not known", &reply))
		return false;
	put_head(verify, &head);
	const struct doc *text = doc_get(reply->doc, "zone_data");
	bool is = text->text_size >= head.size && memcmp(text->value.text, head.data, head.size) == 0;
	buf_free(&head);
	engine_message_destroy(reply);
	return is;
}

/* Not if it is somebody's. *serial: higher than what it has, also when it was changed a moment ago. */
static bool is_ours(struct verify *verify, uint32_t *serial)
{
	struct engine_request *request = engine_request_create(ENGINE_ZONE, 0);
	struct engine_message *reply;

	*serial = (uint32_t)(verify_wall_us() / 1000000);
	request->zone = xstrdup(verify->canary);
	if (engine_ask(verify->engine, request, &reply) != ERR_OK)
		return false;
	bool ours = reply->err.code == ERR_NOTFOUND;
	if (reply->err.code == ERR_OK) {
		const struct engine_zone *zone = &reply->zones[0];

		ours = zone->deleted || ((zone->hostname == NULL || zone->hostname[0] == '\0') && is_a_canary(verify));
		*serial = ours && zone->serial >= *serial ? zone->serial + 1 : *serial;
	}
	engine_message_destroy(reply);
	return ours;
}

static void push(struct verify *verify, uint32_t serial)
{
	struct engine_request *request = engine_request_create(ENGINE_PUSH, 0);
	struct engine_message *reply;
	char when[CLOCK_TEXT_SIZE];
	struct buf text = { 0 };

	put_head(verify, &text);
	buf_printf(&text, "%" PRIu32 " 3600 600 86400 60\n@ IN NS localhost.\n@ IN TXT \"%s\"\n", serial,
		clock_text(verify_wall_us(), when));
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
	uint32_t serial;

	verify->canary_ms = verify_now_ms() + BEAT_MS;
	bool ours = is_ours(verify, &serial);
	if (ours)
		push(verify, serial);
	else if (!verify->canary_refused && !atomic_load(&verify->stopping))
		tell_note(verify, "canary_refused", NULL, verify->canary, "the zone is not ours, or can't be read: it is left alone");
	verify->canary_refused = !ours;
}
