/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_findings.h"
#include "table.h"

enum { BEHIND_S = 15 };

static void tell_count(struct doctor *doctor, const json_t *object, const char *key, const char *subject, const char *what,
	const char *remedy)
{
	json_int_t count = cell_number_at(object, key);
	char *text;

	if (count == 0)
		return;
	text = xasprintf("%" JSON_INTEGER_FORMAT " %s", count, what);
	doctor_tell(doctor, DOCTOR_DOUBT, key, subject, text, remedy);
	free(text);
}

/* ---- a lane, as zonefand sees it ---- */

static void tell_state(struct doctor *doctor, const json_t *backend, const char *name, const char *state)
{
	char *text = xasprintf("%s since %s: %s", state, cell_text_at(backend, "since"), cell_text_at(backend, "last_error"));

	if (strcmp(state, "paused") == 0)
		doctor_tell(doctor, DOCTOR_DOUBT, "lane", name, "paused: nothing is delivered there",
			"zonefanctl resume NAME, when its maintenance is over; or app.dry_run is on");
	else if (strcmp(state, "probing") == 0 && json_is_null(json_object_get(backend, "last_error")))
		doctor_tell(doctor, DOCTOR_WELL, "lane", name, "zonefand has just begun to look at it", "");
	else if (strcmp(state, "up") != 0)
		doctor_tell(doctor, DOCTOR_FAULT, "lane", name, text,
			"what is found at that back end below is the reason; zonefand tries again by itself");
	else
		doctor_tell(doctor, DOCTOR_WELL, "lane", name, "up", "");
	free(text);
}

/* Written long ago, and its name servers do not say so. */
static void tell_unanswered(struct doctor *doctor, const json_t *verify, const char *name)
{
	double oldest_s = json_number_value(json_object_get(verify, "oldest_unanswered_seconds"));
	char *text;

	if (oldest_s <= doctor->conf->verify_deadline_seconds)
		return;
	text = xasprintf("name servers do not answer what was written, %" JSON_INTEGER_FORMAT " zones, since %.0f s",
		cell_number_at(verify, "unanswered"), oldest_s);
	doctor_tell(doctor, DOCTOR_FAULT, "unanswered", name, text,
		"see what is said of them below, and zonefanctl zone NAME; the public plugin answers deleted names until it is restarted");
	free(text);
}

static void examine_lane(struct doctor *doctor, const json_t *backend)
{
	const char *name = cell_text_at(backend, "name");
	double oldest_s = json_number_value(json_object_get(backend, "oldest_pending_seconds"));
	const char *state = cell_text_at(backend, "state");
	char *text;

	tell_state(doctor, backend, name, state);
	if (oldest_s > BEHIND_S && strcmp(state, "up") == 0) {
		text = xasprintf("behind by %.0f s, %" JSON_INTEGER_FORMAT " deliveries wait", oldest_s, cell_number_at(backend, "pending"));
		doctor_tell(doctor, DOCTOR_DOUBT, "behind", name, text, "see zonefanctl status, and whether that database is slow");
		free(text);
	}
	tell_unanswered(doctor, json_object_get(backend, "verify"), name);
	tell_count(doctor, backend, "dead", name, "deliveries were given up for an hour", "zonefanctl dead list says why; dead replay tries them now");
	tell_count(doctor, backend, "rejected", name, "zones can't be held there", "zonefanctl dead list names record and column");
	tell_count(doctor, backend, "contested", name, "zones are changed there again and again by somebody else",
		"zonefanctl events --kind contested; let one program write that database");
}

/* ---- the rest of its status ---- */

static void examine_unconfigured(struct doctor *doctor, const json_t *status)
{
	size_t index;
	json_t *name;

	json_array_foreach(json_object_get(status, "unconfigured"), index, name)
		doctor_tell(doctor, DOCTOR_DOUBT, "retire", json_string_value(name),
			"the store has deliveries for it, and it is not configured any more", "zonefanctl retire NAME --confirm; or configure it again");
}

static void examine_status(struct doctor *doctor, const json_t *status)
{
	const json_t *store = json_object_get(status, "store");
	const char *version = cell_text_at(status, "version");
	size_t index;
	json_t *backend;

	if (json_is_true(json_object_get(store, "ok")))
		doctor_tell(doctor, DOCTOR_WELL, "store", doctor->conf->store_path, "zonefand can write it", "");
	else
		doctor_tell(doctor, DOCTOR_FAULT, "store", doctor->conf->store_path, cell_text_at(store, "error"),
			"make room, or give it to zonefand's user again: no push is taken until it can be written");
	if (strcmp(version, ZONEFAN_VERSION) != 0)
		doctor_tell(doctor, DOCTOR_DOUBT, "version", version, "the zonefand that runs is not of the release that is installed", "restart it");
	if (json_is_true(json_object_get(status, "dry_run")))
		doctor_tell(doctor, DOCTOR_DOUBT, "dry_run", "app.dry_run", "pushes are taken, and nothing is delivered anywhere",
			"set it to false when plan shows what you want");
	json_array_foreach(json_object_get(status, "backends"), index, backend)
		examine_lane(doctor, backend);
	tell_count(doctor, status, "held", "pushes and sets", "wait for your word", "zonefanctl held list, then approve ID or discard ID");
	examine_unconfigured(doctor, status);
}

/* ---- is it there? ---- */

static void tell_silence(struct doctor *doctor, const struct err *err)
{
	if (err->code == ERR_CLOSED)
		doctor_tell(doctor, DOCTOR_DOUBT, "zonefand", "zonefand", err->text,
			"if it should run: systemctl start zonefand, and journalctl -u zonefand says why it ended; root and its user may use "
			"the socket, and its group where app.control_socket is /run/zonefan/zonefan.sock");
	else
		doctor_tell(doctor, DOCTOR_FAULT, "zonefand", "zonefand", err->text, "see its log; it may be stuck: restart it, nothing accepted is lost");
}

void doctor_daemon(struct doctor *doctor)
{
	json_t *status;
	struct err err;

	if (doctor->conf->control_socket[0] == '\0') {
		doctor_tell(doctor, DOCTOR_DOUBT, "zonefand", "zonefand", "app.control_socket is off: it can't be asked how it is", "");
		return;
	}
	if (client_get(&doctor->client, "/status", &status, &err) != ERR_OK) {
		tell_silence(doctor, &err);
		return;
	}
	doctor->running = true;
	doctor_tell(doctor, DOCTOR_WELL, "zonefand", "zonefand", "it runs and answers", "");
	examine_status(doctor, status);
	json_decref(status);
}
