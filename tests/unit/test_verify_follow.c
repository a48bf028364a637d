/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of a name server next, and what its answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "verify/follow.h"

enum { SERVERS = 2, TYPE_A = 1, NOW = 1000, REFUSED = 5 };

struct entry {
	int64_t zone_id;
	const char *zone;
	bool deleted;
	bool still;
	uint32_t serial;
	const char *name;    /* NULL: no set is asked for */
	const char *data[3];
};

static struct follow *add(struct follows *follows, const struct entry *from, int64_t number)
{
	struct doc *doc = doc_create();

	doc_int(doc, "number", number);
	doc_int(doc, "zone_id", from->zone_id);
	doc_text(doc, "zone", from->zone);
	doc_uint(doc, "generation", (uint64_t)number);
	doc_bool(doc, "deleted", from->deleted);
	doc_uint(doc, "serial", from->serial);
	doc_int(doc, "since", 1);
	doc_bool(doc, "told", false);
	doc_bool(doc, "still", from->still);
	if (from->name != NULL) {
		doc_text(doc, "name", from->name);
		doc_text(doc, "type", "A");
		doc_uint(doc, "type_code", TYPE_A);
		struct doc *data = doc_list(doc, "data");
		for (size_t i = 0; i < ARRAY_SIZE(from->data) && from->data[i] != NULL; i++)
			doc_text(data, NULL, from->data[i]);
	}
	struct follow *follow = follow_add(follows, doc, NOW);
	doc_destroy(doc);
	return follow;
}

static const struct entry plain = { .zone_id = 7, .zone = "example.com.", .serial = 5 };
static const struct entry with_set = { .zone_id = 7, .zone = "example.com.", .serial = 5, .name = "www.example.com.",
	.data = { "192.0.2.2", "192.0.2.1" } };

/* An SOA of the root's names and that serial. */
static struct dns_answer soa(uint32_t serial, struct dns_data *record, uint8_t room[22])
{
	memset(room, 0, 22);
	for (int i = 0; i < 4; i++)
		room[2 + i] = (uint8_t)(serial >> (24 - 8 * i));
	*record = (struct dns_data){ .data = room, .size = 22 };
	return (struct dns_answer){ .authoritative = true, .records = record, .count = 1 };
}

static bool tell_soa(struct follow *follow, unsigned server, uint32_t serial)
{
	struct dns_data record;
	uint8_t room[22];
	struct dns_answer answer = soa(serial, &record, room);

	return follow_judge(follow, server, &answer, false, NOW);
}

static bool tell_rcode(struct follow *follow, unsigned server, unsigned rcode)
{
	const struct dns_answer answer = { .rcode = rcode };

	return follow_judge(follow, server, &answer, false, NOW);
}

/* 192.0.2.N of each. */
static bool tell_addresses(struct follow *follow, unsigned server, const uint8_t *last, size_t count)
{
	uint8_t bytes[3][4];
	struct dns_data records[3];

	for (size_t i = 0; i < count; i++) {
		memcpy(bytes[i], (const uint8_t[]){ 192, 0, 2, last[i] }, 4);
		records[i] = (struct dns_data){ .data = bytes[i], .size = 4 };
	}
	const struct dns_answer answer = { .records = records, .count = count };
	return follow_judge(follow, server, &answer, false, NOW);
}

static void the_serial_is_what_was_written(void **state UNUSED)
{
	struct follows follows = { .server_count = SERVERS };
	struct follow *follow = add(&follows, &plain, 1);
	int64_t next_ms;

	assert_ptr_equal(follow_next(&follows, 0, NOW, &next_ms), follow);
	assert_string_equal(follow_question(follow, 0).name, "example.com.");
	assert_int_equal(follow_question(follow, 0).type, DNS_TYPE_SOA);
	assert_false(tell_soa(follow, 0, 4));
	assert_string_equal(follow->servers[0].error, "answers serial 4, 5 was written");
	/* Not again at once. */
	assert_null(follow_next(&follows, 0, NOW, &next_ms));
	assert_int_equal(next_ms, NOW + 250);
	assert_false(tell_soa(follow, 0, 4));
	assert_int_equal(follow->servers[0].due_ms, NOW + 500);
	assert_false(tell_rcode(follow, 0, DNS_RCODE_SERVFAIL));
	assert_string_equal(follow->servers[0].error, "answers SERVFAIL, without the zone's SOA");
	assert_false(follow->servers[0].has_serial);
	assert_true(tell_soa(follow, 0, 5));
	assert_null(follow->servers[0].error);
	assert_false(follow_is_whole(&follows, follow));
	assert_null(follow_next(&follows, 0, NOW, &next_ms));
	assert_int_equal(next_ms, INT64_MAX);
	assert_ptr_equal(follow_next(&follows, 1, NOW, &next_ms), follow);
	assert_true(tell_soa(follow, 1, 5));
	assert_true(follow_is_whole(&follows, follow));
	follow_clear(&follows);
}

