/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status page: GET / asks the engine one question after the other, as the operators' interface does, and draws the answers
 * (page_draw.h). What it does is in page_action.c.
 */
#include "http/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "http/form.h"
#include "http/html.h"
#include "http/json.h"
#include "http/page_view.h"

struct page_state {
	struct http *http;
	struct page_keep *keep;
	struct event *timer;
	struct buf policy; /* Content-Security-Policy */
	bool asked;       /* a sample is on its way */
};

/* ---- samples of the lag ---- */

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct page_state *page = arg;
	struct engine_request *request;

	if (page->asked || page->http->stopping)
		return;
	request = engine_request_create(ENGINE_STATUS, HTTP_OWN_TICKET);
	request->source = xstrdup("");
	page->asked = engine_submit(page->http->engine, request) == ERR_OK;
	if (!page->asked)
		engine_request_destroy(request); /* it has more to do than to tell us; the next one */
}

void page_on_sample(struct http *http, const struct engine_message *message)
{
	http->page->asked = false;
	if (message->err.code == ERR_OK)
		page_sample(http->page->keep, message->status, http_now_ms());
}

struct page_state *page_state_create(struct http *http)
{
	struct timeval every = http_timeval(PAGE_SAMPLE_MS);
	struct page_state *page = xcalloc(1, sizeof(*page));

	page->http = http;
	page->keep = page_keep_create();
	page_draw_policy(&page->policy);
	page->timer = event_new(http->base, -1, EV_PERSIST, on_timer, page);
	CHECK(page->timer != NULL && event_add(page->timer, &every) == 0);
	return page;
}

void page_state_destroy(struct page_state *page)
{
	if (page == NULL)
		return;
	event_free(page->timer);
	page_keep_destroy(page->keep);
	buf_free(&page->policy);
	free(page);
}

struct page_keep *page_keep_of(const struct http *http)
{
	return http->page->keep;
}

/* ---- answers ---- */

/* Nothing of others is loaded, nobody frames it, nothing stays in a cache. The referrer policy leaves Origin with our own forms. */
static void reply(struct conn *conn, int status, const struct buf *body)
{
	struct buf headers = { 0 };

	buf_printf(&headers, "Content-Security-Policy: %s\r\nX-Frame-Options: DENY\r\nX-Content-Type-Options: nosniff\r\n"
		"Referrer-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\nCache-Control: no-store\r\n",
		conn->http->page->policy.data);
	if (status == 503)
		buf_puts(&headers, "Retry-After: 5\r\n");
	request_reply(conn, status, "text/html; charset=utf-8", headers.data, body->data, body->size);
	buf_free(&headers);
}

void page_fail(struct conn *conn, int status, const char *text)
{
	struct buf body = { 0 };

	page_draw_failure(&body, status, request_reason(status), text);
	reply(conn, status, &body);
	buf_free(&body);
}

/* The name above that is held: somebody looks for a host. NULL: there is none. */
static const char *find_parent(const struct http *http, const char *name)
{
	struct names_owner owner;

	for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		if (names_find(http->names, dot + 1, &owner))
			return dot + 1;
	}
	return NULL;
}

static void draw(struct conn *conn)
{
	struct page_view *view = conn->view;
	struct http *http = conn->http;
	char token[PAGE_TOKEN_SIZE];
	struct buf body = { 0 };

	page_token(http->page->keep, conn->login->name, token);
	struct page_look look = {
		.kind = view->kind,
		.answers = view->answers,
		.zone = view->zone,
		.parent = view->zone == NULL ? NULL : find_parent(http, view->zone),
		.paged = view->dead_after > 0 || view->held_after > 0 || view->before > 0,
		.login = conn->login->name,
		.may_change = auth_may(conn->login->role, AUTH_CHANGE),
		.token = token,
		.notice = view->notice == NULL ? NULL :
			page_notice_find(http->page->keep, conn->login->name, view->notice, http_now_ms()),
		.keep = http->page->keep,
		.trouble = http->store_ok ? api_not_ready(http) : NULL, /* of the store the status tells more */
		.now_us = clock_wall_us(clock_system()),
		.now_ms = http_now_ms(),
	};
	page_draw(&body, &look);
	reply(conn, 200, &body);
	buf_free(&body);
}

