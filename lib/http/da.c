/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The DirectAdmin dialect, directadmin-protocol.md 2-6 and 10. Answers are
 * form-encoded pairs; error=0 to a save or delete means that it is durable
 * (decisions.md 13).
 */
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"
#include "http/form.h"

static bool is_path(const char *path, size_t size, const char *what)
{
	return size == strlen(what) && memcmp(path, what, size) == 0;
}

static void say(struct conn *conn, const char *text)
{
	request_reply(conn, 200, "text/plain", "", text, strlen(text));
}

/* NULL: not given. False: it was answered with the fault. */
static bool get(struct conn *conn, const struct form *form, const char *key, const struct form_field **out)
{
	struct err err;

	if (form_get(form, key, out, &err) == 0)
		return true;
	request_fail(conn, 200, err.text);
	return false;
}

static char *copy_value(const struct form_field *field)
{
	return field != NULL ? xstrdup(field->value) : NULL;
}

static void add_owner_details(struct buf *out, const char *what, const struct names_owner *owner)
{
	buf_puts(out, "&details=");
	form_encode(out, what);
	if (*owner->hostname != '\0') {
		buf_puts(out, "+on+");
		form_encode(out, owner->hostname);
	}
}

/* directadmin-protocol.md 3.3 */
static void answer_parent(const struct conn *conn, const char *domain, struct buf *out)
{
	unsigned how = conn->http->params.exists_parent;
	struct names_owner owner;

	if (how == 0 || !names_find_parent(conn->http->names, domain, &owner)) {
		buf_puts(out, "error=0&exists=0");
		return;
	}
	buf_printf(out, "error=0&exists=%u", how);
	if (how == 2) {
		add_owner_details(out, "Parent domain exists", &owner);
		return;
	}
	buf_puts(out, "&hostname=");
	form_encode(out, owner.hostname);
	buf_puts(out, "&username=");
	form_encode(out, owner.username);
}

/*
 * Never an error for an odd name: this is asked at every key press while somebody types. Until the names are loaded
 * nothing can be told for certain, so the answer waits.
 */
static void handle_exists(struct conn *conn, const struct form *form)
{
	const struct form_field *domain, *parent;
	struct names_owner owner;
	struct buf out = { 0 };
	struct err err;

	if (!conn->http->names_loaded) {
		request_await_names(conn);
		return;
	}
	if (form_get(form, "domain", &domain, &err) != 0) {
		say(conn, "error=0&exists=0"); /* not decodable, so certainly not held */
		return;
	}
	if (domain == NULL) {
		request_fail(conn, 200, "domain is missing");
		return;
	}
	if (!get(conn, form, "check_for_parent_domain", &parent))
		return;
	if (names_find(conn->http->names, domain->value, &owner)) {
		buf_puts(&out, "error=0&exists=1");
		add_owner_details(&out, "Domain exists", &owner);
	} else if (parent != NULL && strcmp(parent->value, "true") == 0) {
		answer_parent(conn, domain->value, &out);
	} else {
		buf_puts(&out, "error=0&exists=0");
	}
	request_reply(conn, 200, "text/plain", "", out.data, out.size);
	buf_free(&out);
}

static struct engine_request *create(const struct conn *conn, enum engine_op op)
{
	struct engine_request *request = request_create(conn, op);

	request->identities = xstrdup(conn->login == NULL ? NULL : conn->login->identities);
	return request;
}

/* A save with its text in the body, verbatim; or, text given, from a form. */
static void handle_save(struct conn *conn, const struct form *form, const struct form_field *text)
{
	const struct form_field *domain, *hostname, *username, *reload;
	struct engine_request *request;

	FAULT_POINT(push_received);
	if (!get(conn, form, "domain", &domain) || !get(conn, form, "hostname", &hostname) ||
		!get(conn, form, "username", &username) || !get(conn, form, "named_reload", &reload))
		return;
	if (domain == NULL) {
		request_fail(conn, 200, "domain is missing");
		return;
	}
	request = create(conn, ENGINE_PUSH);
	request->zone = copy_value(domain);
	request->hostname = copy_value(hostname);
	request->username = copy_value(username);
	/* directadmin-protocol.md 3.2: a certificate is waited for. */
	request->urgent = reload != NULL && strcmp(reload->value, "yes") == 0;
	if (text != NULL) {
		request->text = xmemdup(text->value, text->value_size);
		request->text_size = text->value_size;
	} else {
		request->text = request_take_body(conn, &request->text_size);
	}
	request_submit(conn, request);
}

static void handle_form_save(struct conn *conn, const struct form *form)
{
	const struct form_field *text;

	if (!get(conn, form, "zone_file", &text))
		return;
	if (text == NULL)
		request_fail(conn, 200, "the zone text is missing");
	else
		handle_save(conn, form, text);
}

