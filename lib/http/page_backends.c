/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data centres: state, lag now and in the last hour, last healing pass, what their name servers answer. */
#include <inttypes.h>
#include <string.h>

#include "http/html.h"
#include "http/page_draw.h"

/* ---- the lag of the last hour ---- */

enum {
	COLUMN_SAMPLES = 3,
	COLUMNS = PAGE_SAMPLES / COLUMN_SAMPLES,
	CHART_HEIGHT = 40,
	CHART_LEAST_MS = PAGE_BEHIND_SECONDS * 1000 /* the chart's height is no less: what is normal shall look low */
};

struct column {
	bool known;
	bool down;
	uint32_t lag_ms;
};

/* The newest is the last one. */
static uint32_t gather_columns(const struct page_lag *lag, int64_t now_slot, struct column columns[COLUMNS])
{
	uint32_t peak = 0;

	for (int64_t i = 0; i < PAGE_SAMPLES; i++) {
		const struct page_sample *sample = page_sample_at(lag, now_slot - PAGE_SAMPLES + 1 + i);
		struct column *column = &columns[i / COLUMN_SAMPLES];

		if (sample == NULL)
			continue;
		column->known = true;
		column->down |= sample->down;
		if (sample->lag_ms > column->lag_ms)
			column->lag_ms = sample->lag_ms;
		if (sample->lag_ms > peak)
			peak = sample->lag_ms;
	}
	return peak;
}

static void draw_down(struct buf *out, const struct column columns[COLUMNS])
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		unsigned begin = i;

		while (i < COLUMNS && columns[i].down)
			i++;
		if (i > begin)
			buf_printf(out, "<rect class=\"down\" x=\"%u\" y=\"0\" width=\"%u\" height=\"%d\"/>", begin, i - begin,
				CHART_HEIGHT);
	}
}

/* One unbroken stretch of columns from begin up to end, as a closed area or as its upper line. */
static void draw_stretch(struct buf *out, const struct column columns[COLUMNS], unsigned begin, unsigned end, uint32_t top,
	bool area)
{
	buf_puts(out, area ? "<path class=\"area\" d=\"" : "<path class=\"line\" d=\"");
	if (area)
		buf_printf(out, "M%u %dL", begin, CHART_HEIGHT);
	else
		buf_puts(out, "M");
	for (unsigned i = begin; i < end; i++) {
		double y = CHART_HEIGHT - 1 - (double)columns[i].lag_ms / top * (CHART_HEIGHT - 3);

		buf_printf(out, "%s%u %.1fH%u", i == begin ? "" : "L", i, y, i + 1);
	}
	if (area)
		buf_printf(out, "V%dZ", CHART_HEIGHT);
	buf_puts(out, "\"/>");
}

static void draw_stretches(struct buf *out, const struct column columns[COLUMNS], uint32_t top)
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		unsigned begin = i;

		while (i < COLUMNS && columns[i].known)
			i++;
		if (i == begin)
			continue;
		draw_stretch(out, columns, begin, i, top, true);
		draw_stretch(out, columns, begin, i, top, false);
	}
}

void page_draw_lag(struct buf *out, const struct page_look *look, const char *backend)
{
	const struct page_lag *lag = page_lag_of(look->keep, backend);
	struct column columns[COLUMNS] = { { 0 } };
	char span[PAGE_SPAN_SIZE];

	if (lag == NULL)
		return;
	uint32_t peak = gather_columns(lag, page_slot(look->now_ms), columns);
	uint32_t top = peak > CHART_LEAST_MS ? peak : CHART_LEAST_MS;
	html_put(out, "<figure class=\"lag\"><svg viewBox=\"0 0 120 40\" preserveAspectRatio=\"none\" role=\"img\" "
		"aria-label=\"Lag of %s in the last hour\">", backend);
	draw_down(out, columns);
	draw_stretches(out, columns, top);
	buf_puts(out, "</svg><figcaption><span>last hour</span>");
	if (peak < 1000)
		buf_puts(out, "<span>lag below 1 s</span>");
	else
		html_put(out, "<span>up to %s behind</span>", page_span((double)peak / 1e3, span));
	buf_puts(out, "</figcaption></figure>");
}

/* ---- one data centre ---- */

