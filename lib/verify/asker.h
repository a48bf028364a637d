/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One name server, and the thread that asks it: one question at a time, which
 * is the whole of it. Owned by one other thread, which hands it a question and
 * takes the answer; nothing here blocks that one.
 */
#pragma once

#include "dns/dns.h"

/* A question on its way, and back with what came of it. */
struct ask {
	struct dns_question question;  /* name is owned */
	int64_t zone_id;               /* the owner's own, these three */
	uint64_t generation;
	bool sample;
	int ret;                       /* of dns_ask; ERR_IO: its address is not known */
	struct err err;
	struct dns_answer answer;
};

void ask_destroy(struct ask *ask);

struct asker;

/* server: as configured, and valid. ready(ctx) is called by the thread when there is an answer to take. */
struct asker *asker_create(const char *server, const char *thread_name, void (*ready)(void *ctx), void *ctx);
/* Gives up what is under way; blocks up to two seconds. NULL is allowed. */
void asker_destroy(struct asker *asker);
/* So that several end in the time of one. */
void asker_stop(struct asker *asker);
/* It must be idle: what it had was taken. Owns ask until it is taken. */
void asker_ask(struct asker *asker, struct ask *ask);
/* NULL: it has none yet. */
struct ask *asker_take(struct asker *asker);
