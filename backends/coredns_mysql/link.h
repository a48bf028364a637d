/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection to the database: packets of statements out, their answers
 * in, each wait bounded (decisions.md 10). One owner, one thread.
 *
 *	if (link_send(link, &sql) == 0)
 *		while ((got = link_next(link, &rows)) > 0)
 *			...
 *
 * After a failure the statements behind the failed one were not executed.
 * Where the connection is lost, it is closed already, by RST.
 */
#pragma once

#include <mysql.h>

#include "backends/coredns_mysql/classify.h"
#include "backends/coredns_mysql/connect.h"
#include "backends/coredns_mysql/result.h"
#include "base/buf.h"

enum { LINK_STATEMENTS = 2 };      /* prepared ones, by number */

struct link {
	struct connect_target target;
	MYSQL *mysql;                  /* NULL: not connected */
	MYSQL_STMT *statements[LINK_STATEMENTS]; /* NULL: not prepared on this connection */
	bool prepares_none;            /* it was tried, and refused */
	unsigned long thread_id;       /* the server's name for the connection */
	int64_t statement_ms;          /* how long one answer may take; 0: for hours (an ALTER TABLE) */
	int64_t transaction_end_ms;    /* monotonic; 0: no transaction */
	int64_t sent_us;               /* when the last packet was out */
	int64_t round_trip_us;         /* how soon an answer came, at the soonest: no more than that is the way long */
	bool answering;                /* answers of a packet are outstanding */
	int64_t answers_end_ms;        /* monotonic; until then all of them must have come */
	size_t asked;                  /* statements of the last packet, or more: it has no more answers than that */
	size_t answered;               /* statements of the last packet that have succeeded; 0 too if it was not sent */
	bool first;                    /* of them the first one is next */
	const unsigned *columns;       /* of the results of the packet that is sent next, or was just sent: the least of each */
	size_t column_count;
	size_t results;                /* result sets of that packet that have come */
	size_t room;                   /* bytes of memory for each of them, beyond which it is cut; 0: too much is a failure */
	size_t cut_from;               /* for those before that one too */
	size_t expected;               /* bytes that the answers to the next packet surely have; 0: not known */
	bool owed;                     /* the answer of what link_post() sent was not taken yet */
	bool unheard;                  /* and never was: that connection, thread_id, was lost before. The owner's to clear */
	/* the last failure */
	unsigned code;                 /* of the server or the library; 0: none, see text */
	bool lost;                     /* the connection is gone, or its state unknown: it was closed */
	bool timed_out;
	bool cancelled;
	char text[320];                /* why, for people */
};

void link_init(struct link *link, const struct coredns_mysql_settings *settings, const char *backend, int cancel_fd);
/* 0, or err says why not. */
MUST_CHECK int link_open(struct link *link, struct err *err);
/* A short good-bye to the server, then close. */
void link_close(struct link *link);
/* Close by RST at once: what is under way must not arrive any more. */
void link_abort(struct link *link);
/* False also if an idle connection was closed by the server meanwhile (it is closed then). */
bool link_is_alive(struct link *link);

/* 0, or -1: link->code, lost, text. Answers must then be taken until link_next() does not say 1. */
MUST_CHECK int link_send(struct link *link, const struct buf *sql);
/*
 * 1: one more statement has succeeded; *result is its result set, the caller's to free, or NULL. 0: that was all. -1: failed, or
 * there are more answers than statements.
 */
MUST_CHECK int link_next(struct link *link, struct result **result);
/* Sends so many statements, takes their answers and throws results away. 0 or -1; fewer answers, or more, are a failure. */
MUST_CHECK int link_run(struct link *link, const struct buf *sql, size_t statements);
/*
 * After a packet of so many statements whose answers ended too early without an error, or go on behind the last: nobody knows what
 * became of them. The connection is lost. -1.
 */
int link_fell_short(struct link *link, size_t asked);
/*
 * Sends one statement without result sets whose answer nobody waits for: it is taken before anything else is sent, and
 * closes the connection if it is an error. A failure to send closes it too.
 */
void link_post(struct link *link, const char *statement);
/*
 * For whoever looks into rows: the result sets of the next packet have so many columns at the least, one after the other, the
 * last number being that of all further ones too. A server that answers with fewer talks of something else: the connection
 * is lost. The numbers must live until the answers are taken.
 */
void link_demand(struct link *link, const unsigned *columns, size_t count);
/*
 * Each result set of the next packet from that one on, counted from 0, may be cut (result_cut) where it has more than so many bytes,
 * instead of being a failure. What was thrown away has then been read all the same, and the connection serves on.
 */
void link_allow(struct link *link, size_t from, uint64_t bytes);
/* The answers to the next packet have so many bytes at the least: to gather them saves waking up for each. */
void link_expect(struct link *link, size_t bytes);
/* As link_run, but of any number of statements; gives each result set, counted from 0, to take as soon as it is there, and frees it behind that. */
MUST_CHECK int link_stream(struct link *link, const struct buf *sql, void (*take)(void *ctx, size_t at, struct result *rows),
	void *ctx);
/* As link_run, but keeps the first result sets, so many, the caller's to free; fewer are a failure. On -1 none. */
MUST_CHECK int link_fetch(struct link *link, const struct buf *sql, struct result **rows, size_t results);

/* Does the server take a statement with many rows of values at once? (MySQL does not, nor does one that is short of them.) */
bool link_takes_arrays(const struct link *link);
/*
 * Prepares the statement, unless its number was prepared on this connection before, and executes it for so many rows,
 * which binds holds by columns (STMT_ATTR_ARRAY_SIZE). No result set. 0 or -1.
 */
MUST_CHECK int link_execute(struct link *link, size_t number, const char *sql, MYSQL_BIND *binds, unsigned rows);

/* The deadline of all statements until link_transaction_end(). */
void link_transaction_begin(struct link *link, int64_t end_ms);
void link_transaction_end(struct link *link);
/* Sends ROLLBACK if there is anybody to hear it. False: the connection is gone. */
bool link_rollback(struct link *link);