static const char *colour_of(const json_t *lane)
{
	const char *state = page_word(lane, "state");

	if (strcmp(state, "up") != 0)
		return strcmp(state, "paused") == 0 ? "warn" : "bad";
	if (page_waiting(lane) < page_number(lane, "pending"))
		return "warn";
	return page_real(lane, "oldest_pending_seconds") > PAGE_BEHIND_SECONDS ? "bad" : "good";
}

static void draw_lag_now(struct buf *out, const json_t *lane)
{
	uint64_t waiting = page_waiting(lane), inflight = page_number(lane, "inflight");
	uint64_t given_up = page_number(lane, "dead") + page_number(lane, "rejected");
	char span[PAGE_SPAN_SIZE];

	buf_puts(out, "<p class=\"now\"><strong>");
	if (waiting == 0 && given_up == 0)
		buf_puts(out, "in step");
	else if (given_up > 0) /* the oldest may be one of those */
		page_plural(out, given_up, "zone given up", "zones given up");
	else
		html_put(out, "%s behind", page_span(page_real(lane, "oldest_pending_seconds"), span));
	buf_puts(out, "</strong> <span>");
	if (waiting > 0)
		page_plural(out, waiting, "zone waits", "zones wait");
	else if (given_up > 0)
		buf_puts(out, "all others in step");
	if (inflight > 0) {
		buf_puts(out, ", ");
		html_count(out, inflight);
		buf_puts(out, " under way");
	}
	buf_puts(out, "</span></p>");
}

static void draw_trouble(struct buf *out, const struct page_look *look, const json_t *lane)
{
	if (!page_has(lane, "last_error"))
		return;
	html_put(out, "<p class=\"error\">%s</p>", page_word(lane, "last_error"));
	if (!page_has(lane, "next_probe"))
		return;
	buf_puts(out, "<p class=\"note\">Next attempt ");
	page_time(out, look, page_word(lane, "next_probe"), "soon");
	buf_puts(out, ".</p>");
}

static void draw_count(struct buf *out, const json_t *lane, const char *key, const char *name)
{
	if (page_number(lane, key) == 0)
		return;
	html_put(out, "<dt>%s</dt><dd>", name);
	html_count(out, page_number(lane, key));
	buf_puts(out, "</dd>");
}

static void draw_heal(struct buf *out, const struct page_look *look, const json_t *lane)
{
	const json_t *heal = json_object_get(lane, "heal");

	buf_puts(out, "<dt>Healing</dt><dd>");
	if (!json_is_object(heal)) {
		buf_puts(out, "none since the start");
	} else if (!page_has(heal, "ended_at")) {
		html_put(out, "%s: ", page_word(heal, "state"));
		html_count(out, page_number(heal, "compared"));
		buf_puts(out, " of ");
		page_plural(out, page_number(heal, "zones"), "zone", "zones");
	} else {
		html_put(out, "%s ", page_word(heal, "state"));
		page_time(out, look, page_word(heal, "ended_at"), "");
		buf_puts(out, ", ");
		html_count(out, page_number(heal, "compared"));
		buf_puts(out, " compared, ");
		html_count(out, page_number(heal, "repaired"));
		buf_puts(out, " repaired");
		if (page_has(heal, "error"))
			html_put(out, " (%s)", page_word(heal, "error"));
	}
	buf_puts(out, "</dd>");
	if (!page_has(lane, "next_heal"))
		return;
	buf_puts(out, "<dt>Next healing</dt><dd>");
	if (page_since_us(look, page_word(lane, "next_heal")) > 0)
		buf_puts(out, strcmp(page_word(lane, "state"), "up") == 0 ? "now" : "when it is up again");
	else
		page_time(out, look, page_word(lane, "next_heal"), "");
	buf_puts(out, "</dd>");
}

static void draw_server(struct buf *out, const struct page_look *look, const json_t *server)
{
	const char *state = page_word(server, "state");

	html_put(out, "<dt><code>%s</code></dt><dd>", page_word(server, "address"));
	page_badge(out, strcmp(state, "up") == 0 ? "good" : strcmp(state, "new") == 0 ? "idle" : "bad",
		strcmp(state, "up") == 0 ? "answers" : state);
	buf_puts(out, " ");
	page_time(out, look, page_word(server, "last_ok_at"), "never answered");
	if (!page_has(server, "last_ok_at") && strcmp(state, "silent") == 0) {
		buf_puts(out, ", since ");
		page_moment(out, look, page_word(server, "since"));
	}
	if (page_has(server, "error"))
		html_put(out, " <span class=\"error\">%s</span>", page_word(server, "error"));
	buf_puts(out, "</dd>");
}