/* "select0", "select1", ...: gaps do not matter. */
static bool is_selection(const char *key)
{
	static const char prefix[] = "select";

	if (strncmp(key, prefix, sizeof(prefix) - 1) != 0)
		return false;
	key += sizeof(prefix) - 1;
	return *key != '\0' && strspn(key, "0123456789") == strlen(key);
}

static void handle_delete(struct conn *conn, const struct form *form)
{
	const struct form_field *hostname, *username;
	struct engine_request *request;

	if (!get(conn, form, "hostname", &hostname) || !get(conn, form, "username", &username))
		return;
	request = create(conn, ENGINE_DELETE);
	request->names = xcalloc(form->count + 1, sizeof(*request->names));
	for (size_t i = 0; i < form->count; i++) {
		const struct form_field *field = &form->fields[i];

		if (field->key == NULL || (strcmp(field->key, "domain") != 0 && !is_selection(field->key)))
			continue;
		if (field->value == NULL) {
			request_fail(conn, 200, "a domain is badly encoded");
			engine_request_destroy(request);
			return;
		}
		if (field->value_size > 0)
			request->names[request->name_count++] = xstrdup(field->value);
	}
	if (request->name_count == 0) {
		request_fail(conn, 200, "select0 or domain is missing");
		engine_request_destroy(request);
		return;
	}
	request->hostname = copy_value(hostname);
	request->username = copy_value(username);
	request_submit(conn, request);
}

static bool add_body(struct conn *conn, struct form *form)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(conn->request);
	size_t size = evbuffer_get_length(body);
	struct err err;

	if (size == 0 || form_parse(form, (const char *)evbuffer_pullup(body, -1), size, &err) == 0)
		return true;
	request_fail(conn, 200, err.text);
	return false;
}

static void handle_action(struct conn *conn, const struct form *form)
{
	bool post = gate_head(&conn->gate).method == GATE_POST;
	const struct form_field *action;

	if (!get(conn, form, "action", &action))
		return;
	if (action == NULL)
		request_fail(conn, 200, "action is missing");
	else if (strcmp(action->value, "exists") == 0)
		handle_exists(conn, form);
	else if (!post) /* a link or an image must never change a zone */
		request_fail(conn, 200, "this action needs POST");
	else if (strcmp(action->value, "rawsave") == 0)
		handle_form_save(conn, form);
	else if (strcmp(action->value, "delete") == 0)
		handle_delete(conn, form);
	else
		request_fail(conn, 200, "this action is not supported");
}

/*
 * Parameters come from the query. A rawsave there makes the body the zone, whatever its Content-Type says; else the
 * body, if there is one, is a form, whatever its Content-Type says (protocol 10, item 4).
 */
static void handle_dns_admin(struct conn *conn, const char *query)
{
	const struct form_field *action;
	struct form form = { 0 };
	struct err err;

	if (form_parse(&form, query, strlen(query), &err) != 0) {
		request_fail(conn, 200, err.text);
	} else if (get(conn, &form, "action", &action)) {
		if (action != NULL && strcmp(action->value, "rawsave") == 0 &&
			gate_head(&conn->gate).method == GATE_POST)
			handle_save(conn, &form, NULL);
		else if (add_body(conn, &form))
			handle_action(conn, &form);
	}
	form_free(&form);
}

static bool is_ours(const char *path, size_t size)
{
	static const char *const paths[] = { "/CMD_API_DNS_ADMIN", "/CMD_API_LOGIN_TEST", "/CMD_API_USER_EXISTS", "/CMD_API_POP",
		"/CMD_EMAIL_POP" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (is_path(path, size, paths[i]))
			return true;
	}
	return false;
}

bool da_handle(struct conn *conn, const char *path, size_t path_size, const char *query)
{
	if (!is_ours(path, path_size))
		return false;
	if (!request_allow(conn, AUTH_PUSH))
		return true;
	if (is_path(path, path_size, "/CMD_API_DNS_ADMIN"))
		handle_dns_admin(conn, query);
	else if (is_path(path, path_size, "/CMD_API_LOGIN_TEST"))
		say(conn, "error=0&text=Login+OK&details=none");
	else if (is_path(path, path_size, "/CMD_API_USER_EXISTS"))
		say(conn, "error=0&exists=0");
	else
		request_fail(conn, 200, "Not supported");
	return true;
}

void da_reply(struct conn *conn, const struct engine_message *message)
{
	FAULT_POINT(before_answer);
	switch (message->err.code) {
	case ERR_OK:
		say(conn, message->op == ENGINE_PUSH ? "error=0&text=Saved&details=" : "error=0&text=Deleted&details=");
		break;
	case ERR_BUSY:
	case ERR_CLOSED:
	case ERR_IO:
	case ERR_NOSPACE:
	case ERR_TIMEOUT:
		request_fail(conn, 503, message->err.text); /* our trouble, not the zone's */
		break;
	default:
		request_fail(conn, 200, message->err.text);
		break;
	}
	FAULT_POINT(after_answer);
}
