/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The probes and the operators' interface; shapes in README.md. Lists are
 * paged; each is one question to the engine, whose reader answers it.
 */
#include "http/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http/form.h"
#include "http/json.h"

enum { LIST_MAX = 1000 };

static bool is_path(const char *path, size_t size, const char *what)
{
	return size == strlen(what) && memcmp(path, what, size) == 0;
}

bool api_is_open(const char *target)
{
	size_t size = strcspn(target, "?");

	return is_path(target, size, "/healthz") || is_path(target, size, "/readyz");
}

static void reply_json(struct conn *conn, int status, json_t *json)
{
	char *body = json_dumps(json, JSON_COMPACT);

	CHECK(body != NULL);
	request_reply(conn, status, "application/json", "", body, strlen(body));
	free(body);
	json_decref(json);
}

static void handle_ready(struct conn *conn)
{
	const struct http *http = conn->http;
	struct buf out = { 0 };
	int status = 503;

	if (!http->names_loaded) {
		buf_puts(&out, "not ready: loading the zones\n");
	} else if (!http->store_ok) {
		buf_puts(&out, "not ready: the store cannot be written\n"); /* its path and errno are for /status */
	} else {
		buf_puts(&out, "ready\n");
		status = 200;
	}
	request_reply(conn, status, "text/plain", "", out.data, out.size);
	buf_free(&out);
}

/* An optional number from 1 to most. False: answered. */
static bool get_number(struct conn *conn, const struct form *form, const char *key, int64_t most, int64_t *out)
{
	const struct form_field *field;
	struct err err;
	int64_t number = 0;

	if (form_get(form, key, &field, &err) != 0) {
		request_fail_json(conn, 400, err.text);
		return false;
	}
	if (field == NULL)
		return true;
	for (const char *p = field->value; *p != '\0' && number <= most; p++)
		number = *p >= '0' && *p <= '9' && number < INT64_MAX / 16 ? number * 10 + (*p - '0') : INT64_MAX;
	if (number < 1 || number > most) {
		err_set(&err, ERR_INVALID, "%s must be a number from 1 to %" PRId64, key, most);
		request_fail_json(conn, 400, err.text);
		return false;
	}
	*out = number;
	return true;
}

/* An optional text, a copy. False: answered. */
static bool get_text(struct conn *conn, const struct form *form, const char *key, char **out)
{
	const struct form_field *field;
	struct err err;

	if (form_get(form, key, &field, &err) != 0) {
		request_fail_json(conn, 400, err.text);
		return false;
	}
	*out = field != NULL && field->value_size > 0 ? xstrdup(field->value) : NULL;
	return true;
}

/* An optional 0 or 1. False: answered. */
static bool get_flag(struct conn *conn, const struct form *form, const char *key, bool *out)
{
	struct err err;
	char *text;

	if (!get_text(conn, form, key, &text))
		return false;
	bool good = text == NULL || strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
	*out = text != NULL && strcmp(text, "1") == 0;
	free(text);
	if (good)
		return true;
	err_set(&err, ERR_INVALID, "%s must be 0 or 1", key);
	request_fail_json(conn, 400, err.text);
	return false;
}

static bool fill_request(struct conn *conn, const struct form *form, struct engine_request *request)
{
	int64_t limit = LIST_MAX;

	if (request->op == ENGINE_RETRY)
		return get_text(conn, form, "zone", &request->zone);
	if (request->op == ENGINE_HEAL)
		return get_text(conn, form, "backend", &request->backend) &&
			get_flag(conn, form, "dry_run", &request->dry_run);
	if (!get_number(conn, form, "limit", LIST_MAX, &limit) || !get_text(conn, form, "after", &request->after))
		return false;
	request->limit = (size_t)limit;
	if (request->op == ENGINE_EVENTS)
		return get_number(conn, form, "before", INT64_MAX / 16, &request->before) &&
			get_text(conn, form, "zone", &request->zone);
	return true;
}

/* zone: of the path, or NULL; taken. */
static void ask(struct conn *conn, enum engine_op op, char *zone, const char *query)
{
	struct engine_request *request = engine_request_create(op, 0);
	struct form form = { 0 };
	struct err err;

	request->zone = zone;
	request->source = xstrdup(conn->address);
	if (form_parse(&form, query, strlen(query), &err) != 0)
		request_fail_json(conn, 400, err.text);
	else if (zone != NULL || fill_request(conn, &form, request)) {
		request_submit(conn, request);
		request = NULL;
	}
	engine_request_destroy(request);
	form_free(&form);
}

