/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256, HMAC with it, random bytes and comparison in constant time, by OpenSSL's
 * libcrypto. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HASH_SIZE = 32,
	HASH_BASE64_SIZE = 45 /* with NUL */
};

void hash_sha256(const void *data, size_t size, uint8_t out[HASH_SIZE]);
/* Of it, in base64 (RFC 4648 4). */
void hash_sha256_base64(const void *data, size_t size, char out[HASH_BASE64_SIZE]);
/* HMAC (RFC 2104) under a key of HASH_SIZE bytes. */
void hash_hmac_sha256(const uint8_t key[HASH_SIZE], const void *data, size_t size, uint8_t out[HASH_SIZE]);
/* Takes the same time wherever the two differ. */
bool hash_equal(const uint8_t a[HASH_SIZE], const uint8_t b[HASH_SIZE]);
/* From the system's generator; ends the process if it has none. */
void hash_random(void *out, size_t size);
