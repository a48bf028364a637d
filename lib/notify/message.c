/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/message.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/check.h"
#include "base/clock.h"

static const struct wording {
	const char *kind;
	const char *problem;
	const char *recovered;
} wordings[] = {
	{ "store_not_writable", "the store can't be written, pushes are refused", "the store can be written again" },
	{ "held", "what looks like an accident waits for your word", "nothing waits for your word any more" },
	{ "certificate_expires", "the certificate ends soon", "the certificate was renewed" },
	{ "backend_down", "is down", "is up again" },
	{ "unanswered", "name servers do not answer what was written", "name servers answer what was written" },
	{ "dead_letters", "can't hold zones, or fails at them", "holds all its zones again" },
	{ "contested", "has zones that somebody else keeps writing", "has no contested zones any more" },
};

static const struct wording *wording_of(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(wordings); i++) {
		if (strcmp(wordings[i].kind, kind) == 0)
			return &wordings[i];
	}
	WRONG(kind);
}

/* Of what is over, the figure is none. */
static const char *detail_of(const struct watch_fact *fact)
{
	return fact->bad ? fact->text : fact->moot != NULL ? fact->moot : "";
}

static char *line_of(const struct watch_fact *fact, const char *host)
{
	const struct wording *wording = wording_of(fact->kind);
	const char *what = fact->bad || fact->moot != NULL ? wording->problem : wording->recovered;
	const char *detail = detail_of(fact);

	if (!fact->bad && fact->moot != NULL)
		return xasprintf("zonefan %s: over: %s%s%s (%s)", host, fact->backend, fact->backend[0] == '\0' ? "" : " ", what, detail);
	return xasprintf("zonefan %s: %s%s%s%s%s", host, fact->backend, fact->backend[0] == '\0' ? "" : " ", what,
		detail[0] == '\0' ? "" : ": ", detail);
}

/* A text of a remote may be no UTF-8. */
static json_t *text_of(const char *text)
{
	json_t *json = json_string(text);
	char *plain;

	if (json != NULL)
		return json;
	plain = xstrdup(text);
	for (char *at = plain; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	}
	json = json_string(plain);
	free(plain);
	CHECK(json != NULL);
	return json;
}

char *message_write(const struct watch_news *news, const char *host, const char *id, int64_t wall_us)
{
	const struct watch_fact *fact = news->fact;
	char since[CLOCK_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
	char *line = line_of(fact, host), *out;
	json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:s}", "id", id, "text", text_of(line), "event",
		fact->kind, "state", fact->bad ? "problem" : "recovered", "backend",
		fact->backend[0] == '\0' ? json_null() : text_of(fact->backend), "detail", text_of(detail_of(fact)),
		"since", clock_text(news->since_us, since), "at", clock_text(wall_us, at), "host", text_of(host), "version",
		ZONEFAN_VERSION);

	CHECK(json != NULL);
	out = json_dumps(json, JSON_COMPACT);
	CHECK(out != NULL);
	json_decref(json);
	free(line);
	return out;
}
