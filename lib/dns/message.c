/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <libknot/libknot.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns.h"

enum { MESSAGE_MAX = 65535, SOA_NUMBERS = 20 };

size_t dns_write_query(const struct dns_question *question, uint16_t id, uint8_t out[DNS_QUERY_MAX])
{
	knot_dname_storage_t name;
	knot_pkt_t *query = knot_pkt_new(out, DNS_QUERY_MAX, NULL);

	memset(out, 0, KNOT_WIRE_HEADER_SIZE); /* the library takes the flags as they are */
	CHECK(query != NULL && knot_dname_from_str(name, question->name, sizeof(name)) != NULL);
	knot_wire_set_id(query->wire, id);
	CHECK(knot_pkt_put_question(query, name, KNOT_CLASS_IN, question->type) == KNOT_EOK);
	size_t size = query->size;
	knot_pkt_free(query);
	return size;
}

static bool is_answer_to(const knot_pkt_t *message, uint16_t id, const knot_dname_t *name, uint16_t type)
{
	return knot_wire_get_id(message->wire) == id && knot_wire_get_qr(message->wire) &&
		knot_wire_get_qdcount(message->wire) == 1 && knot_pkt_qtype(message) == type &&
		knot_pkt_qclass(message) == KNOT_CLASS_IN && knot_dname_is_case_equal(knot_pkt_qname(message), name);
}

static bool is_asked_for(const knot_rrset_t *rr, const knot_dname_t *name, uint16_t type)
{
	return rr->type == type && rr->rclass == KNOT_CLASS_IN && knot_dname_is_case_equal(rr->owner, name);
}

static void count_records(const knot_rrset_t *rr, size_t *count, size_t *bytes)
{
	*count += rr->rrs.count;
	*bytes += rr->rrs.size;
}

static uint8_t *copy_records(const knot_rrset_t *rr, struct dns_answer *answer, uint8_t *to)
{
	const knot_rdata_t *rdata = rr->rrs.rdata;

	for (uint16_t i = 0; i < rr->rrs.count; i++, rdata = knot_rdataset_next((knot_rdata_t *)(uintptr_t)rdata)) {
		if (rdata->len > 0)
			memcpy(to, rdata->data, rdata->len);
		answer->records[answer->count++] = (struct dns_data){ .data = to, .size = rdata->len };
		to += rdata->len;
	}
	return to;
}

/* The array and all data are one block. */
static void take_records(const knot_pkt_t *message, const knot_dname_t *name, uint16_t type, struct dns_answer *answer)
{
	const knot_pktsection_t *section = knot_pkt_section(message, KNOT_ANSWER);
	size_t count = 0, bytes = 0;

	for (uint16_t i = 0; i < section->count; i++) {
		if (is_asked_for(knot_pkt_rr(section, i), name, type))
			count_records(knot_pkt_rr(section, i), &count, &bytes);
	}
	if (count == 0)
		return;
	answer->records = xmalloc(count * sizeof(*answer->records) + bytes);
	uint8_t *to = (uint8_t *)(answer->records + count);
	for (uint16_t i = 0; i < section->count; i++) {
		if (is_asked_for(knot_pkt_rr(section, i), name, type))
			to = copy_records(knot_pkt_rr(section, i), answer, to);
	}
}

static int judge(knot_pkt_t *message, uint16_t id, const knot_dname_t *name, uint16_t type, struct dns_answer *answer,
	struct err *err)
{
	if (knot_pkt_parse(message, 0) != KNOT_EOK && !knot_wire_get_tc(message->wire))
		return err_set(err, ERR_INVALID, "not a DNS message");
	if (!is_answer_to(message, id, name, type))
		return err_set(err, ERR_INVALID, "not an answer to the question");
	if (knot_wire_get_tc(message->wire))
		return err_set(err, ERR_LIMIT, "the answer is truncated");
	answer->rcode = knot_wire_get_rcode(message->wire);
	answer->authoritative = knot_wire_get_aa(message->wire) != 0;
	take_records(message, name, type, answer);
	return ERR_OK;
}

int dns_read_answer(const struct dns_question *question, uint16_t id, const uint8_t *wire, size_t size,
	struct dns_answer *answer, struct err *err)
{
	knot_dname_storage_t name;

	*answer = (struct dns_answer){ 0 };
	CHECK(knot_dname_from_str(name, question->name, sizeof(name)) != NULL);
	if (size < KNOT_WIRE_HEADER_SIZE || size > MESSAGE_MAX)
		return err_set(err, ERR_INVALID, "not a DNS message");
	uint8_t *copy = xmalloc(size); /* the library wants to write into it */
	memcpy(copy, wire, size);
	knot_pkt_t *message = knot_pkt_new(copy, (uint16_t)size, NULL);
	CHECK(message != NULL);
	int ret = judge(message, id, name, question->type, answer, err);
	knot_pkt_free(message);
	free(copy);
	return ret;
}

void dns_answer_clear(struct dns_answer *answer)
{
	free(answer->records);
	*answer = (struct dns_answer){ 0 };
}

bool dns_answer_serial(const struct dns_answer *answer, uint32_t *serial)
{
	/* Behind two names, of a byte at least (RFC 1035 3.3.13). */
	if (answer->count != 1 || answer->records[0].size < SOA_NUMBERS + 2)
		return false;
	const uint8_t *at = answer->records[0].data + answer->records[0].size - SOA_NUMBERS;
	*serial = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	return true;
}
