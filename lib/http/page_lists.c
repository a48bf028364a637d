/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lists: dead letters, what is held, peers, masters, events. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/html.h"
#include "http/page_draw.h"

/* ---- what they share ---- */

bool panel_open(struct buf *out, const char *id, const char *heading, const json_t *answer)
{
	html_put(out, "<section id=\"%s\" class=\"panel\"><h2>%s</h2>", id, heading);
	if (json_object_get(answer, "error") == NULL || json_object_size(answer) > 1)
		return true;
	html_put(out, "<p class=\"error\">This can't be told now: %s</p></section>", page_word(answer, "error"));
	return false;
}

void panel_close(struct buf *out)
{
	buf_puts(out, "</section>");
}

void panel_table(struct buf *out, const char *const *columns)
{
	buf_puts(out, "<table><thead><tr>");
	for (; *columns != NULL; columns++)
		html_put(out, "<th scope=\"col\">%s</th>", *columns);
	buf_puts(out, "</tr></thead><tbody>");
}

void panel_table_end(struct buf *out)
{
	buf_puts(out, "</tbody></table>");
}

static void draw_none(struct buf *out, const char *text)
{
	html_put(out, "<p class=\"none\">%s</p>", text);
}

static void draw_cell(struct buf *out, const char *column, const char *text)
{
	html_put(out, "<td data-of=\"%s\">%s</td>", column, text);
}

static void draw_count_cell(struct buf *out, const char *column, uint64_t count)
{
	html_put(out, "<td class=\"number\" data-of=\"%s\">", column);
	html_count(out, count);
	buf_puts(out, "</td>");
}

static void draw_time_cell(struct buf *out, const struct page_look *look, const char *column, const char *time)
{
	html_put(out, "<td data-of=\"%s\">", column);
	page_time(out, look, time, "never");
	buf_puts(out, "</td>");
}

static void draw_zone_cell(struct buf *out, const json_t *item)
{
	buf_puts(out, "<td data-of=\"Zone\">");
	if (page_has(item, "zone"))
		page_zone_link(out, page_word(item, "zone"));
	else
		html_put(out, "%s", page_word(item, "subject"));
	buf_puts(out, "</td>");
}

/* The link to the following page of a list. */
static void draw_next(struct buf *out, const struct page_look *look, const json_t *answer, const char *key, const char *anchor)
{
	char next[32];

	if (!page_has(answer, "next") && !look->paged)
		return;
	buf_puts(out, "<p class=\"more\">");
	if (look->paged)
		buf_puts(out, "<a href=\"/\">Back to the first page</a> ");
	snprintf(next, sizeof(next), "%" PRIu64, page_number(answer, "next"));
	if (page_has(answer, "next"))
		html_put(out, "<a href=\"/?%s=%s#%s\">Next page</a>", key, next, anchor);
	buf_puts(out, "</p>");
}

/* ---- dead letters ---- */

static void draw_letter(struct buf *out, const struct page_look *look, const json_t *letter)
{
	const struct page_value values[] = { { "zone", page_word(letter, "zone") }, { "backend", page_word(letter, "backend") },
		{ NULL, NULL } };
	bool rejected = strcmp(page_word(letter, "state"), "rejected") == 0;

	buf_puts(out, "<tr>");
	draw_zone_cell(out, letter);
	draw_cell(out, "Data centre", page_word(letter, "backend"));
	buf_puts(out, "<td data-of=\"State\">");
	page_badge(out, "bad", rejected ? "does not fit" : "given up");
	html_put(out, "</td><td data-of=\"Error\"><code>%s</code></td>", page_word(letter, "error"));
	draw_time_cell(out, look, "Since", page_word(letter, "since"));
	draw_time_cell(out, look, "Next try", page_word(letter, "next_try"));
	if (look->may_change) {
		buf_puts(out, "<td class=\"buttons\">");
		page_button(out, look, "replay", "Replay", NULL, values);
		page_button(out, look, "drop", "Drop", "It is not tried any more until somebody asks. The zone there stays as it is.",
			values);
		buf_puts(out, "</td>");
	}
	buf_puts(out, "</tr>");
}

