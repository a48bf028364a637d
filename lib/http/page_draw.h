/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status page as HTML. It is drawn from the answers of the operators'
 * interface themselves (README.md), so it can show nothing that zonefanctl
 * can't; a field that an answer lacks is left out. An answer {"error": ...}
 * spoils its own panel alone. No sockets; one owner; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "http/page_keep.h"

/* As of /status: an oldest delivery that waits longer is no longer the way of things. */
enum { PAGE_BEHIND_SECONDS = 15 };

enum page_kind { PAGE_OVERVIEW, PAGE_ZONE, PAGE_HELD };

/* What is to be drawn; all of it the caller's. */
struct page_look {
	enum page_kind kind;
	const json_t *answers;        /* "status"; OVERVIEW: "held", "dead", "events"; ZONE: "zone", "history", "events", "near";
	                                 HELD: "held" */
	const char *zone;             /* ZONE: as it was asked for */
	const char *parent;           /* ZONE: the zone above that is held; NULL: none */
	bool paged;                   /* OVERVIEW: not the first page of a list */
	const char *login;
	bool may_change;              /* with forms */
	const char *token;            /* of the forms */
	const struct page_notice *notice; /* NULL: none */
	const struct page_keep *keep;
	const char *trouble;          /* why /readyz says no, or NULL */
	int64_t now_us;               /* wall clock */
	int64_t now_ms;               /* monotonic, of the samples */
};

void page_draw(struct buf *out, const struct page_look *look);
/* A page that only says why there is no other; short, whatever the text, for there may be no room for a long one. */
void page_draw_failure(struct buf *out, int status, const char *reason, const char *text);
/* The Content-Security-Policy for both: style and script by their hashes, and nothing else. */
void page_draw_policy(struct buf *out);

/* ---- page_words.c: fields, times, numbers ---- */

/* "" unless it is a text. */
const char *page_word(const json_t *object, const char *key);
uint64_t page_number(const json_t *object, const char *key);
/* Any number; 0 if it is none. */
double page_real(const json_t *object, const char *key);
bool page_flag(const json_t *object, const char *key);
/* There, and not null. */
bool page_has(const json_t *object, const char *key);
/* NULL if it is no array. */
const json_t *page_list(const json_t *object, const char *key);

enum { PAGE_SPAN_SIZE = 48 };
/* "1 h 4 min": two units at most. */
const char *page_span(double seconds, char out[PAGE_SPAN_SIZE]);
/* Microseconds since that time of an answer; 0: it is none. */
int64_t page_since_us(const struct page_look *look, const char *time);
/* "4 min ago", "in 12 s", with the time itself behind it; otherwise: if it is none. */
void page_time(struct buf *out, const struct page_look *look, const char *time, const char *otherwise);
/* "02:41:07 UTC, 4 min ago", with the day if it was another one; nothing if it is no time. */
void page_moment(struct buf *out, const struct page_look *look, const char *time);
/* Zones on their way to that back end of the status: those that were given up are not. */
uint64_t page_waiting(const json_t *lane);
uint64_t page_waiting_anywhere(const json_t *status);
/* "1 zone", "12,345 zones" */
void page_plural(struct buf *out, uint64_t count, const char *one, const char *many);
/* A zone's name as a link to what is known of it. */
void page_zone_link(struct buf *out, const char *name);
/* A word with a colour: "good", "warn", "bad", "idle". */
void page_badge(struct buf *out, const char *colour, const char *word);

/* ---- page_form.c ---- */

struct page_value {
	const char *key;
	const char *value;
};

/* A button that does that action; nothing for who may not. sure: asked before, NULL: not. values end with a key of NULL. */
void page_button(struct buf *out, const struct page_look *look, const char *action, const char *label, const char *sure,
	const struct page_value *values);

/* ---- panels ---- */

/* <section> with its heading; panel_close ends it. False: the answer is an error, which was drawn, and the section is closed. */
bool panel_open(struct buf *out, const char *id, const char *heading, const json_t *answer);
void panel_close(struct buf *out);
/* A table whose cells bear their column's name, for narrow screens: the names end with NULL. */
void panel_table(struct buf *out, const char *const *columns);
void panel_table_end(struct buf *out);

/* What is wrong, the worst first. Writes the headline into title, without markup; returns "good", "warn" or "bad". */
const char *page_draw_verdict(struct buf *out, struct buf *title, const struct page_look *look);
void page_draw_backends(struct buf *out, const struct page_look *look);
void page_draw_lag(struct buf *out, const struct page_look *look, const char *backend);
void page_draw_dead(struct buf *out, const struct page_look *look);
void page_draw_held(struct buf *out, const struct page_look *look);
void page_draw_peers(struct buf *out, const struct page_look *look);
void page_draw_masters(struct buf *out, const struct page_look *look);
void page_draw_events(struct buf *out, const struct page_look *look);
void page_draw_zone(struct buf *out, const struct page_look *look);
void page_draw_held_one(struct buf *out, const struct page_look *look);
