/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate of the HTTP server, with its key and its chain, and what TLS
 * is spoken with it: 1.2 and 1.3, forward secrecy, no compression, no
 * renegotiation, no resumption (reliability.md 9). Sessions keep what they
 * began with, so one certificate can follow another while they last.
 *
 * One owner. tls_load blocks on files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"

struct tls;

struct tls_files {
	const char *cert;   /* PEM; the chain may stand behind it */
	const char *key;    /* PEM, without a passphrase */
	const char *bundle; /* further certificates of the chain; "": none */
};

/*
 * ERR_INVALID: a file that is no certificate or key, or a key that is of another certificate; ERR_NOTFOUND, ERR_DENIED, ERR_IO: it
 * can't be read. The text names the key of the configuration and the file. A certificate that is not valid today is only told in the log.
 */
MUST_CHECK int tls_load(const struct tls_files *files, struct tls **out, struct err *err);
void tls_free(struct tls *tls); /* NULL is fine */
/* It is from files of these names. */
bool tls_is_of(const struct tls *tls, const struct tls_files *files);
/* The server's side of a connection; the caller's. */
SSL *tls_session(const struct tls *tls);
/* When the certificate ends, wall clock. */
int64_t tls_expires_us(const struct tls *tls);
