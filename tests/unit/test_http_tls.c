/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS at the front door: what is spoken and what is refused, the files it takes, and a certificate that follows another one. All
 * that the front door promises besides is tried with TLS before it by test_http_door_tls.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "http/internal.h"
#include "test_http_fake.h"
#include "test_http_certificate.h"
#include "test_http_client.h"
#include "test_http_reloader.h"

#define TEST "/CMD_API_LOGIN_TEST"
#define TEST_REQUEST "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n"
#define TEST_OK "error=0&text=Login+OK&details=none"

/* ---- a client ---- */

struct tls_client {
	int fd;
	SSL *ssl;
};

/* How a client differs from a usual one; zeroes: not at all. */
struct habits {
	int version;          /* this one alone */
	const char *ciphers;
};

/* ssl NULL: there was no handshake. */
static struct tls_client tls_connect(uint16_t port, struct habits habits)
{
	struct served to = { .port = port };
	struct tls_client client = { .fd = client_connect(&to) };
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_non_null(context);
	SSL_CTX_set_security_level(context, 0); /* it would take anything */
	SSL_CTX_set_min_proto_version(context, habits.version);
	SSL_CTX_set_max_proto_version(context, habits.version);
	if (habits.ciphers != NULL)
		assert_int_equal(SSL_CTX_set_cipher_list(context, habits.ciphers), 1);
	client.ssl = SSL_new(context);
	SSL_CTX_free(context);
	SSL_set_fd(client.ssl, client.fd);
	if (SSL_connect(client.ssl) != 1) {
		SSL_free(client.ssl);
		client.ssl = NULL;
	}
	return client;
}

static void tls_close(struct tls_client *client)
{
	SSL_free(client->ssl);
	close(client->fd);
}

static void tls_send(struct tls_client *client, const char *data, size_t size)
{
	assert_int_equal(SSL_write(client->ssl, data, (int)size), (int)size);
}

/* An answer with a short body, in a static buffer. */
static const char *tls_read(struct tls_client *client)
{
	static char text[4096];
	size_t used = 0;
	const char *end;

	memset(text, 0, sizeof(text));
	while ((end = strstr(text, "\r\n\r\n")) == NULL || strlen(end + 4) < (size_t)atol(strstr(text, "Content-Length: ") + 16)) {
		int got = SSL_read(client->ssl, text + used, (int)(sizeof(text) - 1 - used));
		if (got <= 0)
			return NULL;
		used += (size_t)got;
	}
	return text;
}

static void assert_serves(struct tls_client *client)
{
	assert_non_null(client->ssl);
	tls_send(client, TEST_REQUEST, strlen(TEST_REQUEST));
	const char *answer = tls_read(client);
	assert_non_null(answer);
	assert_non_null(strstr(answer, TEST_OK));
}

static struct http_params tls_params(const struct certificate *certificate)
{
	struct http_params params = default_params();

	params.main.ssl = true;
	params.ssl_cert = certificate->cert;
	params.ssl_key = certificate->key;
	params.ssl_bundle = "";
	return params;
}

/* serve_begin asks in the clear: the main listener does until it is done. */
static struct reloader *tls_start(const struct http_params *params)
{
	struct reloader *reloader = reloader_start(default_params());

	assert_int_equal(reloader_reload(reloader, params), ERR_OK);
	return reloader;
}

static bool has_name(const struct tls_client *client, const char *name)
{
	X509 *shown = SSL_get1_peer_certificate(client->ssl);
	char text[64] = "";

	assert_non_null(shown);
	X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof(text));
	X509_free(shown);
	return strcmp(text, name) == 0;
}

/* ---- what is spoken ---- */

