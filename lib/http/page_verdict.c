/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first thing that is read at night: is anything wrong, what, and does it
 * need me? One line for each trouble, the worst first; the headline is the
 * first of them.
 */
#include <stdlib.h>
#include <string.h>

#include "http/html.h"
#include "http/page_draw.h"

enum { TROUBLES_MAX = 200 };

enum { CERTIFICATE_SECONDS = 14 * 86400 }; /* before its end, when it is told */

struct trouble {
	bool bad;           /* else a warning */
	char *headline;     /* plain */
	char *detail;       /* markup */
	const char *anchor; /* of the panel that tells more */
};

struct troubles {
	const struct page_look *look;
	struct trouble all[TROUBLES_MAX];
	size_t count;
};

/* Takes what is in the buffers. */
static void add(struct troubles *troubles, bool bad, struct buf *headline, struct buf *detail, const char *anchor)
{
	if (troubles->count == TROUBLES_MAX) {
		buf_free(headline);
		buf_free(detail);
		return;
	}
	troubles->all[troubles->count++] = (struct trouble){ bad, buf_take(headline), buf_take(detail), anchor };
}

static void add_text(struct troubles *troubles, bool bad, const char *headline, const char *detail, const char *anchor)
{
	struct buf head = { 0 }, body = { 0 };

	buf_puts(&head, headline);
	html_put(&body, "%s", detail);
	add(troubles, bad, &head, &body, anchor);
}

/* ---- what can be wrong ---- */

static void judge_ourselves(struct troubles *troubles, const json_t *status)
{
	const json_t *store = json_object_get(status, "store");

	if (json_object_get(status, "error") != NULL)
		add_text(troubles, true, "The state cannot be told", page_word(status, "error"), "verdict");
	else if (!page_flag(store, "ok"))
		add_text(troubles, true, "The store cannot be written: pushes are refused", page_word(store, "error"), "verdict");
	if (troubles->look->trouble != NULL)
		add_text(troubles, true, "Not ready for pushes", troubles->look->trouble, "verdict");
	if (page_flag(status, "dry_run"))
		add_text(troubles, false, "Dry run: nothing is written to any data centre",
			"Pushes are taken and kept. Take dry_run out of the configuration to begin.", "backends");
}

static void add_waiting(struct buf *out, const json_t *lane)
{
	uint64_t waiting = page_waiting(lane);

	if (waiting == 0)
		return;
	buf_puts(out, " ");
	page_plural(out, waiting, "zone waits.", "zones wait.");
}

static void judge_down(struct troubles *troubles, const json_t *lane)
{
	struct buf head = { 0 }, body = { 0 };

	buf_printf(&head, "%s is down", page_word(lane, "name"));
	buf_puts(&body, "Since ");
	page_moment(&body, troubles->look, page_word(lane, "since"));
	html_put(&body, ": %s.", page_has(lane, "last_error") ? page_word(lane, "last_error") : "it was not reached yet");
	add_waiting(&body, lane);
	buf_puts(&body, " Pushes are taken and kept; it catches up by itself when it answers again.");
	add(troubles, true, &head, &body, "backends");
}

static void judge_paused(struct troubles *troubles, const json_t *lane)
{
	struct buf head = { 0 }, body = { 0 };

	buf_printf(&head, "%s is paused", page_word(lane, "name"));
	buf_puts(&body, "Since ");
	page_moment(&body, troubles->look, page_word(lane, "since"));
	buf_puts(&body, ".");
	add_waiting(&body, lane);
	add(troubles, false, &head, &body, "backends");
}

static void judge_behind(struct troubles *troubles, const json_t *lane)
{
	double lag = page_real(lane, "oldest_pending_seconds");
	struct buf head = { 0 }, body = { 0 };
	char span[PAGE_SPAN_SIZE];

	/* With dead letters the oldest may be one of those, which are told below. */
	if (lag <= PAGE_BEHIND_SECONDS || page_waiting(lane) < page_number(lane, "pending"))
		return;
	buf_printf(&head, "%s is %s behind", page_word(lane, "name"), page_span(lag, span));
	buf_puts(&body, "It is up, and takes less than what comes.");
	add_waiting(&body, lane);
	if (page_has(lane, "last_error"))
		html_put(&body, " Last error: %s", page_word(lane, "last_error"));
	add(troubles, true, &head, &body, "backends");
}

static void judge_answers(struct troubles *troubles, const json_t *lane)
{
	const json_t *verify = json_object_get(lane, "verify");
	uint64_t unanswered = page_number(verify, "unanswered");
	struct buf head = { 0 }, body = { 0 };
	char span[PAGE_SPAN_SIZE];

	if (unanswered == 0)
		return;
	buf_printf(&head, "Name servers of %s do not answer what was written", page_word(lane, "name"));
	page_plural(&body, unanswered, "zone", "zones");
	html_put(&body, ", the oldest for %s.", page_span(page_real(verify, "oldest_unanswered_seconds"), span));
	add(troubles, true, &head, &body, "backends");
}

