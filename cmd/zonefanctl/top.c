/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "top.h"

#include <stdlib.h>

#include "base/clock.h"
#include "exit.h"
#include "terminal.h"
#include "top_frame.h"

enum { EVENTS = 100, PAUSE_MS = 2000 };

static int look(const struct client *client, struct top_sample *sample, struct err *err)
{
	json_t *status, *events;
	char *path = xasprintf("/api/v1/events?limit=%d", EVENTS);
	int ret = client_get(client, "/status", &status, err);

	if (ret == ERR_OK) {
		ret = client_get(client, path, &events, err);
		if (ret != ERR_OK)
			json_decref(status);
	}
	free(path);
	if (ret != ERR_OK)
		return ret;
	*sample = (struct top_sample){ .status = status, .events = json_incref(json_object_get(events, "events")),
		.at_ms = clock_mono_ms(clock_system()) };
	json_decref(events);
	return ERR_OK;
}

static void clear(struct top_sample *sample)
{
	json_decref(sample->status);
	json_decref(sample->events);
	*sample = (struct top_sample){ 0 };
}

static void draw(const struct top_sample *sample, const struct top_sample *before, const char *trouble)
{
	char *text = top_frame(sample, before, trouble, true);

	terminal_draw(text);
	free(text);
}

/* false: q was pressed. */
static bool wait_drawing(const struct top_sample *sample, const struct top_sample *before, const char *trouble)
{
	int64_t until = clock_mono_ms(clock_system()) + PAUSE_MS;
	enum terminal_key key;

	do {
		int64_t left = until - clock_mono_ms(clock_system());

		draw(sample, before, trouble);
		key = terminal_wait(left < 0 ? 0 : (int)left);
	} while (key == TERMINAL_RESIZED);
	return key != TERMINAL_QUIT;
}

static void live(const struct client *client)
{
	struct top_sample sample = { 0 }, before = { 0 }, next;
	struct err err;
	bool goes_on = true;

	while (goes_on) {
		int ret = look(client, &next, &err);

		if (ret == ERR_OK) {
			clear(&before);
			before = sample;
			sample = next;
		}
		goes_on = wait_drawing(&sample, &before, ret == ERR_OK ? NULL : err.text);
	}
	clear(&sample);
	clear(&before);
}

static int once(const struct call *call)
{
	struct top_sample sample = { 0 }, none = { 0 };
	struct err err;

	if (look(call->client, &sample, &err) != ERR_OK)
		return commands_failed(&err);
	if (call_has(call, OPTION_JSON)) {
		json_t *both = json_pack("{s:O, s:O}", "status", sample.status, "events", sample.events);

		commands_print_json(both);
		json_decref(both);
	} else {
		char *text = top_frame(&sample, &none, NULL, false);

		fputs(text, stdout);
		free(text);
	}
	clear(&sample);
	return EXIT_WELL;
}

int top_command(const struct call *call)
{
	struct err err;

	if (call_has(call, OPTION_ONCE) || call_has(call, OPTION_JSON))
		return once(call);
	if (terminal_enter(&err) != ERR_OK)
		return commands_failed(&err);
	live(call->client);
	terminal_leave();
	return EXIT_WELL;
}