void page_draw_dead(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "Zone", "Data centre", "State", "Error", "Since", "Next try", NULL, NULL };
	const char *shown[ARRAY_SIZE(columns)];
	const json_t *answer = json_object_get(look->answers, "dead"), *letter;
	size_t i;

	if (!panel_open(out, "dead", "Dead letters", answer))
		return;
	memcpy(shown, columns, sizeof(columns));
	shown[ARRAY_SIZE(columns) - 2] = look->may_change ? "" : NULL;
	if (json_array_size(page_list(answer, "dead")) == 0) {
		draw_none(out, "None: no delivery was given up.");
	} else {
		buf_puts(out, "<div class=\"buttons tools\">");
		page_button(out, look, "replay", "Replay all", NULL, NULL);
		buf_puts(out, "</div>");
		panel_table(out, shown);
		json_array_foreach(page_list(answer, "dead"), i, letter)
			draw_letter(out, look, letter);
		panel_table_end(out);
	}
	draw_next(out, look, answer, "dead", "dead");
	panel_close(out);
}

/* ---- held ---- */

static void draw_held_row(struct buf *out, const struct page_look *look, const json_t *held)
{
	char id[32];
	const struct page_value values[] = { { "id", id }, { NULL, NULL } };

	snprintf(id, sizeof(id), "%" PRIu64, page_number(held, "id"));
	buf_puts(out, "<tr>");
	draw_zone_cell(out, held);
	html_put(out, "<td data-of=\"Why\">%s</td>", page_word(held, "reason"));
	html_put(out, "<td data-of=\"From\">%s</td>", page_has(held, "hostname") ? page_word(held, "hostname") :
		page_word(held, "source"));
	draw_time_cell(out, look, "Came", page_word(held, "at"));
	html_put(out, "<td class=\"buttons\"><a class=\"button\" href=\"/?held=%s\">Look</a>", id);
	if (page_flag(held, "approved"))
		page_badge(out, "good", "approved");
	else
		page_button(out, look, "approve", "Approve", "It is put in force, everywhere.", values);
	page_button(out, look, "discard", "Discard", "It is dropped; what is in service stays.", values);
	buf_puts(out, "</td></tr>");
}

void page_draw_held(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "Zone", "Why", "From", "Came", "", NULL };
	const json_t *answer = json_object_get(look->answers, "held"), *held;
	size_t i;

	if (!panel_open(out, "held", "Held for your word", answer))
		return;
	if (json_array_size(page_list(answer, "held")) == 0) {
		draw_none(out, "Nothing: no change looked like an accident.");
	} else {
		panel_table(out, columns);
		json_array_foreach(page_list(answer, "held"), i, held)
			draw_held_row(out, look, held);
		panel_table_end(out);
	}
	draw_next(out, look, answer, "held_after", "held");
	panel_close(out);
}

/* ---- peers ---- */

static void draw_peer(struct buf *out, const struct page_look *look, const json_t *peer)
{
	bool self = page_flag(peer, "self"), failing = page_number(peer, "consecutive_failures") > 0;

	buf_puts(out, "<tr>");
	html_put(out, "<td data-of=\"Peer\"><code>%s</code> <span class=\"note\">%s</span></td><td data-of=\"State\">",
		page_word(peer, "url"), page_flag(peer, "learnt") ? "named by another peer" : "");
	if (self)
		page_badge(out, "idle", "this one");
	else if (!page_flag(peer, "healthy"))
		page_badge(out, "bad", "no answer");
	else
		page_badge(out, failing ? "warn" : "good", failing ? "failed lately" : "well");
	if (page_has(peer, "last_error"))
		html_put(out, " <code>%s</code>", page_word(peer, "last_error"));
	buf_puts(out, "</td>");
	draw_cell(out, "Kind", page_word(peer, "kind"));
	draw_time_cell(out, look, "Seen", page_word(peer, "last_seen"));
	draw_count_cell(out, "Zones", page_number(peer, "zones"));
	draw_count_cell(out, "Newer there", page_number(peer, "behind"));
	buf_puts(out, "</tr>");
}

void page_draw_peers(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "Peer", "State", "Kind", "Seen", "Zones", "Newer there", NULL };
	const json_t *status = json_object_get(look->answers, "status"), *peer;
	const json_t *sync = json_object_get(status, "peer_sync");
	size_t i;

	if (!panel_open(out, "peers", "Peers", status))
		return;
	if (!page_flag(sync, "enabled")) {
		draw_none(out, "Nothing is exchanged with others: peer_sync.enabled is off.");
	} else {
		buf_puts(out, "<p class=\"note\">Last pass ");
		page_time(out, look, page_word(sync, "last_pass"), "is to come");
		buf_puts(out, ".</p>");
		panel_table(out, columns);
		json_array_foreach(page_list(sync, "peers"), i, peer)
			draw_peer(out, look, peer);
		panel_table_end(out);
	}
	panel_close(out);
}

