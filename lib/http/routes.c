/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/routes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/form.h"

enum { LIST_MAX = 1000 };

struct route_param {
	const char *key;
	enum { PARAM_TEXT, PARAM_LIMIT, PARAM_NUMBER, PARAM_FLAG, PARAM_TIME } kind;
	size_t offset;   /* in struct engine_request */
	const char *what; /* of a segment: for people */
};

#define TEXT(key, member) { key, PARAM_TEXT, offsetof(struct engine_request, member), NULL }
#define NUMBER(key, member) { key, PARAM_NUMBER, offsetof(struct engine_request, member), NULL }
#define FLAG(key, member) { key, PARAM_FLAG, offsetof(struct engine_request, member), NULL }
#define TIME(key, member) { key, PARAM_TIME, offsetof(struct engine_request, member), NULL }
#define LIMIT { "limit", PARAM_LIMIT, offsetof(struct engine_request, limit), NULL }
#define END { NULL, PARAM_TEXT, 0, NULL }

/* ---- the table ---- */

static const struct route_param zone_segment = { "zone", PARAM_TEXT, offsetof(struct engine_request, zone),
	"the zone's name" };
static const struct route_param backend_segment = { "backend", PARAM_TEXT, offsetof(struct engine_request, backend),
	"the back end's name" };

static const struct route_param id_segment = { "id", PARAM_NUMBER, offsetof(struct engine_request, number),
	"the number" };

static const struct route_param page_params[] = { LIMIT, TEXT("after", after), END };
static const struct route_param number_params[] = { LIMIT, NUMBER("after", number), END };
static const struct route_param history_params[] = { LIMIT, NUMBER("before", before), END };
static const struct route_param diff_params[] = { NUMBER("from", number), NUMBER("to", other), END };
static const struct route_param version_params[] = { NUMBER("version", number), END };
static const struct route_param dead_params[] = { LIMIT, NUMBER("after", number), TEXT("zone", zone), TEXT("backend", backend),
	FLAG("all", all), END };
static const struct route_param dead_zone_params[] = { TEXT("backend", backend), END };
static const struct route_param backup_params[] = { TEXT("file", file), END };
static const struct route_param event_params[] = { LIMIT, NUMBER("before", before), NUMBER("after", number),
	TEXT("zone", zone), TEXT("kind", kind), END };
static const struct route_param retry_params[] = { TEXT("zone", zone), END };
static const struct route_param reconcile_params[] = { FLAG("dry_run", dry_run), END };
static const struct route_param plan_params[] = { TEXT("backend", backend), TEXT("after", after), TEXT("zone", zone), END };
static const struct route_param heal_stop_params[] = { TEXT("backend", backend), END };
static const struct route_param import_params[] = { TEXT("zone", zone), TEXT("hostname", hostname), TEXT("username", username),
	TIME("at", at_us), FLAG("dry_run", dry_run), END };
static const struct route_param heal_params[] = { TEXT("backend", backend), FLAG("dry_run", dry_run), END };

static const struct route_param peer_params[] = { LIMIT, TEXT("after", after), TEXT("domain", zone), NUMBER("v", number), END };

#define GET(where, asks, ...) { .method = GATE_GET, .path = where, .op = asks, .act = AUTH_LOOK, __VA_ARGS__ }
#define POST(where, asks, ...) { .method = GATE_POST, .path = where, .op = asks, .act = AUTH_CHANGE, __VA_ARGS__ }
#define EXCHANGE(where, asks, ...) { .method = GATE_GET, .path = where, .op = asks, .act = AUTH_EXCHANGE, __VA_ARGS__ }

