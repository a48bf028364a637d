/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates for the tests of lib/http, made on the spot in a folder of their own. Included behind cmocka.h. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "http/tls.h"

enum { DAY_S = 24 * 3600 };

struct certificate {
	char folder[64];
	char cert[96];
	char key[96];
	EVP_PKEY *secret;
	X509 *x509;
};

static void certificate_write(const struct certificate *certificate)
{
	FILE *cert = fopen(certificate->cert, "w"), *key = fopen(certificate->key, "w");

	CHECK(cert != NULL && key != NULL);
	CHECK(PEM_write_X509(cert, certificate->x509) == 1);
	CHECK(PEM_write_PrivateKey(key, certificate->secret, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(cert);
	fclose(key);
}

/* For that common name, from and to so many days from now; signed by issuer, or by itself. Its files are in a folder of its own. */
static struct certificate certificate_make(const char *name, int from_days, int to_days, const struct certificate *issuer)
{
	struct certificate made = { .folder = "/tmp/http-tls-XXXXXX", .secret = EVP_EC_gen("P-256"), .x509 = X509_new() };
	X509_NAME *subject = X509_NAME_new();

	CHECK(mkdtemp(made.folder) != NULL && made.secret != NULL && made.x509 != NULL && subject != NULL);
	snprintf(made.cert, sizeof(made.cert), "%s/cert.pem", made.folder);
	snprintf(made.key, sizeof(made.key), "%s/key.pem", made.folder);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_version(made.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(made.x509), (long)from_days * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(made.x509), (long)to_days * DAY_S);
	X509_set_subject_name(made.x509, subject);
	X509_set_issuer_name(made.x509, issuer == NULL ? subject : X509_get_subject_name(issuer->x509));
	X509_set_pubkey(made.x509, made.secret);
	CHECK(X509_sign(made.x509, issuer == NULL ? made.secret : issuer->secret, EVP_sha256()) > 0);
	X509_NAME_free(subject);
	certificate_write(&made);
	return made;
}

static void certificate_free(struct certificate *certificate)
{
	unlink(certificate->cert);
	unlink(certificate->key);
	rmdir(certificate->folder);
	EVP_PKEY_free(certificate->secret);
	X509_free(certificate->x509);
}

static struct tls_files UNUSED certificate_files(const struct certificate *certificate)
{
	return (struct tls_files){ .cert = certificate->cert, .key = certificate->key, .bundle = "" };
}