static void test_versions_and_ciphers(void **state UNUSED)
{
	static const struct {
		struct habits habits;
		bool good;
	} cases[] = {
		{ { TLS1_3_VERSION, NULL }, true },
		{ { TLS1_2_VERSION, NULL }, true },
		{ { TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256" }, true },
		{ { TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305" }, true },
		{ { TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384" }, false }, /* CBC */
		{ { TLS1_2_VERSION, "AES128-GCM-SHA256" }, false },         /* no forward secrecy */
		{ { TLS1_2_VERSION, "NULL" }, false },
		{ { TLS1_2_VERSION, "aNULL" }, false },
		{ { TLS1_1_VERSION, "ALL" }, false },
		{ { TLS1_VERSION, "ALL" }, false },
	};
	struct certificate certificate = certificate_make("one", -1, 1, NULL);
	struct http_params params = tls_params(&certificate);
	struct reloader *reloader = tls_start(&params);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tls_client client = tls_connect(reloader->served.port, cases[i].habits);

		if ((client.ssl != NULL) != cases[i].good)
			fail_msg("version %x with %s: handshake %s", (unsigned)cases[i].habits.version,
				cases[i].habits.ciphers != NULL ? cases[i].habits.ciphers : "the usual", client.ssl != NULL ? "done" : "refused");
		if (client.ssl != NULL)
			assert_serves(&client);
		tls_close(&client);
	}
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK); /* behind it the loop's counts can be looked at */
	assert_int_equal(reloader->served.http->counts.handshakes_failed, 6);
	reloader_stop(reloader);
	certificate_free(&certificate);
}

/* What speaks no TLS: HTTP is told in HTTP, the rest is closed; and a silent or slow one has the time of a head, not more. */
static void test_no_tls(void **state UNUSED)
{
	static const char *const others[] = { "SSH-2.0-OpenSSH_9.2\r\n", "\x16\x03\x01\x40\x01garbage", "\r\n\r\n\r\n\r\n" };
	struct certificate certificate = certificate_make("one", -1, 1, NULL);
	struct http_params params = tls_params(&certificate);
	params.header_deadline_ms = 1500;
	struct reloader *reloader = tls_start(&params);
	struct answer answer = { 0 };

	client_ask(&reloader->served, TEST_REQUEST, &answer);
	assert_answer(&answer, 400, "error=1&text=this+port+speaks+TLS+alone%3A+use+https");
	assert_true(answer.closed);
	struct buf push = { 0 };
	buf_puts(&push, "POST /CMD_API_DNS_ADMIN?action=rawsave&domain=a.example HTTP/1.0\r\n" LOGIN "Content-Length: 20000\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buf_puts(&push, "z");
	client_ask(&reloader->served, push.data, &answer);
	assert_int_equal(answer.status, 400);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		int fd = client_connect(&reloader->served);
		char byte;

		client_send(fd, others[i], strlen(others[i]));
		while (client_byte(fd, &byte)) /* an alert, perhaps */
			assert_true(byte != 'H');
		close(fd);
	}
	int64_t begin = clock_mono_ms(clock_system());
	int silent = client_connect(&reloader->served), slow = client_connect(&reloader->served);
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	for (size_t i = 0; i < 150 && send(slow, hello + i % (sizeof(hello) - 1), 1, MSG_NOSIGNAL) == 1; i++)
		poll(NULL, 0, 20);
	assert_true(client_closed(slow));
	/* From the last drop it would be 4500. */
	assert_in_range(clock_mono_ms(clock_system()) - begin, 1490, 4400);
	assert_true(client_closed(silent));
	close(silent);
	close(slow);
	assert_int_equal(reloader->served.fake->pushes, 0);
	buf_free(&push);
	buf_free(&answer.body);
	reloader_stop(reloader);
	certificate_free(&certificate);
}

/* Nobody makes us work again and again on one connection, and what ends says so. */
static void test_renegotiation_and_goodbye(void **state UNUSED)
{
	struct certificate certificate = certificate_make("one", -1, 1, NULL);
	struct http_params params = tls_params(&certificate);
	struct reloader *reloader = tls_start(&params);
	struct tls_client client = tls_connect(reloader->served.port, (struct habits){ .version = TLS1_2_VERSION });
	char byte;

	assert_serves(&client);
	assert_int_equal(SSL_renegotiate(client.ssl), 1);
	assert_true(SSL_do_handshake(client.ssl) != 1 || SSL_read(client.ssl, &byte, 1) <= 0);
	tls_close(&client);
	client = tls_connect(reloader->served.port, (struct habits){ 0 });
	assert_serves(&client);
	assert_int_equal(SSL_session_reused(client.ssl), 0);
	const char *last = "GET " TEST " HTTP/1.1\r\nConnection: close\r\n" LOGIN "\r\n";
	tls_send(&client, last, strlen(last));
	assert_non_null(tls_read(&client));
	int got = SSL_read(client.ssl, &byte, 1);
	assert_int_equal(SSL_get_error(client.ssl, got), SSL_ERROR_ZERO_RETURN); /* no truncation */
	tls_close(&client);
	client = tls_connect(reloader->served.port, (struct habits){ 0 });
	tls_send(&client, "NONSENSE / HTTP/1.1\r\n\r\n", 23);
	assert_non_null(strstr(tls_read(&client), "405 Method Not Allowed"));
	got = SSL_read(client.ssl, &byte, 1);
	assert_int_equal(SSL_get_error(client.ssl, got), SSL_ERROR_ZERO_RETURN);
	tls_close(&client);
	reloader_stop(reloader);
	certificate_free(&certificate);
}

/* What came in one record with what was refused is not kept: it would take the room of those that are served. */
static void test_refused_in_one_record(void **state UNUSED)
{
	struct certificate certificate = certificate_make("one", -1, 1, NULL);
	struct http_params params = tls_params(&certificate);
	struct tls_client refused[4];
	char record[16000] = "NONSENSE / HTTP/1.1\r\n\r\n";

	params.max_inflight_bytes = 20000;
	struct reloader *reloader = tls_start(&params);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		refused[i] = tls_connect(reloader->served.port, (struct habits){ 0 });
		assert_non_null(refused[i].ssl);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		tls_send(&refused[i], record, sizeof(record));
		assert_non_null(strstr(tls_read(&refused[i]), "405 Method Not Allowed"));
	}
	struct tls_client client = tls_connect(reloader->served.port, (struct habits){ 0 });
	struct tls_client other = tls_connect(reloader->served.port, (struct habits){ 0 });
	assert_non_null(client.ssl);
	assert_non_null(other.ssl);
	/* A part of a request is what has to go when there is too much; what comes after it is answered when it was read. */
	tls_send(&client, TEST_REQUEST, 10);
	tls_send(&other, TEST_REQUEST, strlen(TEST_REQUEST));
	assert_non_null(strstr(tls_read(&other), TEST_OK));
	tls_send(&client, &TEST_REQUEST[10], strlen(TEST_REQUEST) - 10);
	assert_non_null(strstr(tls_read(&client), TEST_OK));
	tls_close(&other);
	tls_close(&client);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		tls_close(&refused[i]);
	reloader_stop(reloader);
	certificate_free(&certificate);
}

/* ---- files ---- */

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void refuse_files(struct tls_files files, enum err_code code, const char *key, const char *why)
{
	struct tls *tls = NULL;
	struct err err;

	if (tls_load(&files, &tls, &err) != code || strncmp(err.text, key, strlen(key)) != 0 || strstr(err.text, why) == NULL)
		fail_msg("wanted %s ... %s, got %s", key, why, tls == NULL ? err.text : "no error");
}

static void test_files(void **state UNUSED)
{
	struct certificate one = certificate_make("one", -1, 1, NULL), other = certificate_make("other", -1, 1, NULL);
	struct certificate old = certificate_make("old", -9, -3, NULL), early = certificate_make("early", 3, 9, NULL);
	struct tls_files good = certificate_files(&one);
	char odd[160];
	struct tls_files files;
	struct tls *tls;
	struct err err;

	snprintf(odd, sizeof(odd), "%s/odd", one.folder);
#define REFUSE(member, path, code, why) (files = good, files.member = (path), refuse_files(files, code, "app.ssl_" #member ": ", why))
	REFUSE(cert, "/no/such/file", ERR_NOTFOUND, "No such file or directory (as user ");
	REFUSE(key, "/no/such/file", ERR_NOTFOUND, "No such file or directory (as user ");
	REFUSE(bundle, "/no/such/file", ERR_NOTFOUND, "No such file or directory (as user ");
	REFUSE(cert, one.folder, ERR_INVALID, "is not a file");
	assert_int_equal(mkfifo(odd, 0600), 0); /* nobody waits for its writer */
	REFUSE(cert, odd, ERR_INVALID, "is not a file");
	unlink(odd);
	REFUSE(cert, one.key, ERR_INVALID, "there is no certificate (PEM) in it");
	REFUSE(key, one.cert, ERR_INVALID, "there is no key (PEM, without a passphrase) in it");
	REFUSE(key, other.key, ERR_INVALID, "it is not the key of the certificate in app.ssl_cert");
	put(odd, "");
	REFUSE(cert, odd, ERR_INVALID, "there is no certificate");
	put(odd, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
	REFUSE(bundle, odd, ERR_INVALID, "a certificate is damaged");
	FILE *file = fopen(odd, "w");
	assert_int_equal(PEM_write_PrivateKey(file, one.secret, EVP_aes_128_cbc(), (const unsigned char *)"pass", 4, NULL, NULL), 1);
	fclose(file);
	REFUSE(key, odd, ERR_INVALID, "there is no key (PEM, without a passphrase) in it");
	EVP_PKEY *stranger = EVP_RSA_gen(2048); /* as when a new certificate is of another type, and its key comes a moment later */
	file = fopen(odd, "w");
	assert_int_equal(PEM_write_PrivateKey(file, stranger, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(stranger);
	REFUSE(key, odd, ERR_INVALID, "it is not the key of the certificate in app.ssl_cert");
#undef REFUSE
	/* Not valid today: told, not refused, for a master may be the only one that looks at nothing of it. */
	files = certificate_files(&old);
	assert_int_equal(tls_load(&files, &tls, &err), ERR_OK);
	assert_true(tls_expires_us(tls) < clock_wall_us(clock_system()));
	tls_free(tls);
	files = certificate_files(&early);
	assert_int_equal(tls_load(&files, &tls, &err), ERR_OK);
	assert_in_range(tls_expires_us(tls) - clock_wall_us(clock_system()), INT64_C(8) * DAY_S * 1000000,
		INT64_C(10) * DAY_S * 1000000);
	tls_free(tls);
	unlink(odd);
	certificate_free(&one);
	certificate_free(&other);
	certificate_free(&old);
	certificate_free(&early);
}

/* The chain is shown, from either file. */
static void test_chain(void **state UNUSED)
{
	struct certificate root = certificate_make("root", -1, 1, NULL), leaf = certificate_make("leaf", -1, 1, &root);

	for (int bundled = 0; bundled < 2; bundled++) {
		struct http_params params = tls_params(&leaf);
		if (bundled) {
			params.ssl_bundle = root.cert;
		} else {
			FILE *file = fopen(leaf.cert, "a");
			assert_int_equal(PEM_write_X509(file, root.x509), 1);
			fclose(file);
		}
		struct reloader *reloader = tls_start(&params);
		struct tls_client client = tls_connect(reloader->served.port, (struct habits){ 0 });
		assert_serves(&client);
		assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(client.ssl)), 2);
		tls_close(&client);
		reloader_stop(reloader);
		certificate_write(&leaf);
	}
	certificate_free(&root);
	certificate_free(&leaf);
}

/* ---- reloads ---- */

/* New connections have the new certificate, those that are open go on with theirs; a broken file changes nothing. */
static void test_another_certificate(void **state UNUSED)
{
	struct certificate one = certificate_make("one", -1, 1, NULL), two = certificate_make("two", -1, 1, NULL);
	struct http_params params = tls_params(&one);
	struct reloader *reloader = tls_start(&params);
	struct tls_client first = tls_connect(reloader->served.port, (struct habits){ 0 });

	assert_serves(&first);
	assert_true(has_name(&first, "one"));
	params.ssl_cert = two.cert;
	assert_int_equal(reloader_reload(reloader, &params), ERR_INVALID);
	assert_non_null(strstr(reloader->err.text, "it is not the key of the certificate"));
	struct tls_client second = tls_connect(reloader->served.port, (struct habits){ 0 });
	assert_true(has_name(&second, "one"));
	params.ssl_key = two.key;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_serves(&first);
	assert_serves(&second);
	tls_close(&second);
	second = tls_connect(reloader->served.port, (struct habits){ 0 });
	assert_true(has_name(&second, "two"));
	assert_serves(&second);
	assert_serves(&first);
	tls_close(&first);
	tls_close(&second);
	reloader_stop(reloader);
	certificate_free(&one);
	certificate_free(&two);
}

/* Files that only root reads, after the step down: the certificate stays, other settings are taken; other files are an error. */
static void test_unreadable_files(void **state UNUSED)
{
	static const struct auth_login other_logins[] = { { "dns", "other", AUTH_ALL, NULL } };
	struct certificate one = certificate_make("one", -1, 1, NULL), two = certificate_make("two", -1, 1, NULL);
	struct http_params params = tls_params(&one);
	struct reloader *reloader = tls_start(&params);
	bool root = geteuid() == 0;

	assert_int_equal(chmod(one.key, 0), 0);
	assert_int_equal(chmod(two.key, 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	params.logins = other_logins;
	params.login_count = 1;
	int same = reloader_reload(reloader, &params);
	params.ssl_cert = two.cert;
	params.ssl_key = two.key;
	int other = reloader_reload(reloader, &params);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(same, ERR_OK);
	assert_int_equal(other, ERR_DENIED);
	assert_non_null(strstr(reloader->err.text, "Permission denied (as user "));
	struct tls_client client = tls_connect(reloader->served.port, (struct habits){ 0 });
	assert_true(has_name(&client, "one"));
	tls_send(&client, TEST_REQUEST, strlen(TEST_REQUEST));
	assert_non_null(strstr(tls_read(&client), "401 Unauthorized"));
	tls_close(&client);
	reloader_stop(reloader);
	certificate_free(&one);
	certificate_free(&two);
}

/* TLS beside plain, then the other way round: of the same place, without a gap. */
static void test_on_and_off(void **state UNUSED)
{
	struct certificate one = certificate_make("one", -1, 1, NULL);
	struct http_listener more = { .address = "", .ssl = true };
	struct http_params params = tls_params(&one);
	struct answer answer = { 0 };
	params.main.ssl = false;
	params.listeners = &more;
	params.listener_count = 1;
	struct reloader *reloader = tls_start(&params);
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);

	assert_int_equal(getsockname(evconnlistener_get_fd(door_at(reloader->served.http, "", 0)->listener),
		(struct sockaddr *)&bound, &size), 0);
	uint16_t port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
	struct tls_client client = tls_connect(port, (struct habits){ 0 });
	assert_serves(&client);
	int plain = client_connect(&reloader->served);
	client_ask(&reloader->served, "GET " TEST " HTTP/1.0\r\n" LOGIN "\r\n", &answer);
	assert_int_equal(answer.status, 200);
	params.main.ssl = true;
	more.ssl = false;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_true(client_closed(plain)); /* idle, and of the wrong kind now */
	tls_close(&client);
	client = tls_connect(reloader->served.port, (struct habits){ 0 });
	assert_serves(&client);
	struct served other = { .port = port };
	client_ask(&other, "GET " TEST " HTTP/1.0\r\n" LOGIN "\r\n", &answer);
	assert_int_equal(answer.status, 200);
	tls_close(&client);
	close(plain);
	buf_free(&answer.body);
	reloader_stop(reloader);
	certificate_free(&one);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* Of twenty clients, each with a connection of its own: how long the quickest took from the end of its handshake to its answer. */
static double quickest_ms(struct reloader *reloader, bool nagle)
{
	int off = nagle ? 0 : 1;
	double quickest = 1e9;

	for (size_t i = 0; i < 20; i++) {
		struct tls_client client = tls_connect(reloader->served.port, (struct habits){ 0 });
		assert_non_null(client.ssl);
		assert_int_equal(setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &off, sizeof(off)), 0);
		double began = now_ms();
		assert_serves(&client);
		double took = now_ms() - began;
		quickest = took < quickest ? took : quickest;
		tls_close(&client);
	}
	return quickest;
}

/*
 * A client with Nagle's algorithm (all that don't turn it off) sends its request once the end of its handshake is acknowledged: at
 * once, not when the kernel would, 40 ms later.
 */
static void test_nagle(void **state UNUSED)
{
	struct certificate certificate = certificate_make("one", -1, 1, NULL);
	struct http_params params = tls_params(&certificate);
	struct reloader *reloader = tls_start(&params);

	assert_true(quickest_ms(reloader, true) < quickest_ms(reloader, false) + 20);
	reloader_stop(reloader);
	certificate_free(&certificate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_and_ciphers),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_renegotiation_and_goodbye),
		cmocka_unit_test(test_refused_in_one_record),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_another_certificate),
		cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_on_and_off),
		cmocka_unit_test(test_nagle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
