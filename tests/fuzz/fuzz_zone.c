/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zone text. What is accepted prints to text that gives the same zone; the scanner alone (Knot's, on the text as it
 * came) sees the same records; all of it is 7-bit, and within the widths of a database's columns or known not to be; and
 * no text makes the parser open a file.
 *
 * The scanner is the one that the product uses: what another server reads in such texts is told by second_opinion.
 */
#include "fuzz.h"

#include <libknot/libknot.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/coredns_mysql/fits.h"
#include "zone/zone.h"

#define ZONE "example.com."

/* Of the tables as they are made: schema/coredns_mysql. */
static const struct schema made = { .zone_name_width = 255, .hostname_width = 512, .type_width = 10,
	.data_width = 16777215 };

/* ---- no file ---- */

static bool parsing;

/* Stands before the C library's: what libzscanner opens, it opens here. */
int open(const char *path, int flags, ...);
int open(const char *path, int flags, ...)
{
	FUZZ_REQUIRE(!parsing, "the parser opens %s", path);
	return (int)syscall(SYS_openat, -100 /* AT_FDCWD */, path, flags, 0600);
}

/* ---- the scanner alone ---- */

/* Records of a zone as wire form: owner, type and data, lower case where the type's names are. */
struct wire_record {
	uint8_t *bytes;
	size_t size;
};

struct wire_zone {
	struct wire_record *records;
	size_t count;
	bool good;
};

static void take_wire(zs_scanner_t *scanner)
{
	struct wire_zone *zone = scanner->process.data;
	struct buf record = { 0 };
	char type[2] = { (char)(scanner->r_type >> 8), (char)scanner->r_type };

	knot_dname_to_lower(scanner->r_owner);
	buf_append(&record, type, sizeof(type));
	buf_append(&record, scanner->r_owner, scanner->r_owner_length);
	buf_append(&record, scanner->r_data, scanner->r_data_length);
	for (size_t i = sizeof(type) + scanner->r_owner_length;
		knot_rrtype_should_be_lowercased(scanner->r_type) && i < record.size; i++) {
		if (record.data[i] >= 'A' && record.data[i] <= 'Z')
			record.data[i] = (char)(record.data[i] + 'a' - 'A');
	}
	zone->records = xrealloc(zone->records, (zone->count + 1) * sizeof(*zone->records));
	zone->records[zone->count].size = record.size;
	zone->records[zone->count++].bytes = (uint8_t *)buf_take(&record);
}

static void spoil_wire(zs_scanner_t *scanner)
{
	struct wire_zone *zone = scanner->process.data;

	zone->good = false;
}

static int compare_wire(const void *left, const void *right)
{
	const struct wire_record *a = left, *b = right;
	int order = memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size);

	return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static struct wire_zone scan(const char *text, size_t size)
{
	struct wire_zone zone = { .good = true };
	zs_scanner_t scanner;
	size_t kept = 0;

	CHECK(zs_init(&scanner, ZONE, KNOT_CLASS_IN, 3600) == 0);
	CHECK(zs_set_processing(&scanner, take_wire, spoil_wire, &zone) == 0);
	CHECK(zs_set_input_string(&scanner, text, size) == 0);
	if (zs_parse_all(&scanner) != 0)
		zone.good = false;
	zs_deinit(&scanner);
	qsort(zone.records, zone.count, sizeof(*zone.records), compare_wire);
	for (size_t i = 0; i < zone.count; i++) {
		if (kept > 0 && compare_wire(&zone.records[i], &zone.records[kept - 1]) == 0)
			free(zone.records[i].bytes);
		else
			zone.records[kept++] = zone.records[i];
	}
	zone.count = kept;
	return zone;
}

static void free_wire(struct wire_zone *zone)
{
	for (size_t i = 0; i < zone->count; i++)
		free(zone->records[i].bytes);
	free(zone->records);
}

/* The scanner takes no CR and no byte above 0x7e, and does not end a text for us: those are the product's own work. */
static bool is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] > 0x7e || text[i] == '\r')
			return false;
	}
	return size > 0 && text[size - 1] == '\n';
}

