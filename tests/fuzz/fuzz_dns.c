/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS messages that a name server sends: only an answer to the question, with authority, and with an SOA of the zone,
 * tells a serial; its records are all that the message can hold. The first byte chooses whether the message begins with our own query (1), whether it also comes from
 * a name server, by UDP and TCP (6), and what the question is for (its upper three bits); data of any type is printed.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <libknot/libknot.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "dns/dns.h"
#include "sync/soa.h"
#include "zone/zone.h"

#define ZONE "example.com."

enum { ID = 0x1234 };

/* The name, as a query has it, in any case. */
static const char question[] = "\7example\3com\0\0\6\0\1";

static void require_answer(const uint8_t *wire, size_t size)
{
	char lower[sizeof(question)] = "";

	FUZZ_REQUIRE(size >= KNOT_WIRE_HEADER_SIZE + sizeof(question) - 1, "an answer of %zu bytes", size);
	FUZZ_REQUIRE(wire[0] == ID >> 8 && wire[1] == (ID & 0xff), "another id is accepted");
	FUZZ_REQUIRE((wire[2] & 0x86) == 0x84, "flags 0x%02x are accepted", wire[2]); /* QR and AA, no TC */
	FUZZ_REQUIRE((wire[3] & 0x0f) == 0, "code %u is accepted", wire[3] & 0x0fu);
	FUZZ_REQUIRE(wire[4] == 0 && wire[5] == 1 && (wire[6] | wire[7]) != 0, "the sections are odd");
	for (size_t i = 0; i < sizeof(lower) - 1; i++) {
		char c = (char)wire[KNOT_WIRE_HEADER_SIZE + i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	FUZZ_REQUIRE(memcmp(lower, question, sizeof(question) - 1) == 0, "an answer to another question is accepted");
}

/* What lib/verify compares: each record's data is text of its type, or is none. */
static void print_records(const struct dns_answer *answer, uint16_t type)
{
	for (size_t i = 0; i < answer->count; i++) {
		struct buf text = { 0 };
		int ret = zone_data_print(type, answer->records[i].data, answer->records[i].size, &text, NULL);

		FUZZ_REQUIRE(ret == 0 || ret == ERR_INVALID, "error %d", ret);
		FUZZ_REQUIRE(ret != 0 || memchr(text.data, '\0', text.size) == NULL, "a NUL in the text");
		buf_free(&text);
	}
}

static void try_message(const uint8_t *wire, size_t size, uint16_t type)
{
	const struct dns_question asked = { .name = ZONE, .type = type };
	struct dns_answer answer;
	uint32_t serial;
	struct err err;
	int ret = dns_read_answer(&asked, ID, wire, size, &answer, &err);

	FUZZ_REQUIRE(ret == 0 || ret == ERR_INVALID || ret == ERR_LIMIT, "error %d", ret);
	FUZZ_REQUIRE(ret == 0 || answer.records == NULL, "records without an answer");
	print_records(&answer, type);
	if (ret == 0 && type == DNS_TYPE_SOA && soa_judge(&answer, &serial, &err) == 0)
		require_answer(wire, size);
	dns_answer_clear(&answer);
}

/* ---- a name server ---- */

/* One that answers every query with the same bytes, whenever soa_ask gives it a turn: there is no other thread. */
struct server {
	int udp;
	int listener;
	int tcp;             /* -1: nobody has connected */
	uint8_t *wire;       /* id first, which becomes that of the query */
	size_t size;
	bool answered;       /* by TCP */
};

static uint16_t open_server(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int tries = 0; tries < 20; tries++) {
		server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		CHECK(server->udp >= 0 && server->listener >= 0);
		address.sin_port = 0;
		CHECK(bind(server->udp, (struct sockaddr *)&address, size) == 0);
		CHECK(getsockname(server->udp, (struct sockaddr *)&address, &size) == 0);
		if (bind(server->listener, (struct sockaddr *)&address, size) == 0 && listen(server->listener, 16) == 0)
			return ntohs(address.sin_port);
		close(server->udp);
		close(server->listener);
	}
	WRONG("no port is free");
}

static bool answer_udp(struct server *server)
{
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	uint8_t query[DNS_QUERY_MAX];

	if (recvfrom(server->udp, query, sizeof(query), 0, (struct sockaddr *)&client, &size) < 2)
		return false;
	memcpy(server->wire, query, 2);
	return sendto(server->udp, server->wire, server->size, 0, (struct sockaddr *)&client, size) >= 0;
}

static bool answer_tcp(struct server *server)
{
	struct linger abort = { .l_onoff = 1, .l_linger = 0 };
	uint8_t query[2 + DNS_QUERY_MAX], prefix[2] = { (uint8_t)(server->size >> 8), (uint8_t)server->size };

	if (server->answered)
		return true;
	if (server->tcp < 0) {
		server->tcp = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		return server->tcp >= 0;
	}
	if (recv(server->tcp, query, sizeof(query), 0) < 4)
		return false;
	memcpy(server->wire, query + 2, 2);
	server->answered = send(server->tcp, prefix, 2, MSG_NOSIGNAL) == 2 &&
		send(server->tcp, server->wire, server->size, MSG_NOSIGNAL) == (ssize_t)server->size;
	/* The client is to close first, so that no port stays in use for a minute; it has 2 s if it waits for more. */
	shutdown(server->tcp, SHUT_WR);
	setsockopt(server->tcp, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	return server->answered;
}

/* soa_ask's tick: false as soon as there is nothing to wait for. */
static bool serve(void *ctx)
{
	struct server *server = ctx;

	return answer_udp(server) || answer_tcp(server);
}

static void try_server(uint8_t *wire, size_t size)
{
	static struct server server = { .tcp = -1 };
	static uint16_t port;
	uint32_t serial;
	struct err err;

	if (port == 0)
		port = open_server(&server);
	server.wire = wire;
	server.size = size;
	server.answered = false;
	struct dns_server asked = { .address = "127.0.0.1", .port = port, .tick = serve, .ctx = &server };
	int ret = soa_ask(&asked, ZONE, &serial, &err);
	FUZZ_REQUIRE(ret == 0 || ret == ERR_TIMEOUT || ret == ERR_CLOSED || ret == ERR_NOTFOUND, "error %d", ret);
	if (ret == 0) {
		wire[0] = ID >> 8;
		wire[1] = ID & 0xff;
		require_answer(wire, size);
	}
	if (server.tcp >= 0)
		close(server.tcp);
	server.tcp = -1;
	while (answer_udp(&server))
		;
}

/* Names in the data, strings, sizes in it, bit maps: those whose form is worth a look. */
static const uint16_t types[] = { DNS_TYPE_SOA, KNOT_RRTYPE_TXT, KNOT_RRTYPE_MX, KNOT_RRTYPE_NAPTR, KNOT_RRTYPE_NSEC3,
	KNOT_RRTYPE_SVCB, KNOT_RRTYPE_LOC, KNOT_RRTYPE_IPSECKEY };

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct buf message = { 0 };
	uint8_t how = fuzz_byte(&input);
	const struct dns_question asked = { .name = ZONE, .type = types[how >> 5] };
	uint8_t query[DNS_QUERY_MAX];

	if ((how & 1) != 0) {
		buf_append(&message, query, dns_write_query(&asked, ID, query));
		message.data[2] = (char)fuzz_byte(&input);
		message.data[3] = (char)fuzz_byte(&input);
		message.data[7] = (char)fuzz_byte(&input);
		message.data[9] = (char)fuzz_byte(&input);
	}
	if (input.left > 0)
		buf_append(&message, input.at, input.left);
	uint8_t *wire = xmalloc(message.size + 1);
	if (message.size > 0)
		memcpy(wire, message.data, message.size);
	try_message(wire, message.size, asked.type);
	if ((how & 6) == 6 && message.size >= 2)
		try_server(wire, message.size);
	free(wire);
	buf_free(&message);
}
