/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/peer_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { CONNECT_MS = 5000, ANSWER_MS = 60000, STALL_BYTES = 100, STALL_S = 15 };

struct peer_client {
	char *url;
	CURL *curl;
	const atomic_bool *stopping;
	struct peer_answer *answer;
	size_t most;
	bool too_large;
	char trouble[CURL_ERROR_SIZE];
};

static size_t collect(char *data, size_t size, size_t count, void *ctx)
{
	struct peer_client *client = ctx;
	struct buf *body = &client->answer->body;

	client->too_large = body->size + size * count > client->most;
	if (client->too_large)
		return 0;
	buf_append(body, data, size * count);
	return size * count;
}

static int progress(void *ctx, UNUSED curl_off_t down_total, UNUSED curl_off_t down, UNUSED curl_off_t up_total,
	UNUSED curl_off_t up)
{
	const struct peer_client *client = ctx;

	return atomic_load(client->stopping) ? 1 : 0;
}

struct peer_client *peer_client_create(const struct peer_address *address, const atomic_bool *stopping)
{
	struct peer_client *client = xcalloc(1, sizeof(*client));
	CURL *curl = client->curl = curl_easy_init();

	CHECK(curl != NULL);
	client->url = xstrdup(address->url);
	client->stopping = stopping;
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->trouble);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "zonefan/" ZONEFAN_VERSION);
	if (address->username[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, address->username);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, address->password);
	}
	return client;
}

void peer_client_destroy(struct peer_client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	free(client->url);
	free(client);
}

static int64_t date_of(CURL *curl)
{
	struct curl_header *header;
	time_t date;

	if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return 0;
	date = curl_getdate(header->value, NULL);
	return date < 0 || date > INT64_MAX / 1000000 ? 0 : (int64_t)date * 1000000;
}

static int failed(const struct peer_client *client, CURLcode code, struct err *err)
{
	const char *text = client->trouble[0] != '\0' ? client->trouble : curl_easy_strerror(code);

	if (client->too_large)
		return err_set(err, ERR_LIMIT, "the answer is larger than %zu bytes", client->most);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_CLOSED, "stopping");
	return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO, "%s", text);
}

static int judge(const struct peer_answer *answer, struct err *err)
{
	if (answer->status == 401 || answer->status == 403)
		return err_set(err, ERR_DENIED, "it refuses the login (%ld)", answer->status);
	if (answer->status >= 300 && answer->status < 400)
		return err_set(err, ERR_INVALID, "it answers with a redirect (%ld), which is not followed", answer->status);
	return ERR_OK;
}

int peer_client_get(struct peer_client *client, const char *path, size_t most, struct peer_answer *out, struct err *err)
{
	char *url = xasprintf("%s%s", client->url, path);

	*out = (struct peer_answer){ .asked_us = clock_wall_us(clock_system()) };
	client->answer = out;
	client->most = most;
	client->too_large = false;
	client->trouble[0] = '\0';
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	CURLcode code = curl_easy_perform(client->curl);
	free(url);
	if (code != CURLE_OK)
		return failed(client, code, err);
	out->answered_us = clock_wall_us(clock_system());
	out->date_us = date_of(client->curl);
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &out->status);
	return judge(out, err);
}

void peer_answer_clear(struct peer_answer *answer)
{
	buf_free(&answer->body);
}

char *peer_client_encode(const char *text)
{
	char *encoded = curl_easy_escape(NULL, text, 0);

	CHECK(encoded != NULL);
	char *copy = xstrdup(encoded);
	curl_free(encoded);
	return copy;
}
