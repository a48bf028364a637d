/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/print.h"

#include <stdbool.h>
#include <string.h>

#include "zone/zone.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
		strchr(".-_/*", c) != NULL;
}

/* Canonical owners escape less than libzscanner wants; and "$" at the begin of a line makes a directive. */
static void print_owner(struct buf *out, const char *owner)
{
	bool escaped = false;

	if (strcmp(owner, "@") == 0) {
		buf_puts(out, owner);
		return;
	}
	for (const char *at = owner; *at != '\0'; at++) {
		if (!escaped && *at != '\\' && !is_plain(*at))
			buf_puts(out, "\\");
		buf_append(out, at, 1);
		escaped = *at == '\\' && !escaped;
	}
}

void print_line(struct buf *out, const char *owner, const char *ttl, const char *type, const char *data)
{
	print_owner(out, owner);
	buf_printf(out, "\t%s\tIN\t%s\t%s\n", ttl, type, data);
}

static void print_record(struct buf *out, const struct zone_record *record)
{
	struct buf ttl = { 0 };

	buf_uint(&ttl, record->ttl);
	print_line(out, record->owner, ttl.data, record->type, record->data);
	buf_free(&ttl);
}

static bool is_soa(const struct zone_record *record)
{
	return strcmp(record->type, "SOA") == 0;
}

void zone_print(const struct zone *zone, struct buf *out)
{
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	for (size_t i = 0; i < count; i++) {
		if (is_soa(&records[i]))
			print_record(out, &records[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_soa(&records[i]))
			print_record(out, &records[i]);
	}
}