static const struct route routes[] = {
	GET("/status", ENGINE_STATUS),
	GET("/metrics", ENGINE_STATUS),
	GET("/api/v1/zones", ENGINE_ZONES, .params = page_params),
	GET("/api/v1/zones/*", ENGINE_ZONE, .segment = &zone_segment),
	GET("/api/v1/rejected", ENGINE_REJECTED, .params = page_params),
	GET("/api/v1/rejected/*", ENGINE_REJECTED, .segment = &zone_segment),
	GET("/api/v1/events", ENGINE_EVENTS, .params = event_params),
	POST("/api/v1/retry", ENGINE_RETRY, .params = retry_params),
	GET("/api/v1/heal", ENGINE_HEALS),
	GET("/api/v1/plan", ENGINE_PLAN, .params = plan_params),
	POST("/api/v1/heal", ENGINE_HEAL, .params = heal_params),
	POST("/api/v1/heal/stop", ENGINE_HEAL_STOP, .params = heal_stop_params),
	POST("/api/v1/import", ENGINE_IMPORT, .params = import_params, .body = true),
	POST("/api/v1/backends/*/pause", ENGINE_PAUSE, .segment = &backend_segment),
	POST("/api/v1/backends/*/resume", ENGINE_RESUME, .segment = &backend_segment),
	GET("/api/v1/zones/*/history", ENGINE_HISTORY, .segment = &zone_segment, .params = history_params),
	GET("/api/v1/zones/*/diff", ENGINE_DIFF, .segment = &zone_segment, .params = diff_params),
	POST("/api/v1/zones/*/rollback", ENGINE_ROLLBACK, .segment = &zone_segment, .params = version_params),
	POST("/api/v1/zones/*/undelete", ENGINE_UNDELETE, .segment = &zone_segment),
	POST("/api/v1/zones/*/freeze", ENGINE_FREEZE, .segment = &zone_segment),
	POST("/api/v1/zones/*/thaw", ENGINE_THAW, .segment = &zone_segment),
	GET("/api/v1/backends/*", ENGINE_STRANGER, .segment = &backend_segment),
	POST("/api/v1/backends/*/retire", ENGINE_RETIRE, .segment = &backend_segment),
	GET("/api/v1/backup", ENGINE_BACKUP_STATE),
	POST("/api/v1/backup", ENGINE_BACKUP, .params = backup_params, .local = true),
	GET("/api/v1/dead", ENGINE_DEAD, .params = dead_params),
	POST("/api/v1/dead/replay", ENGINE_DEAD_REPLAY, .params = dead_params),
	POST("/api/v1/dead/drop", ENGINE_DEAD_DROP, .params = dead_params),
	GET("/api/v1/dead/*", ENGINE_DEAD_ZONE, .segment = &zone_segment, .params = dead_zone_params),
	GET("/api/v1/held", ENGINE_HELD, .params = number_params),
	GET("/api/v1/held/*", ENGINE_HELD_ONE, .segment = &id_segment),
	POST("/api/v1/held/*/approve", ENGINE_APPROVE, .segment = &id_segment),
	POST("/api/v1/held/*/discard", ENGINE_DISCARD, .segment = &id_segment),
	POST("/api/v1/peers/sync", ENGINE_SYNC_PEERS),
	EXCHANGE("/internal/zones", ENGINE_PEER_ZONES, .params = peer_params),
	EXCHANGE("/internal/peers", ENGINE_PEER_URLS),
	POST("/api/v1/reload", ENGINE_RELOAD),
	POST("/api/v1/reconcile", ENGINE_RECONCILE, .params = reconcile_params),
	GET("/api/v1/orphans", ENGINE_ORPHANS, .params = number_params),
};

/* ---- finding ---- */

/* Where "*" stands in the path. False: the path is another one. */
static bool matches(const char *pattern, const char *path, size_t size, size_t *at, size_t *segment_size)
{
	size_t head = strcspn(pattern, "*");
	size_t tail = pattern[head] == '\0' ? 0 : strlen(pattern + head + 1);

	if (pattern[head] == '\0')
		return size == head && memcmp(path, pattern, head) == 0;
	if (size <= head + tail || memcmp(path, pattern, head) != 0 ||
		memcmp(path + size - tail, pattern + head + 1, tail) != 0)
		return false;
	*at = head;
	*segment_size = size - head - tail;
	return memchr(path + head, '/', *segment_size) == NULL;
}

enum route_match route_find(enum gate_method method, const char *path, size_t size, const struct route **out)
{
	enum route_match found = ROUTE_NONE;
	size_t at, segment_size;

