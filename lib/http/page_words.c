/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields of answers, times and numbers, as people read them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/form.h"
#include "http/html.h"
#include "http/page_draw.h"

const char *page_word(const json_t *object, const char *key)
{
	const char *word = json_string_value(json_object_get(object, key));

	return word != NULL ? word : "";
}

uint64_t page_number(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 ? (uint64_t)number : 0;
}

double page_real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

bool page_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool page_has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value != NULL && !json_is_null(value);
}

const json_t *page_list(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_array(value) ? value : NULL;
}

const char *page_span(double seconds, char out[PAGE_SPAN_SIZE])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t left = seconds > 0 && seconds < 1e12 ? (uint64_t)seconds : 0;
	size_t used = 0, first = 0;

	out[0] = '\0';
	while (first < ARRAY_SIZE(units) - 1 && left < units[first].seconds)
		first++;
	for (size_t i = first; i < ARRAY_SIZE(units) && i < first + 2; i++) {
		uint64_t count = left / units[i].seconds;

		left %= units[i].seconds;
		if (count > 0 || (used == 0 && i == ARRAY_SIZE(units) - 1))
			used += (size_t)snprintf(out + used, PAGE_SPAN_SIZE - used, "%s%" PRIu64 " %s", used > 0 ? " " : "",
				count, units[i].name);
	}
	return out;
}

int64_t page_since_us(const struct page_look *look, const char *time)
{
	int64_t at_us = 0;

	return clock_parse(time, &at_us) ? look->now_us - at_us : 0;
}

void page_time(struct buf *out, const struct page_look *look, const char *time, const char *otherwise)
{
	char span[PAGE_SPAN_SIZE], stamp[sizeof("2026-11-20 18:00:00")];
	int64_t at_us;

	if (!clock_parse(time, &at_us)) {
		html_put(out, "%s", otherwise);
		return;
	}
	int64_t since_us = look->now_us - at_us;
	snprintf(stamp, sizeof(stamp), "%s", time);
	stamp[strlen("2026-11-20")] = ' ';
	html_put(out, "<time datetime=\"%s\" title=\"%s UTC\">", time, stamp);
	if (since_us < -1000000)
		html_put(out, "in %s</time>", page_span((double)-since_us / 1e6, span));
	else if (since_us < 1000000)
		buf_puts(out, since_us < 0 ? "now</time>" : "just now</time>");
	else
		html_put(out, "%s ago</time>", page_span((double)since_us / 1e6, span));
}

void page_moment(struct buf *out, const struct page_look *look, const char *time)
{
	char now[CLOCK_TEXT_SIZE], day[sizeof("2026-11-20")], clock[sizeof("18:00:00")];

	if (page_since_us(look, time) == 0)
		return;
	snprintf(day, sizeof(day), "%s", time);
	snprintf(clock, sizeof(clock), "%s", time + sizeof(day));
	if (strncmp(clock_text(look->now_us, now), day, strlen(day)) != 0)
		html_put(out, "%s ", day);
	html_put(out, "%s UTC, ", clock);
	page_time(out, look, time, "");
}

uint64_t page_waiting(const json_t *lane)
{
	uint64_t pending = page_number(lane, "pending"), given_up = page_number(lane, "dead") + page_number(lane, "rejected");

	return pending > given_up ? pending - given_up : 0;
}

uint64_t page_waiting_anywhere(const json_t *status)
{
	const json_t *lane;
	uint64_t waiting = 0;
	size_t i;

	json_array_foreach(page_list(status, "backends"), i, lane)
		waiting += page_waiting(lane);
	return waiting;
}

void page_plural(struct buf *out, uint64_t count, const char *one, const char *many)
{
	html_count(out, count);
	html_put(out, " %s", count == 1 ? one : many);
}

void page_zone_link(struct buf *out, const char *name)
{
	buf_puts(out, "<a href=\"/?zone=");
	form_encode(out, name);
	html_put(out, "\">%s</a>", name);
}

void page_badge(struct buf *out, const char *colour, const char *word)
{
	html_put(out, "<span class=\"badge %s\">%s</span>", colour, word);
}
