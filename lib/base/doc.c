/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/doc.h"

#include <stdlib.h>
#include <string.h>

struct doc *doc_create(void)
{
	struct doc *root = xcalloc(1, sizeof(*root));

	root->kind = DOC_OBJECT;
	return root;
}

void doc_destroy(struct doc *root)
{
	if (root == NULL)
		return;
	for (struct doc *child = root->children, *next; child != NULL; child = next) {
		next = child->next;
		doc_destroy(child);
	}
	if (root->kind == DOC_TEXT)
		free(root->value.text);
	free(root->key);
	free(root);
}

static struct doc *add(struct doc *parent, const char *key, enum doc_kind kind)
{
	struct doc *child = xcalloc(1, sizeof(*child));

	CHECK(parent->kind == (key == NULL ? DOC_LIST : DOC_OBJECT));
	child->kind = kind;
	child->key = xstrdup(key);
	if (parent->last == NULL)
		parent->children = child;
	else
		parent->last->next = child;
	parent->last = child;
	return child;
}

struct doc *doc_object(struct doc *parent, const char *key)
{
	return add(parent, key, DOC_OBJECT);
}

struct doc *doc_list(struct doc *parent, const char *key)
{
	return add(parent, key, DOC_LIST);
}

void doc_bytes(struct doc *parent, const char *key, const char *text, size_t size)
{
	struct doc *child = add(parent, key, DOC_TEXT);

	child->value.text = xmemdup(text, size);
	child->text_size = size;
}

void doc_text(struct doc *parent, const char *key, const char *text)
{
	if (text == NULL)
		doc_null(parent, key);
	else
		doc_bytes(parent, key, text, strlen(text));
}

void doc_name(struct doc *parent, const char *key, const char *name)
{
	size_t size = name == NULL ? 0 : strlen(name);

	if (name == NULL)
		doc_null(parent, key);
	else
		doc_bytes(parent, key, name, size > 1 && name[size - 1] == '.' ? size - 1 : size);
}

void doc_bool(struct doc *parent, const char *key, bool value)
{
	add(parent, key, DOC_BOOL)->value.boolean = value;
}

void doc_int(struct doc *parent, const char *key, int64_t value)
{
	add(parent, key, DOC_INT)->value.number = value;
}

void doc_uint(struct doc *parent, const char *key, uint64_t value)
{
	add(parent, key, DOC_UINT)->value.count = value;
}

void doc_real(struct doc *parent, const char *key, double value)
{
	add(parent, key, DOC_REAL)->value.real = value;
}

void doc_time(struct doc *parent, const char *key, int64_t wall_us)
{
	add(parent, key, DOC_TIME)->value.number = wall_us;
}

void doc_null(struct doc *parent, const char *key)
{
	add(parent, key, DOC_NULL);
}

struct doc *doc_adopt(struct doc *object, const char *key, struct doc *value)
{
	struct doc *place = (struct doc *)(uintptr_t)doc_get(object, key);
	struct doc *old = NULL;

	if (place == NULL) {
		place = add(object, key, DOC_NULL);
	} else {
		old = xmalloc(sizeof(*old));
		*old = *place;
		old->key = NULL;
		old->next = NULL;
	}
	struct doc *next = place->next;
	char *name = place->key;
	*place = *value;
	place->key = name;
	place->next = next;
	free(value);
	return old;
}

static void copy_into(struct doc *to, const struct doc *from)
{
	to->kind = from->kind;
	to->value = from->value;
	to->text_size = from->text_size;
	if (from->kind == DOC_TEXT)
		to->value.text = xmemdup(from->value.text, from->text_size);
	for (const struct doc *child = from->children; child != NULL; child = child->next)
		copy_into(add(to, child->key, DOC_NULL), child);
}

struct doc *doc_copy(const struct doc *root)
{
	struct doc *copy = doc_create();

	copy_into(copy, root);
	return copy;
}

const struct doc *doc_get(const struct doc *object, const char *key)
{
	for (const struct doc *child = object->children; child != NULL; child = child->next) {
		if (child->key != NULL && strcmp(child->key, key) == 0)
			return child;
	}
	return NULL;
}