/* ---- masters ---- */

static void draw_master(struct buf *out, const struct page_look *look, const json_t *master)
{
	const char *state = page_word(master, "state");

	html_put(out, "<tr><td data-of=\"Master\">%s</td><td data-of=\"State\">", page_word(master, "hostname"));
	page_badge(out, strcmp(state, "ok") == 0 ? "good" : strcmp(state, "new") == 0 ? "idle" : "warn", state);
	if (page_has(master, "error"))
		html_put(out, " <code>%s</code>", page_word(master, "error"));
	buf_puts(out, "</td>");
	draw_time_cell(out, look, "Complete list", page_word(master, "complete_at"));
	draw_count_cell(out, "Zones", page_number(master, "zones"));
	draw_count_cell(out, "Missing there", page_number(master, "missing"));
	draw_count_cell(out, "Fetched", page_number(master, "pulled"));
	buf_puts(out, "</tr>");
}

static void draw_last_run(struct buf *out, const struct page_look *look, const json_t *reconciler)
{
	const json_t *run = json_object_get(reconciler, "last_run");
	char span[PAGE_SPAN_SIZE];

	buf_puts(out, "<p class=\"note\">");
	if (!json_is_object(run)) {
		buf_puts(out, page_flag(reconciler, "running") ? "The first pass is under way." : "No pass is over yet.");
	} else {
		html_put(out, "Last reconciliation: %s, ", page_word(run, "status"));
		page_time(out, look, page_word(run, "completed_at"), "");
		html_put(out, ", in %s: ", page_span(page_real(run, "duration_seconds"), span));
		page_plural(out, page_number(run, "zones_in_da"), "zone", "zones");
		buf_puts(out, " there, ");
		html_count(out, page_number(run, "orphans_found"));
		buf_puts(out, " missing, ");
		html_count(out, page_number(run, "zones_pulled"));
		buf_puts(out, " fetched");
		buf_puts(out, page_flag(run, "dry_run") ? " (dry run)." : ".");
	}
	buf_puts(out, "</p>");
}

void page_draw_masters(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "Master", "State", "Complete list", "Zones", "Missing there", "Fetched", NULL };
	const json_t *status = json_object_get(look->answers, "status"), *master;
	const json_t *reconciler = json_object_get(status, "reconciler");
	size_t i;

	if (!panel_open(out, "masters", "DirectAdmin masters", status))
		return;
	if (!page_flag(reconciler, "enabled")) {
		draw_none(out, "Masters are not asked what they hold: reconciliation.enabled is off.");
	} else {
		draw_last_run(out, look, reconciler);
		panel_table(out, columns);
		json_array_foreach(page_list(reconciler, "masters"), i, master)
			draw_master(out, look, master);
		panel_table_end(out);
	}
	panel_close(out);
}

/* ---- events ---- */

static void draw_event(struct buf *out, const struct page_look *look, const json_t *event)
{
	buf_puts(out, "<tr>");
	draw_time_cell(out, look, "When", page_word(event, "at"));
	html_put(out, "<td data-of=\"What\"><b>%s</b></td><td data-of=\"Of\">", page_word(event, "kind"));
	if (page_has(event, "zone"))
		page_zone_link(out, page_word(event, "zone"));
	if (page_has(event, "backend"))
		html_put(out, "%s%s", page_has(event, "zone") ? " at " : "", page_word(event, "backend"));
	html_put(out, "</td><td data-of=\"More\">%s", page_word(event, "detail"));
	if (page_has(event, "actor"))
		html_put(out, " <span class=\"note\">by %s</span>", page_word(event, "actor"));
	buf_puts(out, "</td></tr>");
}

void page_draw_events(struct buf *out, const struct page_look *look)
{
	static const char *const columns[] = { "When", "What", "Of", "More", NULL };
	const json_t *answer = json_object_get(look->answers, "events"), *event;
	size_t i;

	if (!panel_open(out, "events", look->kind == PAGE_ZONE ? "Its events" : "Recent events", answer))
		return;
	if (json_array_size(page_list(answer, "events")) == 0) {
		draw_none(out, "None.");
	} else {
		panel_table(out, columns);
		json_array_foreach(page_list(answer, "events"), i, event)
			draw_event(out, look, event);
		panel_table_end(out);
	}
	if (look->kind == PAGE_OVERVIEW)
		draw_next(out, look, answer, "before", "events");
	panel_close(out);
}
