/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Authorization headers. A reference decoder, which knows base64 as numbers to the base 64 only, says who is let in;
 * auth_check must agree, for any header and for any pair that a correct client encodes.
 *
 * The input: a byte of address, two of time, then the header, or behind a 0 a "name:password" to be encoded.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "http/auth.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const struct auth_login logins[] = {
	{ "user", "pass", AUTH_ALL, NULL },
	{ "da1", "a:b", AUTH_MASTER, "da1.example.com,da2.example.com" },
	{ "", "", AUTH_READER, NULL },
};

/* The bit at place of a row of base64 digits. */
static unsigned bit_at(const char *digits, size_t place)
{
	size_t value = (size_t)(strchr(alphabet, digits[place / 6]) - alphabet);

	return value >> (5 - place % 6) & 1;
}

/* False: it is no base64. Padding may lack, as many clients have it. */
static bool decode(const char *text, struct buf *out)
{
	size_t digits = strspn(text, alphabet);
	size_t padding = strlen(text) - digits;

	if (strspn(text + digits, "=") != padding || padding > 2 || digits % 4 == 1)
		return false;
	for (size_t i = 0; i < digits * 6 / 8; i++) {
		char byte = 0;

		for (size_t k = 0; k < 8; k++)
			byte = (char)(byte << 1 | (char)bit_at(text, i * 8 + k));
		buf_append(out, &byte, 1);
	}
	return true;
}

static void encode(const char *text, struct buf *out)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size * 8; i += 6) {
		unsigned value = 0;

		for (size_t k = i; k < i + 6; k++)
			value = value << 1 | (k < size * 8 ? (unsigned)text[k / 8] >> (7 - k % 8) & 1 : 0);
		buf_append(out, &alphabet[value], 1);
	}
	for (; out->size % 4 != 2; buf_puts(out, "=")) /* "Basic " is 6 */
		;
}

/* Which login that header is; NULL: none. */
static const struct auth_login *expected(const char *header)
{
	struct buf pair = { 0 };
	const struct auth_login *found = NULL;

	if (strncasecmp(header, "Basic ", 6) != 0)
		return NULL;
	for (header += 6; *header == ' '; header++)
		;
	if (decode(header, &pair)) {
		for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
			char *want = xasprintf("%s:%s", logins[i].name, logins[i].password);

			if (strlen(want) == pair.size && memcmp(want, pair.data, pair.size) == 0)
				found = &logins[i];
			free(want);
		}
	}
	buf_free(&pair);
	return found;
}

static void require_verdict(enum auth_verdict verdict, const char *header, const struct auth_login *got)
{
	const struct auth_login *want = expected(header);

	FUZZ_REQUIRE((verdict == AUTH_GOOD) == (want != NULL), "verdict %d for %s", verdict, header);
	if (verdict != AUTH_GOOD)
		return;
	FUZZ_REQUIRE(strcmp(got->name, want->name) == 0 && got->role == want->role, "%s is taken for %s", want->name, got->name);
	FUZZ_REQUIRE(auth_may(got->role, AUTH_PUSH) == (want->role != AUTH_READER), "%s may push or may not", want->name);
	FUZZ_REQUIRE(auth_may(got->role, AUTH_LOOK) == (want->role != AUTH_MASTER), "%s may look or may not", want->name);
	FUZZ_REQUIRE(auth_may(got->role, AUTH_CHANGE) == (want->role == AUTH_ALL), "%s may change or may not", want->name);
	FUZZ_REQUIRE(auth_may(got->role, AUTH_EXCHANGE) == (want->role == AUTH_ALL), "%s may exchange or may not", want->name);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static struct auth *auth;
	static int64_t now_ms;
	struct fuzz_input input = { data, size };
	uint8_t address[AUTH_ADDRESS_SIZE] = { fuzz_byte(&input) };
	const struct auth_login *login = NULL;
	struct buf header = { 0 };
	char *text;

	if (auth == NULL)
		auth = auth_create(logins, ARRAY_SIZE(logins));
	now_ms += fuzz_u16(&input);
	FUZZ_REQUIRE(auth_check(auth, NULL, address, now_ms, &login) == AUTH_ABSENT, "no header is no login");
	if (input.left > 0 && input.at[0] == 0) {
		fuzz_byte(&input);
		text = fuzz_text(&input, '\0');
		buf_puts(&header, "Basic ");
		encode(text, &header);
	} else {
		text = fuzz_text(&input, '\0');
		buf_puts(&header, text);
	}
	enum auth_verdict verdict = auth_check(auth, header.data, address, now_ms, &login);
	require_verdict(verdict, header.data, login);
	free(text);
	buf_free(&header);
}
