/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/post.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct post {
	CURL *curl;
	struct curl_slist *headers;
	const atomic_bool *stopping;
	char trouble[CURL_ERROR_SIZE];
};

/* What the receiver says beyond its status is of no interest. */
static size_t discard(UNUSED char *data, size_t size, size_t count, UNUSED void *ctx)
{
	return size * count;
}

static int progress(void *ctx, UNUSED curl_off_t down_total, UNUSED curl_off_t down, UNUSED curl_off_t up_total,
	UNUSED curl_off_t up)
{
	const struct post *post = ctx;

	return atomic_load(post->stopping) ? 1 : 0;
}

struct post *post_create(const struct notify_params *params, const atomic_bool *stopping)
{
	struct post *post = xcalloc(1, sizeof(*post));
	CURL *curl = post->curl = curl_easy_init();

	CHECK(curl != NULL);
	post->stopping = stopping;
	post->headers = curl_slist_append(NULL, "Content-Type: application/json");
	CHECK(post->headers != NULL);
	curl_easy_setopt(curl, CURLOPT_URL, params->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)POST_MS);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "zonefan/" ZONEFAN_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, post);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->trouble);
	if (params->username[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, params->username);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, params->password);
	}
	return post;
}

void post_destroy(struct post *post)
{
	curl_easy_cleanup(post->curl);
	curl_slist_free_all(post->headers);
	free(post);
}

int post_send(struct post *post, const char *json, struct err *err)
{
	long status = 0;

	post->trouble[0] = '\0';
	curl_easy_setopt(post->curl, CURLOPT_POSTFIELDS, json);
	curl_easy_setopt(post->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(json));
	CURLcode code = curl_easy_perform(post->curl);
	if (code != CURLE_OK)
		return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO, "%s",
			post->trouble[0] != '\0' ? post->trouble : curl_easy_strerror(code));
	curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return ERR_OK;
	return err_set(err, ERR_DENIED, "it answered %ld", status);
}
