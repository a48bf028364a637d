/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/log.h"

/* Of TLS 1.2; those of 1.3 are all good. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls {
	SSL_CTX *context;
	int64_t expires_us;
	char *cert, *key, *bundle; /* names of the files */
};

static int refuse(struct err *err, const char *key, const char *path, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	err_set(err, ERR_INVALID, "%s: %s: %s%s%s%s", key, path, what, reason == NULL ? "" : " (",
		reason == NULL ? "" : reason, reason == NULL ? "" : ")");
	ERR_clear_error();
	return ERR_INVALID;
}

static int open_file(const char *key, const char *path, BIO **out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	ERR_clear_error();
	if (fd < 0)
		return err_set(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : errno == EACCES ? ERR_DENIED : ERR_IO,
			"%s: %s: %s (as user %u)", key, path, strerror(errno), (unsigned)geteuid());
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_INVALID, "%s: %s is not a file", key, path);
	}
	FILE *file = fdopen(fd, "r");
	CHECK(file != NULL);
	*out = BIO_new_fp(file, BIO_CLOSE);
	CHECK(*out != NULL);
	return ERR_OK;
}

/* A passphrase would be asked for at the terminal. */
static int no_passphrase(char *buffer UNUSED, int size UNUSED, int for_writing UNUSED, void *arg UNUSED)
{
	return 0;
}

/* All certificates that are left in the file, behind what is in the chain. */
static int add_chain(SSL_CTX *context, BIO *bio, const char *key, const char *path, struct err *err)
{
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(context, certificate) != 1) {
			X509_free(certificate);
			return refuse(err, key, path, "a certificate of the chain cannot be used");
		}
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return refuse(err, key, path, "a certificate is damaged");
	ERR_clear_error();
	return ERR_OK;
}

static void note_dates(struct tls *tls, const X509 *certificate, const char *path)
{
	struct tm end = { 0 };

	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		log_warn("the certificate has expired", LOG_STR("file", path));
	else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		log_warn("the certificate is not valid yet", LOG_STR("file", path));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1)
		tls->expires_us = (int64_t)timegm(&end) * 1000000;
}

static int use_certificate(struct tls *tls, const char *path, struct err *err)
{
	static const char key[] = "app.ssl_cert";
	BIO *bio = NULL;
	int ret = open_file(key, path, &bio, err);

	if (ret != ERR_OK)
		return ret;
	X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
	if (certificate == NULL) {
		ret = refuse(err, key, path, "there is no certificate (PEM) in it");
	} else if (SSL_CTX_use_certificate(tls->context, certificate) != 1) {
		ret = refuse(err, key, path, "the certificate cannot be used");
	} else {
		note_dates(tls, certificate, path);
		ret = add_chain(tls->context, bio, key, path, err);
	}
	X509_free(certificate);
	BIO_free(bio);
	return ret;
}

static int use_key(struct tls *tls, const struct tls_files *files, struct err *err)
{
	static const char key[] = "app.ssl_key";
	BIO *bio = NULL;
	int ret = open_file(key, files->key, &bio, err);

	if (ret != ERR_OK)
		return ret;
	EVP_PKEY *secret = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (secret == NULL) {
		ret = refuse(err, key, files->key, "there is no key (PEM, without a passphrase) in it");
	} else if (SSL_CTX_use_PrivateKey(tls->context, secret) != 1 || SSL_CTX_check_private_key(tls->context) != 1) {
		/* The second: a key of another type than the certificate's is taken by the first, beside it. */
		ret = refuse(err, key, files->key, "it is not the key of the certificate in app.ssl_cert");
	}
	EVP_PKEY_free(secret);
	BIO_free(bio);
	return ret;
}

static int use_bundle(struct tls *tls, const char *path, struct err *err)
{
	static const char key[] = "app.ssl_bundle";
	BIO *bio = NULL;
	int ret = open_file(key, path, &bio, err);

	if (ret != ERR_OK)
		return ret;
	ret = add_chain(tls->context, bio, key, path, err);
	BIO_free(bio);
	return ret;
}

static SSL_CTX *make_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	CHECK(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_cipher_list(context, CIPHERS) == 1 && SSL_CTX_set_num_tickets(context, 0) == 1);
	/* A client that goes without a word of goodbye is one that has gone, as without TLS. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* An idle connection needs no buffers of records. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return context;
}

int tls_load(const struct tls_files *files, struct tls **out, struct err *err)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));
	int ret;

	tls->context = make_context();
	tls->cert = xstrdup(files->cert);
	tls->key = xstrdup(files->key);
	tls->bundle = xstrdup(files->bundle);
	ret = use_certificate(tls, files->cert, err);
	if (ret == ERR_OK)
		ret = use_key(tls, files, err);
	if (ret == ERR_OK && *files->bundle != '\0')
		ret = use_bundle(tls, files->bundle, err);
	if (ret != ERR_OK) {
		tls_free(tls);
		return ret;
	}
	*out = tls;
	return ERR_OK;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls->cert);
	free(tls->key);
	free(tls->bundle);
	free(tls);
}

bool tls_is_of(const struct tls *tls, const struct tls_files *files)
{
	return strcmp(tls->cert, files->cert) == 0 && strcmp(tls->key, files->key) == 0 &&
		strcmp(tls->bundle, files->bundle) == 0;
}

SSL *tls_session(const struct tls *tls)
{
	SSL *session = SSL_new(tls->context);

	CHECK(session != NULL);
	return session;
}

int64_t tls_expires_us(const struct tls *tls)
{
	return tls->expires_us;
}
