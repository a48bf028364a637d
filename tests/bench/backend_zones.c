/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backend_zones.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void backend_zone_name(size_t number, char out[ZONE_NAME_SIZE])
{
	snprintf(out, ZONE_NAME_SIZE, "z%06zu.bench.example.", number);
}

/* 384 hex digits that differ from zone to zone, as a DKIM key does. */
static void make_key(const uint8_t seed[HASH_SIZE], struct buf *out)
{
	uint8_t block[HASH_SIZE];

	memcpy(block, seed, sizeof(block));
	for (int i = 0; i < 6; i++) {
		hash_sha256(block, sizeof(block), block);
		buf_hex(out, block, sizeof(block));
	}
}

struct zone *backend_zone_make(size_t number, unsigned salt, unsigned version)
{
	static const char *const hosts[] = { "ftp", "mail", "pop", "smtp", "www", "sip" };
	char name[ZONE_NAME_SIZE];
	char asked[32];
	uint8_t seed[HASH_SIZE];
	struct buf text = { 0 };
	struct buf key = { 0 };
	struct zone *zone = NULL;
	struct err err = { 0 };

	backend_zone_name(number, name);
	snprintf(asked, sizeof(asked), "%zu %u", number, salt);
	hash_sha256(asked, strlen(asked), seed);
	make_key(seed, &key);
	buf_printf(&text, "$TTL 3600\n@ IN SOA ns1.dns%u.example. hostmaster.%s %u 3600 3600 1209600 86400\n", salt, name,
		2026030401u + salt);
	buf_printf(&text, "@ IN NS ns1.dns%u.example.\n@ IN NS ns2.dns%u.example.\n@ IN A 192.0.%u.%u\n", salt, salt,
		seed[0], seed[1]);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		buf_printf(&text, "%s IN A 192.0.%u.%u\n", hosts[i], seed[0], seed[1]);
	buf_printf(&text, "@ IN MX %u mail\nblog IN CNAME www%u\n", 10 + salt, salt);
	buf_printf(&text, "_dmarc IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc%u@%s\"\n", salt, name);
	buf_printf(&text, "_version IN TXT \"%u.%u\"\n", salt, version);
	buf_printf(&text, "@ IN TXT \"v=spf1 a mx ip4:192.0.%u.%u ~all\"\n", seed[0], seed[1]);
	buf_printf(&text, "x._domainkey IN TXT \"v=DKIM1; k=rsa; p=%.200s\" \"%s\"\n", key.data, key.data + 200);
	buf_printf(&text, "mail IN AAAA 2001:db8::%x%02x\n@ IN AAAA 2001:db8::%x%02x\n", seed[2], seed[3], seed[2],
		seed[3]);
	buf_printf(&text, "_sip._tcp IN SRV 10 60 %u sip\n@ IN CAA 0 issue \"ca%u.example\"\n", 5060 + salt, salt);
	if (zone_parse(name, text.data, text.size, 0, &zone, &err) < 0) {
		fprintf(stderr, "a zone of the bench does not parse: %s\n", err.text);
		exit(1);
	}
	CHECK(zone_digest(zone)->count == BACKEND_ZONE_RECORDS);
	buf_free(&text);
	buf_free(&key);
	return zone;
}
