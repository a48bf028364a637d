/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One zone: where it is written, who answers it, its versions; and one thing that is held, with what it would change. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/html.h"
#include "http/page_draw.h"

enum { CHANGES_SHOWN = 200 };

/* ---- a zone ---- */

static const char *colour_of(const json_t *delivery)
{
	const char *state = page_word(delivery, "state");

	if (strcmp(state, "clean") == 0)
		return "good";
	return strcmp(state, "due") == 0 ? "idle" : strcmp(state, "dead") == 0 || strcmp(state, "rejected") == 0 ? "bad" : "warn";
}

/* What is frozen is parked, too, but nobody dropped it. */
static bool is_dropped(const json_t *zone, const json_t *delivery)
{
	return strcmp(page_word(delivery, "state"), "parked") == 0 && !page_has(zone, "frozen");
}

static const char *words_of(const json_t *zone, const json_t *delivery)
{
	static const char *const words[][2] = { { "clean", "in step" }, { "due", "on its way" }, { "wait", "tried again later" },
		{ "held", "waits for the data centre" }, { "rejected", "cannot be held there" }, { "dead", "given up" },
		{ "parked", "frozen" } };
	const char *state = page_word(delivery, "state");

	if (is_dropped(zone, delivery))
		return "dropped by an operator";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i][0], state) == 0)
			return words[i][1];
	}
	return state;
}

/* What stands there is what is wanted. */
static bool is_current(const json_t *delivery)
{
	return page_number(delivery, "applied_generation") == page_number(delivery, "wanted_generation");
}

static void draw_written(struct buf *out, const struct page_look *look, const json_t *delivery)
{
	const char *at = page_has(delivery, "written_at") ? "written_at" : "applied_at";

	buf_puts(out, "<td data-of=\"Written\">");
	if (page_number(delivery, "applied_generation") == 0) {
		buf_puts(out, "not yet");
	} else {
		page_time(out, look, page_word(delivery, at), "yes");
		if (!is_current(delivery))
			buf_puts(out, " <span class=\"note\">an older version</span>");
	}
	buf_puts(out, "</td>");
}

/* What each name server said last: one line of each, if there is more than one, or something is wrong. */
static void draw_servers(struct buf *out, const json_t *delivery)
{
	const json_t *servers = page_list(delivery, "name_servers"), *server;
	char serial[32];
	size_t i;

	if (json_array_size(servers) < 2 && strcmp(page_word(delivery, "verify_state"), "answered") == 0)
		return;
	json_array_foreach(servers, i, server) {
		snprintf(serial, sizeof(serial), "serial %" PRIu64, page_number(server, "serial"));
		/* Right without a serial: it was deleted. */
		const char *right = page_has(server, "serial") ? serial : "gone";
		html_put(out, "<div class=\"note\"><code>%s</code> %s</div>", page_word(server, "address"),
			page_has(server, "error") ? page_word(server, "error") : right);
	}
}

static void draw_receipt(struct buf *out, const struct page_look *look, const json_t *delivery)
{
	static const char *const words[][3] = { { "waiting", "idle", "not yet" }, { "unanswered", "bad", "not answered" },
		{ "still_answers", "bad", "still answered" } };
	const char *state = page_word(delivery, "verify_state");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(state, words[i][0]) != 0)
			continue;
		page_badge(out, words[i][1], words[i][2]);
		buf_puts(out, " written ");
		page_time(out, look, page_word(delivery, "unanswered_since"), "");
		if (page_has(delivery, "verify_error"))
			html_put(out, " <code>%s</code>", page_word(delivery, "verify_error"));
		return;
	}
	page_time(out, look, page_word(delivery, "answered_at"), "yes");
	if (page_has(delivery, "answered_by"))
		html_put(out, " by <code>%s</code>", page_word(delivery, "answered_by"));
	if (!is_current(delivery))
		buf_puts(out, " <span class=\"note\">the older version</span>");
}