static void judge_servers(struct troubles *troubles, const json_t *lane)
{
	const json_t *server;
	size_t i;

	json_array_foreach(page_list(json_object_get(lane, "verify"), "servers"), i, server) {
		struct buf head = { 0 }, body = { 0 };

		if (strcmp(page_word(server, "state"), "silent") != 0)
			continue;
		buf_printf(&head, "Name server %s of %s is silent", page_word(server, "address"), page_word(lane, "name"));
		html_put(&body, "%s. Last answer ", page_word(server, "error"));
		page_time(&body, troubles->look, page_word(server, "last_ok_at"), "never");
		if (!page_has(server, "last_ok_at") && page_has(server, "since")) {
			buf_puts(&body, ", silent since ");
			page_moment(&body, troubles->look, page_word(server, "since"));
		}
		buf_puts(&body, ".");
		add(troubles, true, &head, &body, "backends");
	}
}

static void judge_deleted(struct troubles *troubles, const json_t *lane)
{
	uint64_t still = page_number(json_object_get(lane, "verify"), "still_answers");
	struct buf head = { 0 }, body = { 0 };

	if (still == 0)
		return;
	buf_printf(&head, "Name servers of %s still answer what was deleted", page_word(lane, "name"));
	page_plural(&body, still, "zone.", "zones.");
	buf_puts(&body, " The public plugin goes on answering from its memory, over restarts, too (deploy/coredns/README.md).");
	add(troubles, false, &head, &body, "backends");
}

static void judge_contested(struct troubles *troubles, const json_t *lane)
{
	uint64_t contested = page_number(lane, "contested");
	struct buf head = { 0 }, body = { 0 };

	if (contested == 0)
		return;
	buf_printf(&head, "Somebody else writes to %s", page_word(lane, "name"));
	page_plural(&body, contested, "zone is", "zones are");
	buf_puts(&body, " contested: repaired again and again, and now once an hour.");
	add(troubles, false, &head, &body, "backends");
}

static void judge_backends(struct troubles *troubles, const json_t *status)
{
	const json_t *lane;
	size_t i;

	json_array_foreach(page_list(status, "backends"), i, lane) {
		const char *state = page_word(lane, "state");

		if (strcmp(state, "paused") == 0) {
			if (!page_flag(status, "dry_run"))
				judge_paused(troubles, lane);
		} else if (strcmp(state, "up") != 0) {
			judge_down(troubles, lane);
		} else {
			judge_behind(troubles, lane);
		}
		judge_servers(troubles, lane);
		judge_answers(troubles, lane);
		judge_deleted(troubles, lane);
		judge_contested(troubles, lane);
	}
}

static void judge_operators_part(struct troubles *troubles, const json_t *status)
{
	uint64_t dead = page_number(json_object_get(status, "queues"), "dead_letters");
	uint64_t held = page_number(status, "held");
	struct buf head = { 0 }, body = { 0 };

	if (dead > 0) {
		page_plural(&head, dead, "delivery was given up", "deliveries were given up");
		buf_puts(&body, "Each is tried again once an hour, at the zone's next push, and when you replay it.");
		add(troubles, true, &head, &body, "dead");
	}
	if (held > 0) {
		page_plural(&head, held, "change waits for your word", "changes wait for your word");
		buf_puts(&body, "It looks like an accident, and is not in service before somebody approves it.");
		add(troubles, false, &head, &body, "held");
	}
}

static void judge_masters(struct troubles *troubles, const json_t *status)
{
	const json_t *master;
	size_t i;

	json_array_foreach(page_list(json_object_get(status, "reconciler"), "masters"), i, master) {
		struct buf head = { 0 }, body = { 0 };

		if (strcmp(page_word(master, "state"), "unknown") != 0)
			continue;
		buf_printf(&head, "Master %s tells no complete list", page_word(master, "hostname"));
		html_put(&body, "%s. Nothing of it is deleted until it does.", page_word(master, "error"));
		add(troubles, false, &head, &body, "masters");
	}
}

static void judge_peers(struct troubles *troubles, const json_t *status)
{
	const json_t *peer;
	size_t i;

	json_array_foreach(page_list(json_object_get(status, "peer_sync"), "peers"), i, peer) {
		struct buf head = { 0 }, body = { 0 };

		if (page_flag(peer, "healthy") || page_flag(peer, "self"))
			continue;
		buf_printf(&head, "Peer %s does not answer", page_word(peer, "url"));
		html_put(&body, "%s", page_word(peer, "last_error"));
		add(troubles, false, &head, &body, "peers");
	}
}

