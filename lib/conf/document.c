/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/document.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/buf.h"

/* The deepest thing we know is dns.backends.<name>.<key>; the limit bounds our recursion. */
enum { DEPTH_LIMIT = 8 };

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one in hand */
	const char *file;
	const char *text;
	size_t size;
	struct document *document;
	struct buf path;
	unsigned depth;
	struct err *err;
};

struct seen_key {
	char *name;
	int line;
};

static int read_node(struct reader *reader, int line);

static int event_line(const struct reader *reader)
{
	return (int)reader->event.start_mark.line + 1;
}

static int refuse(const struct reader *reader, int line, const char *what)
{
	return err_set(reader->err, ERR_INVALID, "%s:%d: %s", reader->file, line, what);
}

/* libyaml copies scalars into the event: among them are passwords. */
static void drop_event(struct reader *reader)
{
	if (reader->event.type == YAML_SCALAR_EVENT && reader->event.data.scalar.value != NULL)
		explicit_bzero(reader->event.data.scalar.value, reader->event.data.scalar.length);
	yaml_event_delete(&reader->event);
}

static int line_of_offset(const struct reader *reader, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset && i < reader->size; i++)
		line += reader->text[i] == '\n';
	return line;
}

static bool indented_by_tab(const struct reader *reader, int line)
{
	const char *at = reader->text;
	const char *end = reader->text + reader->size;

	for (int i = 1; i < line && at != NULL; i++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at == NULL ? NULL : at + 1;
	}
	while (at != NULL && at < end && *at == ' ')
		at++;
	return at != NULL && at < end && *at == '\t';
}

static int syntax_error(const struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "unreadable";
	int line = (int)parser->problem_mark.line + 1;

	if (parser->error == YAML_READER_ERROR)
		line = line_of_offset(reader, parser->problem_offset);
	if (indented_by_tab(reader, line))
		problem = "a tab indents this line, YAML wants blanks";
	return err_set(reader->err, ERR_INVALID, "%s:%d: YAML syntax: %s", reader->file, line, problem);
}

static int next_event(struct reader *reader)
{
	drop_event(reader);
	if (!yaml_parser_parse(&reader->parser, &reader->event)) {
		reader->event.type = YAML_NO_EVENT;
		return syntax_error(reader);
	}
	return 0;
}

static char *shown_path(const struct buf *path)
{
	struct buf shown = { 0 };

	for (size_t i = 0; i < path->size; i++) {
		if (path->data[i] == DOCUMENT_SEPARATOR)
			buf_puts(&shown, ".");
		else if (path->data[i] == DOCUMENT_ELEMENT)
			buf_puts(&shown, "[]");
		else
			buf_append(&shown, &path->data[i], 1);
	}
	return buf_take(&shown);
}

static struct document_node *add_node(struct reader *reader, enum document_kind kind, int line)
{
	struct document *document = reader->document;

	/* Doubled whenever the count is a power of two. */
	if ((document->count & (document->count - 1)) == 0) {
		size_t capacity = document->count == 0 ? 1 : document->count * 2;
		document->nodes = xrealloc(document->nodes, capacity * sizeof(*document->nodes));
	}
	struct document_node *node = &document->nodes[document->count++];
	*node = (struct document_node){
		.path = xmemdup(reader->path.data, reader->path.size),
		.shown = shown_path(&reader->path),
		.line = line,
		.kind = kind,
	};
	return node;
}

static bool is_null(const yaml_event_t *event)
{
	static const char *const names[] = { "", "~", "null", "Null", "NULL" };

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp((const char *)event->data.scalar.value, names[i]) == 0)
			return true;
	}
	return false;
}

static int read_scalar(struct reader *reader, int line)
{
	const yaml_event_t *event = &reader->event;
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (memchr(value, '\0', length) != NULL)
		return refuse(reader, event_line(reader), "the value contains a NUL byte");
	struct document_node *node = add_node(reader, DOCUMENT_SCALAR, line);
	node->null = is_null(event);
	node->value = node->null ? xstrdup("") : xmemdup(value, length);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct seen_key *left = a;
	const struct seen_key *right = b;
	int order = strcmp(left->name, right->name);

	return order != 0 ? order : left->line - right->line;
}

/* Reports the doubled key that comes first in the file. */
static int refuse_doubled(const struct reader *reader, struct seen_key *keys, size_t count)
{
	const struct seen_key *first = NULL;
	int before = 0;

	if (count > 1)
		qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(keys[i - 1].name, keys[i].name) == 0 && (first == NULL || keys[i].line < first->line)) {
			first = &keys[i];
			before = keys[i - 1].line;
		}
	}
	if (first == NULL)
		return 0;
	char *parent = shown_path(&reader->path);
	int ret = err_set(reader->err, ERR_INVALID, "%s:%d: %s%s%s: given twice, first in line %d", reader->file,
		first->line, parent, *parent == '\0' ? "" : ".", first->name, before);
	free(parent);
	return ret;
}

static bool has_control(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return true;
	}
	return false;
}

/* Appends the key in hand to the path and to keys. */
static int enter_key(struct reader *reader, struct seen_key **keys, size_t *count)
{
	const yaml_event_t *event = &reader->event;

	if (event->type != YAML_SCALAR_EVENT)
		return refuse(reader, event_line(reader), "a key must be a plain word");
	if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
		return refuse(reader, event_line(reader), "anchors, aliases and tags are not accepted");
	const char *name = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	if (length == 0 || has_control(name, length))
		return refuse(reader, event_line(reader), "a key is empty or contains a control character");
	if ((*count & (*count - 1)) == 0)
		*keys = xrealloc(*keys, (*count == 0 ? 1 : *count * 2) * sizeof(**keys));
	(*keys)[(*count)++] = (struct seen_key){ xmemdup(name, length), event_line(reader) };
	if (reader->path.size > 0)
		buf_append(&reader->path, &(char){ DOCUMENT_SEPARATOR }, 1);
	buf_append(&reader->path, name, length);
	return 0;
}

