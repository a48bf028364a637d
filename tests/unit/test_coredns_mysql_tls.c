/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS: never plaintext when it is demanded, never an unverified server when that is demanded, and bounded like the rest. */
#include "test_coredns_mysql_util.h"

#include <sys/wait.h>

static char ca_path[128], other_ca_path[128], cert_argument[160], key_argument[160];

static void make_certificates(void)
{
	static char folder[] = "/tmp/zonefan-mysql-tls-XXXXXX";
	char script[2048];
	const char *shell[] = { "sh", "-c", script, NULL };

	assert_non_null(mkdtemp(folder));
	/* A CA, another one that signed nothing, and a server called localhost; no address in the certificate. */
	snprintf(script, sizeof(script),
		"cd %s && for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$ca "
		"-addext basicConstraints=critical,CA:TRUE -keyout $ca.key -out $ca.pem; done && "
		"openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr && "
		"printf 'subjectAltName=DNS:localhost\\n' >ext && "
		"openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext "
		"-out server.pem && chmod 644 server.key",
		folder);
	run(shell);
	snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", folder);
	snprintf(other_ca_path, sizeof(other_ca_path), "%s/other.pem", folder);
	snprintf(cert_argument, sizeof(cert_argument), "--ssl-cert=%s/server.pem", folder);
	snprintf(key_argument, sizeof(key_argument), "--ssl-key=%s/server.key", folder);
}

static int tls_setup(void **state)
{
	make_certificates();
	server_extra[0] = cert_argument;
	server_extra[1] = key_argument;
	return group_setup(state);
}

static int tls_teardown(void **state)
{
	const char *clean[] = { "rm", "-rf", ca_path, NULL };

	*strrchr(ca_path, '/') = '\0';
	run(clean);
	return group_teardown(state);
}

static void demand(struct fixture *fixture, const char *host, const char *ca, bool verify)
{
	fixture->settings.host = host;
	fixture->settings.ssl = true;
	fixture->settings.ssl_ca = ca;
	fixture->settings.ssl_verify = verify;
	open_backend(fixture);
}

static void assert_ping(struct fixture *fixture, enum backend_verdict verdict, const char *part)
{
	struct err err = { 0 };
	enum backend_verdict got = fixture->backend->ops->ping(fixture->backend, &err);

	if (got != verdict || strstr(err.text, part) == NULL)
		fail_msg("verdict %d: %s", (int)got, err.text);
}

static void test_verified(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_big_zone("tls.test.", 5000, 1);

	/* By name: the certificate is checked against the host of the settings, whatever its address. */
	demand(fixture, "localhost", ca_path, true);
	assert_ping(fixture, BACKEND_OK, "");
	assert_ok(save(fixture, "tls.test.", zone, 1));
	assert_rows("tls.test.", zone);
	zone_unref(zone);
}

/* What comes by TLS is read by another way. */
static void test_endless_rows(void **state)
{
	struct fixture *fixture = *state;
	struct buf sql_text = { 0 };

	demand(fixture, "localhost", ca_path, true);
	assert_ping(fixture, BACKEND_OK, "");
	struct link *link = &target_of(fixture)->link;
	link->statement_ms = 30000;
	buf_puts(&sql_text, "SELECT REPEAT('x', 1048576) FROM seq_1_to_1000000");
	assert_int_equal(link_run(link, &sql_text, 1), -1);
	assert_true(link->lost);
	assert_string_equal(link->text, "more of one answer than there is room for");
	buf_free(&sql_text);
	/* The end of that connection is not held against the next one. */
	assert_ping(fixture, BACKEND_OK, "");
}

static void test_wrong_name(void **state)
{
	demand(*state, "127.0.0.1", ca_path, true);
	assert_ping(*state, BACKEND_DOWN, "TLS failed (2026)");
}

static void test_wrong_ca(void **state)
{
	demand(*state, "localhost", other_ca_path, true);
	assert_ping(*state, BACKEND_DOWN, "TLS failed (2026)");
	demand(*state, "127.0.0.1", other_ca_path, false);
	assert_ping(*state, BACKEND_DOWN, "TLS failed (2026)");
}

static void test_encrypted_without_verification(void **state)
{
	struct fixture *fixture = *state;

	demand(fixture, "127.0.0.1", "", false);
	assert_ping(fixture, BACKEND_OK, "");
}

