/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of lib/zone share: reading samples, parsing what must parse,
 * and printing a zone back as zone text. Each test is one program, so these
 * are static.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "zone/zone.h"

#define SAMPLES ZONEFAN_SOURCE_DIR "/tests/data/zones"

UNUSED static void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		fail_msg("%s cannot be opened", path);
	buf_clear(out);
	for (;;) {
		buf_reserve(out, 65536);
		size_t got = fread(out->data + out->size, 1, 65536, file);
		out->size += got;
		out->data[out->size] = '\0';
		if (got == 0)
			break;
	}
	assert_int_equal(ferror(file), 0);
	fclose(file);
}

/* The zone of text, which must be right. plain has no final dot. */
UNUSED static struct zone *parse_size(const char *plain, const char *text, size_t size)
{
	char name[ZONE_NAME_SIZE];
	struct zone *zone = NULL;
	struct err err;

	if (zone_name_parse(plain, strlen(plain), name, &err) != 0)
		fail_msg("%s: %s", plain, err.text);
	if (zone_parse(name, text, size, 0, &zone, &err) != 0)
		fail_msg("%s: %s", plain, err.text);
	assert_string_equal(zone_name(zone), name);
	return zone;
}

UNUSED static struct zone *parse(const char *plain, const char *text)
{
	return parse_size(plain, text, strlen(text));
}

UNUSED static struct zone *parse_sample(const char *plain, const char *file)
{
	struct buf text = { 0 };
	char *path = xasprintf(SAMPLES "/%s", file);

	read_file(path, &text);
	free(path);
	struct zone *zone = parse_size(plain, text.data, text.size);
	buf_free(&text);
	return zone;
}

/* An owner as libzscanner takes it: punctuation behind a backslash, but for the few marks that it takes as they are. */
UNUSED static void print_owner(const char *owner, struct buf *out)
{
	if (strcmp(owner, "@") == 0) {
		buf_puts(out, owner);
		return;
	}
	for (const char *at = owner; *at != '\0'; at++) {
		bool escaped = *at == '\\';

		if (!escaped && (*at < 'a' || *at > 'z') && (*at < '0' || *at > '9') && strchr(".-_/*", *at) == NULL)
			buf_puts(out, "\\");
		buf_append(out, at, escaped ? 2 : 1);
		at += escaped;
	}
}

/* The records as zone text of their own, in the zone's order. */
UNUSED static void print_zone(const struct zone *zone, struct buf *out)
{
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	buf_clear(out);
	for (size_t i = 0; i < count; i++) {
		print_owner(records[i].owner, out);
		buf_printf(out, "\t%u\tIN\t%s\t%s\n", (unsigned int)records[i].ttl, records[i].type, records[i].data);
	}
}

/* What is printed must parse to the same zone, and everything must be printable 7-bit text without blanks at its ends. */
UNUSED static void assert_fixed_point(const struct zone *zone)
{
	struct buf once = { 0 };
	struct buf twice = { 0 };
	char plain[ZONE_NAME_SIZE];

	print_zone(zone, &once);
	struct zone *again = parse_size(zone_name_plain(zone_name(zone), plain), once.data, once.size);
	print_zone(again, &twice);
	assert_string_equal(once.data, twice.data);
	assert_true(zone_digest_equal(zone_digest(zone), zone_digest(again)));
	assert_int_equal(zone_serial(zone), zone_serial(again));
	assert_int_equal(zone_is_signed(zone), zone_is_signed(again));
	zone_unref(again);
	for (size_t i = 0; i < once.size; i++)
		if ((unsigned char)once.data[i] >= 0x7f || (once.data[i] < ' ' && strchr("\t\n", once.data[i]) == NULL))
			fail_msg("byte 0x%02x in canonical text", (unsigned char)once.data[i]);
	assert_null(strstr(once.data, " \n"));
	assert_null(strstr(once.data, "\t "));
	buf_free(&once);
	buf_free(&twice);
}

/* The n-th record of owner and type, or NULL. */
UNUSED static const struct zone_record *find_record(const struct zone *zone, const char *owner, const char *type,
	size_t n)
{
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(records[i].owner, owner) == 0 && strcmp(records[i].type, type) == 0 && n-- == 0)
			return &records[i];
	return NULL;
}

UNUSED static void assert_record(const struct zone *zone, const char *owner, const char *type, size_t n, uint32_t ttl,
	const char *data)
{
	const struct zone_record *record = find_record(zone, owner, type, n);

	if (record == NULL)
		fail_msg("no record %zu of %s %s", n, owner, type);
	assert_string_equal(record->data, data);
	assert_int_equal(record->ttl, ttl);
}
