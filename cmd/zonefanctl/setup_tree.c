/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup_tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/keys.h"

static bool is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool is_utf8(const char *text)
{
	json_t *json = json_string(text);
	bool good = json != NULL;

	json_decref(json);
	return good;
}

/* ---- keys ---- */

static const char backends[] = "dns.backends"; /* their names are free: one that is a number is no place in a list */

/* "app.users.1.name" -> "app.users[].name", "dns.backends.dc1.host" -> "dns.backends.*.host". */
static char *row_path(const char *key)
{
	struct buf path = { 0 };
	char *copy = xstrdup(key);
	char *rest = copy;
	char *part;

	while ((part = strsep(&rest, ".")) != NULL) {
		if (path.size > 0 && strcmp(path.data, backends) == 0)
			buf_puts(&path, ".*");
		else if (path.size > 0 && is_number(part))
			buf_puts(&path, "[]");
		else
			buf_printf(&path, "%s%s", path.size == 0 ? "" : ".", part);
	}
	free(copy);
	return buf_take(&path);
}

const struct key *setup_tree_row(const char *key)
{
	char *path = row_path(key);
	const struct key *row = NULL;

	for (size_t i = 0; i < keys_count && row == NULL; i++) {
		if (strcmp(keys_table[i].path, path) == 0)
			row = &keys_table[i];
	}
	free(path);
	return row;
}

/* The object that a key's last part stands in, and that part; make: what lacks on the way there is made. NULL: there is none. */
static json_t *find_object(const json_t *tree, const char *key, bool make, const char **last)
{
	json_t *at = (json_t *)(uintptr_t)tree;
	char *copy = xstrdup(key);
	char *rest = copy;
	char *part = strsep(&rest, ".");

	for (; at != NULL && rest != NULL; part = strsep(&rest, ".")) {
		json_t *next = json_object_get(at, part);

		if (next == NULL && make && *part != '\0') {
			next = json_object();
			CHECK(json_object_set_new(at, part, next) == 0);
		}
		at = json_is_object(next) ? next : NULL;
	}
	*last = key + (part - copy);
	free(copy);
	return at;
}

int setup_tree_set(json_t *tree, const char *key, const char *value, struct err *err)
{
	const char *last;
	json_t *object;

	if (!is_utf8(key))
		return err_set(err, ERR_INVALID, "%s: the key is no UTF-8", key);
	object = find_object(tree, key, true, &last);
	if (object == NULL || *last == '\0' || json_is_object(json_object_get(object, last)))
		return err_set(err, ERR_INVALID, "%s: no key of app.yml is like that", key);
	if (json_object_set_new(object, last, json_string(value)) != 0)
		return err_set(err, ERR_INVALID, "%s: the value is no UTF-8", key);
	return ERR_OK;
}

json_t *setup_tree_below(const json_t *tree, const char *key)
{
	const char *last;
	const json_t *object = find_object(tree, key, false, &last);

	return object == NULL ? NULL : json_object_get(object, last);
}

const char *setup_tree_get(const json_t *tree, const char *key)
{
	return json_string_value(setup_tree_below(tree, key));
}

void setup_tree_remove(json_t *tree, const char *key)
{
	const char *last;
	json_t *object = find_object(tree, key, false, &last);

	json_object_del(object, last);
}

static void walk(const json_t *object, const char *above, void (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		char *key = xasprintf("%s%s%s", above, *above == '\0' ? "" : ".", name);

		if (json_is_object(value))
			walk(value, key, each, ctx);
		else
			each(ctx, key, json_string_value(value));
		free(key);
	}
}

void setup_tree_walk(const json_t *tree, void (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	walk(tree, "", each, ctx);
}

/* ---- text ---- */

/* What YAML takes for nothing, or for more than a text, is quoted; JSON's strings are YAML's. */
static void put_text(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";

	if (*text != '\0' && *text != '-' && *text != '.' && text[strspn(text, plain)] == '\0' && strcasecmp(text, "null") != 0) {
		buf_puts(out, text);
		return;
	}
	json_t *string = json_string(text);
	char *quoted = json_dumps(string, JSON_ENCODE_ANY);
	buf_puts(out, quoted);
	free(quoted);
	json_decref(string);
}

/* "a,b" of a key that is a list -> [a, b]. */
static void put_list(struct buf *out, const char *text)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	char *part;

	buf_puts(out, "[");
	for (bool first = true; (part = strsep(&rest, ",")) != NULL; first = false) {
		buf_puts(out, first ? "" : ", ");
		put_text(out, part);
	}
	buf_puts(out, "]");
	free(copy);
}

static void put_value(struct buf *out, const char *key, const char *text)
{
	const struct key *row = setup_tree_row(key);

	buf_puts(out, " ");
	if (row != NULL && keys_is_list(row))
		put_list(out, text);
	else
		put_text(out, text);
	buf_puts(out, "\n");
}

static bool is_list(const json_t *object, const char *key)
{
	void *first = json_object_iter((json_t *)(uintptr_t)object);

	return first != NULL && strcmp(key, backends) != 0 && is_number(json_object_iter_key(first));
}

/* element: of a list, its first line begins with a dash. */
static void put_object(struct buf *out, const json_t *object, const char *above, int indent, bool element)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		char *key = xasprintf("%s%s%s", above, *above == '\0' ? "" : ".", name);
		bool dash = element && value == json_object_iter_value(json_object_iter((json_t *)(uintptr_t)object));

		if (is_list(object, above)) {
			put_object(out, value, key, indent, true);
		} else {
			buf_printf(out, "%*s%s", dash ? indent - 2 : indent, "", dash ? "- " : "");
			put_text(out, name);
			buf_puts(out, ":");
			if (json_is_object(value)) {
				buf_puts(out, "\n");
				put_object(out, value, key, is_list(value, key) ? indent + 4 : indent + 2, false);
			} else {
				put_value(out, key, json_string_value(value));
			}
		}
		free(key);
	}
}

void setup_tree_print(const json_t *tree, struct buf *out)
{
	put_object(out, tree, "", 0, false);
}
