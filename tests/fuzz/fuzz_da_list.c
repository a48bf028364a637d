/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A master's replies: pages of its list, and zone texts. An own count of what the pages say, from the parsed JSON alone,
 * decides whether a list may be called complete (reliability.md 4.6).
 *
 * The input: the number of a content type, then bodies that end with 0x01, page after page.
 */
#include "fuzz.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sync/da_list.h"
#include "zone/zone.h"

static const char *const types[] = { "application/json", "text/plain; charset=utf-8", "text/html", NULL, "image/png" };

/* Numbered rows of a page that the list took. */
static size_t rows_of(const char *body, size_t size)
{
	json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL), *row;
	const char *key;
	size_t rows = 0;

	FUZZ_REQUIRE(json_is_object(root), "a page that is no JSON object is taken");
	FUZZ_REQUIRE(json_object_get(root, "error") == NULL, "a page that reports an error is taken");
	json_object_foreach(root, key, row) {
		if (*key != '\0' && strlen(key) <= 12 && strspn(key, "0123456789") == strlen(key)) {
			FUZZ_REQUIRE(json_is_string(json_object_get(row, "domain")), "a row without a domain is taken");
			rows++;
		}
	}
	json_decref(root);
	return rows;
}

static size_t require_names(const struct buf *names)
{
	char canonical[ZONE_NAME_SIZE];
	const char *name;
	size_t at = 0, count = 0;

	for (; (name = da_list_next(names, &at)) != NULL; count++)
		FUZZ_REQUIRE(zone_name_parse(name, strlen(name), canonical, NULL) == 0 && strcmp(name, canonical) == 0,
			"%s is no canonical name", name);
	return count;
}

static void require_complete(const struct da_list *list, size_t pages, size_t rows)
{
	FUZZ_REQUIRE(pages > 0 && list->pages == pages && list->pages_taken == pages, "%zu pages are called complete", pages);
	FUZZ_REQUIRE(list->rows == rows, "%zu rows are counted as %zu", rows, list->rows);
	FUZZ_REQUIRE(!list->total_told || list->total == rows, "%zu rows are not the total", rows);
	FUZZ_REQUIRE(require_names(&list->names) == list->count && list->count > 0, "the names are not as many as counted");
	FUZZ_REQUIRE(require_names(&list->foreign_names) == list->foreign, "the foreign names are not as many as counted");
	FUZZ_REQUIRE(list->count + list->foreign + list->ignored == rows, "rows got lost");
	FUZZ_REQUIRE(rows <= list->rows_each * pages && rows > list->rows_each * (pages - 1), "pages have odd sizes");
}

static void try_zone_text(const char *type, const char *body, size_t size)
{
	struct err err;
	int ret = da_judge_text(type, body, size, &err);

	FUZZ_REQUIRE(ret != 0 || (!da_is_page(type, body, size) && memmem(body, size, "SOA", 3) != NULL), "no zone is taken for one");
	FUZZ_REQUIRE(ret == 0 || ret == ERR_DENIED || ret == ERR_INVALID, "error %d", ret);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	const char *type = types[fuzz_byte(&input) % ARRAY_SIZE(types)];
	struct da_list list = { .count = 0 };
	size_t pages = 0, rows = 0;
	struct err err;
	int ret = 0;

	while (ret == 0 && input.left > 0) {
		const uint8_t *end = memchr(input.at, 1, input.left);
		size_t length = end == NULL ? input.left : (size_t)(end - input.at);
		const char *body = (const char *)fuzz_bytes(&input, length, &length);

		fuzz_byte(&input);
		try_zone_text(type, body, length);
		ret = da_list_add(&list, type, body, length, &err);
		rows += ret == 0 ? rows_of(body, length) : 0;
		pages += ret == 0;
	}
	if (ret == 0 && da_list_finish(&list, &err) == 0)
		require_complete(&list, pages, rows);
	da_list_free(&list);
}
