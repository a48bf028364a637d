/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of the page: head, top, figures, and which panels stand in which order. */
#include "http/page_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "http/html.h"
#include "http/page_assets.h"

/* One push comes in, three data centres get it. */
#define MARK                                                                                                 \
	"<svg class=\"mark\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M4 12L19 4M4 12H19M4 12L19 20\"/>" \
	"<circle cx=\"4\" cy=\"12\" r=\"3\"/><circle cx=\"20\" cy=\"4\" r=\"2.5\"/><circle cx=\"20\" cy=\"12\" r=\"2.5\"/>" \
	"<circle cx=\"20\" cy=\"20\" r=\"2.5\"/></svg>"

/* The tab shows it, too. */
static const char *icon_of(const char *colour)
{
	return strcmp(colour, "good") == 0 ? "%231a7f4b" : strcmp(colour, "warn") == 0 ? "%23c77700" : "%23cf222e";
}

static void draw_head(struct buf *out, const char *title, const char *colour)
{
	buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"color-scheme\" content=\"light dark\">");
	html_put(out, "<title>%s - zonefan</title>", title);
	buf_printf(out, "<link rel=\"icon\" href=\"data:image/svg+xml,%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'"
		"%%3E%%3Ccircle cx='8' cy='8' r='7' fill='%s'/%%3E%%3C/svg%%3E\">", icon_of(colour));
	buf_puts(out, "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript><style>");
	buf_puts(out, page_css);
	buf_puts(out, "</style></head><body>");
}

static void draw_top(struct buf *out, const struct page_look *look)
{
	char now[CLOCK_TEXT_SIZE];

	buf_puts(out, "<header class=\"top\"><a class=\"home\" href=\"/\">" MARK "zonefan</a>");
	html_put(out, "<form role=\"search\" action=\"/\"><label for=\"find\">Zone</label><input id=\"find\" name=\"zone\" type=\"search\" "
		"placeholder=\"Find a zone\" autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" value=\"%s\">"
		"<button>Find</button></form>", look->kind == PAGE_ZONE ? look->zone : "");
	clock_text(look->now_us, now);
	now[strlen("2026-11-20T18:00:00")] = '\0';
	html_put(out, "<p class=\"who\"><span id=\"live\">%s UTC</span> <span>%s%s</span></p></header>",
		now + strlen("2026-11-20T"), look->login, look->may_change ? "" : ", looks only");
}

static void draw_figure(struct buf *out, const char *name, uint64_t count, const char *colour, const char *anchor)
{
	html_put(out, "<a class=\"figure %s\" href=\"#%s\"><b>", colour, anchor);
	html_count(out, count);
	html_put(out, "</b> %s</a>", name);
}

static void draw_figures(struct buf *out, const struct page_look *look)
{
	const json_t *status = json_object_get(look->answers, "status");
	const json_t *queues = json_object_get(status, "queues"), *counters = json_object_get(status, "counters");
	uint64_t dead = page_number(queues, "dead_letters"), held = page_number(status, "held");

	if (json_object_get(status, "error") != NULL)
		return;
	buf_puts(out, "<section id=\"figures\">");
	draw_figure(out, "zones", page_number(json_object_get(status, "zones"), "total"), "", "backends");
	draw_figure(out, "deliveries wait", page_waiting_anywhere(status), "", "backends");
	draw_figure(out, "given up", dead, dead > 0 ? "bad" : "", "dead");
	draw_figure(out, "held for you", held, held > 0 ? "warn" : "", "held");
	draw_figure(out, "frozen", page_number(status, "frozen"), "", "events");
	draw_figure(out, "pushes", page_number(counters, "pushes"), "", "events");
	draw_figure(out, "refused", page_number(counters, "refused"), "", "events");
	draw_figure(out, "queued requests", page_number(queues, "save"), "", "backends");
	buf_puts(out, "</section>");
}

static void draw_foot(struct buf *out, const struct page_look *look)
{
	const json_t *status = json_object_get(look->answers, "status");

	html_put(out, "<footer id=\"foot\">zonefan %s, started ", page_word(status, "version"));
	page_time(out, look, page_word(status, "started_at"), "at an unknown time");
	buf_puts(out, ". All that stands here: <code>zonefanctl status --json</code></footer>");
}

static void draw_notice(struct buf *out, const struct page_look *look)
{
	/* Always there, so that the script finds what it replaces. */
	if (look->notice == NULL)
		buf_puts(out, "<div id=\"notice\"></div>");
	else
		html_put(out, "<div id=\"notice\" role=\"status\" class=\"%s\">%s</div>", look->notice->bad ? "bad" : "good",
			look->notice->text);
}

static void draw_panels(struct buf *out, const struct page_look *look)
{
	switch (look->kind) {
	case PAGE_OVERVIEW:
		draw_figures(out, look);
		page_draw_backends(out, look);
		page_draw_held(out, look);
		page_draw_dead(out, look);
		page_draw_masters(out, look);
		page_draw_peers(out, look);
		page_draw_events(out, look);
		return;
	case PAGE_ZONE:
		page_draw_zone(out, look);
		return;
	case PAGE_HELD:
		page_draw_held_one(out, look);
		return;
	}
	WRONG("a page that is none");
}

void page_draw(struct buf *out, const struct page_look *look)
{
	struct buf verdict = { 0 }, title = { 0 };
	const char *colour = page_draw_verdict(&verdict, &title, look);

	draw_head(out, title.data, colour);
	draw_top(out, look);
	buf_puts(out, "<main>");
	draw_notice(out, look);
	buf_append(out, verdict.data, verdict.size);
	draw_panels(out, look);
	draw_foot(out, look);
	buf_puts(out, "</main><script>");
	buf_puts(out, page_js);
	buf_puts(out, "</script></body></html>\n");
	buf_free(&verdict);
	buf_free(&title);
}

static const char failure_css[] = "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1.2rem}"
	"small{opacity:.6;font-weight:400}p::first-letter{text-transform:uppercase}";

void page_draw_failure(struct buf *out, int status, const char *reason, const char *text)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">");
	html_put(out, "<title>%s - zonefan</title><style>%s</style></head>", reason, failure_css);
	html_put(out, "<body><h1>%s <small>%s</small></h1><p>%s</p><p><a href=\"/\">To the status page</a></p></body></html>\n",
		reason, number, text);
}

void page_draw_policy(struct buf *out)
{
	char css[HASH_BASE64_SIZE], failure[HASH_BASE64_SIZE], js[HASH_BASE64_SIZE];

	hash_sha256_base64(page_css, strlen(page_css), css);
	hash_sha256_base64(failure_css, strlen(failure_css), failure);
	hash_sha256_base64(page_js, strlen(page_js), js);
	buf_printf(out, "default-src 'none'; style-src 'sha256-%s' 'sha256-%s'; script-src 'sha256-%s'; img-src data:; connect-src 'self'; "
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'", css, failure, js);
}
