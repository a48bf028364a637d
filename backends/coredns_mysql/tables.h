/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What information_schema says of the three tables, and what of it is not as
 * it should be. Thread of the back end; blocks as link.h does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/coredns_mysql/columns.h"
#include "backends/coredns_mysql/link.h"

enum tables_need {
	TABLES_NEED_ZONES = 1 << 0,
	TABLES_NEED_RECORDS = 1 << 1,
	TABLES_NEED_STATE = 1 << 2,
	TABLES_NEED_UNIQUE = 1 << 3, /* on zones.zone_name */
	TABLES_NEED_INDEX = 1 << 4,  /* on records (zone_id, hostname, type) */
	TABLES_NEED_DATA = 1 << 5    /* records.data is narrower than MEDIUMTEXT */
};

enum { TABLES_ZONES, TABLES_RECORDS, TABLES_STATE, TABLES_COUNT };

struct table {
	const char *name;    /* of the settings */
	bool present;
	char engine[65];     /* "" for a view */
	char missing[65];    /* the first column that is not there; "" if none is */
	uint64_t next_id;    /* 0: unknown */
	uint64_t id_limit;   /* the id column's; 0: unknown */
	char unused[65];     /* an index that would serve, but is not to be used (IGNORED, INVISIBLE); "" if none is */
};

struct tables {
	struct table table[TABLES_COUNT];
	unsigned needs;      /* of enum tables_need */
	uint64_t zone_name_width;
	uint64_t hostname_width;
	uint64_t type_width;
	uint64_t data_width;
	char zones_index[65];   /* "": there is none, or none to be used */
	char records_index[65]; /* an index that begins with zone_id; "" likewise */
	struct schema_column digested[SCHEMA_DIGESTED];
	bool plain;             /* as in schema.h */
};

/* 0 or -1 (link->text). */
MUST_CHECK int tables_read(struct link *link, struct tables *out);
/* All tables that are there can roll back. */
bool tables_engines_good(const struct tables *tables);
/* The cheap part of tables_read, to ride in another packet: one SELECT, one row for each table that is there. */
void tables_add_engines(struct buf *sql, const struct coredns_mysql_settings *settings);
/* Its answer (NULL: there was none). 0, or err names the table that is not there or cannot roll back. */
MUST_CHECK int tables_check_engines(const struct coredns_mysql_settings *settings, struct result *rows, struct err *err);
/* 0, or err names the first table that is there and cannot roll back. */
MUST_CHECK int tables_refuse_engines(const struct tables *tables, struct err *err);
