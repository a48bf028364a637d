/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_zone_util.h"

#define SOA "@ 3600 IN SOA ns1.dns-host.example. hostmaster 1 3600 3600 1209600 86400\n"

static size_t count_type(const struct zone *zone, const char *type)
{
	size_t count;
	size_t found = 0;
	const struct zone_record *records = zone_records(zone, &count);

	for (size_t i = 0; i < count; i++)
		found += strcmp(records[i].type, type) == 0;
	return found;
}

static void assert_count(const struct zone *zone, size_t expected)
{
	size_t count;

	zone_records(zone, &count);
	assert_int_equal(count, expected);
	assert_int_equal(zone_digest(zone)->count, expected);
}

static void the_layout_of_directadmin(void **state)
{
	struct zone *zone = parse_sample("shop.example", "directadmin-unsigned.db");
	char text[ZONE_DIGEST_TEXT_SIZE];

	(void)state;
	assert_count(zone, 23);
	assert_int_equal(zone_serial(zone), 2026030401);
	assert_false(zone_is_signed(zone));
	assert_int_equal(count_type(zone, "A"), 8);
	assert_int_equal(count_type(zone, "TXT"), 4);
	assert_record(zone, "@", "SOA", 0, 3600,
		"ns1.dns-host.example. hostmaster.shop.example. 2026030401 3600 3600 1209600 86400");
	assert_record(zone, "@", "NS", 0, 3600, "ns1.dns-host.example.");
	assert_record(zone, "@", "NS", 1, 3600, "ns2.dns-host.example.");
	assert_record(zone, "*", "A", 0, 3600, "192.0.2.10");
	assert_record(zone, "@", "A", 0, 3600, "192.0.2.10");
	assert_record(zone, "@", "MX", 0, 3600, "10 mail.shop.example.");
	assert_record(zone, "blog", "CNAME", 0, 3600, "www.shop.example.");
	assert_record(zone, "_acme-challenge", "TXT", 0, 5, "\"Zm9vYmFyLW5vdC1hLXJlYWwtdG9rZW4\"");
	assert_record(zone, "x._domainkey", "TXT", 0, 3600,
		"\"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsampleAAAA\" "
		"\"BBBBsecondchunkBBBB\" \"CCCCthirdchunkCCCCQIDAQAB\"");
	assert_record(zone, "_sip._tcp", "SRV", 0, 3600, "10 60 5060 sip.shop.example.");
	assert_record(zone, "_443._tcp.www", "TLSA", 0, 300,
		"3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF");
	assert_record(zone, "@", "CAA", 0, 3600, "0 issue \"letsencrypt.org\"");
	assert_record(zone, "@", "HTTPS", 0, 3600, "1 . alpn=h2,h3");
	/* A change here makes every stored zone differ from what back ends hold. */
	assert_string_equal(zone_digest_text(zone_digest(zone), text), "9f3458348913131a9331bd8fa33e5d93");
	assert_fixed_point(zone);
	zone_unref(zone);
}

static void the_layout_of_dnssec_signzone(void **state)
{
	struct zone *zone = parse_sample("shop.example", "directadmin-signed.db");
	char text[ZONE_DIGEST_TEXT_SIZE];

	(void)state;
	assert_count(zone, 77);
	assert_int_equal(zone_serial(zone), 2026030401);
	assert_true(zone_is_signed(zone));
	assert_int_equal(count_type(zone, "RRSIG"), 38);
	assert_int_equal(count_type(zone, "NSEC"), 14);
	assert_int_equal(count_type(zone, "DNSKEY"), 2);
	assert_int_equal(count_type(zone, "A"), 8);
	assert_record(zone, "mail", "AAAA", 0, 3600, "2001:db8::10");
	assert_record(zone, "@", "NSEC", 0, 3600,
		"*.shop.example. A NS SOA MX TXT AAAA RRSIG NSEC DNSKEY HTTPS CAA");
	assert_record(zone, "_443._tcp.www", "RRSIG", 0, 3600,
		"NSEC 13 5 3600 20261220155640 20261120155640 64337 shop.example. "
		"e42NK+Kw14zOQuPVuUIDYjIVKgLtB1N8pMKh6L0VRwTeGoqFdIqX/6cDUOY+wGOQmSY7H//ALcQlsKb18wu/4A==");
	assert_record(zone, "_443._tcp.www", "RRSIG", 1, 300,
		"TLSA 13 5 300 20261220155640 20261120155640 64337 shop.example. "
		"54iR+zOkhnJZtjutk184LfyB7q8zaTg9BvNBJo4Kc8Lxq3lfZYch4ylCsyvhvp6ByMvjP6IUIW+8Lkh+ReQbvA==");
	assert_string_equal(zone_digest_text(zone_digest(zone), text), "7a756ffdd3fbc206ed2604ae26719f77");
	assert_fixed_point(zone);
	zone_unref(zone);
}