/* "<list>/<name>": a question for that one. False: another path. */
static bool handle_item(struct conn *conn, const char *list, enum engine_op op, const char *path, size_t path_size,
	const char *query)
{
	size_t list_size = strlen(list);
	char *zone;

	if (path_size <= list_size + 1 || memcmp(path, list, list_size) != 0 || path[list_size] != '/')
		return false;
	zone = form_decode_path(path + list_size + 1, path_size - list_size - 1);
	if (zone == NULL)
		request_fail_json(conn, 400, "the zone's name is badly encoded");
	else
		ask(conn, op, zone, query);
	return true;
}

/* "/api/v1/backends/<name>/<order>". False: another path. */
static bool handle_backend(struct conn *conn, const char *path, size_t path_size, bool post)
{
	static const char folder[] = "/api/v1/backends/";
	static const struct {
		const char *tail;
		enum engine_op op;
	} orders[] = { { "/pause", ENGINE_PAUSE }, { "/resume", ENGINE_RESUME } };
	struct engine_request *request;
	size_t at = sizeof(folder) - 1;

	if (path_size <= at || memcmp(path, folder, at) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		size_t tail_size = strlen(orders[i].tail);

		if (path_size <= at + tail_size || memcmp(path + path_size - tail_size, orders[i].tail, tail_size) != 0)
			continue;
		char *name = form_decode_path(path + at, path_size - at - tail_size);
		if (!post || name == NULL) {
			free(name);
			request_fail_json(conn, post ? 400 : 405, post ? "the back end's name is badly encoded" : "use POST");
			return true;
		}
		request = engine_request_create(orders[i].op, 0);
		request->backend = name;
		request->source = xstrdup(conn->address);
		request_submit(conn, request);
		return true;
	}
	return false;
}

static bool handle_get(struct conn *conn, const char *path, size_t path_size, const char *query)
{
	static const struct {
		const char *path;
		enum engine_op op;
	} lists[] = {
		{ "/status", ENGINE_STATUS },
		{ "/api/v1/heal", ENGINE_HEALS },
		{ "/api/v1/zones", ENGINE_ZONES },
		{ "/api/v1/rejected", ENGINE_REJECTED },
		{ "/api/v1/events", ENGINE_EVENTS },
	};

	if (is_path(path, path_size, "/healthz")) {
		request_reply(conn, 200, "text/plain", "", "ok\n", 3);
		return true;
	}
	if (is_path(path, path_size, "/readyz")) {
		handle_ready(conn);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (is_path(path, path_size, lists[i].path)) {
			ask(conn, lists[i].op, NULL, query);
			return true;
		}
	}
	return handle_item(conn, "/api/v1/zones", ENGINE_ZONE, path, path_size, query) ||
		handle_item(conn, "/api/v1/rejected", ENGINE_REJECTED, path, path_size, query);
}

bool api_handle(struct conn *conn, const char *path, size_t path_size, const char *query)
{
	bool post = gate_head(&conn->gate).method == GATE_POST;
	bool is_retry = is_path(path, path_size, "/api/v1/retry");

	if (handle_backend(conn, path, path_size, post))
		return true;
	if (post && (is_retry || is_path(path, path_size, "/api/v1/heal"))) {
		ask(conn, is_retry ? ENGINE_RETRY : ENGINE_HEAL, NULL, query);
		return true;
	}
	if (is_retry || post) {
		if (!is_retry && strncmp(path, "/api/", 5) != 0 && !is_path(path, path_size, "/status"))
			return false;
		request_fail_json(conn, 405, is_retry ? "use POST" : "use GET");
		return true;
	}
	return handle_get(conn, path, path_size, query);
}

static json_t *list_of(const struct engine_message *message)
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

void api_reply(struct conn *conn, const struct engine_message *message)
{
	json_t *json;

	if (message->op == ENGINE_HEAL && message->err.code == ERR_BUSY) {
		request_fail_json(conn, 409, message->err.text);
		return;
	}
	if (message->err.code != ERR_OK) {
		reply_error(conn, &message->err);
		return;
	}
	if (message->op == ENGINE_STATUS) {
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
		json = list_of(message);
	}
	reply_json(conn, 200, json);
}
