/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/soa.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libknot/libknot.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

enum { UDP_TRIES = 2, UDP_MS = 1000, TCP_MS = 3000, TICK_MS = 200, ANSWER_MAX = 65535 };

/* ---- messages ---- */

size_t soa_write_query(const char *zone, uint16_t id, uint8_t out[SOA_QUERY_MAX])
{
	knot_dname_storage_t name;
	knot_pkt_t *query = knot_pkt_new(out, SOA_QUERY_MAX, NULL);

	memset(out, 0, KNOT_WIRE_HEADER_SIZE); /* the library takes the flags as they are */
	CHECK(query != NULL && knot_dname_from_str(name, zone, sizeof(name)) != NULL);
	knot_wire_set_id(query->wire, id);
	CHECK(knot_pkt_put_question(query, name, KNOT_CLASS_IN, KNOT_RRTYPE_SOA) == KNOT_EOK);
	size_t size = query->size;
	knot_pkt_free(query);
	return size;
}

static bool is_answer_to(const knot_pkt_t *answer, uint16_t id, const knot_dname_t *name)
{
	return knot_wire_get_id(answer->wire) == id && knot_wire_get_qr(answer->wire) &&
		knot_wire_get_qdcount(answer->wire) == 1 && knot_pkt_qtype(answer) == KNOT_RRTYPE_SOA &&
		knot_pkt_qclass(answer) == KNOT_CLASS_IN && knot_dname_is_case_equal(knot_pkt_qname(answer), name);
}

static int find_serial(const knot_pkt_t *answer, const knot_dname_t *name, uint32_t *serial, struct err *err)
{
	const knot_pktsection_t *section = knot_pkt_section(answer, KNOT_ANSWER);

	for (uint16_t i = 0; i < section->count; i++) {
		const knot_rrset_t *rr = knot_pkt_rr(section, i);

		if (rr->type == KNOT_RRTYPE_SOA && rr->rclass == KNOT_CLASS_IN && rr->rrs.count == 1 &&
			knot_dname_is_case_equal(rr->owner, name)) {
			*serial = knot_soa_serial(rr->rrs.rdata);
			return ERR_OK;
		}
	}
	return err_set(err, ERR_NOTFOUND, "the answer has no SOA of the zone");
}

static int judge(knot_pkt_t *answer, uint16_t id, const knot_dname_t *name, uint32_t *serial, struct err *err)
{
	if (knot_pkt_parse(answer, 0) != KNOT_EOK && !knot_wire_get_tc(answer->wire))
		return err_set(err, ERR_INVALID, "not a DNS message");
	if (!is_answer_to(answer, id, name))
		return err_set(err, ERR_INVALID, "not an answer to the question");
	if (knot_wire_get_tc(answer->wire))
		return err_set(err, ERR_LIMIT, "the answer is truncated");
	if (knot_wire_get_rcode(answer->wire) != KNOT_RCODE_NOERROR)
		return err_set(err, ERR_NOTFOUND, "the name server answers with code %u", knot_wire_get_rcode(answer->wire));
	if (!knot_wire_get_aa(answer->wire))
		return err_set(err, ERR_NOTFOUND, "the name server has no authority over the zone");
	return find_serial(answer, name, serial, err);
}

int soa_read_answer(const char *zone, uint16_t id, const uint8_t *wire, size_t size, uint32_t *serial, struct err *err)
{
	knot_dname_storage_t name;

	CHECK(knot_dname_from_str(name, zone, sizeof(name)) != NULL);
	if (size < KNOT_WIRE_HEADER_SIZE || size > ANSWER_MAX)
		return err_set(err, ERR_INVALID, "not a DNS message");
	uint8_t *copy = xmalloc(size); /* the library wants to write into it */
	memcpy(copy, wire, size);
	knot_pkt_t *answer = knot_pkt_new(copy, (uint16_t)size, NULL);
	CHECK(answer != NULL);
	int ret = judge(answer, id, name, serial, err);
	knot_pkt_free(answer);
	free(copy);
	return ret;
}

/* ---- sockets ---- */

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static int open_socket(const struct soa_server *server, int type, struct err *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(server->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(server->port) };
	bool is_v4 = inet_pton(AF_INET, server->address, &v4.sin_addr) == 1;

	if (!is_v4 && inet_pton(AF_INET6, server->address, &v6.sin6_addr) != 1)
		return err_set(err, ERR_TIMEOUT, "%s is no address", server->address);
	int fd = socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0);
	int ret = is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4)) : connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (ret != 0 && errno != EINPROGRESS) {
		close(fd);
		return err_set(err, ERR_TIMEOUT, "%s port %u: %m", server->address, server->port);
	}
	return fd;
}