/* ---- questions ---- */

struct question {
	const char *key;       /* of the answer; NULL: there are no more */
	enum engine_op op;
	size_t limit;
	enum { ALWAYS, IF_FOUND, IF_MISSING } when; /* the zone */
};

static const struct question overview_questions[] = { { "status", ENGINE_STATUS, 0, ALWAYS }, { "held", ENGINE_HELD, 50, ALWAYS },
	{ "dead", ENGINE_DEAD, 50, ALWAYS }, { "events", ENGINE_EVENTS, 25, ALWAYS }, { NULL, ENGINE_STATUS, 0, ALWAYS } };
static const struct question zone_questions[] = { { "status", ENGINE_STATUS, 0, ALWAYS }, { "zone", ENGINE_ZONE, 0, ALWAYS },
	{ "history", ENGINE_HISTORY, 10, IF_FOUND }, { "events", ENGINE_EVENTS, 20, IF_FOUND }, { "near", ENGINE_ZONES, 8, IF_MISSING },
	{ NULL, ENGINE_STATUS, 0, ALWAYS } };
static const struct question held_questions[] = { { "status", ENGINE_STATUS, 0, ALWAYS }, { "held", ENGINE_HELD_ONE, 0, ALWAYS },
	{ NULL, ENGINE_STATUS, 0, ALWAYS } };

static const struct question *question_of(const struct page_view *view)
{
	static const struct question *const questions[] = { [PAGE_OVERVIEW] = overview_questions, [PAGE_ZONE] = zone_questions,
		[PAGE_HELD] = held_questions };

	return &questions[view->kind][view->step];
}

static bool is_skipped(const struct page_view *view, const struct question *question)
{
	bool missing = json_object_get(json_object_get(view->answers, "zone"), "error") != NULL;

	return (question->when == IF_FOUND && missing) || (question->when == IF_MISSING && !missing);
}

static void fill(struct engine_request *request, const struct page_view *view)
{
	switch (request->op) {
	case ENGINE_DEAD:
		request->number = view->dead_after;
		break;
	case ENGINE_HELD:
		request->number = view->held_after;
		break;
	case ENGINE_HELD_ONE:
		request->number = view->number;
		break;
	case ENGINE_ZONES:
		request->after = xstrdup(view->zone);
		break;
	default:
		request->zone = xstrdup(view->zone);
		request->before = view->before;
		break;
	}
}

/* The next question, or the page. */
static void go_on(struct conn *conn)
{
	struct page_view *view = conn->view;
	const struct question *question = question_of(view);
	struct engine_request *request;

	while (question->key != NULL && is_skipped(view, question)) {
		view->step++;
		question = question_of(view);
	}
	if (question->key == NULL) {
		draw(conn);
		return;
	}
	request = request_create(conn, question->op);
	request->limit = question->limit;
	fill(request, view);
	request_submit(conn, request);
}

static json_t *answer_of(const struct engine_message *message)
{
	if (message->err.code != ERR_OK)
		return json_pack("{s:o}", "error", json_text(message->err.text));
	if (message->doc != NULL)
		return json_doc(message->doc);
	if (message->op == ENGINE_STATUS)
		return json_status(message->status);
	if (message->op == ENGINE_ZONE)
		return message->zone_count == 1 ? json_zone(&message->zones[0], true) : json_pack("{s:s}", "error", "no such zone");
	return api_list(message);
}

void page_reply(struct conn *conn, const struct engine_message *message)
{
	struct page_view *view = conn->view;

	if (view->action != NULL) {
		page_action_reply(conn, message);
		return;
	}
	if (message->op == ENGINE_STATUS && message->err.code == ERR_OK)
		page_sample(conn->http->page->keep, message->status, http_now_ms());
	CHECK(json_object_set_new(view->answers, question_of(view)->key, answer_of(message)) == 0);
	view->step++;
	go_on(conn);
}

/* ---- requests ---- */

