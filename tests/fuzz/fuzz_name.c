/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names and record data: zone names by the length rules of RFC 1035, owners and data from wire form to text and back,
 * character strings of TXT, and rows that stood in a database. The first byte of an input chooses which.
 */
#include "fuzz.h"

#include <libknot/libknot.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>

#include "zone/print.h"
#include "zone/record.h"
#include "zone/rows.h"

#define ZONE "example.com."

enum { ROWS_MOST = 16 };

/* ---- zone names ---- */

static void require_length_rules(const char *name)
{
	size_t size = strlen(name);

	FUZZ_REQUIRE(size >= 2 && size <= 254 && name[size - 1] == '.', "%s is accepted", name);
	for (const char *label = name; *label != '\0'; label += strcspn(label, ".") + 1)
		FUZZ_REQUIRE(strcspn(label, ".") >= 1 && strcspn(label, ".") <= 63, "a label of %s", name);
}

static void try_zone_name(const uint8_t *data, size_t size)
{
	char name[ZONE_NAME_SIZE], plain[ZONE_NAME_SIZE], again[ZONE_NAME_SIZE];
	uint8_t wire[RECORD_WIRE_NAME_SIZE];
	struct err err;

	if (zone_name_parse((const char *)data, size, name, &err) != 0)
		return;
	require_length_rules(name);
	FUZZ_REQUIRE(knot_dname_from_str(wire, name, sizeof(wire)) != NULL, "%s is no name to libknot", name);
	zone_name_plain(name, plain);
	FUZZ_REQUIRE(zone_name_parse(plain, strlen(plain), again, &err) == 0 && strcmp(name, again) == 0, "%s became %s", name,
		again);
}

/* ---- wire form and back ---- */

/* Scans one line; true: a record. */
static bool scan_line(zs_scanner_t *scanner, const struct buf *line)
{
	CHECK(zs_init(scanner, ZONE, KNOT_CLASS_IN, 3600) == 0);
	CHECK(zs_set_input_string(scanner, line->data, line->size) == 0);
	return zs_parse_record(scanner) == 0 && scanner->state == ZS_STATE_DATA;
}

static void require_owner_round_trip(uint8_t *wire, size_t size, const char *text)
{
	struct buf line = { 0 };
	zs_scanner_t scanner;

	print_line(&line, text, "1", "A", "192.0.2.1");
	FUZZ_REQUIRE(scan_line(&scanner, &line), "the owner %s is none to the scanner", text);
	knot_dname_to_lower(wire);
	FUZZ_REQUIRE(scanner.r_owner_length == size && memcmp(scanner.r_owner, wire, size) == 0, "the owner %s is another one",
		text);
	zs_deinit(&scanner);
	buf_free(&line);
}

static void try_owner(const uint8_t *data, size_t size)
{
	static const uint8_t zone[] = "\7example\3com";
	uint8_t wire[RECORD_WIRE_NAME_SIZE];
	char text[RECORD_OWNER_SIZE];
	size_t used = size < sizeof(wire) - sizeof(zone) ? size : sizeof(wire) - sizeof(zone);
	size_t labels = 0;

	while (labels < used && data[labels] >= 1 && data[labels] <= 63 && labels + data[labels] + 1 <= used)
		labels += data[labels] + 1u;
	memcpy(wire, data, labels);
	memcpy(wire + labels, zone, sizeof(zone));
	FUZZ_REQUIRE(record_print_owner(wire, labels + sizeof(zone), zone, sizeof(zone), text), "an owner is out of the zone");
	FUZZ_REQUIRE((labels == 0) == (strcmp(text, "@") == 0), "the apex is %s", text);
	require_owner_round_trip(wire, labels + sizeof(zone), text);
	if (labels > 0)
		FUZZ_REQUIRE(!record_print_owner(zone, sizeof(zone), wire, labels + sizeof(zone), text), "the apex is below %s", text);
}

static void require_text(const struct buf *text)
{
	FUZZ_REQUIRE(text->size > 0 && strlen(text->data) == text->size - 1, "data is not one string");
	for (size_t i = 0; i + 1 < text->size; i++)
		FUZZ_REQUIRE(text->data[i] >= ' ' && text->data[i] <= '~', "byte 0x%02x in data", (unsigned char)text->data[i]);
}

/* The bytes that the scanner makes of the text, with their size in front; false: it takes it for no record of that type. */
static bool scan_data(uint16_t type, const char *text, struct buf *out)
{
	struct buf line = { 0 };
	char name[RECORD_TYPE_SIZE];
	zs_scanner_t scanner;

	buf_printf(&line, ". 1 IN %s %s\n", record_print_type(type, name), text);
	bool good = scan_line(&scanner, &line) && scanner.r_type == type;
	if (good)
		buf_append(out, scanner.r_data, scanner.r_data_length);
	zs_deinit(&scanner);
	buf_free(&line);
	return good;
}

