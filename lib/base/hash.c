/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "base/check.h"

static EVP_MD *sha256;

/* Where there was no memory for what OpenSSL sets up by itself, it would crash on its way to an algorithm or a random number. */
static void demand_openssl(void)
{
	CHECK(OSSL_LIB_CTX_get0_global_default() != NULL);
}

static void fetch_sha256(void)
{
	demand_openssl();
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void hash_sha256(const void *data, size_t size, uint8_t out[HASH_SIZE])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	/* OpenSSL 3's SHA256() looks the algorithm up at each call: longer than hashing a row of a zone. */
	pthread_once(&once, fetch_sha256);
	CHECK(sha256 != NULL && EVP_Digest(data, size, out, NULL, sha256, NULL) == 1);
}

void hash_sha256_base64(const void *data, size_t size, char out[HASH_BASE64_SIZE])
{
	uint8_t hash[HASH_SIZE];

	hash_sha256(data, size, hash);
	CHECK(EVP_EncodeBlock((unsigned char *)out, hash, HASH_SIZE) == HASH_BASE64_SIZE - 1);
}

void hash_hmac_sha256(const uint8_t key[HASH_SIZE], const void *data, size_t size, uint8_t out[HASH_SIZE])
{
	CHECK(HMAC(EVP_sha256(), key, HASH_SIZE, data, size, out, NULL) != NULL);
}

bool hash_equal(const uint8_t a[HASH_SIZE], const uint8_t b[HASH_SIZE])
{
	return CRYPTO_memcmp(a, b, HASH_SIZE) == 0;
}

void hash_random(void *out, size_t size)
{
	demand_openssl();
	CHECK(size <= 1024 && RAND_bytes(out, (int)size) == 1);
}
