/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, ALL_BITS = 128 };

static const uint8_t mapped[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

bool cidr_is_v4(const uint8_t address[CIDR_ADDRESS_SIZE])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool cidr_parse_address(const char *text, uint8_t out[CIDR_ADDRESS_SIZE])
{
	memcpy(out, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out + sizeof(mapped)) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

/* Decimal, without sign or leading zero. */
static bool parse_bits(const char *text, unsigned most, unsigned *out)
{
	unsigned bits = 0;

	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		bits = bits * 10 + (unsigned)(*text - '0');
		if (bits > most)
			return false;
	}
	*out = bits;
	return true;
}

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned mask = 0xff00U >> bits % 8 & 0xff;

	return memcmp(a, b, bits / 8) == 0 && (mask == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

static bool has_host_bits(const struct cidr *cidr)
{
	struct cidr bare = { .bits = cidr->bits };

	for (unsigned bit = 0; bit < cidr->bits; bit++)
		bare.address[bit / 8] |= (uint8_t)(cidr->address[bit / 8] & 0x80U >> bit % 8);
	return memcmp(bare.address, cidr->address, sizeof(bare.address)) != 0;
}

bool cidr_parse(const char *text, struct cidr *out)
{
	const char *slash = strchr(text, '/');
	char *address = slash == NULL ? xstrdup(text) : xmemdup(text, (size_t)(slash - text));
	bool dotted = strchr(address, ':') == NULL;
	bool good = cidr_parse_address(address, out->address);

	free(address);
	out->bits = ALL_BITS;
	if (!good || slash == NULL)
		return good;
	if (!parse_bits(slash + 1, dotted ? ALL_BITS - MAPPED_BITS : ALL_BITS, &out->bits))
		return false;
	if (dotted)
		out->bits += MAPPED_BITS;
	return !has_host_bits(out);
}

bool cidr_contains(const struct cidr *cidr, const uint8_t address[CIDR_ADDRESS_SIZE])
{
	bool v4 = cidr->bits >= MAPPED_BITS && cidr_is_v4(cidr->address);

	return v4 == cidr_is_v4(address) && prefix_equal(cidr->address, address, cidr->bits);
}

int cidr_list_parse(const char *const *words, size_t count, struct cidr_list *out, struct err *err)
{
	struct cidr_list list = { .items = xcalloc(count, sizeof(*list.items)), .count = count };

	for (size_t i = 0; i < count; i++) {
		if (!cidr_parse(words[i], &list.items[i])) {
			cidr_list_free(&list);
			return err_set(err, ERR_INVALID, "\"%.60s\" is neither an address nor a network", words[i]);
		}
	}
	*out = list;
	return ERR_OK;
}

bool cidr_list_contains(const struct cidr_list *list, const uint8_t address[CIDR_ADDRESS_SIZE])
{
	for (size_t i = 0; i < list->count; i++) {
		if (cidr_contains(&list->items[i], address))
			return true;
	}
	return false;
}

void cidr_list_free(struct cidr_list *list)
{
	free(list->items);
	*list = (struct cidr_list){ 0 };
}
