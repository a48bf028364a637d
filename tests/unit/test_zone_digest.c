/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_zone_util.h"

#include "base/hash.h"

struct row {
	const char *fields[5];
};

static const struct row rows[] = {
	{ { "www", "A", "192.0.2.1", "300", "1" } },
	{ { "mail", "A", "192.0.2.2", "300", "1" } },
	{ { "@", "TXT", "\"v=spf1 -all\"", "3600", "1" } },
};

static struct zone_digest sum(const struct row *set, size_t count)
{
	struct zone_digest digest = { 0 };

	for (size_t i = 0; i < count; i++)
		zone_digest_add(&digest, set[i].fields[0], set[i].fields[1], set[i].fields[2], set[i].fields[3],
			set[i].fields[4]);
	return digest;
}

/* True if the digest of rows with one field exchanged differs from that of rows. */
static bool seen(size_t row, size_t field, const char *value)
{
	struct row changed[ARRAY_SIZE(rows)];

	memcpy(changed, rows, sizeof(rows));
	changed[row].fields[field] = value;
	struct zone_digest a = sum(rows, ARRAY_SIZE(rows));
	struct zone_digest b = sum(changed, ARRAY_SIZE(changed));
	assert_int_equal(a.count, b.count);
	return !zone_digest_equal(&a, &b);
}

static void load(const uint8_t *hash, uint64_t *high, uint64_t *low)
{
	*high = *low = 0;
	for (int i = 0; i < 8; i++) {
		*high = *high * 256 + hash[i];
		*low = *low * 256 + hash[8 + i];
	}
}

/* The definition of zone.h, written down a second time. */
static void is_what_the_header_says(void **state)
{
	static const char *const plain[] = {
		"3:www1:A9:192.0.2.13:3001:1",
		"4:mail1:A9:192.0.2.23:3001:1",
		"1:@3:TXT13:\"v=spf1 -all\"4:36001:1",
	};
	struct zone_digest expected = { .count = 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		uint8_t hash[HASH_SIZE];
		uint64_t high;
		uint64_t low;

		hash_sha256(plain[i], strlen(plain[i]), hash);
		load(hash, &high, &low);
		expected.high += high;
		expected.low += low;
	}
	struct zone_digest digest = sum(rows, ARRAY_SIZE(rows));
	assert_true(zone_digest_equal(&digest, &expected));
}

static void has_a_known_value(void **state)
{
	char text[ZONE_DIGEST_TEXT_SIZE];
	struct zone_digest digest = sum(rows, 1);

	(void)state;
	/* printf '3:www1:A9:192.0.2.13:3001:1' | sha256sum | cut -c1-32 */
	assert_string_equal(zone_digest_text(&digest, text), "5e1d8aca9f02dda75944b0711642ce93");
}

static void null_is_no_text(void **state)
{
	const struct row null_ttl = { { "www", "A", "192.0.2.1", NULL, "1" } };
	uint8_t hash[HASH_SIZE];
	struct zone_digest expected = { .count = 1 };
	struct zone_digest digest = sum(&null_ttl, 1);

	(void)state;
	hash_sha256("3:www1:A9:192.0.2.1-1:1", 23, hash);
	load(hash, &expected.high, &expected.low);
	assert_true(zone_digest_equal(&digest, &expected));
	assert_true(seen(0, 3, NULL));
	assert_true(seen(0, 3, ""));
	assert_true(seen(0, 2, NULL));
	assert_true(seen(0, 4, NULL));
}

static void sees_what_must_be_seen(void **state)
{
	(void)state;
	assert_false(seen(0, 2, "192.0.2.1"));
	assert_true(seen(0, 3, "301"));
	assert_true(seen(0, 3, "0300"));
	assert_true(seen(0, 4, "0"));
	assert_true(seen(0, 2, "192.0.2.1 "));
	assert_true(seen(0, 0, "www "));
	assert_true(seen(0, 0, "WWW"));
	assert_true(seen(0, 1, "a"));
}

static void sees_swapped_addresses(void **state)
{
	const struct row swapped[] = {
		{ { "www", "A", "192.0.2.2", "300", "1" } },
		{ { "mail", "A", "192.0.2.1", "300", "1" } },
	};
	struct zone_digest a = sum(rows, 2);
	struct zone_digest b = sum(swapped, 2);

	(void)state;
	assert_false(zone_digest_equal(&a, &b));
	assert_true(a.high != b.high && a.low != b.low);
}

