/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNS messages: the query byte for byte, and every kind of answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "dns/dns.h"

static const struct dns_question soa = { .name = "a.example.", .type = DNS_TYPE_SOA };

enum { ID = 0x1234, FLAGS_AT = 2, ANSWERS_AT = 7, NAME_AT = 12 };

static const uint8_t query[] = { 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0,
	0, 6, 0, 1 };
static const uint8_t record[] = { 0xc0, 12, 0, 6, 0, 1, 0, 0, 14, 16, 0, 26, 1, 'n', 0xc0, 12, 1, 'h', 0xc0, 12,
	0x78, 0xbc, 0x2c, 0x01, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4 };

struct answer {
	uint8_t wire[sizeof(query) + sizeof(record)];
	size_t size;
};

/* Authoritative, with the SOA of serial 2025597953. */
static struct answer good(void)
{
	struct answer answer = { .size = sizeof(answer.wire) };

	memcpy(answer.wire, query, sizeof(query));
	memcpy(answer.wire + sizeof(query), record, sizeof(record));
	answer.wire[sizeof(query) + 11] = (uint8_t)(sizeof(record) - 12);
	answer.wire[FLAGS_AT] = 0x84;
	answer.wire[ANSWERS_AT] = 1;
	return answer;
}

static int read_answer(const struct answer *message, struct dns_answer *answer)
{
	struct err err;

	return dns_read_answer(&soa, ID, message->wire, message->size, answer, &err);
}

/* The good answer, with one byte changed: how it is taken. */
static struct dns_answer changed(size_t at, uint8_t to, int expected)
{
	struct answer message = good();
	struct dns_answer answer;

	message.wire[at] = to;
	assert_int_equal(read_answer(&message, &answer), expected);
	return answer;
}

static void refused(size_t at, uint8_t to, int expected)
{
	struct dns_answer answer = changed(at, to, expected);

	assert_int_equal(answer.count, 0);
	dns_answer_clear(&answer);
}

static void rcode_is(uint8_t flags, unsigned rcode)
{
	struct dns_answer answer = changed(FLAGS_AT + 1, flags, ERR_OK);

	assert_int_equal(answer.rcode, rcode);
	dns_answer_clear(&answer);
}

static void test_query(void **state UNUSED)
{
	uint8_t wire[DNS_QUERY_MAX];

	memset(wire, 0xff, sizeof(wire));
	assert_int_equal(dns_write_query(&soa, ID, wire), sizeof(query));
	assert_memory_equal(wire, query, sizeof(query));
}

static void test_answers(void **state UNUSED)
{
	struct answer message = good();
	struct dns_answer answer;
	uint32_t serial = 0;

	message.wire[NAME_AT + 1] = 'A'; /* case is no difference */
	assert_int_equal(read_answer(&message, &answer), ERR_OK);
	assert_true(answer.authoritative && answer.rcode == DNS_RCODE_NOERROR && answer.count == 1);
	assert_int_equal(answer.records[0].size, 11 + 11 + 2 + 2 + 20); /* no name is compressed any more */
	assert_memory_equal(answer.records[0].data, "\1n\1a\7example\0\1h\1a\7example", 25);
	assert_true(dns_answer_serial(&answer, &serial));
	assert_int_equal(serial, 2025597953);
	dns_answer_clear(&answer);
	refused(0, 0x13, ERR_INVALID);            /* another id */
	refused(FLAGS_AT, 0x04, ERR_INVALID);     /* a query */
	refused(NAME_AT + 1, 'b', ERR_INVALID);   /* another name */
	refused(NAME_AT + 12, 2, ERR_INVALID);    /* another type */
	refused(NAME_AT + 14, 3, ERR_INVALID);    /* another class */
	refused(FLAGS_AT, 0x86, ERR_LIMIT);       /* truncated */
	refused(sizeof(query) + 5, 3, ERR_OK);    /* the record has another class */
	rcode_is(3, DNS_RCODE_NXDOMAIN);
	rcode_is(2, DNS_RCODE_SERVFAIL);
	answer = changed(FLAGS_AT, 0x80, ERR_OK);
	assert_false(answer.authoritative);
	dns_answer_clear(&answer);
}

static void test_without_records(void **state UNUSED)
{
	struct answer message = good();
	struct dns_answer answer;
	uint32_t serial;

	message.size = sizeof(query);
	message.wire[ANSWERS_AT] = 0;
	assert_int_equal(read_answer(&message, &answer), ERR_OK);
	assert_null(answer.records);
	assert_false(dns_answer_serial(&answer, &serial));
	message.wire[FLAGS_AT] = 0x86;
	assert_int_equal(read_answer(&message, &answer), ERR_LIMIT);
	for (message.size = 0; message.size < 12; message.size++)
		assert_int_equal(read_answer(&message, &answer), ERR_INVALID);
}

/* Two addresses, and one of another name between them. */
static void test_several(void **state UNUSED)
{
	static const uint8_t wire[] = { 0x12, 0x34, 0x80, 0, 0, 1, 0, 3, 0, 0, 0, 0, 1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l',
		'e', 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1, 0xc0, 14, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4,
		192, 0, 2, 3, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 2 };
	const struct dns_question address = { .name = "a.example.", .type = 1 };
	struct dns_answer answer;
	struct err err;

	assert_int_equal(dns_read_answer(&address, ID, wire, sizeof(wire), &answer, &err), ERR_OK);
	assert_int_equal(answer.count, 2);
	assert_memory_equal(answer.records[0].data, "\300\0\2\1", 4);
	assert_memory_equal(answer.records[1].data, "\300\0\2\2", 4);
	dns_answer_clear(&answer);
}

/* Whatever comes from the network: a code, never a crash, and no record but by a whole answer. */
static void test_damage(void **state UNUSED)
{
	struct rng rng = { .state = 5 };
	struct dns_answer answer;

	for (size_t size = 0; size < good().size; size++) {
		struct answer message = good();

		message.size = size;
		assert_int_not_equal(read_answer(&message, &answer), ERR_OK);
		assert_null(answer.records);
	}
	for (int i = 0; i < 50000; i++) {
		struct answer message = good();

		for (int k = 0; k < 4; k++)
			message.wire[rng_next(&rng) % message.size] = (uint8_t)rng_next(&rng);
		message.size = rng_next(&rng) % 4 == 0 ? rng_next(&rng) % message.size : message.size;
		int ret = read_answer(&message, &answer);
		assert_true(ret == ERR_OK || ret == ERR_INVALID || ret == ERR_LIMIT);
		dns_answer_clear(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_without_records),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