static void cut_path(struct reader *reader, size_t size)
{
	reader->path.size = size;
	if (reader->path.data != NULL)
		reader->path.data[size] = '\0';
}

static int read_pairs(struct reader *reader, struct seen_key **keys, size_t *count)
{
	size_t parent = reader->path.size;

	for (;;) {
		int ret = next_event(reader);
		if (ret != 0 || reader->event.type == YAML_MAPPING_END_EVENT)
			return ret;
		int line = event_line(reader);
		ret = enter_key(reader, keys, count);
		if (ret == 0)
			ret = next_event(reader);
		if (ret == 0)
			ret = read_node(reader, line);
		cut_path(reader, parent);
		if (ret != 0)
			return ret;
	}
}

static int read_map(struct reader *reader)
{
	struct seen_key *keys = NULL;
	size_t count = 0;
	int ret = read_pairs(reader, &keys, &count);

	if (ret == 0)
		ret = refuse_doubled(reader, keys, count);
	for (size_t i = 0; i < count; i++)
		free(keys[i].name);
	free(keys);
	return ret;
}

static int read_list(struct reader *reader)
{
	size_t parent = reader->path.size;

	buf_append(&reader->path, &(char){ DOCUMENT_ELEMENT }, 1);
	for (;;) {
		int ret = next_event(reader);
		if (ret == 0 && reader->event.type == YAML_SEQUENCE_END_EVENT) {
			cut_path(reader, parent);
			return 0;
		}
		if (ret == 0)
			ret = read_node(reader, event_line(reader));
		if (ret != 0)
			return ret;
	}
}

static bool is_decorated(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
	default:
		return false;
	}
}

/* The event in hand begins a node; its last event is in hand afterwards. line is the key's. */
static int read_node(struct reader *reader, int line)
{
	int ret = 0;

	if (is_decorated(&reader->event))
		return refuse(reader, event_line(reader), "anchors, aliases and tags are not accepted");
	if (reader->document->count == DOCUMENT_MAX_NODES)
		return refuse(reader, event_line(reader), "more than 100000 values");
	if (reader->event.type == YAML_SCALAR_EVENT)
		return read_scalar(reader, line);
	if (++reader->depth > DEPTH_LIMIT)
		return refuse(reader, event_line(reader), "nested too deeply");
	bool map = reader->event.type == YAML_MAPPING_START_EVENT;
	add_node(reader, map ? DOCUMENT_MAP : DOCUMENT_LIST, line)->value = xstrdup("");
	ret = map ? read_map(reader) : read_list(reader);
	reader->depth--;
	return ret;
}

static int read_root(struct reader *reader)
{
	int ret = next_event(reader);

	if (ret != 0)
		return ret;
	if (is_decorated(&reader->event))
		return refuse(reader, event_line(reader), "anchors, aliases and tags are not accepted");
	if (reader->event.type == YAML_SCALAR_EVENT && is_null(&reader->event))
		return refuse(reader, event_line(reader), "the document is empty");
	if (reader->event.type != YAML_MAPPING_START_EVENT)
		return refuse(reader, event_line(reader), "the document is not a mapping of keys to values");
	return read_map(reader);
}

static int read_stream(struct reader *reader)
{
	int ret = next_event(reader); /* start of stream */

	if (ret == 0)
		ret = next_event(reader);
	if (ret == 0 && reader->event.type == YAML_STREAM_END_EVENT)
		return refuse(reader, 1, "the file is empty");
	if (ret == 0)
		ret = read_root(reader);
	if (ret == 0)
		ret = next_event(reader); /* end of document */
	if (ret == 0)
		ret = next_event(reader);
	if (ret == 0 && reader->event.type != YAML_STREAM_END_EVENT)
		return refuse(reader, event_line(reader), "a second document begins here");
	return ret;
}

int document_read(const char *text, size_t size, const char *file, struct document *out, struct err *err)
{
	struct document document = { 0 };
	struct reader reader = { .file = file, .text = text, .size = size, .document = &document, .err = err };

	if (size > DOCUMENT_MAX_SIZE)
		return err_set(err, ERR_LIMIT, "%s: larger than %d bytes", file, DOCUMENT_MAX_SIZE);
	CHECK(yaml_parser_initialize(&reader.parser));
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
	int ret = read_stream(&reader);
	drop_event(&reader);
	/* Its working copy of the text, secrets included. */
	explicit_bzero(reader.parser.buffer.start, (size_t)(reader.parser.buffer.end - reader.parser.buffer.start));
	explicit_bzero(reader.parser.raw_buffer.start,
		(size_t)(reader.parser.raw_buffer.end - reader.parser.raw_buffer.start));
	yaml_parser_delete(&reader.parser);
	buf_free(&reader.path);
	if (ret != 0)
		document_free(&document);
	else
		*out = document;
	return ret;
}

void document_free(struct document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		struct document_node *node = &document->nodes[i];

		explicit_bzero(node->value, strlen(node->value));
		free(node->value);
		free(node->shown);
		free(node->path);
	}
	free(document->nodes);
	*document = (struct document){ 0 };
}