static void require_same_wire(const char *text, size_t size, const struct buf *printed)
{
	struct wire_zone pushed = scan(text, size);
	struct wire_zone kept = scan(printed->data, printed->size);

	FUZZ_REQUIRE(kept.good, "what is printed is no zone to the scanner");
	/* A line of blanks before any owner is an error to the scanner, and none to us. */
	for (size_t i = 0; pushed.good && i < pushed.count && i < kept.count; i++)
		FUZZ_REQUIRE(compare_wire(&pushed.records[i], &kept.records[i]) == 0, "record %zu differs", i);
	FUZZ_REQUIRE(!pushed.good || pushed.count == kept.count, "%zu records became %zu", pushed.count, kept.count);
	free_wire(&pushed);
	free_wire(&kept);
}

/* ---- the zone ---- */

static void require_plain(const char *text, size_t least, size_t most)
{
	size_t size = strlen(text);

	FUZZ_REQUIRE(size >= least && size <= most, "a text of %zu bytes", size);
	for (size_t i = 0; i < size; i++)
		FUZZ_REQUIRE(text[i] >= ' ' && text[i] <= '~', "byte 0x%02x in %s", (unsigned char)text[i], text);
}

static void require_canonical(const struct zone *zone)
{
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);
	struct zone_digest digest = { 0 };

	for (size_t i = 0; i < count; i++) {
		char *ttl = xasprintf("%u", records[i].ttl);

		require_plain(records[i].owner, 1, 255 * 4);
		require_plain(records[i].type, 1, made.type_width);
		require_plain(records[i].data, 0, made.data_width); /* an APL may be empty: RFC 3123 4 */
		FUZZ_REQUIRE(records[i].ttl <= INT32_MAX, "TTL %u", records[i].ttl);
		FUZZ_REQUIRE(i == 0 || zone_record_compare(&records[i - 1], &records[i]) < 0, "record %zu is out of order", i);
		zone_digest_add(&digest, records[i].owner, records[i].type, records[i].data, ttl, "1");
		free(ttl);
	}
	FUZZ_REQUIRE(zone_digest_equal(&digest, zone_digest(zone)), "the digest is not that of the records");
}

/* All but an owner of many escapes has room; that one DNS permits, and it is held back by name (decisions.md 4). */
static void require_widths(struct zone *zone)
{
	struct backend_item item = { .name = ZONE, .zone = zone };
	size_t count, wide = 0;
	const struct zone_record *records = zone_records(zone, &count);
	struct err err;

	while (wide < count && strlen(records[wide].owner) <= made.hostname_width)
		wide++;
	int ret = fits_check(&item, &made, &err);
	FUZZ_REQUIRE(wide < count || ret == 0, "does not fit: %s", err.text);
	FUZZ_REQUIRE(wide == count || (ret == ERR_LIMIT && strstr(err.text, ": hostname is ") != NULL),
		"an owner of %zu characters is said to fit", strlen(records[wide < count ? wide : 0].owner));
}

static void require_fixed_point(const struct zone *zone, const struct buf *printed)
{
	struct zone *again;
	struct buf text = { 0 };
	struct err err;

	FUZZ_REQUIRE(zone_parse(ZONE, printed->data, printed->size, 0, &again, &err) == 0, "what is printed is refused: %s\n%s",
		err.text, printed->data);
	FUZZ_REQUIRE(zone_digest_equal(zone_digest(zone), zone_digest(again)), "what is printed is another zone:\n%s",
		printed->data);
	FUZZ_REQUIRE(zone_serial(zone) == zone_serial(again), "serial %u became %u", zone_serial(zone), zone_serial(again));
	FUZZ_REQUIRE(zone_is_signed(zone) == zone_is_signed(again), "signed or not");
	zone_print(again, &text);
	FUZZ_REQUIRE(text.size == printed->size && memcmp(text.data, printed->data, text.size) == 0, "the print differs");
	buf_free(&text);
	zone_unref(again);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf printed = { 0 };
	struct zone *zone;
	struct err err;

	parsing = true;
	int ret = zone_parse(ZONE, text, size, 1000, &zone, &err);
	if (ret == 0) {
		require_canonical(zone);
		require_widths(zone);
		zone_print(zone, &printed);
		require_fixed_point(zone, &printed);
		if (is_plain(text, size))
			require_same_wire(text, size, &printed);
		buf_free(&printed);
		zone_unref(zone);
	} else {
		FUZZ_REQUIRE(ret == ERR_INVALID && strncmp(err.text, "line ", 5) == 0, "an error without a line: %s", err.text);
	}
	parsing = false;
}
