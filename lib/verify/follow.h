/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was written at one back end and is not answered yet: whom to ask for
 * what next, and what an answer means. Pure: no thread, no socket, no clock of
 * its own. One owner. Times in milliseconds are of one monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/strmap.h"
#include "dns/dns.h"

enum { FOLLOW_SERVERS_MOST = 16 };

/* One RRset that was changed; name NULL: none is asked for. */
struct follow_set {
	char *name;
	char *type;            /* its mnemonic */
	uint16_t type_code;
	char **data;           /* as zone.h has it; sorted */
	size_t count;          /* 0: there is none any more */
};

/* How far one name server is. What was told of it (reported) is in error. */
struct follow_server {
	bool right;            /* it answers what was written */
	bool has_serial;       /* that it told last */
	bool authoritative;
	bool soa_right;        /* the set is what is still to be asked for */
	bool missed;           /* the last question had no answer at all */
	bool reported;         /* what is wrong was posted, as it stands in error */
	uint32_t serial;
	unsigned tries;        /* answers that were wrong */
	int64_t wrong_us;      /* the last of them came; wall clock, kept by the owner */
	int64_t due_ms;        /* not asked before */
	char *error;           /* of the last one; NULL: none */
};

/* A zone as it was written there. */
struct follow {
	int64_t number;        /* of the writing */
	int64_t zone_id;
	char *zone;
	uint64_t generation;
	bool deleted;
	uint32_t serial;
	int64_t since_us;      /* unanswered since; wall clock */
	bool told;             /* that it is late was told */
	bool still;            /* it is deleted, and was answered all the same when that was told */
	bool raised;           /* the serial is another one than that of the content before */
	struct follow_set set;
	struct follow_server *servers;
};

/* All that one back end has. Zero-initialise it, with server_count; follow_clear it. */
struct follows {
	unsigned server_count;
	struct follow **all;
	size_t count;
	size_t room;
	struct strmap places;  /* zone id -> index in all */
};

/* Takes an element of ENGINE_UNANSWERED in: instead of an older one of that zone. */
struct follow *follow_add(struct follows *follows, const struct doc *entry, int64_t now_ms);
struct follow *follow_find(const struct follows *follows, int64_t zone_id);
void follow_remove(struct follows *follows, struct follow *follow);
void follow_clear(struct follows *follows);

/* What that server is to be asked now: what has waited longest. NULL: nothing before *next_ms (INT64_MAX: nothing at all). */
struct follow *follow_next(const struct follows *follows, unsigned server, int64_t now_ms, int64_t *next_ms);
/* The question to it; lives as long as follow. */
struct dns_question follow_question(const struct follow *follow, unsigned server);
/*
 * What the answer means. True: that server answers what was written. Else it is to be asked for the set, or once more after a
 * pause that grows; error says what is wrong. brief: there is much to ask, a serial that was raised is enough.
 */
bool follow_judge(struct follow *follow, unsigned server, const struct dns_answer *answer, bool brief, int64_t now_ms);
/* It sent what is no answer: err. */
void follow_refuse(struct follow *follow, unsigned server, const struct err *err, int64_t now_ms);
/*
 * It sent nothing: err. The next question is another zone's, for it may say nothing of this one alone. False: its last word
 * stands all the same, that it still answers a deleted zone: one question may be lost.
 */
bool follow_miss(struct follow *follow, unsigned server, const struct err *err, int64_t now_ms);
/* The server was away, and may be another one now: what waits for it waits no longer. missed: also what had no answer. */
void follow_wake(struct follows *follows, unsigned server, bool missed, int64_t now_ms);
/* It is deleted, and answered all the same: of a server that was not heard yet as it was told before a restart. */
bool follow_still_answers(const struct follows *follows, const struct follow *follow);
bool follow_is_whole(const struct follows *follows, const struct follow *follow);

/* "NXDOMAIN", ...: for texts. */
const char *follow_rcode(unsigned rcode, char out[16]);
