/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operators' interface as one table: which request is which question to
 * the engine. A new endpoint is a row here, and its answer a struct doc. No
 * sockets; one owner; never blocks.
 */
#pragma once

#include "engine/engine.h"
#include "http/auth.h"
#include "http/gate.h"

struct route_param;

struct route {
	enum gate_method method;
	const char *path;              /* "*" stands for one value, percent-encoded */
	enum engine_op op;
	const struct route_param *segment; /* what "*" is; NULL: there is none */
	const struct route_param *params;  /* of the query; ends with a key of NULL; NULL: none */
	enum auth_act act;             /* what it takes */
	bool local;                    /* by the control socket only */
	bool body;                     /* the body is request->text */
};

enum route_match {
	ROUTE_NONE,
	ROUTE_METHOD, /* the path is there, but with the other method: *out is that route */
	ROUTE_FOUND
};

/* path: of the target, without its query. */
enum route_match route_find(enum gate_method method, const char *path, size_t size, const struct route **out);
/* Fills the request with what path and query say. ERR_INVALID, ERR_LIMIT: what is wrong with them. */
MUST_CHECK int route_fill(const struct route *route, const char *path, size_t size, const char *query,
	struct engine_request *request, struct err *err);
