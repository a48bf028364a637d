/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/da_list.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/testing.h"
#include "zone/zone.h"

enum { PAGES_MOST = 1000000, SHOWN = 200 };

void da_list_free(struct da_list *list)
{
	buf_free(&list->names);
	buf_free(&list->foreign_names);
	strmap_free(&list->seen);
	*list = (struct da_list){ 0 };
}

/* ---- values ---- */

/* DA writes numbers as strings, or not. -1: it is none. */
static int64_t number_of(const json_t *value)
{
	const char *text = json_string_value(value);
	int64_t number = 0;

	if (json_is_integer(value))
		return json_integer_value(value) < 0 ? -1 : json_integer_value(value);
	if (text == NULL || text[0] == '\0' || strlen(text) > 12)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

static int64_t key_number(const char *key)
{
	int64_t number = 0;

	if (key[0] == '\0' || strlen(key) > 12)
		return -1;
	for (; *key != '\0'; key++) {
		if (*key < '0' || *key > '9')
			return -1;
		number = number * 10 + (*key - '0');
	}
	return number;
}

static const char *skip_blank(const char *body, size_t *size)
{
	while (*size > 0 && (*body == ' ' || *body == '\t' || *body == '\r' || *body == '\n')) {
		body++;
		(*size)--;
	}
	return body;
}

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

bool da_is_page(const char *content_type, const char *body, size_t size)
{
	body = skip_blank(body, &size);
	return (content_type != NULL && begins(content_type, "text/html") && (size == 0 || *body != '{')) ||
		(size > 0 && *body == '<');
}

static bool is_json_type(const char *content_type)
{
	return content_type == NULL || begins(content_type, "application/json") || begins(content_type, "text/json") ||
		begins(content_type, "text/plain");
}

/* ---- one page ---- */

struct page {
	int64_t first;   /* of the rows' numbers */
	int64_t last;
	size_t rows;
};

static int take_name(struct da_list *list, const char *domain, bool foreign, struct err *err)
{
	char name[ZONE_NAME_SIZE];

	if (zone_name_parse(domain, strlen(domain), name, NULL) != ERR_OK) {
		list->ignored++;
		return ERR_OK;
	}
	if (strmap_find(&list->seen, name, strlen(name)) != 0)
		return err_set(err, ERR_INVALID, "%s is listed twice", name);
	strmap_add(&list->seen, name, strlen(name), 1);
	if (foreign) {
		buf_append(&list->foreign_names, name, strlen(name) + 1);
		list->foreign++;
		return ERR_OK;
	}
	buf_append(&list->names, name, strlen(name) + 1);
	list->count++;
	return ERR_OK;
}

static int take_row(struct da_list *list, struct page *page, int64_t number, const json_t *row, struct err *err)
{
	const char *domain = json_string_value(json_object_get(row, "domain"));
	const char *local = json_string_value(json_object_get(row, "local_data"));

	if (domain == NULL)
		return err_set(err, ERR_INVALID, "row %" PRId64 " has no domain", number);
	if (page->rows == 0 || number < page->first)
		page->first = number;
	if (page->rows == 0 || number > page->last)
		page->last = number;
	page->rows++;
	return take_name(list, domain, local != NULL && strcasecmp(local, "no") == 0, err);
}

static int take_rows(struct da_list *list, const json_t *root, struct page *page, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)root, key, value) {
		int64_t number = key_number(key);
		int ret = number < 0 ? ERR_OK : take_row(list, page, number, value, err);

		if (ret != ERR_OK)
			return ret;
	}
	if (page->rows > 0 && page->last - page->first + 1 != (int64_t)page->rows)
		return err_set(err, ERR_INVALID, "rows %" PRId64 " to %" PRId64 " are only %zu rows", page->first, page->last,
			page->rows);
	return ERR_OK;
}

