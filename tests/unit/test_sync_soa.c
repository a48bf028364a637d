/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNS messages about an SOA: the query byte for byte, and every kind of answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sync/soa.h"

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

static int read_answer(const struct answer *answer, uint32_t *serial)
{
	struct err err;

	return soa_read_answer("a.example.", ID, answer->wire, answer->size, serial, &err);
}

static int changed(size_t at, uint8_t to)
{
	struct answer answer = good();
	uint32_t serial = 0;

	answer.wire[at] = to;
	return read_answer(&answer, &serial);
}

static void test_query(void **state UNUSED)
{
	uint8_t wire[SOA_QUERY_MAX];

	memset(wire, 0xff, sizeof(wire));
	assert_int_equal(soa_write_query("a.example.", ID, wire), sizeof(query));
	assert_memory_equal(wire, query, sizeof(query));
}

static void test_answers(void **state UNUSED)
{
	struct answer answer = good();
	uint32_t serial = 0;

	assert_int_equal(read_answer(&answer, &serial), ERR_OK);
	assert_int_equal(serial, 2025597953);
	answer.wire[NAME_AT + 1] = 'A'; /* case is no difference */
	assert_int_equal(read_answer(&answer, &serial), ERR_OK);
	assert_int_equal(changed(0, 0x13), ERR_INVALID);            /* another id */
	assert_int_equal(changed(FLAGS_AT, 0x04), ERR_INVALID);     /* a query */
	assert_int_equal(changed(NAME_AT + 1, 'b'), ERR_INVALID);   /* another name */
	assert_int_equal(changed(NAME_AT + 12, 2), ERR_INVALID);    /* another type */
	assert_int_equal(changed(NAME_AT + 14, 3), ERR_INVALID);    /* another class */
	assert_int_equal(changed(sizeof(query) + 5, 3), ERR_NOTFOUND); /* the record has */
	assert_int_equal(changed(FLAGS_AT, 0x80), ERR_NOTFOUND);    /* without authority */
	assert_int_equal(changed(FLAGS_AT + 1, 3), ERR_NOTFOUND);   /* NXDOMAIN */
	assert_int_equal(changed(FLAGS_AT + 1, 5), ERR_NOTFOUND);   /* REFUSED */
	assert_int_equal(changed(FLAGS_AT, 0x86), ERR_LIMIT);       /* truncated */
	answer = good();
	answer.size = sizeof(query);
	answer.wire[ANSWERS_AT] = 0;
	assert_int_equal(read_answer(&answer, &serial), ERR_NOTFOUND);
	answer.wire[FLAGS_AT] = 0x86;
	assert_int_equal(read_answer(&answer, &serial), ERR_LIMIT);
	for (size_t size = 0; size < 12; size++) {
		answer.size = size;
		assert_int_equal(read_answer(&answer, &serial), ERR_INVALID);
	}
}

/* Whatever comes from the network: a code, never a crash, and no serial but by a whole answer. */
static void test_damage(void **state UNUSED)
{
	struct rng rng = { .state = 5 };
	uint32_t serial;

	for (size_t size = 0; size < good().size; size++) {
		struct answer answer = good();

		answer.size = size;
		assert_int_not_equal(read_answer(&answer, &serial), ERR_OK);
	}
	for (int i = 0; i < 50000; i++) {
		struct answer answer = good();

		for (int k = 0; k < 4; k++)
			answer.wire[rng_next(&rng) % answer.size] = (uint8_t)rng_next(&rng);
		answer.size = rng_next(&rng) % 4 == 0 ? rng_next(&rng) % answer.size : answer.size;
		int ret = read_answer(&answer, &serial);
		assert_true(ret == ERR_OK || ret == ERR_INVALID || ret == ERR_NOTFOUND || ret == ERR_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
