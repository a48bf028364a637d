/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { TIMEOUT_S = 30, ANSWER_MAX = 64 * 1024 * 1024, PAGE = 1000 };

static size_t collect(char *data, size_t size, size_t count, void *ctx)
{
	struct buf *body = ctx;

	/* Fewer than given ends the transfer: an answer of that size is none of ours. */
	if (body->size + size * count > ANSWER_MAX)
		return 0;
	buf_append(body, data, size * count);
	return size * count;
}

/* What is posted; NULL: it is a GET. */
struct content {
	const char *text;
	size_t size;
};

static void set_up(CURL *curl, const struct client *client, const char *url, const struct content *post, struct buf *body)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	if (post != NULL) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->size);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->text);
	}
	if (client->url == NULL) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
		return;
	}
	if (client->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
	curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(curl, CURLOPT_USERNAME, client->username);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, client->password);
}

static int judge(long status, const struct buf *body, json_t **out, struct err *err)
{
	const char *text = NULL;
	json_error_t trouble;
	json_t *json = json_loadb(body->size == 0 ? "" : body->data, body->size, JSON_REJECT_DUPLICATES, &trouble);

	if (status == 200 && json != NULL) {
		*out = json;
		return ERR_OK;
	}
	if (json != NULL)
		text = json_string_value(json_object_get(json, "error"));
	int ret;
	if (status == 404)
		ret = err_set(err, ERR_NOTFOUND, "%s", text == NULL ? "not found" : text);
	else if (status == 409)
		ret = err_set(err, ERR_BUSY, "%s", text == NULL ? "not now" : text);
	else if (status == 403)
		ret = err_set(err, ERR_DENIED, "%s", text == NULL ? "this login may not do that" : text);
	else if (status == 401)
		ret = err_set(err, ERR_DENIED, "the login was refused");
	else
		ret = err_set(err, status == 400 || status == 413 ? ERR_INVALID : ERR_IO, "zonefand answered %ld%s%s", status, text == NULL ? "" : ": ",
			text == NULL ? "" : text);
	json_decref(json);
	return ret;
}

/* Whatever the answer is; the caller frees body, also where there was none. */
static int fetch(const struct client *client, const char *path, const struct content *post, long *status, struct buf *body,
	struct err *err)
{
	const char *where = client->url == NULL ? client->socket_path : client->url;
	char *url = xasprintf("%s%s", client->url == NULL ? "http://localhost" : client->url, path);
	CURL *curl = curl_easy_init();

	CHECK(curl != NULL);
	set_up(curl, client, url, post, body);
	CURLcode code = curl_easy_perform(curl);
	int ret = ERR_OK;
	if (code != CURLE_OK)
		ret = err_set(err, code == CURLE_COULDNT_CONNECT ? ERR_CLOSED : ERR_IO, "zonefand does not answer at %s: %s", where,
			curl_easy_strerror(code));
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(curl);
	free(url);
	return ret;
}

static int call(const struct client *client, const char *path, const struct content *post, json_t **out, struct err *err)
{
	struct buf body = { 0 };
	long status = 0;
	int ret = fetch(client, path, post, &status, &body, err);

	if (ret == ERR_OK)
		ret = judge(status, &body, out, err);
	buf_free(&body);
	return ret;
}

int client_get_line(const struct client *client, const char *path, char **out, struct err *err)
{
	struct buf body = { 0 };
	long status = 0;
	int ret = fetch(client, path, NULL, &status, &body, err);

	buf_puts(&body, "");
	body.data[strcspn(body.data, "\r\n")] = '\0';
	if (ret == ERR_OK && status != 200)
		ret = err_set(err, ERR_IO, "%s", body.data);
	*out = ret == ERR_OK ? buf_take(&body) : NULL;
	buf_free(&body);
	return ret;
}

int client_get(const struct client *client, const char *path, json_t **out, struct err *err)
{
	return call(client, path, NULL, out, err);
}

int client_post(const struct client *client, const char *path, json_t **out, struct err *err)
{
	return client_post_text(client, path, "", 0, out, err);
}

int client_post_text(const struct client *client, const char *path, const char *text, size_t size, json_t **out,
	struct err *err)
{
	const struct content content = { .text = text, .size = size };

	return call(client, path, &content, out, err);
}

char *client_encode(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));

	CHECK(escaped != NULL);
	char *copy = xstrdup(escaped);
	curl_free(escaped);
	return copy;
}

/* Where the next page begins, as the last one said; NULL: it was the last. The caller frees it. */
static char *next_of(const json_t *page)
{
	const json_t *next = json_object_get(page, "next");

	if (json_is_string(next))
		return client_encode(json_string_value(next));
	if (json_is_integer(next))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(next));
	return NULL;
}

int client_list(const struct client *client, const char *path, const char *key, const char *page_by, size_t most,
	json_t **out, struct err *err)
{
	json_t *all = json_array();
	char *next = NULL;
	int ret;

	do {
		size_t left = most == 0 ? PAGE : most - json_array_size(all);
		char *url = xasprintf("%s%climit=%zu%s%s%s%s", path, strchr(path, '?') == NULL ? '?' : '&',
			left < PAGE ? left : PAGE, next == NULL ? "" : "&", next == NULL ? "" : page_by,
			next == NULL ? "" : "=", next == NULL ? "" : next);
		json_t *page = NULL;

		free(next);
		next = NULL;
		ret = client_get(client, url, &page, err);
		free(url);
		if (ret != ERR_OK)
			break;
		json_array_extend(all, json_object_get(page, key));
		next = next_of(page);
		json_decref(page);
	} while (next != NULL && (most == 0 || json_array_size(all) < most));
	free(next);
	if (ret != ERR_OK) {
		json_decref(all);
		return ret;
	}
	*out = json_pack("{s:o, s:n}", key, all, "next");
	CHECK(*out != NULL);
	return ERR_OK;
}
