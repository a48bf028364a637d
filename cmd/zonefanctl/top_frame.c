/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "top_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "show.h"
#include "table.h"

static const char plain[] = "\x1b[0m";
static const char bold[] = "\x1b[1m";
static const char green[] = "\x1b[1;32m";
static const char yellow[] = "\x1b[1;33m";
static const char red[] = "\x1b[1;31m";

struct frame {
	FILE *to;
	const struct top_sample *sample;
	const struct top_sample *before;
	bool is_coloured;
};

static void style(const struct frame *frame, const char *sequence)
{
	if (frame->is_coloured)
		fputs(sequence, frame->to);
}

static void put_title(const struct frame *frame, const char *title)
{
	style(frame, bold);
	fputs(title, frame->to);
	style(frame, plain);
	fputs("\n", frame->to);
}

/* ---- the head ---- */

/* How much a counter grew in a second between the two looks; "-" if there is nothing to compare with, as after a restart. */
static char *rate_of(const struct frame *frame, const json_t *now, const json_t *then, const char *key)
{
	json_int_t grown = cell_number_at(now, key) - cell_number_at(then, key);
	int64_t took_ms = frame->sample->at_ms - frame->before->at_ms;

	if (!json_is_integer(json_object_get(then, key)) || grown < 0 || took_ms <= 0)
		return xstrdup("-");
	return xasprintf("%.0f", (double)grown * 1000 / (double)took_ms);
}

static const char *colour_of(const char *status)
{
	return strcmp(status, "ok") == 0 ? green : strcmp(status, "degraded") == 0 ? yellow : red;
}

static void put_head(const struct frame *frame)
{
	const json_t *status = frame->sample->status;
	char *up = cell_age(status, "started_at", false);
	time_t now = time(NULL);
	char clock[16];
	struct tm parts;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &parts));
	fprintf(frame->to, "zonefan %s, up %s, %s: ", cell_text_at(status, "version"), up, clock);
	style(frame, colour_of(cell_text_at(status, "status")));
	fputs(cell_text_at(status, "status"), frame->to);
	style(frame, plain);
	fputs("\n", frame->to);
	free(up);
}

static void put_counts(const struct frame *frame)
{
	const json_t *status = frame->sample->status;
	const json_t *queues = json_object_get(status, "queues");
	const json_t *now = json_object_get(status, "counters"), *then = json_object_get(frame->before->status, "counters");
	char *pushes = rate_of(frame, now, then, "pushes"), *refused = rate_of(frame, now, then, "refused");

	fprintf(frame->to, "%" JSON_INTEGER_FORMAT " zones, pushes/s %s, refused/s %s, under way %" JSON_INTEGER_FORMAT
			   ", pending %" JSON_INTEGER_FORMAT ", dead letters %" JSON_INTEGER_FORMAT "\n",
		cell_number_at(json_object_get(status, "zones"), "total"), pushes, refused, cell_number_at(queues, "save"),
		cell_number_at(queues, "retry"), cell_number_at(queues, "dead_letters"));
	free(pushes);
	free(refused);
}

/* ---- back ends ---- */

static const json_t *same_lane(const json_t *status, const char *name)
{
	size_t index;
	json_t *lane;

	json_array_foreach(json_object_get(status, "backends"), index, lane) {
		if (strcmp(cell_text_at(lane, "name"), name) == 0)
			return lane;
	}
	return NULL;
}

/* What its name servers do not answer yet as it was written, and for how long; "-" where none is asked. */
static char *unanswered_of(const json_t *lane)
{
	const json_t *verify = json_object_get(lane, "verify");
	const json_t *oldest = json_object_get(verify, "oldest_unanswered_seconds");

	if (!json_is_object(verify))
		return xstrdup("-");
	if (!json_is_number(oldest))
		return cell_number(verify, "unanswered");
	char *age = cell_duration(json_number_value(oldest));
	char *cell = xasprintf("%" JSON_INTEGER_FORMAT ", %s", cell_number_at(verify, "unanswered"), age);
	free(age);
	return cell;
}

static void put_backends(const struct frame *frame)
{
	static const char *const titles[] = { "BACKEND", "STATE", "SINCE", "WRITTEN/S", "PENDING", "OLDEST", "IN FLIGHT",
		"UNANSWERED", "DEAD", "REJECTED", "WHY" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *lane;

	json_array_foreach(json_object_get(frame->sample->status, "backends"), index, lane) {
		const json_t *then = same_lane(frame->before->status, cell_text_at(lane, "name"));
		char *cells[] = { cell_text(lane, "name"), cell_text(lane, "state"), cell_age(lane, "since", false),
			rate_of(frame, lane, then, "delivered"), cell_number(lane, "pending"), show_oldest(lane),
			cell_number(lane, "inflight"), unanswered_of(lane), cell_number(lane, "dead"), cell_number(lane, "rejected"),
			cell_text(lane, "last_error") };

		table_add(&table, cells);
	}
	table_print_to(&table, frame->to);
}

/* ---- peers and events ---- */

static void put_peers(const struct frame *frame)
{
	const json_t *sync = json_object_get(frame->sample->status, "peer_sync");

	if (cell_number_at(sync, "total") > 0)
		fprintf(frame->to, "peers: %" JSON_INTEGER_FORMAT " good, %" JSON_INTEGER_FORMAT " degraded\n",
			cell_number_at(sync, "healthy"), cell_number_at(sync, "degraded"));
}

static void put_events(const struct frame *frame)
{
	static const char *const titles[] = { "AGO", "EVENT", "ZONE", "BACKEND", "WHAT" };
	struct table table = table_of(ARRAY_SIZE(titles), titles);
	size_t index;
	json_t *event;

	json_array_foreach(frame->sample->events, index, event) {
		char *cells[] = { cell_age(event, "at", false), cell_text(event, "kind"), cell_text(event, "zone"),
			cell_text(event, "backend"), cell_text(event, "detail") };

		table_add(&table, cells);
	}
	table_print_to(&table, frame->to);
}

char *top_frame(const struct top_sample *sample, const struct top_sample *before, const char *trouble, bool is_coloured)
{
	char *text = NULL;
	size_t size = 0;
	struct frame frame = { .sample = sample, .before = before, .is_coloured = is_coloured,
		.to = open_memstream(&text, &size) };

	CHECK(frame.to != NULL);
	if (trouble != NULL)
		put_title(&frame, trouble);
	if (sample->status != NULL) {
		put_head(&frame);
		put_counts(&frame);
		fputs("\n", frame.to);
		put_backends(&frame);
		show_status_notes(sample->status, frame.to);
		put_peers(&frame);
		fputs("\n", frame.to);
		put_events(&frame);
	}
	CHECK(fclose(frame.to) == 0);
	return text;
}