/* What the page tells of the whole list must be the same on all pages. */
static int take_info(struct da_list *list, const json_t *root, struct err *err)
{
	const json_t *info = json_object_get(root, "info");
	const json_t *current = json_object_get(info, "current_page");
	const json_t *rows = json_object_get(info, "rows");
	int64_t pages = number_of(json_object_get(info, "total_pages"));
	int64_t total = number_of(rows);

	if (!json_is_object(info))
		return err_set(err, ERR_INVALID, "there is no info");
	if (pages < 1 || pages > PAGES_MOST)
		return err_set(err, ERR_INVALID, "info tells no number of pages");
	if (current != NULL && number_of(current) != (int64_t)list->pages_taken + 1)
		return err_set(err, ERR_INVALID, "it is another page");
	if (rows != NULL && total < 0)
		return err_set(err, ERR_INVALID, "info.rows is no number");
	if (list->pages_taken == 0) {
		list->pages = (uint64_t)pages;
		list->total = rows == NULL ? 0 : (uint64_t)total;
		list->total_told = rows != NULL;
	} else if (list->pages != (uint64_t)pages) {
		return err_set(err, ERR_INVALID, "there were %" PRIu64 " pages, and are now %" PRId64, list->pages, pages);
	} else if (list->total_told != (rows != NULL) || (rows != NULL && list->total != (uint64_t)total)) {
		return err_set(err, ERR_INVALID, "the number of all rows changed");
	}
	return ERR_OK;
}

static int judge_size(struct da_list *list, const struct page *page, struct err *err)
{
	bool last = list->pages_taken + 1 == list->pages;

	if (page->rows == 0 && !PLANTED(delete_on_empty_list))
		return err_set(err, ERR_INVALID, "it is empty");
	if (list->pages_taken == 0)
		list->rows_each = page->rows;
	else if (last ? page->rows > list->rows_each : page->rows != list->rows_each)
		return err_set(err, ERR_INVALID, "it has %zu rows, the first one has %zu", page->rows, list->rows_each);
	return ERR_OK;
}

static int take_page(struct da_list *list, const json_t *root, struct err *err)
{
	struct page page = { 0 };

	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, "it is no object");
	if (json_object_get(root, "error") != NULL)
		return err_set(err, ERR_INVALID, "DirectAdmin reports an error");
	int ret = take_info(list, root, err);
	if (ret == ERR_OK)
		ret = take_rows(list, root, &page, err);
	if (ret == ERR_OK)
		ret = judge_size(list, &page, err);
	if (ret != ERR_OK)
		return ret;
	list->rows += page.rows;
	list->pages_taken++;
	return ERR_OK;
}

int da_list_add(struct da_list *list, const char *content_type, const char *body, size_t size, struct err *err)
{
	json_error_t trouble;
	int ret;

	if (da_is_page(content_type, body, size))
		return err_set(err, ERR_DENIED, "page %" PRIu64 " of the list is a web page, as for a login", list->pages_taken + 1);
	if (!is_json_type(content_type))
		return err_set(err, ERR_INVALID, "page %" PRIu64 " of the list is %.60s", list->pages_taken + 1, content_type);
	json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, &trouble);
	if (root == NULL)
		ret = err_set(err, ERR_INVALID, "it is no JSON: %s", trouble.text);
	else
		ret = take_page(list, root, err);
	json_decref(root);
	if (ret != ERR_OK)
		err_prefix(err, "page %" PRIu64 " of the list", list->pages_taken + 1);
	return ret;
}

/* ---- all pages ---- */

bool da_list_has_all_pages(const struct da_list *list)
{
	return list->pages_taken > 0 && list->pages_taken == list->pages;
}

int da_list_finish(const struct da_list *list, struct err *err)
{
	if (!da_list_has_all_pages(list))
		return err_set(err, ERR_INVALID, "the list has %" PRIu64 " pages of %" PRIu64, list->pages_taken, list->pages);
	if (list->total_told && list->total != list->rows)
		return err_set(err, ERR_INVALID, "the list has %zu rows of %" PRIu64, list->rows, list->total);
	if (list->count == 0 && !PLANTED(delete_on_empty_list))
		return err_set(err, ERR_INVALID, "the list has no zone of the master's own");
	return ERR_OK;
}

const char *da_list_next(const struct buf *names, size_t *at)
{
	if (*at == names->size)
		return NULL;
	const char *name = names->data + *at;
	*at += strlen(name) + 1;
	return name;
}

/* ---- a zone's text ---- */

int da_judge_text(const char *content_type, const char *body, size_t size, struct err *err)
{
	size_t left = size;
	const char *text = skip_blank(body, &left);

	if (da_is_page(content_type, body, size))
		return err_set(err, ERR_DENIED, "a web page, as for a login, instead of the zone");
	if (left >= 6 && memcmp(text, "error=", 6) == 0)
		return err_set(err, ERR_INVALID, "DirectAdmin reports: %.*s", (int)(left < SHOWN ? left : SHOWN), text);
	if (left < 3 || memmem(text, left, "SOA", 3) == NULL)
		return err_set(err, ERR_INVALID, "what the master gives has no SOA");
	return ERR_OK;
}