static void then_the_set_is_asked_for(void **state UNUSED)
{
	struct follows follows = { .server_count = 1 };
	struct follow *follow = add(&follows, &with_set, 1);

	assert_false(tell_soa(follow, 0, 5));
	assert_null(follow->servers[0].error);
	assert_string_equal(follow_question(follow, 0).name, "www.example.com.");
	assert_int_equal(follow_question(follow, 0).type, TYPE_A);
	assert_int_equal(follow->servers[0].due_ms, NOW);
	assert_false(tell_rcode(follow, 0, DNS_RCODE_NXDOMAIN));
	assert_string_equal(follow->servers[0].error, "answers NXDOMAIN for www.example.com. A, which was written");
	assert_false(tell_addresses(follow, 0, (const uint8_t[]){ 1, 3 }, 2));
	assert_string_equal(follow->servers[0].error, "answers other data for www.example.com. A: 192.0.2.1, ...");
	assert_false(tell_addresses(follow, 0, (const uint8_t[]){ 1 }, 1));
	/* In any order, and doubled. */
	assert_true(tell_addresses(follow, 0, (const uint8_t[]){ 2, 1, 2 }, 3));
	follow_clear(&follows);
}

/* With much to ask the serial is enough, if it is another one than before. */
static void a_raised_serial_may_be_enough(void **state UNUSED)
{
	struct follows follows = { .server_count = SERVERS };
	struct follow *follow = add(&follows, &with_set, 1);
	struct dns_data record;
	uint8_t room[22];
	struct dns_answer answer = soa(5, &record, room);

	assert_false(follow_judge(follow, 0, &answer, true, NOW));
	assert_true(follow->servers[0].soa_right);
	follow->raised = true;
	assert_true(follow_judge(follow, 1, &answer, true, NOW));
	follow_clear(&follows);
}

static void a_set_that_is_gone_is_not_answered(void **state UNUSED)
{
	static const struct entry gone = { .zone_id = 7, .zone = "example.com.", .serial = 5, .name = "www.example.com." };
	struct follows follows = { .server_count = SERVERS };
	struct follow *follow = add(&follows, &gone, 1);

	assert_false(tell_soa(follow, 0, 5));
	assert_false(tell_addresses(follow, 0, (const uint8_t[]){ 1 }, 1));
	assert_string_equal(follow->servers[0].error, "still answers www.example.com. A, which is gone: 192.0.2.1");
	assert_true(tell_rcode(follow, 0, DNS_RCODE_NXDOMAIN));
	assert_false(tell_soa(follow, 1, 5));
	assert_true(tell_rcode(follow, 1, DNS_RCODE_NOERROR));
	follow_clear(&follows);
}

static void a_deleted_zone_has_no_soa(void **state UNUSED)
{
	static const unsigned codes[] = { DNS_RCODE_NXDOMAIN, REFUSED, DNS_RCODE_SERVFAIL, DNS_RCODE_NOERROR };
	static const struct entry deleted = { .zone_id = 7, .zone = "example.com.", .deleted = true, .serial = 5 };
	struct follows follows = { .server_count = 1 };
	struct follow *follow = add(&follows, &deleted, 1);

	assert_false(tell_soa(follow, 0, 5));
	assert_string_equal(follow->servers[0].error, "still answers, with serial 5");
	assert_int_equal(follow->servers[0].due_ms, NOW + 250);
	/* Once that is told it is asked rarely: what a server keeps in memory it keeps. */
	follow->told = true;
	assert_false(tell_soa(follow, 0, 5));
	assert_int_equal(follow->servers[0].due_ms, NOW + 3600000);
	follow_wake(&follows, 0, false, NOW + 5);
	assert_int_equal(follow->servers[0].due_ms, NOW + 5);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		follow = add(&follows, &deleted, (int64_t)i + 2);
		assert_true(tell_rcode(follow, 0, codes[i]));
	}
	follow_clear(&follows);
}

/* What was heard counts; before anything was, what was told before the restart. */
static void a_silent_server_is_not_said_to_answer(void **state UNUSED)
{
	struct entry deleted = { .zone_id = 7, .zone = "example.com.", .deleted = true, .serial = 5 };
	const struct err err = { .code = ERR_TIMEOUT, .text = "does not answer" };
	struct follows follows = { .server_count = SERVERS };
	struct follow *follow = add(&follows, &deleted, 1);

	assert_false(follow_still_answers(&follows, follow));
	follow_miss(follow, 0, &err, NOW);
	assert_false(follow_still_answers(&follows, follow));
	assert_false(tell_soa(follow, 0, 5));
	assert_true(follow_still_answers(&follows, follow));
	/* One question may be lost, and is asked once more soon. */
	follow->told = true;
	follow_miss(follow, 0, &err, NOW);
	assert_true(follow_still_answers(&follows, follow));
	assert_string_equal(follow->servers[0].error, "still answers, with serial 5");
	assert_int_equal(follow->servers[0].due_ms, NOW + 30000);
	follow_miss(follow, 0, &err, NOW);
	assert_false(follow_still_answers(&follows, follow));
	assert_string_equal(follow->servers[0].error, err.text);
	assert_false(tell_soa(follow, 1, 5));
	assert_true(follow_still_answers(&follows, follow));
	deleted.still = true;
	follow = add(&follows, &deleted, 2);
	assert_true(follow_still_answers(&follows, follow));
	for (unsigned i = 0; i < SERVERS; i++)
		follow_miss(follow, i, &err, NOW);
	assert_false(follow_still_answers(&follows, follow));
	follow_clear(&follows);
}

