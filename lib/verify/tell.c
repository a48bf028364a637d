/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this room found out, for the store, for events, for the status. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/internal.h"

enum { POST_MS = 200, POST_MOST = 200 };

/* ---- answers ---- */

/* The next one to be posted, to be filled. */
static struct engine_answer *add_answer(struct verify *verify, const struct centre *centre, int64_t zone_id,
	uint64_t generation)
{
	if (verify->answer_count == 0)
		verify->post_ms = verify_now_ms() + POST_MS;
	if ((verify->answer_count & (verify->answer_count - 1)) == 0) {
		size_t room = verify->answer_count == 0 ? 1 : verify->answer_count * 2;

		verify->answers = xrealloc(verify->answers, room * sizeof(*verify->answers));
	}
	struct engine_answer *answer = &verify->answers[verify->answer_count++];
	*answer = (struct engine_answer){ .backend = xstrdup(centre->conf->name), .zone_id = zone_id, .generation = generation };
	if (verify->answer_count >= POST_MOST)
		verify->post_ms = 0;
	return answer;
}

void tell_answer(struct verify *verify, const struct centre *centre, const struct follow *follow, unsigned index)
{
	struct engine_answer *answer = add_answer(verify, centre, follow->zone_id, follow->generation);
	const struct follow_server *at = &follow->servers[index];

	answer->zone = xstrdup(follow->zone);
	answer->server = xstrdup(centre->servers[index].address);
	answer->right = at->right;
	answer->whole = follow_is_whole(&centre->follows, follow);
	answer->asked_at_us = verify_wall_us();
	answer->has_serial = at->has_serial;
	answer->serial = at->serial;
	answer->authoritative = at->authoritative;
	answer->error = xstrdup(at->error);
}

void tell_lost(struct verify *verify, const struct centre *centre, int64_t zone_id, uint64_t generation)
{
	add_answer(verify, centre, zone_id, generation)->lost = true;
}

bool tell_post(struct verify *verify)
{
	struct engine_request *request = engine_request_create(ENGINE_ANSWERED, 0);
	struct engine_message *reply;

	request->answers = verify->answers;
	request->answer_count = verify->answer_count;
	verify->answers = NULL;
	verify->answer_count = 0;
	if (!verify_ask(verify, request, "what name servers answer can't be stored", &reply))
		return false;
	engine_message_destroy(reply);
	return true;
}

/* ---- events ---- */

