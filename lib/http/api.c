/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The probes and the operators' interface; shapes in README.md. What is asked
 * of the engine stands in routes.c.
 */
#include "http/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/json.h"
#include "http/metrics.h"
#include "http/routes.h"

enum { GATHERED_MOST = 64 * 1024 * 1024 };

static bool is_path(const char *path, size_t size, const char *what)
{
	return size == strlen(what) && memcmp(path, what, size) == 0;
}

static bool is_metrics(const char *target)
{
	return is_path(target, strcspn(target, "?"), "/metrics");
}

bool api_is_open(const struct http *http, const char *target)
{
	size_t size = strcspn(target, "?");

	return is_path(target, size, "/healthz") || is_path(target, size, "/readyz") ||
		(http->params.metrics_public && is_metrics(target));
}

static void reply_json(struct conn *conn, int status, json_t *json)
{
	char *body = json_dumps(json, JSON_COMPACT);

	CHECK(body != NULL);
	request_reply(conn, status, "application/json", "", body, strlen(body));
	free(body);
	json_decref(json);
}

const char *api_not_ready(const struct http *http)
{
	static char text[96];

	if (!http->names_loaded)
		return "loading the zones";
	if (!http->store_ok)
		return "the store cannot be written"; /* its path and errno are for /status */
	if (http->stalled == NULL)
		return NULL;
	snprintf(text, sizeof(text), "the thread %s does not turn", http->stalled);
	return text;
}

static void handle_ready(struct conn *conn)
{
	const char *why = api_not_ready(conn->http);
	struct buf out = { 0 };

	if (why == NULL)
		buf_puts(&out, "ready\n");
	else
		buf_printf(&out, "not ready: %s\n", why);
	request_reply(conn, why == NULL ? 200 : 503, "text/plain", "", out.data, out.size);
	buf_free(&out);
}

static void reply_metrics(struct conn *conn, const struct engine_status *status)
{
	struct buf out = { 0 };

	metrics_write(conn->http, status, &out);
	request_reply(conn, 200, "text/plain; version=0.0.4; charset=utf-8", "", out.data, out.size);
	buf_free(&out);
}

static void ask(struct conn *conn, const struct route *route, const char *path, size_t path_size, const char *query)
{
	struct engine_request *request;
	struct err err;

	if (route->local && !conn->door->control) {
		request_fail_json(conn, 403, "by the control socket only");
		return;
	}
	request = request_create(conn, route->op);
	if (route_fill(route, path, path_size, query, request, &err) != ERR_OK) {
		request_fail_json(conn, 400, err.text);
		engine_request_destroy(request);
		return;
	}
	if (route->body)
		request->text = request_take_body(conn, &request->text_size);
	request_submit(conn, request);
}

/* What needs no engine, and no login. False: another path. */
static bool handle_open(struct conn *conn, const char *path, size_t path_size)
{
	if (gate_head(&conn->gate).method != GATE_GET)
		return false;
	if (is_path(path, path_size, "/healthz")) {
		request_reply(conn, 200, "text/plain", "", "ok\n", 3);
		return true;
	}
	if (!is_path(path, path_size, "/readyz"))
		return false;
	handle_ready(conn);
	return true;
}

bool api_handle(struct conn *conn, const char *path, size_t path_size, const char *query)
{
	const struct route *route;

	if (handle_open(conn, path, path_size))
		return true;
	switch (route_find(gate_head(&conn->gate).method, path, path_size, &route)) {
	case ROUTE_NONE:
		return false;
	case ROUTE_METHOD:
		request_fail_json(conn, 405, route->method == GATE_POST ? "use POST" : "use GET");
		return true;
	case ROUTE_FOUND:
		if (request_allow(conn, route->act))
			ask(conn, route, path, path_size, query);
		return true;
	}
	WRONG("a match that is none");
}

json_t *api_list(const struct engine_message *message)
{
	json_t *out = json_object(), *items = json_array(), *next = json_null();
	const char *key = "zones";

	for (size_t i = 0; i < message->zone_count; i++)
		json_array_append_new(items, json_zone(&message->zones[i], false));
	if (message->more && message->zone_count > 0)
		next = json_name(message->zones[message->zone_count - 1].name);
	if (message->op == ENGINE_REJECTED) {
		key = "rejected";
		for (size_t i = 0; i < message->refused_count; i++)
			json_array_append_new(items, json_refused(&message->refused[i], false));
		if (message->more && message->refused_count > 0)
			next = json_name(message->refused[message->refused_count - 1].zone);
	}
	if (message->op == ENGINE_EVENTS) {
		key = "events";
		for (size_t i = 0; i < message->event_count; i++)
			json_array_append_new(items, json_event(&message->events[i]));
		if (message->more && message->event_count > 0)
			next = json_integer(message->events[message->event_count - 1].id);
	}
	json_object_set_new(out, key, items);
	json_object_set_new(out, "next", next);
	return out;
}

