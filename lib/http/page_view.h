/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request for the page, or for an action of it, while the engine is asked:
 * what page.c and page_action.c share. Belongs to the connection.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "engine/engine.h"
#include "http/form.h"
#include "http/page_draw.h"

struct conn;

struct page_action {
	const char *name;       /* in the path */
	enum engine_op op;
	const char *needs;      /* the field that it can't do without; NULL: none */
};

struct page_view {
	enum page_kind kind;
	const struct page_action *action; /* NULL: the page is looked at */
	char *zone;             /* NULL: none was given; plain and in lower case */
	char *backend;
	char *notice;           /* its id */
	int64_t number;         /* of something held */
	int64_t dead_after, held_after, before; /* where the lists go on; 0: at their beginning */
	size_t step;            /* of the questions */
	json_t *answers;        /* to those before */
};

/* Fills what the fields name; NULL: they are not to be understood, which was answered. The caller's. */
struct page_view *page_view_create(struct conn *conn, const struct form *form);
void page_view_destroy(struct page_view *view);

/* POST /page/ACTION. */
void page_action_handle(struct conn *conn, const char *name, size_t size);
/* The engine's answer to it: back to the page, which tells what came of it. */
void page_action_reply(struct conn *conn, const struct engine_message *message);
