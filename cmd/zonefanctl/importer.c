/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "importer.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "wire_engine.h"

enum { STOP_MS = 60000 };

struct importer {
	const struct client *client;
	struct engine *engine; /* NULL: by the API */
	bool dry_run;
};

/* ---- by the API ---- */

static void add_param(struct buf *path, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	char *encoded = client_encode(value);
	buf_printf(path, "&%s=%s", key, encoded);
	free(encoded);
}

static void take_words(struct import_outcome *out, const char *result, const char *reason)
{
	snprintf(out->result, sizeof(out->result), "%s", result == NULL ? "" : result);
	snprintf(out->reason, sizeof(out->reason), "%s", reason == NULL ? "" : reason);
}

static int post(const struct importer *importer, const struct import_zone *zone, struct import_outcome *out,
	struct err *err)
{
	struct buf path = { 0 };
	char at[CLOCK_TEXT_SIZE];
	json_t *answer;

	buf_printf(&path, "/api/v1/import?dry_run=%d", importer->dry_run ? 1 : 0);
	add_param(&path, "zone", zone->name);
	add_param(&path, "hostname", zone->hostname);
	add_param(&path, "username", zone->username);
	add_param(&path, "at", zone->at_us == 0 ? NULL : clock_text(zone->at_us, at));
	int ret = client_post_text(importer->client, path.data, zone->text == NULL ? "" : zone->text, zone->text_size, &answer,
		err);
	buf_free(&path);
	if (ret == ERR_OK) {
		take_words(out, json_string_value(json_object_get(answer, "result")),
			json_string_value(json_object_get(answer, "reason")));
		json_decref(answer);
	} else if (ret == ERR_INVALID) {
		take_words(out, "refused", err->text); /* this one is too large, say: no reason to end here */
		ret = ERR_OK;
	}
	return ret;
}

/* ---- with an engine of our own ---- */

static int copy_settings(const struct conf *conf, struct engine_params *out, struct wire_engine *wire, struct err *err)
{
	int ret = wire_engine_create(conf, wire, err);

	if (ret != ERR_OK)
		return ret;
	*out = wire->params;
	/* Nothing is delivered from here: at its start zonefand finds what is due. */
	out->backends = NULL;
	out->backend_count = 0;
	out->healing_enabled = false;
	return ERR_OK;
}

/* Files that we made in another user's store would keep its owner out. */
static int check_owner(const char *store_path, struct err *err)
{
	char *copy = xstrdup(store_path);
	const char *where = access(store_path, F_OK) == 0 ? store_path : dirname(copy);
	struct stat st;
	int ret = ERR_OK;

	if (stat(where, &st) != 0)
		ret = err_set(err, ERR_IO, "%s: %s", where, strerror(errno));
	else if (st.st_uid != geteuid())
		ret = err_set(err, ERR_DENIED, "zonefand does not run, and %s is another user's: start zonefand, or run this as user %u",
			where, (unsigned)st.st_uid);
	free(copy);
	return ret;
}

static int start_engine(const struct conf *conf, struct engine **out, struct err *err)
{
	struct engine_params params;
	struct wire_engine wire;
	int ret = check_owner(conf->store_path, err);

	if (ret == ERR_OK)
		ret = copy_settings(conf, &params, &wire, err);
	if (ret != ERR_OK)
		return ret;
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false); /* what came of it is in the report */
	ret = engine_start(&params, out, err);
	wire_engine_clear(&wire);
	return ret;
}

/* What the loop would be told of names: nobody here wants to know, but the queue must not fill up. */
static void drop_messages(struct engine *engine)
{
	enum { AT_ONCE = 64 };
	struct engine_message *messages[AT_ONCE];
	size_t count;

	while ((count = engine_take(engine, messages, AT_ONCE)) > 0) {
		for (size_t i = 0; i < count; i++)
			engine_message_destroy(messages[i]);
	}
}

static char *copy_bytes(const char *data, size_t size)
{
	char *copy = xmalloc(size + 1);

	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

static struct engine_request *request_of(const struct importer *importer, const struct import_zone *zone)
{
	struct engine_request *request = engine_request_create(ENGINE_IMPORT, 0);

	request->zone = xstrdup(zone->name);
	request->hostname = xstrdup(zone->hostname);
	request->username = xstrdup(zone->username);
	request->source = xstrdup("zonefanctl");
	request->actor = xasprintf("user %u", (unsigned)getuid());
	request->text = copy_bytes(zone->text, zone->text_size);
	request->text_size = zone->text_size;
	request->at_us = zone->at_us;
	request->dry_run = importer->dry_run;
	return request;
}

static const char *text_of(const struct doc *doc, const char *key)
{
	const struct doc *value = doc_get(doc, key);

	return value == NULL || value->kind != DOC_TEXT ? NULL : value->value.text;
}

static int ask(const struct importer *importer, const struct import_zone *zone, struct import_outcome *out,
	struct err *err)
{
	struct engine_message *message;
	int ret = engine_ask(importer->engine, request_of(importer, zone), &message);

	drop_messages(importer->engine);
	if (ret != ERR_OK)
		return err_set(err, (enum err_code)ret, "the store can't be used any more");
	ret = message->err.code;
	if (ret == ERR_OK)
		take_words(out, text_of(message->doc, "result"), text_of(message->doc, "reason"));
	else
		*err = message->err;
	engine_message_destroy(message);
	return ret;
}

/* ---- which of them ---- */

static int find_zonefand(const struct client *client, struct err *err)
{
	json_t *answer;

	if (client->url == NULL && client->socket_path[0] == '\0')
		return ERR_CLOSED;
	int ret = client_get(client, "/api/v1/heal", &answer, err);
	if (ret == ERR_OK)
		json_decref(answer);
	return ret;
}

int importer_open(const struct call *call, struct importer **out, struct err *err)
{
	struct importer importer = { .client = call->client, .dry_run = call_has(call, OPTION_DRY_RUN) };
	int ret = find_zonefand(call->client, err);

	if (ret == ERR_CLOSED && call->conf != NULL)
		ret = start_engine(call->conf, &importer.engine, err);
	if (ret != ERR_OK)
		return ret;
	*out = xmalloc(sizeof(importer));
	**out = importer;
	return ERR_OK;
}

int importer_submit(struct importer *importer, const struct import_zone *zone, struct import_outcome *out, struct err *err)
{
	return importer->engine == NULL ? post(importer, zone, out, err) : ask(importer, zone, out, err);
}

void importer_close(struct importer *importer)
{
	if (importer == NULL)
		return;
	if (importer->engine != NULL) {
		engine_stop(importer->engine, STOP_MS);
		engine_destroy(importer->engine);
	}
	free(importer);
}
