/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connections of a relay (relay.h): one with the client and one with the server make a pair. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A way is named by the end where its data comes from: up is from the client. */
enum way_name { UP, DOWN, WAYS };

struct chunk;
STAILQ_HEAD(chunk_list, chunk);

struct end {
	struct pair *pair;
	int side;                     /* the way whose data comes from here */
	int fd;
	uint32_t interest;            /* as epoll has it; 0: it has it not */
};

struct way {
	struct chunk_list due;        /* may be written */
	size_t held;                  /* bytes read and not yet written */
	bool ended;                   /* the sender has ended */
	uint64_t bytes;
};

struct pair {
	LIST_ENTRY(pair) link;
	struct relay *relay;
	struct end ends[WAYS];
	struct way ways[WAYS];
	size_t travelling;            /* chunks of relay.travelling that point here */
	bool closed;
	bool doomed;                  /* data of it was thrown away */
	bool given;                   /* the client was given something since it last sent */
	uint64_t round_trips;
};

LIST_HEAD(pair_list, pair);

struct relay {
	int epoll;
	int listener;
	int watched;                  /* the descriptor that epoll watches for the caller; -1: none yet */
	uint16_t target_port;
	int64_t delay_ns;
	bool swallowing;
	struct chunk_list travelling; /* in order of their due times, because all have the same delay */
	struct pair_list pairs;
	struct pair_list dead;        /* closed in this turn: events may still name them */
	uint64_t connections;
	uint64_t round_trips;
	uint64_t bytes[WAYS];
	char *buffer;
};

/* Takes a waiting connection and dials the target for it. */
void pair_take(struct relay *relay);
/* What epoll said of one end; events: its mask. */
void pair_on_event(struct end *end, uint32_t events);
/* Writes what has travelled long enough. */
void pair_arrive(struct relay *relay);
/* When the first piece is due; -1: nothing travels. */
int64_t pair_next_due_ns(const struct relay *relay);
/* Closes both ends; reset: by RST. The pair itself stays until nothing points at it. */
void pair_close(struct pair *pair, bool reset);
/* Frees what was closed and is not pointed at. */
void pair_bury(struct relay *relay);
/* Forgets all that travels. */
void pair_forget_travelling(struct relay *relay);
