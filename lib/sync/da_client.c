/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/da_client.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "zone/zone.h"

enum {
	LIST_MS = 60000,
	PULL_MS = 30000,
	CONNECT_MS = 10000,
	LIST_BYTES = 64 * 1024 * 1024,
	PAGE_BYTES = 16 * 1024 * 1024, /* of JSON: in memory it is ten times as much */
	ADDRESS_SIZE = 64,
	TYPE_SIZE = 64
};

struct da_client {
	struct da_settings settings;
	CURL *curl;
	char *base;               /* "https://host:2222" */
	char *referer;
	bool session;             /* logged in: the cookie speaks, not the password */
	unsigned logins_left;     /* of this call */
	int64_t deadline_ms;
	size_t bytes_left;
	char address[ADDRESS_SIZE];
	char trouble[CURL_ERROR_SIZE];
};

struct answer {
	long status;
	char type[TYPE_SIZE];     /* "": none was told */
	struct buf body;
	size_t most;
	bool too_large;
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* ---- one exchange ---- */

static size_t collect(char *data, size_t size, size_t count, void *ctx)
{
	struct answer *answer = ctx;

	answer->too_large = answer->body.size + size * count > answer->most;
	if (answer->too_large)
		return 0;
	buf_append(&answer->body, data, size * count);
	return size * count;
}

static int progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct da_client *client = ctx;

	(void)down_total, (void)down, (void)up_total, (void)up;
	return client->settings.tick(client->settings.ctx) ? 0 : 1;
}

static void set_up(struct da_client *client)
{
	CURL *curl = client->curl;

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(curl, CURLOPT_REFERER, client->referer);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "zonefan");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, client->settings.verify_ssl ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, client->settings.verify_ssl ? 2L : 0L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->trouble);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

/* ---- life ---- */

struct da_client *da_client_create(const struct da_settings *settings)
{
	struct da_client *client = xcalloc(1, sizeof(*client));
	bool numeric6 = strchr(settings->hostname, ':') != NULL;

	client->settings = *settings;
	client->curl = curl_easy_init();
	CHECK(client->curl != NULL);
	client->base = xasprintf("%s://%s%s%s:%u", settings->ssl ? "https" : "http", numeric6 ? "[" : "", settings->hostname,
		numeric6 ? "]" : "", settings->port);
	client->referer = xasprintf("%s/", client->base);
	set_up(client);
	return client;
}

void da_client_destroy(struct da_client *client)
{
	curl_easy_cleanup(client->curl);
	free(client->base);
	free(client->referer);
	free(client);
}

const char *da_client_address(const struct da_client *client)
{
	return client->address;
}

/* ---- an answer ---- */

static int fail(const struct da_client *client, CURLcode code, const struct answer *answer, struct err *err)
{
	const char *text = client->trouble[0] != '\0' ? client->trouble : curl_easy_strerror(code);

	if (answer->too_large)
		return err_set(err, ERR_LIMIT, "%s: the answer has more than %zu bytes", client->base, answer->most);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_CLOSED, "%s: given up", client->base);
	return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO, "%s: %s", client->base, text);
}

static int perform(struct da_client *client, struct answer *answer, struct err *err)
{
	int64_t left_ms = client->deadline_ms - now_ms();
	const char *type = NULL, *address = NULL;

	if (left_ms <= 0)
		return err_set(err, ERR_TIMEOUT, "%s: it takes too long", client->base);
	answer->most = client->bytes_left < PAGE_BYTES ? client->bytes_left : PAGE_BYTES;
	client->trouble[0] = '\0';
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
	CURLcode code = curl_easy_perform(client->curl);
	if (code != CURLE_OK)
		return fail(client, code, answer, err);
	client->bytes_left -= answer->body.size;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(client->curl, CURLINFO_PRIMARY_IP, &address);
	snprintf(answer->type, sizeof(answer->type), "%s", type == NULL ? "" : type);
	snprintf(client->address, sizeof(client->address), "%s", address == NULL ? "" : address);
	if (answer->body.data == NULL)
		buf_puts(&answer->body, "");
	return ERR_OK;
}

/* form NULL: a GET. */
static int exchange(struct da_client *client, const char *path, const char *form, struct answer *answer, struct err *err)
{
	char *url = xasprintf("%s%s", client->base, path);

	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	if (form == NULL)
		curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
	else
		curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, form);
	curl_easy_setopt(client->curl, CURLOPT_HTTPAUTH, (long)(client->session ? CURLAUTH_NONE : CURLAUTH_BASIC));
	curl_easy_setopt(client->curl, CURLOPT_USERNAME, client->session ? NULL : client->settings.username);
	curl_easy_setopt(client->curl, CURLOPT_PASSWORD, client->session ? NULL : client->settings.password);
	int ret = perform(client, answer, err);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, NULL);
	free(url);
	return ret;
}

/* ---- sessions ---- */

/* One line for each cookie: domain, tail, path, secure, expires, name, value. */
static bool is_session_cookie(const char *line)
{
	for (int tabs = 0; tabs < 5; tabs++) {
		line = strchr(line, '\t');
		if (line == NULL)
			return false;
		line++;
	}
	return (strncmp(line, "session\t", 8) == 0 && line[8] != '\0') || (strncmp(line, "key\t", 4) == 0 && line[4] != '\0');
}

static bool has_session(const struct da_client *client)
{
	struct curl_slist *cookies = NULL;
	bool found = false;

	curl_easy_getinfo(client->curl, CURLINFO_COOKIELIST, &cookies);
	for (const struct curl_slist *cookie = cookies; cookie != NULL; cookie = cookie->next)
		found = found || is_session_cookie(cookie->data);
	curl_slist_free_all(cookies);
	return found;
}