static void a_report_stands_until_it_says_something_else(void **state UNUSED)
{
	struct follows follows = { .server_count = 1 };
	struct follow *follow = add(&follows, &plain, 1);
	const struct err err = { .code = ERR_INVALID, .text = "the answer by TCP is truncated" };

	assert_false(tell_soa(follow, 0, 4));
	follow->servers[0].reported = true;
	assert_false(tell_soa(follow, 0, 4));
	assert_true(follow->servers[0].reported);
	follow_refuse(follow, 0, &err, NOW);
	assert_false(follow->servers[0].reported);
	assert_string_equal(follow->servers[0].error, err.text);
	follow->servers[0].reported = true;
	assert_true(tell_soa(follow, 0, 5));
	assert_false(follow->servers[0].reported);
	follow_clear(&follows);
}

/* The serial was late, and that was told; then it is right, and the set is not. */
static void what_was_told_of_the_serial_is_no_word_of_the_set(void **state UNUSED)
{
	struct follows follows = { .server_count = 1 };
	struct follow *follow = add(&follows, &with_set, 1);

	assert_false(tell_soa(follow, 0, 4));
	follow->servers[0].reported = true;
	assert_false(tell_soa(follow, 0, 5));
	assert_false(tell_rcode(follow, 0, DNS_RCODE_NXDOMAIN));
	assert_string_equal(follow->servers[0].error, "answers NXDOMAIN for www.example.com. A, which was written");
	assert_false(follow->servers[0].reported);
	follow_clear(&follows);
}

/* The others come first then; and it is asked for often enough to find out that the server is back. */
static void what_had_no_answer_goes_to_the_end(void **state UNUSED)
{
	static const struct entry other = { .zone_id = 8, .zone = "example.net.", .serial = 5 };
	const struct err err = { .code = ERR_TIMEOUT, .text = "does not answer" };
	struct follows follows = { .server_count = 1 };
	struct follow *first = add(&follows, &plain, 1), *second = add(&follows, &other, 2);
	int64_t next_ms;

	for (unsigned i = 0; i < 20; i++)
		follow_miss(first, 0, &err, NOW);
	assert_string_equal(first->servers[0].error, err.text);
	assert_int_equal(first->servers[0].due_ms, NOW + 30000);
	assert_ptr_equal(follow_next(&follows, 0, NOW, &next_ms), second);
	follow_wake(&follows, 0, false, NOW + 5);
	assert_int_equal(first->servers[0].due_ms, NOW + 30000);
	follow_wake(&follows, 0, true, NOW + 5);
	assert_int_equal(first->servers[0].due_ms, NOW + 5);
	follow_clear(&follows);
}

/* A zone stands once; what was written last counts. */
static void the_newest_writing_takes_its_place(void **state UNUSED)
{
	struct follows follows = { .server_count = 1 };
	struct entry entry = plain;
	int64_t next_ms;

	for (entry.zone_id = 1; entry.zone_id <= 300; entry.zone_id++)
		add(&follows, &entry, entry.zone_id);
	for (entry.zone_id = 1; entry.zone_id <= 300; entry.zone_id += 3)
		follow_remove(&follows, follow_find(&follows, entry.zone_id));
	for (entry.zone_id = 2; entry.zone_id <= 300; entry.zone_id += 3)
		add(&follows, &entry, 1000 + entry.zone_id);
	assert_int_equal(follows.count, 200);
	for (entry.zone_id = 1; entry.zone_id <= 300; entry.zone_id++) {
		struct follow *follow = follow_find(&follows, entry.zone_id);

		if (entry.zone_id % 3 == 1) {
			assert_null(follow);
			continue;
		}
		assert_int_equal(follow->zone_id, entry.zone_id);
		assert_int_equal(follow->number, entry.zone_id % 3 == 2 ? 1000 + entry.zone_id : entry.zone_id);
	}
	/* Who waits longest goes first. */
	for (size_t i = 0; i < follows.count; i++)
		follows.all[i]->servers[0].due_ms = NOW + 10;
	follow_find(&follows, 200)->servers[0].due_ms = NOW - 1;
	assert_int_equal(follow_next(&follows, 0, NOW, &next_ms)->zone_id, 200);
	follow_clear(&follows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_serial_is_what_was_written),
		cmocka_unit_test(then_the_set_is_asked_for),
		cmocka_unit_test(a_raised_serial_may_be_enough),
		cmocka_unit_test(a_set_that_is_gone_is_not_answered),
		cmocka_unit_test(a_deleted_zone_has_no_soa),
		cmocka_unit_test(a_silent_server_is_not_said_to_answer),
		cmocka_unit_test(a_report_stands_until_it_says_something_else),
		cmocka_unit_test(what_was_told_of_the_serial_is_no_word_of_the_set),
		cmocka_unit_test(what_had_no_answer_goes_to_the_end),
		cmocka_unit_test(the_newest_writing_takes_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
