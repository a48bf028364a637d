/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/peer_form.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "zone/zone.h"

enum { ZONES_MOST = 1000000 };

static const int64_t latest_us = INT64_C(253402300799) * 1000000; /* the end of 9999 */

static json_t *load(const char *text, size_t size, size_t flags, json_error_t *error)
{
	return json_loadb(text, size, JSON_REJECT_DUPLICATES | flags, error);
}

static int refuse(const json_error_t *error, struct err *err)
{
	return err_set(err, ERR_INVALID, "its answer is no JSON: %s (byte %d)", error->text, error->position);
}

/* ---- values ---- */

int peer_form_stamp(const char *text, int64_t *out_us, struct err *err)
{
	struct tm tm = { 0 };
	int64_t micros = 0;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (rest == NULL)
		rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (rest != NULL && *rest == '.') {
		size_t digits = strspn(++rest, "0123456789");

		for (size_t i = 0; i < 6; i++)
			micros = micros * 10 + (i < digits ? rest[i] - '0' : 0);
		rest = digits == 0 || digits > 9 ? NULL : rest + digits;
	}
	if (rest == NULL || (*rest != '\0' && strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0))
		return err_set(err, ERR_INVALID, "%.40s is no time in UTC", text);
	*out_us = (int64_t)timegm(&tm) * 1000000 + micros;
	return *out_us > 0 && *out_us <= latest_us ? ERR_OK : err_set(err, ERR_INVALID, "%.40s is no time since 1970", text);
}

/* A text without NUL, or null where that is allowed. *out is the caller's. */
static int take_text(const json_t *object, const char *key, bool optional, char **out, struct err *err)
{
	const json_t *value = json_object_get(object, key);

	*out = NULL;
	if (optional && (value == NULL || json_is_null(value)))
		return ERR_OK;
	if (!json_is_string(value))
		return err_set(err, ERR_INVALID, "%s is no text", key);
	*out = xmemdup(json_string_value(value), json_string_length(value));
	return strlen(*out) == json_string_length(value) ? ERR_OK : err_set(err, ERR_INVALID, "%s has a NUL", key);
}

static int take_number(const json_t *object, const char *key, int64_t most, int64_t *out, struct err *err)
{
	const json_t *value = json_object_get(object, key);

	*out = json_integer_value(value);
	if (!json_is_integer(value) || *out < 0 || *out > most)
		return err_set(err, ERR_INVALID, "%s is no number from 0 to %lld", key, (long long)most);
	return ERR_OK;
}

static int take_version(const json_t *object, struct engine_peer_zone *out, struct err *err)
{
	const json_t *deleted = json_object_get(object, "deleted");
	int64_t records = 0, serial = 0;
	int ret = take_text(object, "vector", false, &out->vector, err);

	if (ret == ERR_OK)
		ret = take_text(object, "origin", false, &out->origin, err);
	if (ret == ERR_OK)
		ret = take_text(object, "digest", false, &out->digest, err);
	if (ret == ERR_OK)
		ret = take_number(object, "records", INT64_MAX, &records, err);
	if (ret == ERR_OK)
		ret = take_number(object, "serial", UINT32_MAX, &serial, err);
	if (ret == ERR_OK && !json_is_boolean(deleted))
		ret = err_set(err, ERR_INVALID, "deleted is neither true nor false");
	out->records = (uint64_t)records;
	out->serial = (uint32_t)serial;
	out->deleted = json_is_true(deleted);
	return ret;
}

static int take_zone(const json_t *object, bool versioned, struct engine_peer_zone *out, struct err *err)
{
	char *stamp = NULL;
	int ret = json_is_object(object) ? ERR_OK : err_set(err, ERR_INVALID, "a zone is no object");

	if (ret == ERR_OK)
		ret = take_text(object, "domain", false, &out->name, err);
	if (ret == ERR_OK)
		ret = take_text(object, "hostname", true, &out->hostname, err);
	if (ret == ERR_OK)
		ret = take_text(object, "username", true, &out->username, err);
	if (ret == ERR_OK)
		ret = take_text(object, "zone_updated_at", true, &stamp, err);
	if (ret == ERR_OK && stamp != NULL)
		ret = peer_form_stamp(stamp, &out->accepted_us, err);
	if (ret == ERR_OK && versioned)
		ret = take_version(object, out, err);
	free(stamp);
	if (ret != ERR_OK && out->name != NULL)
		err_prefix(err, "zone %.255s", out->name);
	return ret;
}

/* ---- answers ---- */

static int add_zone(const json_t *object, struct peer_form *form, struct err *err)
{
	struct engine_peer_zone zone = { .name = NULL };
	char name[ZONE_NAME_SIZE];
	struct err odd;
	int ret = take_zone(object, form->versioned, &zone, err);

	if (ret == ERR_OK && form->count == ZONES_MOST)
		ret = err_set(err, ERR_LIMIT, "its list has more than %d zones", ZONES_MOST);
	if (ret == ERR_OK && zone.name != NULL && zone_name_parse(zone.name, strlen(zone.name), name, &odd) == ERR_OK) {
		if (form->count == form->room) {
			form->room = form->room == 0 ? 64 : form->room * 2;
			form->zones = xrealloc(form->zones, form->room * sizeof(*form->zones));
		}
		form->zones[form->count++] = zone;
		return ERR_OK;
	}
	form->skipped++;
	engine_peer_zone_clear(&zone);
	return ret;
}

