/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this room share. Everything here belongs to its thread, but verify.stopping. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "verify/asker.h"
#include "verify/follow.h"
#include "verify/verify.h"
#include "zone/zone.h"

/* The walk over all zones that are answered, a sample at a time. */
struct sweep {
	struct doc *page;      /* ENGINE_SAMPLE's */
	const struct doc *at;  /* of it: the next one; NULL: a new page is to be had */
	int64_t after;         /* the last zone of the page before */
	int64_t gap_ms;        /* between two */
	int64_t next_ms;       /* not before */
	uint64_t asked;        /* since start */
	uint64_t lost;         /* of those: they were not answered any more */
	int64_t round_us;      /* the present round began; 0: none did yet */
	int64_t last_round_us; /* a round ended; 0: none did yet */
};

/* A name server. */
struct server {
	const char *address;   /* as configured */
	struct asker *asker;
	bool busy;             /* it has a question */
	enum { SERVER_NEW, SERVER_UP, SERVER_SILENT } state;
	bool told;             /* that it is silent */
	unsigned failures;     /* in a row */
	int64_t since_us;      /* wall clock: so it is since then */
	int64_t last_ok_us;    /* wall clock; 0: it never said anything */
	int64_t next_ms;       /* no question goes before */
	char error[ERR_TEXT_SIZE];
	struct sweep sweep;
};

/* LATE_ZONES: also what is deleted, where nobody knows whether it is still answered. */
enum lateness { LATE_ZONES, LATE_DELETES, LATENESSES };

/* A back end. */
struct centre {
	const struct verify_backend *conf;
	struct follows follows;
	struct server *servers;
	int64_t seen;          /* the newest writing that was read */
	bool late_told[LATENESSES]; /* there is something late, and that was told */
};

struct verify {
	struct verify_params params;
	struct engine *engine;
	pthread_t thread;
	atomic_bool stopping;
	struct centre *centres;
	size_t centre_count;
	size_t follow_most;    /* at all of them */
	int64_t read_ms;       /* nothing is read before */
	struct engine_answer *answers; /* to be posted */
	size_t answer_count;
	int64_t post_ms;       /* then, if there are any */
	int64_t look_ms;       /* for what is late; and the status is shown */
	char canary[ZONE_NAME_SIZE]; /* canonical; "": none */
	int64_t canary_ms;     /* it is changed then */
	bool canary_refused;   /* that was told */
};

int64_t verify_now_ms(void);
int64_t verify_wall_us(void);
/* The reply is the caller's. False: there is none, or it is an error, which is logged as "what". */
bool verify_ask(struct verify *verify, struct engine_request *request, const char *what, struct engine_message **out);

/* More was written there than was read: what is followed is not all. */
bool verify_is_behind(const struct verify *verify, const struct centre *centre);

/* ---- server.c: one name server ---- */

/* What it is to be asked now, if anything; else when there is something. */
int64_t server_go_on(struct verify *verify, struct centre *centre, unsigned index);
/* Takes what came of its question. */
void server_land(struct verify *verify, struct centre *centre, unsigned index);

/* ---- sweep.c ---- */

void sweep_begin(struct sweep *sweep, const struct verify_backend *conf);
/* The next zone that is to be asked for, or NULL; those that were never asked for are noted as lost on the way. */
const struct doc *sweep_next(struct verify *verify, struct centre *centre, struct server *server);
void sweep_judge(struct verify *verify, struct centre *centre, struct server *server, const struct ask *ask);
/* The server came back: it is left in peace for a while (decisions.md 27). */
void sweep_pause(struct sweep *sweep, const struct verify_backend *conf);

/* ---- tell.c: what the engine is told, and people are ---- */

/* What that server says of a zone that is followed. */
void tell_answer(struct verify *verify, const struct centre *centre, const struct follow *follow, unsigned index);
/* That zone is to be followed (again). */
void tell_lost(struct verify *verify, const struct centre *centre, int64_t zone_id, uint64_t generation);
/* Posts what was gathered. False: it could not be kept, and all is to be read anew. */
bool tell_post(struct verify *verify);
PRINTF_LIKE(5, 6)
void tell_note(struct verify *verify, const char *kind, const struct centre *centre, const char *zone, const char *format, ...);
/* What it is, should it be late. */
enum lateness tell_lateness(const struct centre *centre, const struct follow *follow);
/* What is late by now, and what is not any more. */
void tell_late(struct verify *verify);
void tell_status(struct verify *verify);

/* ---- canary.c ---- */

void canary_begin(struct verify *verify);
/* Changes it when it is time. */
void canary_go_on(struct verify *verify);
