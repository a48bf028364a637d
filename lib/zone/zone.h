/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones: canonical names, zone text -> an immutable record set with a digest,
 * and the difference of two record sets.
 *
 * A struct zone never changes after it was made; it is shared between threads
 * by an atomic reference count. All functions may be called from any thread,
 * none blocks.
 *
 * Canonical form of a record, the form in which back ends hold it:
 *   owner  lower case, relative to the zone, "@" for the apex (RFC 1035 5.1)
 *   type   upper-case mnemonic, or TYPEnnn (RFC 3597)
 *   data   presentation form with absolute names (final dot) and quoted
 *          strings, 7-bit ASCII; names inside it lower-cased for the types
 *          whose canonical form does so (RFC 4034 6.2, RFC 6840 5.1)
 *   ttl    0..2147483647 (RFC 2181 8), one per RRset, the lowest (RFC 2181
 *          5.2); an RRSIG takes the TTL of the RRset it covers (RFC 4034 3)
 * Records that are alike are folded (RFC 2181 5). Records are sorted by owner,
 * type number and data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	ZONE_NAME_SIZE = 256 + 1,  /* presentation form with final dot and NUL; only plain labels, so no escapes */
	ZONE_DIGEST_TEXT_SIZE = 33
};

struct zone_record {
	const char *owner;
	const char *type;
	const char *data;
	uint32_t ttl;
	uint16_t type_code;
};

/*
 * decisions.md 7: the number of rows and the sums modulo 2^64 of the first and
 * the second eight bytes (big-endian) of SHA-256 over each row's
 * (hostname, type, data, ttl, online), each as "<length in bytes>:<text>",
 * numbers in decimal; "-" stands for a field that is NULL. A record's online
 * is 1. Independent of order; a database can compute it too.
 */
struct zone_digest {
	uint64_t count;
	uint64_t high;
	uint64_t low;
};

struct zone; /* opaque; accessors below */

/*
 * Checks and normalises a zone name as DA sends it: lower case, one final dot
 * taken or added, labels of [a-z0-9_-] of 1..63 (and "/" never), at most 253
 * characters without the final dot, at least one label. IDN arrives as
 * punycode. 0 or ERR_INVALID naming what is wrong.
 */
MUST_CHECK int zone_name_parse(const char *text, size_t length, char out[ZONE_NAME_SIZE], struct err *err);
/* The name without its final dot, as DA and people write it. */
const char *zone_name_plain(const char *name, char out[ZONE_NAME_SIZE]);

/*
 * Parses zone text as DA or dnssec-signzone writes it (directadmin-protocol.md 4.4, 4.5). name is a canonical
 * zone name. LF and CRLF line ends, 8-bit bytes (they become \DDD), $ORIGIN and $TTL are taken. ERR_INVALID with
 * "line N: ..." for: a syntax error, $INCLUDE, $GENERATE, an owner out of the zone, no SOA, two SOAs, an SOA not
 * at the apex, a class other than IN, a query or meta type, data that is not what its type demands, CNAME beside
 * other data (DNSSEC types aside), two CNAMEs, an empty text, a NUL byte, more than max_records records (0: no
 * limit). N is the line where the scanner stopped for an error of syntax (a parenthesis that is never closed: the
 * line of its record), else the line where the record begins; the last one where the SOA is missing.
 * A record without a TTL takes $TTL (RFC 2308 4), else the last TTL stated before it (RFC 1035 5.1), else the
 * minimum of the SOA that had none (as BIND), else 3600. On success *out has one reference.
 */
MUST_CHECK int zone_parse(const char *name, const char *text, size_t length, size_t max_records, struct zone **out,
	struct err *err);
struct zone *zone_ref(struct zone *zone);
/* NULL is allowed. */
void zone_unref(struct zone *zone);

/* Everything these give lives as long as the reference. */
const char *zone_name(const struct zone *zone);
uint32_t zone_serial(const struct zone *zone); /* of the SOA */
const struct zone_digest *zone_digest(const struct zone *zone);
const struct zone_record *zone_records(const struct zone *zone, size_t *count);
/* Appends zone text that zone_parse reads as this very zone: a record a line, the SOA first. */
void zone_print(const struct zone *zone, struct buf *out);
/* Has RRSIG or DNSKEY records: the public CoreDNS plugin cannot serve it right. */
bool zone_is_signed(const struct zone *zone);
/* Memory it holds, for cache bounds. */
size_t zone_memory(const struct zone *zone);

/*
 * Appends the canonical data of a record in wire form, no name in it compressed: of what a name server answers. ERR_INVALID if
 * it is not what its type demands; out may have grown then.
 */
MUST_CHECK int zone_data_print(uint16_t type, const uint8_t *data, size_t size, struct buf *out, struct err *err);

/* For rows that came from elsewhere (a database): any text, any ttl and online, any of them NULL. */
void zone_digest_add(struct zone_digest *digest, const char *hostname, const char *type, const char *data,
	const char *ttl, const char *online);
bool zone_digest_equal(const struct zone_digest *a, const struct zone_digest *b);
/* 32 lower-case hex digits: high, then low. The count stands beside it. */
const char *zone_digest_text(const struct zone_digest *digest, char out[ZONE_DIGEST_TEXT_SIZE]);
/* The reverse; count is the caller's. ERR_INVALID if it is not 32 hex digits. */
MUST_CHECK int zone_digest_parse(const char *text, uint64_t count, struct zone_digest *out, struct err *err);

/*
 * The order of zone_records(): by owner, type number (then name, for rows whose number is not known) and data,
 * byte for byte, not by TTL; for sorting and merging.
 */
int zone_record_compare(const struct zone_record *a, const struct zone_record *b);