static void other_samples(void **state)
{
	static const struct {
		const char *name;
		const char *file;
		size_t count;
	} samples[] = {
		{ "minimal.example", "minimal.db", 2 },
		{ "crlf.example", "crlf.db", 3 },
		{ "escapes.example", "escapes.db", 11 },
		{ "inherited.example", "inherited-ttl.db", 7 },
		{ "nsec3.example", "nsec3.db", 13 },
		{ "2.0.192.in-addr.arpa", "reverse.db", 5 },
		{ "minimum.example", "soa-minimum.db", 4 },
		{ "utf8.example", "utf8.db", 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct zone *zone = parse_sample(samples[i].name, samples[i].file);

		assert_count(zone, samples[i].count);
		assert_fixed_point(zone);
		zone_unref(zone);
	}
}

static void owners_are_what_the_plugin_asks_for(void **state)
{
	struct zone *zone = parse_sample("escapes.example", "escapes.db");

	(void)state;
	assert_record(zone, "dotted\\.label", "A", 0, 3600, "192.0.2.1");
	assert_record(zone, "office\\ printer._ipp._tcp", "SRV", 0, 3600, "0 0 631 printer.escapes.example.");
	assert_record(zone, "at\\@sign", "A", 0, 3600, "192.0.2.2");
	assert_record(zone, "dollar$", "A", 0, 3600, "192.0.2.3");
	assert_record(zone, "byte\\200", "A", 0, 3600, "192.0.2.4");
	assert_record(zone, "*", "A", 0, 3600, "192.0.2.5");
	assert_record(zone, "*.sub", "A", 0, 3600, "192.0.2.6");
	assert_record(zone, "_under_score", "CNAME", 0, 3600, "dotted\\.label.escapes.example.");
	assert_record(zone, "text", "TXT", 0, 3600,
		"\"semi;colon\" \"quote\\\"d\" \"back\\\\slash\" \"\\001\\255\" \"un quoted\"");
	zone_unref(zone);
}

static void the_longest_owner(void **state)
{
	struct buf text = { 0 };
	struct buf owner = { 0 };

	(void)state;
	/* 255 bytes in wire form, nearly each of them four characters of text. */
	for (int label = 0; label < 4; label++) {
		for (int i = 0; i < (label == 3 ? 59 : 63); i++)
			buf_puts(&owner, "\\200");
		if (label < 3)
			buf_puts(&owner, ".");
	}
	buf_printf(&text, SOA "%s 60 A 192.0.2.1\n", owner.data);
	struct zone *zone = parse("x", text.data);
	assert_record(zone, owner.data, "A", 0, 60, "192.0.2.1");
	assert_fixed_point(zone);
	zone_unref(zone);
	buf_free(&text);
	buf_free(&owner);
}

static void case_and_duplicates_are_folded(void **state)
{
	struct zone *zone = parse("t.example", SOA
		"WWW 300 A 192.0.2.1\nwww.T.Example. 200 A 192.0.2.1\nwww 400 A 192.0.2.2\n"
		"mx 60 MX 10 MAIL\nmx 60 MX 10 mail.t.example.\n"
		"svc 60 SVCB 1 Svc\nsvc 60 SVCB 1 svc\n"
		"txt 60 TXT Abc\ntxt 60 TXT \"abc\"\n");

	(void)state;
	assert_count(zone, 8);
	assert_record(zone, "www", "A", 0, 200, "192.0.2.1");
	assert_record(zone, "www", "A", 1, 200, "192.0.2.2");
	assert_record(zone, "mx", "MX", 0, 60, "10 mail.t.example.");
	assert_record(zone, "svc", "SVCB", 0, 60, "1 Svc.t.example.");
	assert_record(zone, "svc", "SVCB", 1, 60, "1 svc.t.example.");
	assert_record(zone, "txt", "TXT", 1, 60, "\"abc\"");
	zone_unref(zone);
}

static void ttls_are_clamped(void **state)
{
	struct zone *zone = parse("t.example", SOA
		"a 0 A 192.0.2.1\nb 2147483647 A 192.0.2.1\nc 2147483648 A 192.0.2.1\nd 4294967295 A 192.0.2.1\ne 1w2d A 192.0.2.1\n");

	(void)state;
	assert_record(zone, "a", "A", 0, 0, "192.0.2.1");
	assert_record(zone, "b", "A", 0, 2147483647, "192.0.2.1");
	assert_record(zone, "c", "A", 0, 2147483647, "192.0.2.1");
	assert_record(zone, "d", "A", 0, 2147483647, "192.0.2.1");
	assert_record(zone, "e", "A", 0, 777600, "192.0.2.1");
	zone_unref(zone);
}

static void unstated_ttls(void **state)
{
	struct zone *zone = parse_sample("inherited.example", "inherited-ttl.db");

	(void)state;
	assert_record(zone, "@", "NS", 0, 7200, "ns1.dns-host.example.");
	assert_record(zone, "@", "AAAA", 0, 300, "2001:db8::1");
	assert_record(zone, "www", "A", 0, 300, "192.0.2.2");
	assert_record(zone, "mail", "AAAA", 0, 3600, "2001:db8::3");
	zone_unref(zone);
	zone = parse_sample("minimum.example", "soa-minimum.db");
	assert_record(zone, "@", "SOA", 0, 900,
		"ns1.dns-host.example. hostmaster.minimum.example. 7 3600 3600 1209600 900");
	assert_record(zone, "@", "NS", 0, 900, "ns1.dns-host.example.");
	assert_record(zone, "ftp", "A", 0, 900, "192.0.2.2");
	zone_unref(zone);
	/* $TTL wins over the last one stated, from where it stands, also if it says the same. */
	zone = parse("t.example", SOA "a 60 A 192.0.2.1\nb A 192.0.2.1\n$TTL 60\nc 30 A 192.0.2.1\nd A 192.0.2.1\n"
		"$TTL 90\ne A 192.0.2.1\n");
	assert_record(zone, "b", "A", 0, 60, "192.0.2.1");
	assert_record(zone, "d", "A", 0, 60, "192.0.2.1");
	assert_record(zone, "e", "A", 0, 90, "192.0.2.1");
	zone_unref(zone);
	/* Nothing stated before it: neither the SOA, which comes later, nor $TTL. */
	zone = parse("t.example", "a A 192.0.2.1\n" SOA "b A 192.0.2.1\n");
	assert_record(zone, "a", "A", 0, 3600, "192.0.2.1");
	zone_unref(zone);
}

static void one_ttl_for_an_rrset_and_its_signatures(void **state)
{
	static const char signature[] = "13 2 300 20261220155640 20261120155640 1 t.example. AQID";
	struct buf text = { 0 };

	(void)state;
	buf_printf(&text, SOA "a 300 A 192.0.2.1\na 100 A 192.0.2.2\na 200 AAAA 2001:db8::1\n"
		"a 50 RRSIG A %s\na 999 RRSIG AAAA %s\na 70 RRSIG MX %s\na 60 RRSIG MX 13 2 300 20261220155640 "
		"20261120155640 2 t.example. AQID\nb 5 RRSIG A %s\n", signature, signature, signature, signature);
	struct zone *zone = parse("t.example", text.data);
	assert_record(zone, "a", "A", 0, 100, "192.0.2.1");
	assert_record(zone, "a", "A", 1, 100, "192.0.2.2");
	assert_int_equal(find_record(zone, "a", "RRSIG", 0)->ttl, 100);
	assert_int_equal(find_record(zone, "a", "RRSIG", 1)->ttl, 200);
	/* What covers nothing that is here: one TTL per type covered. */
	assert_int_equal(find_record(zone, "a", "RRSIG", 2)->ttl, 60);
	assert_int_equal(find_record(zone, "a", "RRSIG", 3)->ttl, 60);
	assert_int_equal(find_record(zone, "b", "RRSIG", 0)->ttl, 5);
	zone_unref(zone);
	buf_free(&text);
}

/* libzscanner splits what is longer than a string may be, as the public plugin does. */
static void long_strings_are_split(void **state)
{
	struct buf text = { 0 };
	struct zone *zone;

	(void)state;
	buf_puts(&text, SOA "txt 60 TXT \"");
	for (int i = 0; i < 256; i++)
		buf_puts(&text, "x");
	buf_puts(&text, "\"\n");
	zone = parse("t.example", text.data);
	const char *data = find_record(zone, "txt", "TXT", 0)->data;
	assert_int_equal(strlen(data), 256 + 5);
	assert_string_equal(data + 255, "x\" \"x\"");
	zone_unref(zone);
	buf_free(&text);
}

static void the_longest_text(void **state)
{
	struct buf text = { 0 };
	struct buf expected = { 0 };

	(void)state;
	/* 257 times 254 bytes that print as \DDD: the longest text that data can have. */
	buf_puts(&text, SOA "txt 60 TXT (");
	for (int i = 0; i < 257; i++) {
		buf_puts(&expected, i == 0 ? "\"" : " \"");
		buf_puts(&text, "\n\t\"");
		for (int k = 0; k < 254; k++) {
			buf_puts(&text, "\xff");
			buf_puts(&expected, "\\255");
		}
		buf_puts(&text, "\"");
		buf_puts(&expected, "\"");
	}
	buf_puts(&text, ")\n");
	struct zone *zone = parse("t.example", text.data);
	assert_record(zone, "txt", "TXT", 0, 60, expected.data);
	assert_fixed_point(zone);
	zone_unref(zone);
	buf_free(&text);
	buf_free(&expected);
}

static void lines_that_say_nothing(void **state)
{
	struct zone *zone = parse("t.example", "\n \n\t; comment\n$TTL 60 ; comment\n\t \n" SOA " \n\t; comment\n\nwww A 192.0.2.1");

	(void)state;
	assert_count(zone, 2);
	assert_record(zone, "www", "A", 0, 60, "192.0.2.1");
	zone_unref(zone);
}

static void origin_may_change(void **state)
{
	struct zone *zone = parse("t.example", SOA "$ORIGIN sub.t.example.\nwww 60 A 192.0.2.1\n@ 60 MX 10 www\n"
		"$ORIGIN example.\nt 60 MX 10 www\n");

	(void)state;
	assert_record(zone, "www.sub", "A", 0, 60, "192.0.2.1");
	assert_record(zone, "sub", "MX", 0, 60, "10 www.sub.t.example.");
	assert_record(zone, "@", "MX", 0, 60, "10 www.example.");
	zone_unref(zone);
}

static void records_are_sorted(void **state)
{
	struct zone *zone = parse_sample("shop.example", "directadmin-signed.db");
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	(void)state;
	for (size_t i = 1; i < count; i++) {
		assert_true(zone_record_compare(&records[i - 1], &records[i]) < 0);
		assert_true(zone_record_compare(&records[i], &records[i - 1]) > 0);
		/* Neighbours of one owner share its text. */
		assert_int_equal(strcmp(records[i - 1].owner, records[i].owner) == 0,
			records[i - 1].owner == records[i].owner);
	}
	struct zone_record other = records[3];
	other.ttl++;
	assert_int_equal(zone_record_compare(&other, &records[3]), 0);
	zone_unref(zone);
}

/* The order, layout and case of the text do not matter, the content does. */
static void digests_follow_content(void **state)
{
	static const struct {
		const char *text;
		bool same;
	} variants[] = {
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\nc 60 TXT \"x\"\n", true },
		{ "$TTL 60\n" SOA "c TXT x\nB IN A 192.0.2.2\n\na.T.example. A ( 192.0.2.1 )\na A 192.0.2.1\n", true },
		{ SOA "a 60 A 192.0.2.2\nb 60 A 192.0.2.1\nc 60 TXT \"x\"\n", false },
		{ SOA "a 61 A 192.0.2.1\nb 60 A 192.0.2.2\nc 60 TXT \"x\"\n", false },
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\nc 60 TXT \"x \"\n", false },
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\nc 60 TXT \"X\"\n", false },
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\nc 60 SPF \"x\"\n", false },
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\nd 60 TXT \"x\"\n", false },
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\nc 60 TXT \"x\"\nc 60 TXT \"y\"\n", false },
		{ SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.2\n", false },
	};
	struct zone *first = parse("t.example", variants[0].text);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct zone *zone = parse("t.example", variants[i].text);

		assert_int_equal(zone_digest_equal(zone_digest(first), zone_digest(zone)), variants[i].same);
		zone_unref(zone);
	}
	zone_unref(first);
}

