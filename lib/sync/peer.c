/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/peer.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "sync/peer_internal.h"

enum { URLS_BYTES = 256 * 1024, URL_MOST = 512 };

static const int64_t skew_us = INT64_C(300) * 1000000; /* decisions.md 19: beyond it an alarm */

/* ---- nodes ---- */

static void add_node(struct peer_sync *sync, const struct peer_address *address, bool learnt)
{
	sync->nodes = xrealloc(sync->nodes, (sync->node_count + 1) * sizeof(*sync->nodes));
	sync->nodes[sync->node_count++] = (struct peer_node){ .url = xstrdup(address->url), .learnt = learnt, .healthy = true,
		.client = peer_client_create(address, &sync->stopping) };
}

static void free_nodes(struct peer_sync *sync)
{
	for (size_t i = 0; i < sync->node_count; i++) {
		free(sync->nodes[i].url);
		peer_client_destroy(sync->nodes[i].client);
		free(sync->nodes[i].after);
		strmap_free(&sync->nodes[i].left);
	}
	free(sync->nodes);
}

static bool is_known(const struct peer_sync *sync, const char *url)
{
	for (size_t i = 0; i < sync->node_count; i++) {
		if (strcmp(sync->nodes[i].url, url) == 0)
			return true;
	}
	return false;
}

/* A scheme and a host, no login, nothing behind: whatever else somebody may have put there. */
static bool is_plain_url(const char *url)
{
	size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
	const char *host = url + scheme;

	return scheme != 0 && *host != '\0' && strlen(url) < URL_MOST &&
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == strlen(host);
}

static void learn(void *ctx, const char *sent)
{
	struct peer_sync *sync = ctx;
	size_t size = strlen(sent);
	char *url = xmemdup(sent, size > 0 && sent[size - 1] == '/' ? size - 1 : size);
	struct peer_address address = { .url = url, .username = "", .password = "" };

	if (is_plain_url(url) && !is_known(sync, url) && sync->node_count < sync->params->peer_count + PEER_LEARNT_MOST) {
		log_info("a peer was learnt; it gets no credentials", LOG_STR("peer", url));
		add_node(sync, &address, true);
	}
	free(url);
}

/* What a configured peer knows. Best effort: its zones are what counts. */
static void discover(struct peer_sync *sync, size_t index)
{
	struct peer_answer answer;
	struct err err;
	int ret = peer_client_get(sync->nodes[index].client, "/internal/peers", URLS_BYTES, &answer, &err);

	if (ret == ERR_OK && answer.status == 200)
		ret = peer_form_urls(&answer.body, learn, sync, &err);
	if (ret != ERR_OK)
		log_debug("a peer does not say which peers it knows", LOG_STR("peer", sync->nodes[index].url), LOG_ERR(&err));
	peer_answer_clear(&answer);
}

/* ---- health ---- */

static void note(struct peer_sync *sync, const struct peer_node *node, const char *kind, const char *text)
{
	struct engine_request *request = engine_request_create(ENGINE_PEER_NOTE, 0);
	struct engine_message *message;

	request->peer = xstrdup(node->url);
	request->kind = xstrdup(kind);
	request->text = xstrdup(text);
	request->text_size = strlen(text);
	if (engine_ask(sync->engine, request, &message) == ERR_OK)
		engine_message_destroy(message);
}

static void note_failure(struct peer_sync *sync, struct peer_node *node)
{
	node->failures++;
	log_debug("a peer failed", LOG_STR("peer", node->url), LOG_ERR(&node->err));
	if (!node->healthy || node->failures < PEER_DEGRADED_AFTER)
		return;
	node->healthy = false;
	note(sync, node, "peer_degraded", node->err.text);
}

static void note_skew(struct peer_sync *sync, struct peer_node *node)
{
	bool skewed = node->offset_us > skew_us || node->offset_us < -skew_us;
	char *text;

	if (skewed && !node->skewed) {
		text = xasprintf("its clock is %" PRId64 " s %s ours", (node->offset_us < 0 ? -node->offset_us : node->offset_us) / 1000000,
			node->offset_us < 0 ? "behind" : "ahead of");
		note(sync, node, "peer_skew", text);
		free(text);
	}
	node->skewed = skewed;
}

static void note_success(struct peer_sync *sync, struct peer_node *node)
{
	if (!node->healthy)
		note(sync, node, "peer_recovered", "it answers again");
	node->healthy = true;
	node->failures = 0;
	node->last_seen_us = clock_wall_us(clock_system());
	note_skew(sync, node);
}

/* ---- passes ---- */