void page_view_destroy(struct page_view *view)
{
	if (view == NULL)
		return;
	free(view->zone);
	free(view->backend);
	free(view->notice);
	json_decref(view->answers);
	free(view);
}

/* The field, or NULL where there is none or it is empty. ERR_INVALID: it is badly encoded, or there are two. */
static int take_text(const struct form *form, const char *key, char **out, struct err *err)
{
	const struct form_field *field;
	int ret = form_get(form, key, &field, err);

	*out = ret == ERR_OK && field != NULL && field->value_size > 0 ? xstrdup(field->value) : NULL;
	return ret;
}

static int take_number(const struct form *form, const char *key, int64_t *out, struct err *err)
{
	char *text, *end;
	int ret = take_text(form, key, &text, err);

	if (ret != ERR_OK || text == NULL)
		return ret;
	*out = strtoll(text, &end, 10);
	if (*end != '\0' || *out < 1)
		ret = err_set(err, ERR_INVALID, "%s must be a number", key);
	free(text);
	return ret;
}

/* As the names of zones are listed, whatever somebody pastes: " Example.COM. " */
static void tidy_name(char *name)
{
	size_t begin = strspn(name, " \t"), size;

	memmove(name, name + begin, strlen(name + begin) + 1);
	size = strlen(name);
	while (size > 1 && (name[size - 1] == ' ' || name[size - 1] == '\t' || name[size - 1] == '.'))
		name[--size] = '\0';
	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
}

static int take_fields(struct page_view *view, const struct form *form, struct err *err)
{
	int ret = take_text(form, "zone", &view->zone, err);

	if (ret == ERR_OK)
		ret = take_text(form, "backend", &view->backend, err);
	if (ret == ERR_OK)
		ret = take_text(form, "notice", &view->notice, err);
	if (ret == ERR_OK)
		ret = take_number(form, "id", &view->number, err);
	if (ret == ERR_OK)
		ret = take_number(form, "held", &view->number, err);
	if (ret == ERR_OK)
		ret = take_number(form, "dead", &view->dead_after, err);
	if (ret == ERR_OK)
		ret = take_number(form, "held_after", &view->held_after, err);
	if (ret == ERR_OK)
		ret = take_number(form, "before", &view->before, err);
	if (ret == ERR_OK && view->zone != NULL)
		tidy_name(view->zone);
	return ret;
}

struct page_view *page_view_create(struct conn *conn, const struct form *form)
{
	struct page_view *view = xcalloc(1, sizeof(*view));
	struct err err;

	if (take_fields(view, form, &err) != ERR_OK) {
		page_view_destroy(view);
		page_fail(conn, 400, err.text);
		return NULL;
	}
	view->answers = json_object();
	return view;
}

static void look(struct conn *conn, const char *query)
{
	struct form form = { 0 };
	struct err err;

	if (form_parse(&form, query, strlen(query), &err) != ERR_OK) {
		page_fail(conn, 400, err.text);
	} else if ((conn->view = page_view_create(conn, &form)) != NULL) {
		conn->view->kind = conn->view->zone != NULL ? PAGE_ZONE : conn->view->number > 0 ? PAGE_HELD : PAGE_OVERVIEW;
		go_on(conn);
	}
	form_free(&form);
}

bool page_owns(const char *target)
{
	size_t size = strcspn(target, "?");

	return (size == 1 && target[0] == '/') || strncmp(target, PAGE_ACTIONS, strlen(PAGE_ACTIONS)) == 0;
}

bool page_handle(struct conn *conn, const char *path, size_t path_size, const char *query)
{
	bool post = gate_head(&conn->gate).method == GATE_POST;
	bool act = path_size > 1;

	if (!page_owns(path))
		return false;
	if (post != act)
		page_fail(conn, 405, post ? "use GET" : "use POST");
	else if (!request_allow(conn, act ? AUTH_CHANGE : AUTH_LOOK))
		return true;
	else if (act)
		page_action_handle(conn, path + strlen(PAGE_ACTIONS), path_size - strlen(PAGE_ACTIONS));
	else
		look(conn, query);
	return true;
}
