/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listening sockets and peer addresses. Sockets are close-on-exec and do not
 * block. Blocks on name resolution of a listen address only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cidr.h"
#include "base/err.h"

enum {
	NET_KEY_SIZE = CIDR_ADDRESS_SIZE,
	NET_TEXT_SIZE = 64,
	NET_BACKLOG = 4096, /* or what net.core.somaxconn lets it be: a crowd there costs a master less than a SYN that is dropped */
	NET_UNSENT_MAX = 16 * 1024, /* of an answer, that the kernel takes ahead for a client that does not read */
	NET_DISCARD_MAX = 64 * 1024,
	NET_SILENT_S = 1 /* who says nothing is not accepted so long (TCP_DEFER_ACCEPT): in a crowd, a place of ours is for who speaks */
};

struct net_address {
	uint8_t bytes[CIDR_ADDRESS_SIZE]; /* base/cidr.h; of a Unix socket: zeroes */
	uint8_t key[NET_KEY_SIZE];        /* for limits: of an IPv6 address the /64, for whoever has one has all of it */
	char text[NET_TEXT_SIZE];
};

/* address "": all, v6 and v4 on one socket, or v4 alone where there is no v6. *port is replaced by the one bound. */
MUST_CHECK int net_bind_tcp(const char *address, uint16_t *port, int *out, struct err *err);
/* A socket of net_bind_tcp; it stays the caller's. */
MUST_CHECK int net_listen_tcp(int fd, const char *address, uint16_t port, struct err *err);
/* Mode 0660. A socket file that nobody listens on is replaced; one in use is an error. */
MUST_CHECK int net_listen_unix(const char *path, int *out, struct err *err);
/* The other end. False: it has gone already. */
MUST_CHECK bool net_peer(int fd, struct net_address *out);
/*
 * Throws away what has come, up to NET_DISCARD_MAX bytes: left in the socket at a close, they would make the kernel reset the
 * connection, and our answer would be lost. How many there were; -1: the other end has ended, and nothing more comes.
 */
ssize_t net_discard(int fd);
void net_address_fill(const uint8_t bytes[CIDR_ADDRESS_SIZE], struct net_address *out);