static void references_and_memory(void **state)
{
	struct zone *zone = parse("t.example", SOA "a 60 A 192.0.2.1\n");
	struct zone *larger = parse("t.example", SOA "a 60 A 192.0.2.1\nb 60 TYPE65400 \\# 1 00\n");

	(void)state;
	assert_true(zone_memory(zone) > 100 && zone_memory(zone) < 1000);
	assert_true(zone_memory(larger) > zone_memory(zone));
	assert_ptr_equal(zone_ref(zone), zone);
	zone_unref(zone);
	assert_record(zone, "a", "A", 0, 60, "192.0.2.1");
	zone_unref(zone);
	zone_unref(larger);
	zone_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_of_directadmin),
		cmocka_unit_test(the_layout_of_dnssec_signzone),
		cmocka_unit_test(other_samples),
		cmocka_unit_test(owners_are_what_the_plugin_asks_for),
		cmocka_unit_test(the_longest_owner),
		cmocka_unit_test(case_and_duplicates_are_folded),
		cmocka_unit_test(ttls_are_clamped),
		cmocka_unit_test(unstated_ttls),
		cmocka_unit_test(one_ttl_for_an_rrset_and_its_signatures),
		cmocka_unit_test(long_strings_are_split),
		cmocka_unit_test(the_longest_text),
		cmocka_unit_test(lines_that_say_nothing),
		cmocka_unit_test(origin_may_change),
		cmocka_unit_test(records_are_sorted),
		cmocka_unit_test(digests_follow_content),
		cmocka_unit_test(references_and_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
