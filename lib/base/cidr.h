/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses and networks of them, as operators write them: "192.0.2.7",
 * "192.0.2.0/24", "2001:db8::/32" (RFC 4632 3.1, RFC 4291 2.3). An address is
 * 16 bytes, an IPv4 one in its IPv4-mapped form (RFC 4291 2.5.5.2): a client
 * is the same whichever kind of socket it came by. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CIDR_ADDRESS_SIZE = 16 };

struct cidr {
	uint8_t address[CIDR_ADDRESS_SIZE];
	unsigned bits; /* of the 128 */
};

struct cidr_list {
	struct cidr *items;
	size_t count;
};

/* "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7" (which is the first again); no zone, no blanks. */
MUST_CHECK bool cidr_parse_address(const char *text, uint8_t out[CIDR_ADDRESS_SIZE]);
/* An address, or a network: one that has bits set behind its prefix is none, it is mostly a slip. */
MUST_CHECK bool cidr_parse(const char *text, struct cidr *out);
bool cidr_is_v4(const uint8_t address[CIDR_ADDRESS_SIZE]);
/* No IPv6 network but those within ::ffff:0:0/96 has an IPv4 address in it: "::/0" is all of IPv6. */
bool cidr_contains(const struct cidr *cidr, const uint8_t address[CIDR_ADDRESS_SIZE]);

/* ERR_INVALID names the word that is none. On success the caller frees the list. */
MUST_CHECK int cidr_list_parse(const char *const *words, size_t count, struct cidr_list *out, struct err *err);
bool cidr_list_contains(const struct cidr_list *list, const uint8_t address[CIDR_ADDRESS_SIZE]);
void cidr_list_free(struct cidr_list *list);