static void draw_answered(struct buf *out, const struct page_look *look, const json_t *delivery)
{
	buf_puts(out, "<td data-of=\"Answered\">");
	if (page_has(delivery, "verify_state")) {
		draw_receipt(out, look, delivery);
		draw_servers(out, delivery);
	} else {
		buf_puts(out, "<span class=\"note\">not verified</span>");
	}
	buf_puts(out, "</td>");
}

static void draw_delivery(struct buf *out, const struct page_look *look, const json_t *zone, const json_t *delivery)
{
	html_put(out, "<tr><td data-of=\"Data centre\"><strong>%s</strong></td><td data-of=\"State\">",
		page_word(delivery, "backend"));
	page_badge(out, colour_of(delivery), words_of(zone, delivery));
	if (page_flag(delivery, "suspect"))
		page_badge(out, "warn", "suspect");
	if (page_flag(delivery, "contested"))
		page_badge(out, "warn", "contested");
	if (page_has(delivery, "last_error"))
		html_put(out, " <code>%s</code>", page_word(delivery, "last_error"));
	if (page_since_us(look, page_word(delivery, "next_try")) < 0) {
		buf_puts(out, " <span class=\"note\">next try ");
		page_time(out, look, page_word(delivery, "next_try"), "");
		buf_puts(out, "</span>");
	}
	buf_puts(out, "</td>");
	draw_written(out, look, delivery);
	draw_answered(out, look, delivery);
	buf_puts(out, "</tr>");
}

static void draw_fact(struct buf *out, const char *name, const char *value)
{
	if (*value != '\0')
		html_put(out, "<div><dt>%s</dt><dd>%s</dd></div>", name, value);
}

static void draw_facts(struct buf *out, const struct page_look *look, const json_t *zone)
{
	char number[32];

	buf_puts(out, "<dl class=\"facts\">");
	snprintf(number, sizeof(number), "%" PRIu64, page_number(zone, "serial"));
	draw_fact(out, "Serial", number);
	buf_puts(out, "<div><dt>Records</dt><dd>");
	html_count(out, page_number(zone, "records"));
	buf_puts(out, "</dd></div>");
	draw_fact(out, "Master", page_word(zone, "hostname"));
	draw_fact(out, "User", page_word(zone, "username"));
	buf_puts(out, "<div><dt>Changed</dt><dd>");
	page_time(out, look, page_word(zone, "updated_at"), "never");
	snprintf(number, sizeof(number), "%" PRIu64, page_number(zone, "generation"));
	html_put(out, "</dd></div><div><dt>Generation</dt><dd>%s</dd></div></dl>", number);
}

/* "Written as it is wanted to 2 of 3 data centres, answered so by 1." */
static void draw_sum(struct buf *out, const json_t *zone)
{
	const json_t *deliveries = page_list(zone, "deliveries"), *delivery;
	uint64_t written = 0, answered = 0, verified = 0;
	size_t i;

	json_array_foreach(deliveries, i, delivery) {
		written += is_current(delivery);
		answered += is_current(delivery) && strcmp(page_word(delivery, "verify_state"), "answered") == 0;
		verified += page_has(delivery, "verify_state");
	}
	html_put(out, "<p class=\"sum %s\">", written < json_array_size(deliveries) || answered < verified ? "bad" : "good");
	buf_puts(out, page_flag(zone, "deleted") ? "Deleted at " : "Written to ");
	html_count(out, written);
	buf_puts(out, " of ");
	page_plural(out, json_array_size(deliveries), "data centre", "data centres");
	if (verified > 0) {
		buf_puts(out, ", answered so by ");
		html_count(out, answered);
	}
	buf_puts(out, ".</p>");
}

static bool has_letter(const json_t *zone)
{
	const json_t *delivery;
	size_t i;

	json_array_foreach(page_list(zone, "deliveries"), i, delivery) {
		const char *state = page_word(delivery, "state");

		if (strcmp(state, "dead") == 0 || strcmp(state, "rejected") == 0 || is_dropped(zone, delivery))
			return true;
	}
	return false;
}

