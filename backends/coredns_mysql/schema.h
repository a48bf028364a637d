/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The three tables: what they are like, and making them what they must be
 * (decisions.md 9). The statements are the files of schema/coredns_mysql.
 * Thread of the back end; blocks as link.h does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/coredns_mysql/columns.h"
#include "backends/coredns_mysql/link.h"
#include "backends/coredns_mysql/shape.h"

/* What of the tables matters for what is written; read at each connect. Widths are in characters, and we send ASCII. */
struct schema {
	uint64_t zone_name_width;      /* the narrower of zones' and the state table's */
	uint64_t hostname_width;
	uint64_t type_width;
	uint64_t data_width;
	char zones_index[65];          /* the unique index on zone_name */
	char records_index[65];        /* an index of the records that begins with zone_id; "": there is none to be used */
	struct schema_column digested[SCHEMA_DIGESTED];
	bool ids_plenty;               /* ids of records need not be spared */
	bool plain;                    /* ASCII is held byte for byte in every column that is written */
	struct shape shape;            /* of the tables of which all this is said */
};

/* Told of each step and oddity: kind "schema", "auto_increment", ...; text is for people. */
struct schema_notices {
	const char *backend; /* what could not be done is told once per back end, not at each connect */
	void (*notice)(void *ctx, const char *kind, const char *text);
	void *ctx;
};

/*
 * Looks at the tables through link; with settings->manage_schema creates and widens what is missing, on a connection
 * of its own. 0: usable, *out is filled. Else err names what is missing, with file and the statement's beginning
 * (all of it is in a notice, once); link->lost says whether the connection is to blame.
 */
MUST_CHECK int schema_check(struct link *link, const struct schema_notices *notices, struct schema *out,
	struct err *err);
/*
 * Only looks. 0: usable as they are, and what could be better is noticed; else err as above. *makeable: what is missing
 * is what a step makes, for whoever may.
 */
MUST_CHECK int schema_judge(struct link *link, const struct schema_notices *notices, bool *makeable, struct err *err);
/* Only looks again, at the widths: an administrator may have widened a column. False: they could not be read. */
bool schema_refresh(struct link *link, struct schema *schema);
/* The text of a file of schema/coredns_mysql with our tables' names in it; NULL if there is none. The caller frees. */
char *schema_statement(const struct coredns_mysql_settings *settings, const char *file);