void tell_note(struct verify *verify, const char *kind, const struct centre *centre, const char *zone, const char *format, ...)
{
	struct engine_request *request = engine_request_create(ENGINE_VERIFY_NOTE, 0);
	struct engine_message *reply;
	char text[ERR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	request->kind = xstrdup(kind);
	request->backend = centre == NULL ? NULL : xstrdup(centre->conf->name);
	request->zone = xstrdup(zone);
	request->text = xstrdup(text);
	if (verify_ask(verify, request, "an event of name servers is not recorded", &reply))
		engine_message_destroy(reply);
}

/* It was asked when it was time already, or can't be. What was wrong before that, and could not be asked again yet, is not late. */
static bool is_to_be_reported(const struct follow *follow, const struct follow_server *at, const struct server *server, int64_t due_us)
{
	/* Of a silent server nothing is heard any more; but what it said of a deleted zone stands until it was asked in vain twice. */
	bool unheard = server->told && !(follow->deleted && at->has_serial);

	return !at->right && !at->reported && ((at->error != NULL && at->wrong_us >= due_us) || unheard);
}

static int64_t late_after_us(const struct verify *verify)
{
	return (int64_t)verify->params.deadline_seconds * 1000000;
}

static void report(struct verify *verify, const struct centre *centre, struct follow *follow)
{
	for (unsigned i = 0; i < centre->conf->server_count; i++) {
		struct follow_server *at = &follow->servers[i];

		if (!is_to_be_reported(follow, at, &centre->servers[i], follow->since_us + late_after_us(verify)))
			continue;
		if (at->error == NULL)
			at->error = xstrdup(centre->servers[i].error);
		at->reported = true;
		follow->told = true;
		tell_answer(verify, centre, follow, i);
	}
}

enum lateness tell_lateness(const struct centre *centre, const struct follow *follow)
{
	return follow_still_answers(&centre->follows, follow) ? LATE_DELETES : LATE_ZONES;
}

struct late {
	size_t count;
	const struct follow *worst; /* the oldest that was told; NULL: none was yet */
};

static void find_late(struct verify *verify, const struct centre *centre, struct late late[LATENESSES])
{
	int64_t limit_us = verify_wall_us() - late_after_us(verify);

	for (size_t i = 0; i < centre->follows.count; i++) {
		struct follow *follow = centre->follows.all[i];
		struct late *kind = &late[tell_lateness(centre, follow)];

		if (follow->since_us > limit_us)
			continue;
		report(verify, centre, follow);
		kind->count++;
		if (follow->told && (kind->worst == NULL || follow->since_us < kind->worst->since_us))
			kind->worst = follow;
	}
}

/* Whether it is for that server's sake that the zone is late. */
static bool is_to_blame(const struct follow_server *at, enum lateness lateness)
{
	return at->reported && (lateness != LATE_DELETES || at->has_serial);
}

static void note_late(struct verify *verify, const struct centre *centre, const char *kind, const struct late *late)
{
	const struct follow *worst = late->worst;
	const char *plural = late->count == 1 ? "" : "s";
	enum lateness lateness = tell_lateness(centre, worst);

	for (unsigned i = 0; i < centre->conf->server_count; i++) {
		if (is_to_blame(&worst->servers[i], lateness)) {
			tell_note(verify, kind, centre, worst->zone, "%zu zone%s, the oldest: name server %s %s", late->count, plural,
				centre->servers[i].address, worst->servers[i].error);
			return;
		}
	}
	tell_note(verify, kind, centre, worst->zone, "%zu zone%s, the oldest late since before the start", late->count, plural);
}

void tell_late(struct verify *verify)
{
	static const struct {
		const char *begins, *ends, *end;
	} kinds[LATENESSES] = {
		[LATE_ZONES] = { "unanswered", "answered", "all that was written is answered, or not late yet" },
		[LATE_DELETES] = { "still_answers", "gone", "no deleted zone is known to be answered any more" },
	};

	for (size_t i = 0; i < verify->centre_count; i++) {
		struct centre *centre = &verify->centres[i];
		struct late late[LATENESSES] = { 0 };
		bool behind = verify_is_behind(verify, centre);

		find_late(verify, centre, late);
		for (enum lateness k = 0; k < LATENESSES; k++) {
			if (!centre->late_told[k] && late[k].worst != NULL)
				note_late(verify, centre, kinds[k].begins, &late[k]);
			else if (centre->late_told[k] && late[k].count == 0 && !behind)
				tell_note(verify, kinds[k].ends, centre, NULL, "%s", kinds[k].end);
			centre->late_told[k] = late[k].worst != NULL || (centre->late_told[k] && (late[k].count > 0 || behind));
		}
	}
}

/* ---- the status ---- */

static void show_server(struct doc *list, const struct server *server)
{
	static const char *const states[] = { [SERVER_NEW] = "new", [SERVER_UP] = "up", [SERVER_SILENT] = "silent" };
	struct doc *entry = doc_object(list, NULL);

	doc_text(entry, "address", server->address);
	doc_text(entry, "state", states[server->state]);
	doc_time(entry, "since", server->since_us);
	doc_time(entry, "last_ok_at", server->last_ok_us);
	doc_text(entry, "error", server->error[0] == '\0' ? NULL : server->error);
}

/* Of all its name servers together. */
static void show_sweep(struct doc *parent, const struct centre *centre)
{
	struct doc *doc = doc_object(parent, "sweep");
	uint64_t asked = 0, lost = 0;
	int64_t last_us = INT64_MAX;

	for (unsigned i = 0; i < centre->conf->server_count; i++) {
		const struct sweep *sweep = &centre->servers[i].sweep;

		asked += sweep->asked;
		lost += sweep->lost;
		last_us = sweep->last_round_us < last_us ? sweep->last_round_us : last_us;
	}
	doc_uint(doc, "interval_seconds", centre->conf->interval_seconds);
	doc_uint(doc, "asked", asked);
	doc_uint(doc, "lost", lost);
	doc_time(doc, "last_round_at", last_us == INT64_MAX ? 0 : last_us);
}

void tell_status(struct verify *verify)
{
	struct doc *doc = doc_create();

	for (size_t i = 0; i < verify->centre_count; i++) {
		const struct centre *centre = &verify->centres[i];
		struct doc *entry = doc_object(doc, centre->conf->name);
		struct doc *list = doc_list(entry, "servers");

		for (unsigned k = 0; k < centre->conf->server_count; k++)
			show_server(list, &centre->servers[k]);
		show_sweep(entry, centre);
	}
	engine_publish(verify->engine, "verify", doc);
}