/* What the scanner reads, printed and read again, is the same and prints the same. */
static void require_data_fixed_point(uint16_t type, const struct buf *raw)
{
	struct buf wire = { 0 }, text = { 0 }, wire_again = { 0 }, text_again = { 0 };
	struct err err;

	if (scan_data(type, raw->data, &wire) &&
		record_print_data(type, (uint8_t *)wire.data, wire.size, &text, &err) == 0) {
		require_text(&text);
		FUZZ_REQUIRE(scan_data(type, text.data, &wire_again), "type %u: %s is none", type, text.data);
		FUZZ_REQUIRE(wire.size == wire_again.size && memcmp(wire.data, wire_again.data, wire.size) == 0,
			"type %u: %s became other bytes", type, text.data);
		FUZZ_REQUIRE(record_print_data(type, (uint8_t *)wire_again.data, wire_again.size, &text_again, &err) == 0 &&
			strcmp(text.data, text_again.data) == 0, "type %u: %s prints otherwise", type, text.data);
	}
	buf_free(&wire);
	buf_free(&text);
	buf_free(&wire_again);
	buf_free(&text_again);
}

/* Any bytes as data of any type; what must survive is what zone_parse lets in: text that reads back. */
static void try_data(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint16_t type = fuzz_u16(&input);
	uint8_t *copy = xmalloc(input.left + 1);
	struct buf text = { 0 };
	struct err err;

	type = type < 0x8000 ? type % 300 : type;
	memcpy(copy, input.at, input.left);
	if (record_type_is_data(type) && record_print_raw(type, copy, input.left, &text, &err) == 0) {
		require_text(&text);
		require_data_fixed_point(type, &text);
	}
	free(copy);
	buf_free(&text);
}

/* ---- character strings ---- */

static void put_string(struct buf *out, const uint8_t *bytes, size_t size, bool escape)
{
	buf_puts(out, " \"");
	for (size_t i = 0; i < size; i++) {
		if (escape || bytes[i] < ' ' || bytes[i] > '~')
			buf_printf(out, "\\%03u", bytes[i]);
		else
			buf_printf(out, "%s%c", bytes[i] == '"' || bytes[i] == '\\' ? "\\" : "", bytes[i]);
	}
	buf_puts(out, "\"");
}

/* Strings of up to 255 bytes, plain or as \DDD, stay what they are. */
static void try_txt(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct buf line = { 0 }, wire = { 0 }, text = { 0 };
	zs_scanner_t scanner;
	struct err err;

	buf_puts(&line, "txt 60 IN TXT");
	do {
		size_t got;
		uint8_t length = fuzz_byte(&input);
		const uint8_t *bytes = fuzz_bytes(&input, length, &got);
		char prefix = (char)got;

		put_string(&line, bytes, got, (length & 1) != 0);
		buf_append(&wire, &prefix, 1);
		buf_append(&wire, bytes, got);
	} while (input.left > 0);
	buf_puts(&line, "\n");
	FUZZ_REQUIRE(scan_line(&scanner, &line), "%s is no TXT", line.data);
	FUZZ_REQUIRE(scanner.r_data_length == wire.size && memcmp(scanner.r_data, wire.data, wire.size) == 0, "TXT became another");
	FUZZ_REQUIRE(record_print_data(KNOT_RRTYPE_TXT, scanner.r_data, scanner.r_data_length, &text, &err) == 0, "%s", err.text);
	require_text(&text);
	zs_deinit(&scanner);
	buf_clear(&line);
	buf_printf(&line, "txt 60 IN TXT %s\n", text.data);
	FUZZ_REQUIRE(scan_line(&scanner, &line), "%s is no TXT", line.data);
	FUZZ_REQUIRE(scanner.r_data_length == wire.size && memcmp(scanner.r_data, wire.data, wire.size) == 0, "TXT did not survive");
	zs_deinit(&scanner);
	buf_free(&line);
	buf_free(&wire);
	buf_free(&text);
}

/* ---- rows ---- */

/* "-": NULL. */
static char *take_field(struct fuzz_input *input)
{
	char *field = fuzz_text(input, '\x01');

	if (strcmp(field, "-") != 0)
		return field;
	free(field);
	return NULL;
}

/* A row is one record at most: rows never become more records than they are. */
static void require_records(const struct diff_row *rows, size_t count)
{
	struct zone *zone;
	struct err err;
	size_t records;

	if (rows_make_zone(ZONE, rows, count, 0, &zone, &err) != 0)
		return;
	zone_records(zone, &records);
	FUZZ_REQUIRE(records >= 1 && records <= count, "%zu rows became %zu records", count, records);
	zone_unref(zone);
}

static void try_rows(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct diff_row rows[ROWS_MOST + 1] = {
		{ "@", "SOA", "ns.example.com. root.example.com. 1 2 3 4 5", "60", "1" } };
	size_t count = 1;

	for (; input.left > 0 && count <= ROWS_MOST; count++) {
		rows[count].owner = take_field(&input);
		rows[count].type = take_field(&input);
		rows[count].data = take_field(&input);
		rows[count].ttl = take_field(&input);
		rows[count].online = take_field(&input);
	}
	require_records(rows, count);
	for (size_t i = 1; i < count; i++) {
		free((char *)(uintptr_t)rows[i].owner);
		free((char *)(uintptr_t)rows[i].type);
		free((char *)(uintptr_t)rows[i].data);
		free((char *)(uintptr_t)rows[i].ttl);
		free((char *)(uintptr_t)rows[i].online);
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const uint8_t *data, size_t size) = { try_zone_name, try_owner, try_data, try_txt, try_rows };

	if (size > 0)
		tries[data[0] % ARRAY_SIZE(tries)](data + 1, size - 1);
}