static char *login_form(struct da_client *client)
{
	char *username = curl_easy_escape(client->curl, client->settings.username, 0);
	char *password = curl_easy_escape(client->curl, client->settings.password, 0);
	char *form = xasprintf("username=%s&password=%s&referer=%%2FCMD_DNS_ADMIN%%3Fjson%%3Dyes%%26page%%3D1%%26ipp%%3D%u",
		username == NULL ? "" : username, password == NULL ? "" : password, client->settings.ipp);

	curl_free(username);
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	curl_free(password);
	return form;
}

static int log_in(struct da_client *client, struct err *err)
{
	char *url = xasprintf("%s/CMD_LOGIN", client->base);
	char *form = login_form(client);
	struct answer answer = { 0 };

	client->logins_left--;
	client->session = false;
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	curl_easy_setopt(client->curl, CURLOPT_USERNAME, NULL);
	curl_easy_setopt(client->curl, CURLOPT_PASSWORD, NULL);
	curl_easy_setopt(client->curl, CURLOPT_COOKIELIST, "ALL");
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, form);
	int ret = perform(client, &answer, err);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, NULL);
	explicit_bzero(form, strlen(form));
	if (ret == ERR_OK && !has_session(client))
		ret = err_set(err, ERR_DENIED, "%s: the login was refused (%ld)", client->base, answer.status);
	client->session = ret == ERR_OK;
	free(form);
	free(url);
	buf_free(&answer.body);
	return ret;
}

/* Where the panel sends somebody who is not logged in (8.1, 8.4). */
static bool wants_login(const struct answer *answer)
{
	return answer->status == 302 || answer->status == 303 || answer->status == 307 || answer->status == 404 ||
		(answer->status == 200 && da_is_page(answer->type, answer->body.data, answer->body.size));
}

/* What was sent to somebody who was not logged in changed nothing, so it is sent again behind the login. */
static int ask(struct da_client *client, const char *path, const char *form, struct answer *answer, struct err *err)
{
	int ret = exchange(client, path, form, answer, err);

	while (ret == ERR_OK && wants_login(answer) && client->logins_left > 0) {
		buf_free(&answer->body);
		*answer = (struct answer){ 0 };
		ret = log_in(client, err);
		if (ret == ERR_OK)
			ret = exchange(client, path, form, answer, err);
	}
	if (ret != ERR_OK)
		return ret;
	if (wants_login(answer)) {
		client->session = false;
		return err_set(err, ERR_DENIED, "%s: it asks for a login again and again (%ld)", client->base, answer->status);
	}
	if (answer->status == 401 || answer->status == 403)
		return err_set(err, ERR_DENIED, "%s: the login was refused (%ld)", client->base, answer->status);
	if (answer->status != 200)
		return err_set(err, ERR_IO, "%s: it answered %ld", client->base, answer->status);
	return ERR_OK;
}

/* A session that is kept from the last call may have died; a new one may, too: it is renewed once. */
static void begin(struct da_client *client, int64_t limit_ms, size_t bytes)
{
	client->logins_left = client->session ? 1 : 2;
	client->deadline_ms = now_ms() + limit_ms;
	client->bytes_left = bytes;
}

/* ---- what is asked ---- */

static int add_page(struct da_client *client, struct da_list *list, struct err *err)
{
	struct answer answer = { 0 };
	char *path = xasprintf("/CMD_DNS_ADMIN?json=yes&page=%" PRIu64 "&ipp=%u", list->pages_taken + 1,
		client->settings.ipp);
	int ret = ask(client, path, NULL, &answer, err);

	if (ret == ERR_OK) {
		ret = da_list_add(list, answer.type[0] == '\0' ? NULL : answer.type, answer.body.data, answer.body.size, err);
		if (ret != ERR_OK)
			err_prefix(err, "%s", client->base);
	}
	free(path);
	buf_free(&answer.body);
	return ret;
}

int da_client_list(struct da_client *client, struct da_list *out, struct err *err)
{
	int ret;

	begin(client, LIST_MS, LIST_BYTES);
	do {
		ret = add_page(client, out, err);
	} while (ret == ERR_OK && !da_list_has_all_pages(out));
	if (ret != ERR_OK)
		return ret;
	ret = da_list_finish(out, err);
	return ret == ERR_OK ? ret : err_prefix(err, "%s", client->base);
}

int da_client_pull(struct da_client *client, const char *zone, struct buf *out, struct err *err)
{
	struct answer answer = { 0 };
	char plain[ZONE_NAME_SIZE];
	/* A zone's name has no byte that needs an escape. */
	char *path = xasprintf("/CMD_API_DNS_ADMIN?domain=%s", zone_name_plain(zone, plain));

	begin(client, PULL_MS, PAGE_BYTES);
	int ret = ask(client, path, NULL, &answer, err);
	if (ret == ERR_OK) {
		ret = da_judge_text(answer.type, answer.body.data, answer.body.size, err);
		if (ret != ERR_OK)
			err_prefix(err, "%s", client->base);
	}
	free(path);
	if (ret == ERR_OK)
		*out = answer.body;
	else
		buf_free(&answer.body);
	return ret;
}

int da_client_command(struct da_client *client, const char *path, const char *form, struct buf *out, struct err *err)
{
	struct answer answer = { 0 };

	begin(client, PULL_MS, PAGE_BYTES);
	int ret = ask(client, path, form, &answer, err);
	if (ret == ERR_OK)
		*out = answer.body;
	else
		buf_free(&answer.body);
	return ret;
}