/* "now" and "store_id" of our own form. */
static int take_head(const json_t *root, struct peer_form *out, struct err *err)
{
	char *id = NULL;
	int ret = take_text(root, "store_id", false, &id, err);

	if (ret == ERR_OK && (id == NULL || strlen(id) != PEER_FORM_ID_SIZE - 1 || strspn(id, "0123456789abcdef") != strlen(id)))
		ret = err_set(err, ERR_INVALID, "store_id is none");
	if (ret == ERR_OK && id != NULL)
		memcpy(out->store_id, id, strlen(id) + 1);
	free(id);
	return ret == ERR_OK ? take_number(root, "now", latest_us, &out->now_us, err) : ret;
}

static int take_page(const json_t *root, struct peer_form *out, struct err *err)
{
	const json_t *zones = json_object_get(root, "zones"), *zone;
	size_t at;
	int ret = take_head(root, out, err);

	out->versioned = true;
	if (ret == ERR_OK && !json_is_array(zones))
		ret = err_set(err, ERR_INVALID, "its answer has no list of zones");
	if (ret == ERR_OK)
		ret = take_text(root, "next", true, &out->next, err);
	json_array_foreach(zones, at, zone) {
		if (ret == ERR_OK)
			ret = add_zone(zone, out, err);
	}
	return ret;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
		at++;
	return at;
}

/* A list without pages may be long: one zone of it is a tree in memory at a time. */
static int take_whole(const struct buf *body, struct peer_form *out, struct err *err)
{
	const char *end = body->data + body->size;
	const char *at = skip_blanks(skip_blanks(body->data, end) + 1, end);
	bool more = at < end && *at != ']';
	json_error_t error;
	int ret = ERR_OK;

	while (ret == ERR_OK && more) {
		json_t *zone = load(at, (size_t)(end - at), JSON_DISABLE_EOF_CHECK, &error);

		if (zone == NULL)
			return refuse(&error, err);
		ret = add_zone(zone, out, err);
		json_decref(zone);
		at = skip_blanks(at + error.position, end);
		more = at < end && *at == ',';
		at += more;
	}
	if (ret == ERR_OK && (at >= end || *at != ']' || skip_blanks(at + 1, end) != end))
		ret = err_set(err, ERR_INVALID, "its list of zones does not end");
	return ret;
}

int peer_form_list(const struct buf *body, struct peer_form *out, struct err *err)
{
	json_error_t error;

	*out = (struct peer_form){ .versioned = false };
	if (body->size == 0)
		return err_set(err, ERR_INVALID, "its answer is empty");
	if (*skip_blanks(body->data, body->data + body->size) == '[')
		return take_whole(body, out, err);
	json_t *root = load(body->data, body->size, 0, &error);
	if (root == NULL)
		return refuse(&error, err);
	int ret = json_is_object(root) ? take_page(root, out, err) : err_set(err, ERR_INVALID, "its answer is no list");
	json_decref(root);
	return ret;
}

static int take_single(const json_t *root, struct peer_form *out, struct err *err)
{
	const json_t *text = json_object_get(root, "zone_data");
	int ret = ERR_OK;

	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, "its answer is no object");
	out->versioned = json_object_get(root, "vector") != NULL;
	if (out->versioned)
		ret = take_head(root, out, err);
	if (ret == ERR_OK)
		ret = add_zone(root, out, err);
	if (ret == ERR_OK && out->count == 0)
		ret = err_set(err, ERR_INVALID, "no zone has such a name");
	if (ret == ERR_OK && !out->zones[0].deleted && !json_is_string(text))
		ret = err_set(err, ERR_INVALID, "zone_data is no text");
	if (ret == ERR_OK && !out->zones[0].deleted) {
		out->text_size = json_string_length(text);
		out->text = xmemdup(json_string_value(text), out->text_size);
	}
	return ret;
}

int peer_form_zone(const struct buf *body, struct peer_form *out, struct err *err)
{
	json_error_t error;

	*out = (struct peer_form){ .versioned = false };
	json_t *root = load(body->data == NULL ? "" : body->data, body->size, 0, &error);
	if (root == NULL)
		return refuse(&error, err);
	int ret = take_single(root, out, err);
	json_decref(root);
	return ret;
}

int peer_form_urls(const struct buf *body, void (*each)(void *ctx, const char *url), void *ctx, struct err *err)
{
	json_error_t error;
	const json_t *url;
	size_t at;

	json_t *root = load(body->data == NULL ? "" : body->data, body->size, 0, &error);
	if (root == NULL)
		return refuse(&error, err);
	json_array_foreach(root, at, url) {
		if (json_is_string(url) && strlen(json_string_value(url)) == json_string_length(url))
			each(ctx, json_string_value(url));
	}
	json_decref(root);
	return ERR_OK;
}

void peer_form_clear(struct peer_form *form)
{
	for (size_t i = 0; i < form->count; i++)
		engine_peer_zone_clear(&form->zones[i]);
	free(form->zones);
	free(form->next);
	free(form->text);
	*form = (struct peer_form){ .versioned = false };
}
