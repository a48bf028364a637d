/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One record: from wire form to the canonical text of zone.h. Internal to
 * lib/zone; any thread.
 *
 * Text choices, beside those of zone.h: hex in upper case, as libknot and BIND
 * write it; no blanks at the end; owners escaped as miekg/dns escapes them,
 * for the public CoreDNS plugin looks them up by that text, byte for byte. So
 * "$" and the like are not escaped: who writes an owner as zone text has to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	RECORD_WIRE_NAME_SIZE = 255,
	RECORD_OWNER_SIZE = RECORD_WIRE_NAME_SIZE * 4 + 1, /* each byte as \DDD */
	RECORD_TYPE_SIZE = 16
};

/* Data of this type can stand in a zone: no type 0, NULL (RFC 1035 3.3.10), query or meta type (RFC 6895 3.1). */
bool record_type_is_data(uint16_t type);
/* The mnemonic, a constant, or NULL where TYPEnnn is the name. */
const char *record_type_name(uint16_t type);
/* The mnemonic or TYPEnnn. */
const char *record_print_type(uint16_t type, char out[RECORD_TYPE_SIZE]);
/* The type beside a CNAME is allowed: what DNSSEC puts there (RFC 4034 2.5, RFC 2181 10.1). */
bool record_type_beside_cname(uint16_t type);

/*
 * The owner relative to the zone, lower case, "@" for the zone itself. Both names in wire form and valid, the
 * zone's in lower case. false: the owner is not in the zone.
 */
bool record_print_owner(const uint8_t *owner, size_t owner_size, const uint8_t *zone, size_t zone_size,
	char out[RECORD_OWNER_SIZE]);
/*
 * Appends the canonical text of the data and a NUL; lower-cases names in rdata itself where the canonical form
 * does. rdata is what the scanner made of a presentation form. ERR_INVALID if the data is not what its type
 * demands.
 */
MUST_CHECK int record_print_data(uint16_t type, uint8_t *rdata, size_t size, struct buf *out, struct err *err);
/*
 * The same for any bytes, as "TYPE50 \# 3 010203" gives them (RFC 3597): the scanner does not look into those, and
 * libknot 3.2 reads behind the end of some that are malformed. The text may still say less than the bytes did:
 * the caller has to read it back and to compare.
 */
MUST_CHECK int record_print_raw(uint16_t type, uint8_t *rdata, size_t size, struct buf *out, struct err *err);