static void judge_certificate(struct troubles *troubles, const json_t *status)
{
	const char *expires_at = page_word(json_object_get(status, "tls"), "expires_at");
	double left = (double)-page_since_us(troubles->look, expires_at) / 1e6;
	struct buf head = { 0 }, body = { 0 };

	if (*expires_at == '\0' || left > CERTIFICATE_SECONDS)
		return;
	buf_puts(&head, left > 0 ? "The certificate expires soon" : "The certificate has expired");
	page_moment(&body, troubles->look, expires_at);
	buf_puts(&body, ". Masters that verify it will push no more.");
	add(troubles, left <= 0, &head, &body, "verdict");
}

static void judge_strangers(struct troubles *troubles, const json_t *status)
{
	const json_t *name;
	size_t i;

	json_array_foreach(page_list(status, "unconfigured"), i, name) {
		struct buf head = { 0 }, body = { 0 };

		buf_printf(&head, "%s is not configured any more", json_string_value(name));
		html_put(&body, "The store still keeps its deliveries. To forget it: zonefanctl retire %s", json_string_value(name));
		add(troubles, false, &head, &body, "backends");
	}
}

/* ---- drawing ---- */

static void draw_list(struct buf *out, const struct troubles *troubles)
{
	buf_puts(out, "<ul>");
	for (int bad = 1; bad >= 0; bad--) {
		for (size_t i = 0; i < troubles->count; i++) {
			const struct trouble *trouble = &troubles->all[i];

			if (trouble->bad != (bad == 1))
				continue;
			html_put(out, "<li class=\"%s\"><a href=\"#%s\">%s</a> <span>", trouble->bad ? "bad" : "warn",
				trouble->anchor, trouble->headline);
			buf_puts(out, trouble->detail);
			buf_puts(out, "</span></li>");
		}
	}
	buf_puts(out, "</ul>");
}

/* Nothing is wrong: what is it that is well? */
static void draw_well(struct buf *out, const json_t *status)
{
	size_t count = json_array_size(page_list(status, "backends"));

	buf_puts(out, "<p>");
	page_plural(out, page_number(json_object_get(status, "zones"), "total"), "zone", "zones");
	buf_puts(out, " in ");
	page_plural(out, count, "data centre", "data centres");
	if (page_waiting_anywhere(status) == 0)
		buf_puts(out, ", all as they were pushed.");
	else
		buf_puts(out, "; what was pushed a moment ago is on its way.");
	buf_puts(out, "</p>");
}

static const struct trouble *find_worst(const struct troubles *troubles)
{
	for (size_t i = 0; i < troubles->count; i++) {
		if (troubles->all[i].bad)
			return &troubles->all[i];
	}
	return troubles->count > 0 ? &troubles->all[0] : NULL;
}

static void judge(struct troubles *troubles, const json_t *status)
{
	judge_ourselves(troubles, status);
	judge_backends(troubles, status);
	judge_operators_part(troubles, status);
	judge_masters(troubles, status);
	judge_peers(troubles, status);
	judge_strangers(troubles, status);
	judge_certificate(troubles, status);
}

static void draw_headline(struct buf *out, const struct troubles *troubles, const char *headline)
{
	html_put(out, "%s", headline);
	if (troubles->count < 2)
		return;
	buf_puts(out, " <small>and ");
	html_count(out, troubles->count - 1);
	buf_puts(out, " more</small>");
}

static void draw_body(struct buf *out, const struct troubles *troubles, const json_t *status)
{
	if (troubles->count > 1) {
		draw_list(out, troubles);
	} else if (troubles->count == 1) {
		buf_puts(out, "<p>");
		buf_puts(out, troubles->all[0].detail);
		buf_puts(out, "</p>");
	} else {
		draw_well(out, status);
	}
}

const char *page_draw_verdict(struct buf *out, struct buf *title, const struct page_look *look)
{
	const json_t *status = json_object_get(look->answers, "status");
	struct troubles *troubles = xcalloc(1, sizeof(*troubles));

	troubles->look = look;
	judge(troubles, status);
	const struct trouble *worst = find_worst(troubles);
	const char *colour = worst == NULL ? "good" : worst->bad ? "bad" : "warn";
	buf_puts(title, worst == NULL ? "All is well" : worst->headline);
	if (look->kind == PAGE_OVERVIEW) {
		html_put(out, "<section id=\"verdict\" class=\"%s\"><h1>", colour);
		draw_headline(out, troubles, title->data);
		buf_puts(out, "</h1>");
		draw_body(out, troubles, status);
		buf_puts(out, "</section>");
	} else {
		html_put(out, "<a id=\"verdict\" class=\"slim %s\" href=\"/\">", colour);
		draw_headline(out, troubles, title->data);
		buf_puts(out, "</a>");
	}
	for (size_t i = 0; i < troubles->count; i++) {
		free(troubles->all[i].headline);
		free(troubles->all[i].detail);
	}
	free(troubles);
	return colour;
}
