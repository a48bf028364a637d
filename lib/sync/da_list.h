/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A master's list of zones (CMD_DNS_ADMIN?json=yes, directadmin-protocol.md
 * 8.1) and the judgement whether it is complete (reliability.md 4.6). A list
 * is evidence of absence only if nothing at all is odd about it.
 *
 * Pure functions of bytes; one owner; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"

/* Zero-initialise it ({ 0 }), da_list_free it. */
struct da_list {
	struct buf names;       /* canonical, each with its NUL: zones that are this master's own (local_data is not "no") */
	size_t count;           /* of names */
	size_t ignored;         /* rows whose domain is no name of a zone */
	struct buf foreign_names; /* likewise: zones that another master pushed to this one; listed all the same */
	size_t foreign;         /* of foreign_names */
	size_t rows;
	uint64_t pages;         /* as the first page told */
	uint64_t total;         /* rows of all pages, as the first page told; meaningless unless total_told */
	bool total_told;
	uint64_t pages_taken;
	size_t rows_each;       /* of all pages but the last */
	struct strmap seen;     /* every domain so far */
};

void da_list_free(struct da_list *list);

/*
 * Takes the next page (the first is 1): an answer with status 200. content_type may be NULL. ERR_DENIED: it is a web page, as
 * for those who are not logged in. ERR_INVALID: whatever else is odd; the list is of no use then.
 */
MUST_CHECK int da_list_add(struct da_list *list, const char *content_type, const char *body, size_t size, struct err *err);
/* All pages that were told are there. */
bool da_list_has_all_pages(const struct da_list *list);
/* After the last page: ERR_INVALID: empty, or not as many rows as told. */
MUST_CHECK int da_list_finish(const struct da_list *list, struct err *err);
/* Gives one name of names or foreign_names after the other, *at being 0 at first; NULL: there are no more. */
const char *da_list_next(const struct buf *names, size_t *at);

/* Is the body a web page? */
bool da_is_page(const char *content_type, const char *body, size_t size);
/*
 * Is the body of CMD_API_DNS_ADMIN?domain= (8.3) a zone's text? ERR_DENIED: a web page; ERR_INVALID: an error that DA
 * reports, or no SOA in it. What is good here may still be no zone.
 */
MUST_CHECK int da_judge_text(const char *content_type, const char *body, size_t size, struct err *err);