/* Waits until the socket is ready for events; *left_ms shrinks. */
static int await(const struct soa_server *server, int fd, short events, int64_t until_ms, struct err *err)
{
	struct pollfd poller = { .fd = fd, .events = events };

	for (;;) {
		int64_t left_ms = until_ms - now_ms();

		if (!server->tick(server->ctx))
			return err_set(err, ERR_CLOSED, "given up");
		if (left_ms <= 0)
			return err_set(err, ERR_TIMEOUT, "%s port %u does not answer", server->address, server->port);
		if (poll(&poller, 1, left_ms < TICK_MS ? (int)left_ms : TICK_MS) > 0)
			return ERR_OK;
	}
}

static int ask_udp(const struct soa_server *server, int fd, const char *zone, uint32_t *serial, struct err *err)
{
	uint8_t wire[SOA_QUERY_MAX * 8];
	int64_t until_ms = now_ms() + UDP_MS;
	uint16_t id;

	hash_random(&id, sizeof(id));
	size_t size = soa_write_query(zone, id, wire);
	if (send(fd, wire, size, 0) != (ssize_t)size)
		return err_set(err, ERR_TIMEOUT, "%s port %u: %m", server->address, server->port);
	for (;;) {
		int ret = await(server, fd, POLLIN, until_ms, err);
		if (ret != ERR_OK)
			return ret;
		ssize_t got = recv(fd, wire, sizeof(wire), 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return err_set(err, ERR_TIMEOUT, "%s port %u: %m", server->address, server->port);
		/* What is no answer of ours is passed over: somebody may be guessing. */
		ret = got < 0 ? ERR_INVALID : soa_read_answer(zone, id, wire, (size_t)got, serial, err);
		if (ret != ERR_INVALID)
			return ret;
	}
}

/* All of it, however the pieces come. */
static int transfer(const struct soa_server *server, int fd, bool out, uint8_t *data, size_t size, int64_t until_ms,
	struct err *err)
{
	while (size > 0) {
		int ret = await(server, fd, out ? POLLOUT : POLLIN, until_ms, err);
		if (ret != ERR_OK)
			return ret;
		ssize_t done = out ? send(fd, data, size, MSG_NOSIGNAL) : recv(fd, data, size, 0);
		if (done == 0 || (done < 0 && errno != EAGAIN && errno != EINTR))
			return err_set(err, ERR_TIMEOUT, "%s port %u: the connection ended", server->address, server->port);
		data += done < 0 ? 0 : done;
		size -= done < 0 ? 0 : (size_t)done;
	}
	return ERR_OK;
}

static int ask_tcp(const struct soa_server *server, int fd, const char *zone, uint32_t *serial, struct err *err)
{
	int64_t until_ms = now_ms() + TCP_MS;
	uint8_t query[2 + SOA_QUERY_MAX];
	uint16_t id;

	hash_random(&id, sizeof(id));
	size_t size = soa_write_query(zone, id, query + 2);
	query[0] = (uint8_t)(size >> 8);
	query[1] = (uint8_t)size;
	int ret = transfer(server, fd, true, query, 2 + size, until_ms, err);
	if (ret == ERR_OK)
		ret = transfer(server, fd, false, query, 2, until_ms, err);
	if (ret != ERR_OK)
		return ret;
	size = (size_t)query[0] << 8 | query[1];
	uint8_t *answer = xmalloc(size + 1);
	ret = transfer(server, fd, false, answer, size, until_ms, err);
	if (ret == ERR_OK)
		ret = soa_read_answer(zone, id, answer, size, serial, err);
	free(answer);
	/* By TCP there is no other answer to wait for. */
	return ret == ERR_INVALID || ret == ERR_LIMIT ? err_set(err, ERR_NOTFOUND, "the answer by TCP is none") : ret;
}

int soa_ask(const struct soa_server *server, const char *zone, uint32_t *serial, struct err *err)
{
	int fd = open_socket(server, SOCK_DGRAM, err);
	int ret = fd < 0 ? fd : ERR_TIMEOUT;

	for (int i = 0; fd >= 0 && ret == ERR_TIMEOUT && i < UDP_TRIES; i++)
		ret = ask_udp(server, fd, zone, serial, err);
	if (fd >= 0)
		close(fd);
	if (ret != ERR_LIMIT)
		return ret;
	fd = open_socket(server, SOCK_STREAM, err);
	if (fd < 0)
		return fd;
	ret = ask_tcp(server, fd, zone, serial, err);
	close(fd);
	return ret;
}
