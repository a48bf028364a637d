/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf.h"

#include <string.h>

#include "conf/build.h"
#include "conf/document.h"
#include "conf/sheet.h"
#include "conf/file.h"
#include "conf/overlay.h"

/* The predecessor's own place comes last: where both are installed, ours counts. */
static const char *const search_order[] = {
	"/etc/zonefan/app.yml",
	"./app.yml",
	"./config/app.yml",
	"/etc/directdnsonly/app.yml",
};

/* Only a file that is not there is passed over: one that cannot be read is an error. *path NULL: there is none. */
static int open_file(const char **path, struct file_text *text, struct err *err)
{
	if (*path != NULL)
		return file_read(*path, DOCUMENT_MAX_SIZE, text, err);
	for (size_t i = 0; i < ARRAY_SIZE(search_order); i++) {
		int ret = file_read(search_order[i], DOCUMENT_MAX_SIZE, text, err);

		if (ret == ERR_NOTFOUND)
			continue;
		*path = search_order[i];
		return ret;
	}
	return 0;
}

static int read_file(struct sheet *sheet, const char *path, struct err *err)
{
	struct file_text text = { 0 };
	struct document document = { 0 };
	int ret = open_file(&path, &text, err);

	if (ret != 0 || path == NULL)
		return ret;
	sheet->file = path;
	ret = document_read(text.data, text.size, path, &document, err);
	if (ret == 0)
		overlay_document(sheet, &document, text.world_readable);
	document_free(&document);
	file_free(&text);
	return ret;
}

static void give_notices(const struct sheet *sheet, struct buf *notices)
{
	if (notices == NULL)
		return;
	buf_append(notices, sheet->notices.data, sheet->notices.size);
	for (const char *line = sheet->more_faults.data; line != NULL && *line != '\0';) {
		size_t size = strcspn(line, "\n") + 1;

		buf_printf(notices, "fault: %.*s", (int)size, line);
		line += size;
	}
}

static int report_faults(const struct sheet *sheet, struct err *err)
{
	if (sheet->fault_count == 0)
		return 0;
	if (sheet->fault_count == 1)
		return err_set(err, ERR_INVALID, "%s", sheet->first_fault.data);
	return err_set(err, ERR_INVALID, "%s (and %zu more)", sheet->first_fault.data, sheet->fault_count - 1);
}

int conf_load(const char *path, char *const *environment, struct conf **out, struct buf *notices, struct err *err)
{
	struct sheet sheet;
	struct conf *conf = NULL;

	sheet_init(&sheet);
	int ret = read_file(&sheet, path, err);
	if (ret == 0) {
		overlay_environment(&sheet, environment);
		conf = build_conf(&sheet);
		give_notices(&sheet, notices);
		ret = report_faults(&sheet, err);
	}
	sheet_free(&sheet);
	if (ret == 0)
		*out = conf;
	else
		conf_destroy(conf);
	return ret;
}