static void visit(struct peer_sync *sync, size_t index)
{
	struct peer_node *node = &sync->nodes[index];
	struct err err = { 0 };
	int ret = peer_visit(sync, node, &err);

	if (ret == ERR_CLOSED)
		return;
	node->err = err;
	node->err.code = (enum err_code)ret;
	if (ret != ERR_OK)
		note_failure(sync, node);
	else
		note_success(sync, node);
	if (node->found.taken > 0)
		log_info("zones taken from a peer", LOG_STR("peer", node->url), LOG_UINT("taken", node->found.taken),
			LOG_UINT("waiting", node->found.waiting));
	if (ret == ERR_OK && sync->params->discover && !node->learnt && node->after == NULL)
		discover(sync, index);
}

static void pass_all(struct peer_sync *sync)
{
	for (size_t i = 0; i < sync->node_count && !atomic_load(&sync->stopping); i++) {
		if (sync->nodes[i].self && sync->nodes[i].learnt)
			continue;
		visit(sync, i);
		peer_show(sync);
	}
	sync->passed = sync->pass;
	sync->passed_at_us = clock_wall_us(clock_system());
	peer_show(sync);
}

/* Those whose time was not enough. Nobody else gets a second share of new zones before the next pass. */
static void go_on(struct peer_sync *sync)
{
	for (size_t i = 0; i < sync->node_count && !atomic_load(&sync->stopping); i++) {
		if (sync->nodes[i].after == NULL)
			continue;
		visit(sync, i);
		peer_show(sync);
	}
}

static bool is_unfinished(const struct peer_sync *sync)
{
	for (size_t i = 0; i < sync->node_count; i++) {
		if (sync->nodes[i].after != NULL)
			return true;
	}
	return false;
}

/* The pass that begins is that of all who asked for one. */
static void answer_all(struct peer_sync *sync, struct engine_request *order)
{
	for (; order != NULL; order = engine_take_order(sync->engine, ENGINE_ROOM_PEERS, 0)) {
		struct doc *doc = doc_create();

		doc_int(doc, "pass", sync->pass);
		engine_answer_order(sync->engine, order, doc, NULL);
	}
}

/* Our own id, as peers see it. */
static void learn_own_id(struct peer_sync *sync)
{
	struct engine_request *request = engine_request_create(ENGINE_PEER_ZONES, 0);
	struct engine_message *message;

	request->number = 2;
	request->limit = 1;
	if (engine_ask(sync->engine, request, &message) != ERR_OK)
		return;
	if (message->err.code == ERR_OK) {
		const char *id = doc_get(message->doc, "store_id")->value.text;

		memcpy(sync->store_id, id, strnlen(id, sizeof(sync->store_id) - 1));
	}
	engine_message_destroy(message);
}

static void *run(void *arg)
{
	struct peer_sync *sync = arg;
	int64_t interval_ms = (int64_t)sync->params->interval_minutes * 60000;
	int64_t next_ms = clock_mono_ms(clock_system());

	while (!atomic_load(&sync->stopping)) {
		int64_t wait_ms = is_unfinished(sync) ? 0 : next_ms - clock_mono_ms(clock_system());
		struct engine_request *order = engine_take_order(sync->engine, ENGINE_ROOM_PEERS, wait_ms > 0 ? wait_ms : 0);

		if (order == NULL && clock_mono_ms(clock_system()) < next_ms) {
			go_on(sync);
			continue;
		}
		if (sync->store_id[0] == '\0')
			learn_own_id(sync);
		sync->pass++;
		/* Whoever asked looks for the pass as soon as it has an answer. */
		peer_show(sync);
		answer_all(sync, order);
		pass_all(sync);
		next_ms = clock_mono_ms(clock_system()) + interval_ms;
	}
	return NULL;
}

/* ---- life ---- */

struct peer_sync *peer_start(const struct peer_params *params, struct engine *engine)
{
	struct peer_sync *sync = xcalloc(1, sizeof(*sync));

	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	sync->params = params;
	sync->engine = engine;
	for (size_t i = 0; i < params->peer_count; i++)
		add_node(sync, &params->peers[i], false);
	peer_show(sync);
	engine_open_room(engine, ENGINE_ROOM_PEERS);
	sync->thread = thread_start("sync/peer", run, sync);
	return sync;
}

void peer_stop(struct peer_sync *sync)
{
	if (sync == NULL)
		return;
	atomic_store(&sync->stopping, true);
	engine_wake_room(sync->engine, ENGINE_ROOM_PEERS);
	thread_join(sync->thread);
	free_nodes(sync);
	free(sync);
	curl_global_cleanup();
}