static void reply_error(struct conn *conn, const struct err *err)
{
	switch (err->code) {
	case ERR_NOTFOUND:
		request_fail_json(conn, 404, err->text);
		break;
	case ERR_INVALID:
	case ERR_LIMIT:
		request_fail_json(conn, 400, err->text);
		break;
	case ERR_BUSY:
	case ERR_CLOSED:
	case ERR_IO:
	case ERR_NOSPACE:
	case ERR_TIMEOUT:
		request_fail_json(conn, 503, err->text);
		break;
	default:
		request_fail_json(conn, 500, err->text);
		break;
	}
}

/* Whether a list or one item was asked for shows in the path. */
static bool is_one_rejected(const struct conn *conn)
{
	return strncmp(gate_head(&conn->gate).target, "/api/v1/rejected/", strlen("/api/v1/rejected/")) == 0;
}

/*
 * directdnsonly's list of zones has no pages: ours are put together here, one question after the other, so that the loop is
 * never long at it.
 */
static bool is_whole_list(const struct engine_message *message)
{
	return message->op == ENGINE_PEER_ZONES && doc_get(message->doc, "next") != NULL &&
		doc_get(message->doc, "store_id") == NULL;
}

static void gather(struct conn *conn, const struct engine_message *message)
{
	const struct doc *next = doc_get(message->doc, "next");
	struct buf *out = &conn->gathered;

	for (const struct doc *zone = doc_get(message->doc, "zones")->children; zone != NULL; zone = zone->next) {
		json_t *json = json_doc(zone);
		char *text = json_dumps(json, JSON_COMPACT);

		buf_puts(out, out->size == 0 ? "[" : ",");
		buf_puts(out, text);
		free(text);
		json_decref(json);
	}
	if (!request_hold(conn, out->size)) {
		request_fail_json(conn, 503, "too much at once");
	} else if (out->size > GATHERED_MOST) {
		request_fail_json(conn, 503, "the list is too long to be given whole: ask for pages, with v=2");
	} else if (next->kind == DOC_TEXT) {
		struct engine_request *request = request_create(conn, ENGINE_PEER_ZONES);

		request->after = xstrdup(next->value.text);
		request_submit(conn, request);
		return;
	} else {
		buf_puts(out, out->size == 0 ? "[]" : "]");
		request_reply(conn, 200, "application/json", "", out->data, out->size);
	}
}

void api_reply(struct conn *conn, const struct engine_message *message)
{
	json_t *json;

	if (message->op == ENGINE_HEAL && message->err.code == ERR_BUSY) {
		request_fail_json(conn, 409, message->err.text);
		return;
	}
	if (message->err.code != ERR_OK) {
		buf_free(&conn->gathered);
		reply_error(conn, &message->err);
		return;
	}
	if (message->op == ENGINE_STATUS && is_metrics(gate_head(&conn->gate).target)) {
		reply_metrics(conn, message->status);
		return;
	}
	if (message->doc != NULL && is_whole_list(message)) {
		gather(conn, message);
		return;
	}
	if (message->doc != NULL) {
		json = json_doc(message->doc);
	} else if (message->op == ENGINE_STATUS) {
		json = json_status(message->status);
	} else if (message->op == ENGINE_HEALS) {
		json = json_heals(message->status);
	} else if (message->op == ENGINE_HEAL) {
		json = json_object();
		json_object_set_new(json, "pass", json_integer(message->pass));
		json_object_set_new(json, "backends", json_integer((json_int_t)message->affected));
	} else if (message->op == ENGINE_RETRY) {
		json = json_object();
		json_object_set_new(json, "retried", json_integer((json_int_t)message->affected));
	} else if (message->op == ENGINE_PAUSE || message->op == ENGINE_RESUME) {
		json = json_object();
		json_object_set_new(json, "paused", json_boolean(message->op == ENGINE_PAUSE));
		json_object_set_new(json, "changed", json_boolean(message->affected > 0));
	} else if (message->op == ENGINE_ZONE && message->zone_count == 1) {
		json = json_zone(&message->zones[0], true);
	} else if (message->op == ENGINE_REJECTED && is_one_rejected(conn) && message->refused_count == 1) {
		json = json_refused(&message->refused[0], true);
	} else if (message->op == ENGINE_ZONE || (message->op == ENGINE_REJECTED && is_one_rejected(conn))) {
		request_fail_json(conn, 404, "no such zone");
		return;
	} else {
		json = api_list(message);
	}
	reply_json(conn, 200, json);
}