static void draw_buttons(struct buf *out, const struct page_look *look, const json_t *zone)
{
	const struct page_value values[] = { { "zone", page_word(zone, "name") }, { NULL, NULL } };

	if (!look->may_change)
		return;
	buf_puts(out, "<div class=\"buttons\">");
	page_button(out, look, "retry", "Try now", NULL, values);
	if (page_has(zone, "frozen"))
		page_button(out, look, "thaw", "Thaw", NULL, values);
	else
		page_button(out, look, "freeze", "Freeze", "What is pushed is kept, and brought nowhere until it is thawed.", values);
	if (has_letter(zone)) {
		page_button(out, look, "replay", "Replay", NULL, values);
		page_button(out, look, "drop", "Drop", "It is not tried any more until somebody asks.", values);
	}
	buf_puts(out, "</div>");
}

static void draw_head(struct buf *out, const struct page_look *look, const json_t *zone)
{
	const json_t *frozen = json_object_get(zone, "frozen");

	html_put(out, "<section id=\"zone\" class=\"panel\"><h2 class=\"name\">%s ", page_word(zone, "name"));
	if (page_flag(zone, "deleted"))
		page_badge(out, "bad", "deleted");
	else
		page_badge(out, "good", "in service");
	if (json_is_object(frozen)) {
		page_badge(out, "warn", "frozen");
		html_put(out, "</h2><p class=\"note\">Frozen by %s ", page_has(frozen, "by") ? page_word(frozen, "by") : "somebody");
		page_time(out, look, page_word(frozen, "since"), "");
		buf_puts(out, ": what is pushed is kept, and brought nowhere.</p>");
	} else {
		buf_puts(out, "</h2>");
	}
}

static void draw_history(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "Version", "When", "By", "Serial", "Records", NULL };
	const json_t *answer = json_object_get(look->answers, "history"), *version;
	char number[32];
	size_t i;

	if (!panel_open(out, "history", "Its versions", answer))
		return;
	panel_table(out, columns);
	json_array_foreach(page_list(answer, "versions"), i, version) {
		snprintf(number, sizeof(number), "%" PRIu64, page_number(version, "version"));
		html_put(out, "<tr><td data-of=\"Version\">%s ", number);
		if (page_flag(version, "current"))
			page_badge(out, "good", "in force");
		buf_puts(out, "</td><td data-of=\"When\">");
		page_time(out, look, page_word(version, "at"), "");
		html_put(out, "</td><td data-of=\"By\">%s, %s</td>", page_word(version, "origin"),
			page_has(version, "hostname") ? page_word(version, "hostname") : page_word(version, "source"));
		snprintf(number, sizeof(number), "%" PRIu64, page_number(version, "serial"));
		html_put(out, "<td class=\"number\" data-of=\"Serial\">%s</td><td class=\"number\" data-of=\"Records\">", number);
		html_count(out, page_number(version, "records"));
		buf_puts(out, "</td></tr>");
	}
	panel_table_end(out);
	html_put(out, "<p class=\"note\">To compare or go back: <code>zonefanctl diff %s</code>, <code>zonefanctl rollback %s</code></p>",
		page_word(answer, "zone"), page_word(answer, "zone"));
	panel_close(out);
}

/* No such zone: which are near? */
static void draw_missing(struct buf *out, const struct page_look *look)
{
	const json_t *near = json_object_get(look->answers, "near"), *zone;
	size_t i;

	html_put(out, "<section id=\"zone\" class=\"panel\"><h2 class=\"name\">%s</h2><p class=\"error\">%s</p>", look->zone,
		page_word(json_object_get(look->answers, "zone"), "error"));
	if (look->parent != NULL) {
		buf_puts(out, "<p>It is a name within ");
		page_zone_link(out, look->parent);
		buf_puts(out, ".</p>");
	}
	if (json_array_size(page_list(near, "zones")) > 0) {
		buf_puts(out, "<p>Zones that follow in the alphabet:</p><ul class=\"near\">");
		json_array_foreach(page_list(near, "zones"), i, zone) {
			buf_puts(out, "<li>");
			page_zone_link(out, page_word(zone, "name"));
			buf_puts(out, "</li>");
		}
		buf_puts(out, "</ul>");
	}
	panel_close(out);
}

