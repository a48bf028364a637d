/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the page's buttons do. A request counts only with the token of its login's forms: the browser sends the login by itself,
 * whoever made the form.
 */
#include "http/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http/page_view.h"

enum { BODY_MAX = 16 * 1024 };

static const struct page_action actions[] = {
	{ "retry", ENGINE_RETRY, NULL },
	{ "heal", ENGINE_HEAL, NULL },
	{ "heal-stop", ENGINE_HEAL_STOP, NULL },
	{ "pause", ENGINE_PAUSE, "backend" },
	{ "resume", ENGINE_RESUME, "backend" },
	{ "approve", ENGINE_APPROVE, "id" },
	{ "discard", ENGINE_DISCARD, "id" },
	{ "replay", ENGINE_DEAD_REPLAY, NULL },
	{ "drop", ENGINE_DEAD_DROP, "zone" },
	{ "freeze", ENGINE_FREEZE, "zone" },
	{ "thaw", ENGINE_THAW, "zone" },
};

/* ---- what came of it ---- */

static uint64_t count_in(const struct engine_message *message, const char *key)
{
	const struct doc *count = message->doc == NULL ? NULL : doc_get(message->doc, key);

	if (count == NULL)
		return 0;
	return count->kind == DOC_UINT ? count->value.count : count->kind == DOC_INT ? (uint64_t)count->value.number : 0;
}

static void tell_many(struct buf *out, uint64_t count, const char *one, const char *many)
{
	page_plural(out, count, one, many);
	buf_puts(out, ".");
}

static void tell_state(struct buf *out, const char *of, bool changed, const char *state)
{
	buf_printf(out, "%s %s %s.", of, changed ? "is now" : "was already", state);
}

static void tell(struct buf *out, const struct page_view *view, const struct engine_message *message)
{
	const struct doc *changed = message->doc == NULL ? NULL : doc_get(message->doc, "changed");
	bool moved = changed != NULL && changed->kind == DOC_BOOL && changed->value.boolean;

	switch (message->op) {
	case ENGINE_RETRY:
		tell_many(out, message->affected, "delivery is tried now", "deliveries are tried now");
		break;
	case ENGINE_HEAL:
		buf_puts(out, "A healing pass began at ");
		tell_many(out, message->affected, "data centre", "data centres");
		break;
	case ENGINE_HEAL_STOP:
		buf_puts(out, "Healing was stopped at ");
		tell_many(out, count_in(message, "stopped"), "data centre", "data centres");
		break;
	case ENGINE_PAUSE:
	case ENGINE_RESUME:
		tell_state(out, view->backend, message->affected > 0, message->op == ENGINE_PAUSE ? "paused" : "resumed");
		break;
	case ENGINE_FREEZE:
	case ENGINE_THAW:
		tell_state(out, view->zone, moved, message->op == ENGINE_FREEZE ? "frozen" : "thawed");
		break;
	case ENGINE_DEAD_REPLAY:
		tell_many(out, count_in(message, "replayed"), "dead letter is tried now", "dead letters are tried now");
		break;
	case ENGINE_DEAD_DROP:
		tell_many(out, count_in(message, "dropped"), "dead letter was dropped", "dead letters were dropped");
		break;
	default:
		buf_printf(out, "Number %" PRId64 " was %s.", view->number, message->op == ENGINE_APPROVE ? "approved" : "discarded");
		break;
	}
}

void page_action_reply(struct conn *conn, const struct engine_message *message)
{
	const struct page_view *view = conn->view;
	struct buf text = { 0 }, headers = { 0 };
	bool bad = message->err.code != ERR_OK;

	if (bad)
		buf_puts(&text, message->err.text);
	else
		tell(&text, view, message);
	buf_puts(&headers, "Location: /?");
	if (view->kind == PAGE_ZONE) {
		buf_puts(&headers, "zone=");
		form_encode(&headers, view->zone);
		buf_puts(&headers, "&");
	}
	buf_printf(&headers, "notice=%s\r\nCache-Control: no-store\r\n",
		page_notice_add(page_keep_of(conn->http), conn->login->name, text.data, bad, http_now_ms()));
	request_reply(conn, 303, "text/plain", headers.data, "", 0);
	buf_free(&text);
	buf_free(&headers);
}

/* ---- requests ---- */

static const struct page_action *find_action(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strlen(actions[i].name) == size && memcmp(actions[i].name, name, size) == 0)
			return &actions[i];
	}
	return NULL;
}

static bool has_token(const struct conn *conn, const struct form *form)
{
	const struct form_field *token;
	struct err err;

	return form_get(form, "token", &token, &err) == ERR_OK && token != NULL && token->value != NULL &&
		page_token_fits(page_keep_of(conn->http), conn->login->name, token->value);
}

static bool lacks(const struct page_view *view, const char *field)
{
	if (field == NULL)
		return false;
	return strcmp(field, "zone") == 0 ? view->zone == NULL : strcmp(field, "backend") == 0 ? view->backend == NULL :
								 view->number == 0;
}

static void submit(struct conn *conn)
{
	const struct page_view *view = conn->view;
	struct engine_request *request = request_create(conn, view->action->op);

	request->zone = xstrdup(view->zone);
	request->backend = xstrdup(view->backend);
	request->number = view->number;
	request_submit(conn, request);
}

static void act(struct conn *conn, const struct page_action *action, const struct form *form)
{
	const struct form_field *back;
	struct err err;

	if (!has_token(conn, form)) {
		page_fail(conn, 403, "Nothing was done: the form is from before a restart, or from elsewhere. Load the page again.");
		return;
	}
	conn->view = page_view_create(conn, form);
	if (conn->view == NULL)
		return;
	conn->view->action = action;
	if (form_get(form, "back", &back, &err) == ERR_OK && back != NULL && conn->view->zone != NULL)
		conn->view->kind = PAGE_ZONE;
	if (lacks(conn->view, action->needs))
		page_fail(conn, 400, "a field of the form is missing");
	else
		submit(conn);
}

void page_action_handle(struct conn *conn, const char *name, size_t size)
{
	const struct page_action *action = find_action(name, size);
	struct form form = { 0 };
	struct err err;
	size_t body_size;
	char *body;

	if (action == NULL) {
		page_fail(conn, 404, "no such action");
		return;
	}
	body = request_take_body(conn, &body_size);
	if (body_size > BODY_MAX)
		page_fail(conn, 413, "no form of this page is so long");
	else if (form_parse(&form, body, body_size, &err) != ERR_OK)
		page_fail(conn, 400, err.text);
	else
		act(conn, action, &form);
	form_free(&form);
	free(body);
}
