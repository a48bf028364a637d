/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "da_entry.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"

static const char page[] = "/CMD_MULTI_SERVER";

/* ---- reading ---- */

/* DirectAdmin gives texts; a switch may be "yes", "ON" or 1. */
static bool is_on(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (text == NULL)
		return json_is_true(value) || json_integer_value(value) == 1;
	return strcasecmp(text, "yes") == 0 || strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0;
}

static bool is_port(const json_t *server, uint16_t port)
{
	const json_t *value = json_object_get(server, "port");

	return (json_is_string(value) ? strtol(json_string_value(value), NULL, 10) : json_integer_value(value)) == port;
}

static void take_server(const json_t *server, const struct da_entry_wanted *wanted, struct da_entry *out)
{
	const char *user = json_string_value(json_object_get(server, "user"));

	out->there = json_is_object(server);
	out->right_port = is_port(server, wanted->port);
	out->right_user = user != NULL && strcmp(user, wanted->user) == 0;
	out->right_ssl = is_on(server, "ssl") == wanted->ssl;
	out->dns = is_on(server, "dns");
	out->domain_check = is_on(server, "domain_check");
	out->others = is_on(server, "user_check") || is_on(server, "email") || is_on(server, "show_all_users");
}

static json_t *parse(const struct buf *body, struct err *err)
{
	json_error_t trouble;
	json_t *answer = json_loadb(body->size == 0 ? "" : body->data, body->size, 0, &trouble);

	if (!json_is_object(answer)) {
		json_decref(answer);
		answer = NULL;
		err_set(err, ERR_INVALID, "the master's answer to CMD_MULTI_SERVER is not what is known of it: is the login an administrator's, "
			"and the login key allowed that command?");
	}
	return answer;
}

int da_entry_read(struct da_client *client, const struct da_entry_wanted *wanted, struct da_entry *out, struct err *err)
{
	struct buf body = { 0 };
	int ret = da_client_command(client, "/CMD_MULTI_SERVER?json=yes", NULL, &body, err);

	if (ret != ERR_OK)
		return ret;
	json_t *answer = parse(&body, err);
	buf_free(&body);
	if (answer == NULL)
		return err->code;
	*out = (struct da_entry){ .cluster_on = is_on(answer, "CLUSTER_ON") };
	take_server(json_object_get(json_object_get(answer, "servers"), wanted->address), wanted, out);
	json_decref(answer);
	return ERR_OK;
}

bool da_entry_is_good(const struct da_entry *entry)
{
	return entry->cluster_on && entry->there && entry->right_port && entry->right_user && entry->right_ssl && entry->dns &&
		entry->domain_check && !entry->others;
}

/* ---- writing ---- */

static void add_field(struct buf *form, const char *name, const char *suffix, const char *value)
{
	char *key = xasprintf("%s%s%s", name, suffix == NULL ? "" : "-", suffix == NULL ? "" : suffix);
	char *left = client_encode(key);
	char *right = client_encode(value);

	buf_printf(form, "%s%s=%s", form->size == 0 ? "" : "&", left, right);
	explicit_bzero(right, strlen(right));
	free(right);
	free(left);
	free(key);
}

/* Sends the form and wipes it. "success" has a text where it went well, else "result" says why not. */
static int post(struct da_client *client, struct buf *form, const char *doing, struct err *err)
{
	struct buf body = { 0 };
	int ret = da_client_command(client, page, form->data, &body, err);

	explicit_bzero(form->data, form->size);
	buf_free(form);
	if (ret != ERR_OK)
		return ret;
	json_t *answer = parse(&body, err);
	buf_free(&body);
	if (answer == NULL)
		return err->code;
	const char *success = json_string_value(json_object_get(answer, "success"));
	const char *result = json_string_value(json_object_get(answer, "result"));
	if (success == NULL || *success == '\0')
		ret = err_set(err, ERR_DENIED, "the master does not %s: %.200s", doing,
			result == NULL || *result == '\0' ? "it does not say why" : result);
	json_decref(answer);
	return ret;
}

static void add_login(struct buf *form, const struct da_entry_wanted *wanted, const char *suffix)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", wanted->port);
	add_field(form, "port", suffix, port);
	add_field(form, "user", suffix, wanted->user);
	add_field(form, "ssl", suffix, wanted->ssl ? "yes" : "no");
	add_field(form, "passwd", NULL, wanted->password);
}

static int add(struct da_client *client, const struct da_entry_wanted *wanted, struct err *err)
{
	struct buf form = { 0 };

	add_field(&form, "action", NULL, "add");
	add_field(&form, "json", NULL, "yes");
	add_field(&form, "ip", NULL, wanted->address);
	add_login(&form, wanted, NULL);
	return post(client, &form, "add the server", err);
}

static int save(struct da_client *client, const struct da_entry_wanted *wanted, struct err *err)
{
	static const struct {
		const char *name;
		const char *value;
	} switches[] = { { "dns", "yes" }, { "domain_check", "yes" }, { "user_check", "no" }, { "email", "no" },
		{ "show_all_users", "no" } };
	struct buf form = { 0 };

	add_field(&form, "action", NULL, "multiple");
	add_field(&form, "save", NULL, "yes");
	add_field(&form, "json", NULL, "yes");
	add_field(&form, "select0", NULL, wanted->address);
	add_login(&form, wanted, wanted->address);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		add_field(&form, switches[i].name, wanted->address, switches[i].value);
	return post(client, &form, "save its switches", err);
}

int da_entry_write(struct da_client *client, const struct da_entry_wanted *wanted, bool there, struct err *err)
{
	int ret = there ? ERR_OK : add(client, wanted, err);

	return ret == ERR_OK ? save(client, wanted, err) : ret;
}