void page_draw_zone(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "Data centre", "State", "Written", "Answered", NULL };
	const json_t *zone = json_object_get(look->answers, "zone"), *delivery;
	size_t i;

	if (json_object_get(zone, "error") != NULL) {
		draw_missing(out, look);
		return;
	}
	draw_head(out, look, zone);
	draw_sum(out, zone);
	draw_facts(out, look, zone);
	panel_table(out, columns);
	json_array_foreach(page_list(zone, "deliveries"), i, delivery)
		draw_delivery(out, look, zone, delivery);
	panel_table_end(out);
	draw_buttons(out, look, zone);
	panel_close(out);
	draw_history(out, look);
	page_draw_events(out, look);
}

/* ---- held ---- */

static void draw_records(struct buf *out, const json_t *held, const char *key, const char *class, const char *sign)
{
	const json_t *record;
	char ttl[32];
	size_t i;

	json_array_foreach(page_list(held, key), i, record) {
		if (i == CHANGES_SHOWN)
			return;
		snprintf(ttl, sizeof(ttl), "%" PRIu64, page_number(record, "ttl"));
		html_put(out, "<li class=\"%s\"><code>%s %s %s %s %s</code>", class, sign, page_word(record, "owner"), ttl,
			page_word(record, "type"), page_word(record, "data"));
		if (page_has(record, "old_data"))
			html_put(out, " <span class=\"note\">was</span> <code>%s</code>", page_word(record, "old_data"));
		buf_puts(out, "</li>");
	}
}

static void draw_set(struct buf *out, const json_t *held)
{
	const json_t *zone;
	size_t i;

	json_array_foreach(page_list(held, "zones"), i, zone) {
		if (i == CHANGES_SHOWN)
			return;
		buf_puts(out, "<li>");
		page_zone_link(out, page_word(zone, "name"));
		if (!page_flag(zone, "unchanged"))
			buf_puts(out, " <span class=\"note\">changed since: left alone</span>");
		buf_puts(out, "</li>");
	}
}

static void draw_word(struct buf *out, const struct page_look *look, const json_t *held)
{
	char id[32];
	const struct page_value values[] = { { "id", id }, { NULL, NULL } };

	snprintf(id, sizeof(id), "%" PRIu64, page_number(held, "id"));
	buf_puts(out, "<div class=\"buttons\">");
	page_button(out, look, "approve", "Approve", "It is put in force, everywhere.", values);
	page_button(out, look, "discard", "Discard", "It is dropped; what is in service stays.", values);
	buf_puts(out, "</div>");
}

void page_draw_held_one(struct buf *out, const struct page_look *look)
{
	const json_t *held = json_object_get(look->answers, "held");

	if (!panel_open(out, "held", "Held for your word", held))
		return;
	html_put(out, "<p class=\"name\">%s</p><p class=\"error\">%s</p><dl class=\"facts\">",
		page_has(held, "zone") ? page_word(held, "zone") : page_word(held, "subject"), page_word(held, "reason"));
	draw_fact(out, "Master", page_word(held, "hostname"));
	draw_fact(out, "User", page_word(held, "username"));
	draw_fact(out, "From", page_word(held, "source"));
	buf_puts(out, "<div><dt>Came</dt><dd>");
	page_time(out, look, page_word(held, "at"), "");
	buf_puts(out, "</dd></div></dl><ul class=\"changes\">");
	draw_records(out, held, "removed", "gone", "-");
	draw_records(out, held, "changed", "other", "~");
	draw_records(out, held, "added", "new", "+");
	draw_set(out, held);
	buf_puts(out, "</ul>");
	if (page_number(held, "differences") > CHANGES_SHOWN || json_array_size(page_list(held, "zones")) > CHANGES_SHOWN)
		html_put(out, "<p class=\"note\">There are more; all of them: <code>zonefanctl held</code></p>");
	draw_word(out, look, held);
	panel_close(out);
}
