/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "file.h"

/* Reads one push at *at; 0 bytes left is the caller's affair. */
static int read_push(char **at, const char *end, struct plan_push *push, struct err *err)
{
	char *line_end = memchr(*at, '\n', (size_t)(end - *at));

	*push = (struct plan_push){ 0 };
	if (line_end == NULL)
		return err_set(err, ERR_INVALID, "ends within a push");
	*line_end = '\0';
	if (sscanf(*at, "%255s %zu %zu", push->name, &push->body_size, &push->sql_size) != 3)
		return err_set(err, ERR_INVALID, "not the head of a push: %s", *at);
	push->body = line_end + 1;
	if (push->body_size + push->sql_size > (size_t)(end - push->body))
		return err_set(err, ERR_INVALID, "%s is cut short", push->name);
	push->sql = push->body + push->body_size;
	*at = line_end + 1 + push->body_size + push->sql_size;
	return 0;
}

int plan_read(const char *path, struct plan *out, struct err *err)
{
	struct buf text = { 0 };
	size_t capacity = 0;

	*out = (struct plan){ 0 };
	if (file_read(path, &text, err) != 0)
		return err->code;

	size_t size = text.size;

	out->text = buf_take(&text);
	for (char *at = out->text; at < out->text + size;) {
		if (out->count == capacity) {
			capacity = capacity * 2 + 64;
			out->pushes = xrealloc(out->pushes, capacity * sizeof(out->pushes[0]));
		}
		if (read_push(&at, out->text + size, &out->pushes[out->count], err) != 0)
			return err_prefix(err, "%s", path);
		out->count++;
	}
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan->text);
	free(plan->pushes);
	*plan = (struct plan){ 0 };
}