static void sees_a_doubled_row(void **state)
{
	const struct row doubled[] = { rows[0], rows[1], rows[2], rows[1] };
	/* Of equal number: a row that is there three times in place of once beside two others. */
	const struct row tripled[] = { rows[1], rows[1], rows[1] };
	struct zone_digest a = sum(rows, 3);
	struct zone_digest b = sum(doubled, 4);
	struct zone_digest c = sum(tripled, 3);

	(void)state;
	assert_false(zone_digest_equal(&a, &b));
	assert_true(a.high != b.high && a.low != b.low);
	assert_false(zone_digest_equal(&a, &c));
}

static void fields_cannot_run_together(void **state)
{
	const struct row a = { { "w", "wA", "x", "300", "1" } };
	const struct row b = { { "ww", "A", "x", "300", "1" } };
	struct zone_digest left = sum(&a, 1);
	struct zone_digest right = sum(&b, 1);

	(void)state;
	assert_false(zone_digest_equal(&left, &right));
}

static void order_does_not_matter(void **state)
{
	const struct row turned[] = { rows[2], rows[0], rows[1] };
	struct zone_digest a = sum(rows, 3);
	struct zone_digest b = sum(turned, 3);

	(void)state;
	assert_true(zone_digest_equal(&a, &b));
}

static void long_rows_are_digested_whole(void **state)
{
	char data[70000];
	struct row row = { { "www", "TXT", data, "300", "1" } };

	(void)state;
	for (size_t size = 900; size < sizeof(data); size += 4111) {
		memset(data, 'x', size);
		data[size] = '\0';
		struct zone_digest a = sum(&row, 1);
		data[size - 1] = 'y';
		struct zone_digest b = sum(&row, 1);
		assert_false(zone_digest_equal(&a, &b));
	}
}

static void text_goes_both_ways(void **state)
{
	const struct zone_digest digest = { 7, UINT64_C(0x0123456789abcdef), UINT64_C(0xf) };
	char text[ZONE_DIGEST_TEXT_SIZE];
	struct zone_digest back;
	struct err err;

	(void)state;
	assert_string_equal(zone_digest_text(&digest, text), "0123456789abcdef000000000000000f");
	assert_int_equal(zone_digest_parse(text, 7, &back, &err), 0);
	assert_true(zone_digest_equal(&digest, &back));
	assert_int_equal(zone_digest_parse("0123456789ABCDEF000000000000000F", 7, &back, &err), 0);
	assert_true(zone_digest_equal(&digest, &back));
	assert_int_equal(zone_digest_parse("0123456789abcdef000000000000000", 7, &back, &err), ERR_INVALID);
	assert_int_equal(zone_digest_parse("0123456789abcdef000000000000000ff", 7, &back, &err), ERR_INVALID);
	assert_int_equal(zone_digest_parse("0123456789abcdeg000000000000000f", 7, &back, &err), ERR_INVALID);
	assert_int_equal(zone_digest_parse("", 0, &back, &err), ERR_INVALID);
	assert_string_equal(err.text, "digest: not 32 hex digits");
}

static void a_zone_has_the_digest_of_its_rows(void **state)
{
	struct zone *zone = parse_sample("shop.example", "directadmin-signed.db");
	struct zone_digest digest = { 0 };
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	(void)state;
	for (size_t i = count; i-- > 0;) {
		char ttl[16];

		snprintf(ttl, sizeof(ttl), "%u", (unsigned int)records[i].ttl);
		zone_digest_add(&digest, records[i].owner, records[i].type, records[i].data, ttl, "1");
	}
	assert_true(zone_digest_equal(&digest, zone_digest(zone)));
	assert_int_equal(digest.count, count);
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_the_header_says),
		cmocka_unit_test(has_a_known_value),
		cmocka_unit_test(null_is_no_text),
		cmocka_unit_test(sees_what_must_be_seen),
		cmocka_unit_test(sees_swapped_addresses),
		cmocka_unit_test(sees_a_doubled_row),
		cmocka_unit_test(fields_cannot_run_together),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(long_rows_are_digested_whole),
		cmocka_unit_test(text_goes_both_ways),
		cmocka_unit_test(a_zone_has_the_digest_of_its_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
