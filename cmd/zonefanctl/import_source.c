/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "import_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "table.h"

enum { TRIES = 2 };

/* We write no stamps, and whose they are does not matter here. */
static const char nobody[BACKEND_STORE_ID_SIZE] = "00000000000000000000000000000000";

static void tell(UNUSED void *ctx, const char *backend, UNUSED const char *kind, UNUSED const char *zone, const char *text)
{
	fprintf(stderr, "zonefanctl: %s: %s\n", backend, text);
}

static void add(char ***list, size_t *count, const char *name)
{
	if ((*count & (*count - 1)) == 0)
		*list = xrealloc(*list, (*count == 0 ? 1 : *count * 2) * sizeof(**list));
	(*list)[(*count)++] = xstrdup(name);
}

static void take_name(struct import_source *source, const char *name)
{
	char canonical[ZONE_NAME_SIZE];

	if (zone_name_parse(name, strlen(name), canonical, NULL) == ERR_OK && strcmp(canonical, name) == 0)
		add(&source->names, &source->count, name);
	else
		add(&source->odd, &source->odd_count, name);
}

static void forget(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*count = 0;
}

static void forget_names(struct import_source *source)
{
	forget(&source->names, &source->count);
	forget(&source->odd, &source->odd_count);
}

static int list_names(struct import_source *source, struct err *err)
{
	struct backend_list list = { .most = BACKEND_LIST_MOST };

	do {
		if (source->backend->ops->list(source->backend, &list, err) != BACKEND_OK)
			return err->code;
		for (size_t i = 0; i < list.count; i++)
			take_name(source, list.names[i].name);
		list.after = list.next;
		backend_list_free(&list);
	} while (list.after != 0);
	return ERR_OK;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A table without its unique index may hold a name twice. */
static void sort_names(struct import_source *source)
{
	size_t kept = 0;

	if (source->count == 0)
		return;
	qsort(source->names, source->count, sizeof(*source->names), compare);
	for (size_t i = 1; i < source->count; i++) {
		if (strcmp(source->names[kept], source->names[i]) == 0)
			free(source->names[i]);
		else
			source->names[++kept] = source->names[i];
	}
	source->count = kept + 1;
}

void import_source_open(struct import_source *source, const struct engine_backend *from)
{
	struct backend_params params = { .name = from->name, .store_id = nobody, .settings = from->settings, .notice = tell };
	struct err err = { 0 };

	*source = (struct import_source){ .name = from->name };
	int ret = from->ops->create(&params, &source->backend, &err);
	/* Once more if it fails: zonefand may have just altered the tables. */
	for (int tries = 0; tries < TRIES && (tries == 0 || ret != ERR_OK) && source->backend != NULL; tries++) {
		forget_names(source);
		ret = list_names(source, &err);
	}
	source->readable = ret == ERR_OK;
	if (!source->readable)
		forget_names(source); /* half a list is none */
	memcpy(source->error, err.text, sizeof(source->error));
	sort_names(source);
}

int import_source_read(struct import_source *source, char *const *names, size_t count, size_t *done, struct err *err)
{
	backend_read_free(&source->read);
	source->read = (struct backend_read){ .zones = source->rows, .count = count };
	for (size_t i = 0; i < count; i++)
		source->rows[i] = (struct backend_rows){ .name = names[i] };
	for (int tries = 0; tries < TRIES; tries++) {
		if (source->backend->ops->read(source->backend, &source->read, err) == BACKEND_OK) {
			*done = source->read.done;
			return ERR_OK;
		}
	}
	source->read.count = 0;
	return err_prefix(err, "back end %s", source->name);
}

bool import_source_has(const struct import_source *source, const char *name)
{
	return source->count > 0 && bsearch(&name, source->names, source->count, sizeof(*source->names), compare) != NULL;
}

void import_source_close(struct import_source *source)
{
	backend_read_free(&source->read);
	if (source->backend != NULL)
		source->backend->ops->destroy(source->backend);
	forget_names(source);
	source->backend = NULL;
}

json_t *import_source_json(const struct import_source *source)
{
	json_t *json = json_object();

	json_object_set_new(json, "name", json_string(source->name));
	json_object_set_new(json, "zones", source->readable ? json_integer((json_int_t)source->count) : json_null());
	json_object_set_new(json, "differing", json_integer((json_int_t)source->differing));
	json_object_set_new(json, "missing", json_integer((json_int_t)source->missing));
	json_object_set_new(json, "alone", json_integer((json_int_t)source->alone));
	json_object_set_new(json, "error", source->readable ? json_null() : text_json(source->error));
	return json;
}
