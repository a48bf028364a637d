/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * X-Forwarded-For: each proxy puts the address that it was asked from behind
 * what is there. So it is read from the right, and what a client may have
 * written itself is never reached. Pure.
 */
#pragma once

#include "base/cidr.h"

/*
 * The right-most address that is not a trusted proxy's; where all are, the left-most. Elements: an address, "1.2.3.4:80",
 * "[2001:db8::1]", "[2001:db8::1]:80". At one that is none of these the reading ends: what is left of it was written by nobody whom
 * we trust. False: there is no address to the right of it.
 */
MUST_CHECK bool forwarded_client(const char *header, const struct cidr_list *trusted, uint8_t out[CIDR_ADDRESS_SIZE]);