	for (size_t i = 0; i < ARRAY_SIZE(routes) && found != ROUTE_FOUND; i++) {
		if (!matches(routes[i].path, path, size, &at, &segment_size))
			continue;
		found = routes[i].method == method ? ROUTE_FOUND : ROUTE_METHOD;
		*out = &routes[i];
	}
	return found;
}

/* ---- filling ---- */

static int parse_number(const char *key, const char *text, int64_t most, int64_t *out, struct err *err)
{
	int64_t number = 0;

	for (const char *p = text; *p != '\0' && number <= most; p++)
		number = *p >= '0' && *p <= '9' && number < INT64_MAX / 16 ? number * 10 + (*p - '0') : INT64_MAX;
	if (number < 1 || number > most)
		return err_set(err, ERR_INVALID, "%s must be a number from 1 to %" PRId64, key, most);
	*out = number;
	return ERR_OK;
}

/* Empty: not known. */
static int fill_time(const struct route_param *param, const char *text, char *slot, struct err *err)
{
	int64_t wall_us = 0;

	if (text[0] != '\0' && !clock_parse(text, &wall_us))
		return err_set(err, ERR_INVALID, "%s must be a time like 2026-11-20T18:00:00Z", param->key);
	memcpy(slot, &wall_us, sizeof(wall_us));
	return ERR_OK;
}

static int fill(const struct route_param *param, const char *text, size_t size, struct engine_request *request,
	struct err *err)
{
	char *slot = (char *)request + param->offset;
	char *copy = size > 0 ? xstrdup(text) : NULL;
	bool flag = strcmp(text, "1") == 0;
	int64_t number = 0;
	size_t limit;

	switch (param->kind) {
	case PARAM_TEXT:
		memcpy(slot, &copy, sizeof(copy));
		return ERR_OK;
	case PARAM_FLAG:
		free(copy);
		memcpy(slot, &flag, sizeof(flag));
		return flag || size == 0 || strcmp(text, "0") == 0 ?
			ERR_OK : err_set(err, ERR_INVALID, "%s must be 0 or 1", param->key);
	default:
		break;
	}
	free(copy);
	if (param->kind == PARAM_TIME)
		return fill_time(param, text, slot, err);
	int ret = parse_number(param->key, text, param->kind == PARAM_LIMIT ? LIST_MAX : INT64_MAX / 16, &number, err);
	if (ret != ERR_OK)
		return ret;
	limit = (size_t)number;
	if (param->kind == PARAM_LIMIT)
		memcpy(slot, &limit, sizeof(limit));
	else
		memcpy(slot, &number, sizeof(number));
	return ERR_OK;
}

static int fill_segment(const struct route *route, const char *path, size_t size, struct engine_request *request,
	struct err *err)
{
	size_t at = 0, segment_size = 0;

	CHECK(matches(route->path, path, size, &at, &segment_size));
	char *text = form_decode_path(path + at, segment_size);
	if (text == NULL)
		return err_set(err, ERR_INVALID, "%s is badly encoded", route->segment->what);
	int ret = fill(route->segment, text, strlen(text), request, err);
	free(text);
	return ret;
}

static int fill_query(const struct route *route, const struct form *form, struct engine_request *request, struct err *err)
{
	for (const struct route_param *param = route->params; param != NULL && param->key != NULL; param++) {
		const struct form_field *field;
		int ret = form_get(form, param->key, &field, err);

		if (ret == ERR_OK && field != NULL)
			ret = fill(param, field->value, field->value_size, request, err);
		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

int route_fill(const struct route *route, const char *path, size_t size, const char *query,
	struct engine_request *request, struct err *err)
{
	struct form form = { 0 };
	int ret = route->segment == NULL ? ERR_OK : fill_segment(route, path, size, request, err);

	request->limit = LIST_MAX;
	if (ret == ERR_OK)
		ret = form_parse(&form, query, strlen(query), err);
	if (ret == ERR_OK)
		ret = fill_query(route, &form, request, err);
	form_free(&form);
	return ret;
}