static void test_ca_is_needed_to_verify(void **state)
{
	struct fixture *fixture = *state;
	const struct backend_params params = { .name = "dc1", .store_id = OUR_STORE, .settings = &fixture->settings };
	struct backend *backend = NULL;
	struct err err = { 0 };

	fixture->settings.ssl = true;
	fixture->settings.ssl_verify = true;
	assert_int_equal(coredns_mysql_ops.create(&params, &backend, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "ssl_ca"));
}

static void test_stopped_server(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("st.test.", "");

	fixture->settings.query_timeout_ms = 1000;
	fixture->settings.connect_timeout_ms = 1000;
	demand(fixture, "localhost", ca_path, true);
	ping_in_the_end(fixture);
	int stopped;

	kill(server_pid, SIGSTOP);
	assert_int_equal(waitpid(server_pid, &stopped, WUNTRACED), server_pid);
	assert_true(WIFSTOPPED(stopped));
	int64_t start = now_ms();
	struct backend_item item = save(fixture, "st.test.", zone, 1);
	int64_t at_statement = now_ms() - start;
	start = now_ms();
	struct backend_item again = save(fixture, "st.test.", zone, 1);
	int64_t at_connect = now_ms() - start;
	kill(server_pid, SIGCONT);
	assert_verdict(item, BACKEND_DOWN, "no answer within the time allowed");
	assert_in_range(at_statement, 900, 5000);
	assert_verdict(again, BACKEND_DOWN, "no answer within 1000 ms");
	assert_in_range(at_connect, 900, 5000);
	save_in_the_end(fixture, "st.test.", zone, 1);
	zone_unref(zone);
}

/* ---- a server that greets, then dribbles its part of the handshake ---- */

struct dribbler {
	int listener;
	pthread_t thread;
	_Atomic bool stop;
};

static void *dribble(void *context)
{
	/* Protocol 10, a version, thread 1, capabilities with TLS, scramble in two parts. */
	static const unsigned char greeting[] = "\x4a\0\0\0\x0a" "5.5.5-10.11.0-MDB\0" "\1\0\0\0" "abcdefgh\0"
		"\xfe\xff\x2d\2\0\xff\x81\x15" "\0\0\0\0\0\0\0\0\0\0" "abcdefghijkl\0" "mysql_native_password";
	struct dribbler *dribbler = context;
	unsigned char packet[sizeof(greeting)];
	char heard[4096];
	int client = accept(dribbler->listener, NULL, NULL);

	memcpy(packet, greeting, sizeof(greeting));
	packet[0] = sizeof(greeting) - 4;
	if (client >= 0)
		(void)!send(client, packet, sizeof(packet), MSG_NOSIGNAL);
	if (client >= 0)
		(void)!recv(client, heard, sizeof(heard), 0);
	/* A TLS record that announces 16 kB and comes one byte at a time. */
	(void)!send(client, "\x16\x03\x03\x3f\xff", 5, MSG_NOSIGNAL);
	while (client >= 0 && !dribbler->stop && send(client, "\x02", 1, MSG_NOSIGNAL) == 1)
		pause_ms(100);
	while (client >= 0 && !dribbler->stop)
		pause_ms(10);
	close(client);
	return NULL;
}

static void test_dribbled_handshake(void **state)
{
	struct fixture *fixture = *state;
	struct dribbler dribbler = { 0 };
	uint16_t port;

	dribbler.listener = listen_anywhere(&port);
	assert_int_equal(pthread_create(&dribbler.thread, NULL, dribble, &dribbler), 0);
	fixture->settings.port = port;
	fixture->settings.connect_timeout_ms = 1000;
	demand(fixture, "127.0.0.1", ca_path, true);
	int64_t start = now_ms();
	assert_ping(fixture, BACKEND_DOWN, "no answer within 1000 ms");
	assert_in_range(now_ms() - start, 900, 5000);
	dribbler.stop = true;
	pthread_join(dribbler.thread, NULL);
	close(dribbler.listener);
}

/* Last: the server comes back without TLS. */
static void test_server_without_tls(void **state)
{
	struct fixture *fixture = *state;

	server_stop();
	server_extra[0] = "--skip-ssl";
	server_extra[1] = NULL;
	server_start();
	sql("USE %s", fixture->database);
	demand(fixture, "localhost", ca_path, true);
	assert_ping(fixture, BACKEND_DOWN, "TLS");
	demand(fixture, "127.0.0.1", "", false);
	assert_ping(fixture, BACKEND_DOWN, "TLS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_verified, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_encrypted_without_verification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ca_is_needed_to_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dribbled_handshake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_without_tls, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql tls", tests, tls_setup, tls_teardown);
}