/* One that never came through is what it is there to tell. */
static void draw_canary(struct buf *out, const struct page_look *look, const json_t *verify)
{
	if (!page_flag(verify, "canary"))
		return;
	buf_puts(out, "<dt>Canary</dt><dd>");
	if (page_has(verify, "canary_answered_at"))
		buf_puts(out, "answered ");
	page_time(out, look, page_word(verify, "canary_answered_at"), "not answered since the start");
	buf_puts(out, "</dd>");
}

static void draw_verify(struct buf *out, const struct page_look *look, const json_t *verify)
{
	const json_t *server;
	size_t i;

	json_array_foreach(page_list(verify, "servers"), i, server)
		draw_server(out, look, server);
	draw_count(out, verify, "unanswered", "Not answered");
	draw_count(out, verify, "still_answers", "Still answered");
	draw_canary(out, look, verify);
}

static void draw_facts(struct buf *out, const struct page_look *look, const json_t *lane)
{
	buf_puts(out, "<dl><dt>Since</dt><dd>");
	page_time(out, look, page_word(lane, "since"), "never");
	buf_puts(out, "</dd>");
	draw_count(out, lane, "dead", "Given up");
	draw_count(out, lane, "rejected", "Rejected there");
	draw_count(out, lane, "suspect", "Suspect");
	draw_count(out, lane, "parked", "Frozen or dropped");
	draw_count(out, lane, "contested", "Contested");
	draw_heal(out, look, lane);
	draw_verify(out, look, json_object_get(lane, "verify"));
	buf_puts(out, "</dl>");
}

static void draw_buttons(struct buf *out, const struct page_look *look, const json_t *lane)
{
	const json_t *heal = json_object_get(lane, "heal");
	const struct page_value values[] = { { "backend", page_word(lane, "name") }, { NULL, NULL } };

	if (!look->may_change)
		return;
	buf_puts(out, "<div class=\"buttons\">");
	if (strcmp(page_word(lane, "state"), "paused") == 0)
		page_button(out, look, "resume", "Resume", NULL, values);
	else
		page_button(out, look, "pause", "Pause",
			"Nothing is sent there until it is resumed, also over a restart. Pushes are taken and kept.", values);
	if (json_is_object(heal) && !page_has(heal, "ended_at"))
		page_button(out, look, "heal-stop", "Stop healing", NULL, values);
	else
		page_button(out, look, "heal", "Heal now", NULL, values);
	buf_puts(out, "</div>");
}

static void draw_backend(struct buf *out, const struct page_look *look, const json_t *lane)
{
	const char *name = page_word(lane, "name");

	html_put(out, "<article class=\"card %s\" id=\"backend-%s\"><header><h3>%s</h3>", colour_of(lane), name, name);
	page_badge(out, colour_of(lane), page_word(lane, "state"));
	buf_puts(out, "</header>");
	draw_lag_now(out, lane);
	page_draw_lag(out, look, name);
	draw_trouble(out, look, lane);
	draw_facts(out, look, lane);
	draw_buttons(out, look, lane);
	buf_puts(out, "</article>");
}

void page_draw_backends(struct buf *out, const struct page_look *look)
{
	const json_t *status = json_object_get(look->answers, "status");
	const json_t *lane;
	size_t i;

	if (!panel_open(out, "backends", "Data centres", status))
		return;
	buf_puts(out, "<div class=\"buttons tools\">");
	page_button(out, look, "retry", "Try all now", NULL, NULL);
	page_button(out, look, "heal", "Heal all", NULL, NULL);
	buf_puts(out, "</div>");
	if (json_array_size(page_list(status, "backends")) == 0)
		buf_puts(out, "<p class=\"none\">None is configured: pushes are kept, and brought nowhere.</p>");
	buf_puts(out, "<div class=\"cards\">");
	json_array_foreach(page_list(status, "backends"), i, lane)
		draw_backend(out, look, lane);
	buf_puts(out, "</div>");
	panel_close(out);
}
