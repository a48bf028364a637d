/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Locks, deadlocks, killed connections, stopped and hostile servers: bounded, classified, and no zone is ever empty. */
#include "test_coredns_mysql_util.h"

#include <sys/wait.h>

#include <netinet/tcp.h>

static void assert_ping(struct fixture *fixture, enum backend_verdict verdict, const char *part)
{
	struct err err = { 0 };
	enum backend_verdict got = fixture->backend->ops->ping(fixture->backend, &err);

	if (got != verdict || strstr(err.text, part) == NULL)
		fail_msg("verdict %d: %s", (int)got, err.text);
}

/* ---- another thread that applies, or asks ---- */

struct runner {
	struct fixture *fixture;
	struct backend_item item;
	const char *text; /* a statement instead, on a connection of its own */
	pthread_t thread;
};

static void *run_item(void *context)
{
	struct runner *runner = context;

	runner->fixture->backend->ops->apply(runner->fixture->backend, &runner->item, 1);
	return NULL;
}

static void start_runner(struct runner *runner, void *(*what)(void *))
{
	assert_int_equal(pthread_create(&runner->thread, NULL, what, runner), 0);
}

static void join_runner(struct runner *runner)
{
	assert_int_equal(pthread_join(runner->thread, NULL), 0);
}

/* ---- locks ---- */

static void test_lock_wait(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("l.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("l.test.", "gone 60 IN A 192.0.2.9\nwww 60 IN A 192.0.2.2\n");

	fixture->settings.query_timeout_ms = 3900; /* the server's lock wait is 1 s then */
	open_backend(fixture);
	save_in_the_end(fixture, "l.test.", old, 1);
	sql("START TRANSACTION; SELECT id FROM zones WHERE zone_name = 'l.test.' FOR UPDATE");
	struct backend_item item = save(fixture, "l.test.", new, 2);
	assert_verdict(item, BACKEND_RETRY, "a lock was not to be had in time (1205)");
	assert_false(item.lost);
	sql("ROLLBACK");
	assert_rows("l.test.", old);
	save_in_the_end(fixture, "l.test.", new, 2);
	/* A lock on a record, after ours on the zone: what was done before, another record deleted, is undone too. */
	sql("START TRANSACTION; SELECT * FROM records WHERE id = %s FOR UPDATE",
		ask("SELECT id FROM records WHERE hostname = 'www'"));
	struct zone *third = make_zone("l.test.", "www 60 IN A 192.0.2.3\nmore 60 IN A 192.0.2.3\n");
	assert_verdict(save(fixture, "l.test.", third, 3), BACKEND_RETRY, "1205");
	sql("ROLLBACK");
	assert_rows("l.test.", new);
	assert_string_equal(ask("SELECT generation FROM zonefan_state"), "2");
	assert_int_equal(count("SELECT COUNT(*) FROM information_schema.INNODB_TRX"), 0);
	zone_unref(old);
	zone_unref(new);
	zone_unref(third);
}

static void test_flush_tables_with_read_lock(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("f.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("f.test.", "www 60 IN A 192.0.2.2\n");

	fixture->settings.query_timeout_ms = 3900; /* as above */
	open_backend(fixture);
	save_in_the_end(fixture, "f.test.", old, 1);
	sql("FLUSH TABLES WITH READ LOCK");
	assert_verdict(save(fixture, "f.test.", new, 2), BACKEND_RETRY, "1205");
	assert_rows("f.test.", old);
	sql("UNLOCK TABLES");
	save_in_the_end(fixture, "f.test.", new, 2);
	zone_unref(old);
	zone_unref(new);
}

static void test_deadlock(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_big_zone("d.test.", 50, 1000);
	struct zone *new = make_big_zone("d.test.", 50, 10);
	struct zone *heavy = make_big_zone("heavy.test.", 300, 1000);
	struct runner runner = { .fixture = fixture,
		.item = { .name = "d.test.", .zone = new, .generation = 2 } };

	assert_ok(save(fixture, "d.test.", old, 1));
	assert_ok(save(fixture, "heavy.test.", heavy, 1));
	/* The other transaction weighs more, so ours is the victim. */
	sql("START TRANSACTION; UPDATE records SET ttl = ttl + 1 WHERE hostname = 'h10'; "
	    "UPDATE records SET ttl = ttl + 1 WHERE zone_id = (SELECT id FROM zones WHERE zone_name = 'heavy.test.')");
	start_runner(&runner, run_item);
	wait_for("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'");
	sql("SELECT id FROM zones WHERE zone_name = 'd.test.' FOR UPDATE");
	join_runner(&runner);
	assert_verdict(runner.item, BACKEND_RETRY, "deadlock (1213)");
	sql("ROLLBACK");
	assert_rows("d.test.", old);
	assert_ok(save(fixture, "d.test.", new, 2));
	assert_rows("d.test.", new);
	zone_unref(old);
	zone_unref(new);
	zone_unref(heavy);
}

/* ---- connections that go ---- */

#define OUR_CONNECTION                                                                                       \
	"(SELECT MAX(id) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID() "     \
	"AND HOST LIKE '%%:%%')"

static void test_idle_connection_killed(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("i.test.", "");
	struct zone *other = make_zone("i.test.", "www 60 IN A 192.0.2.1\n");

	assert_ok(save(fixture, "i.test.", zone, 1));
	sql("KILL %s", ask("SELECT " OUR_CONNECTION));
	assert_ok(save(fixture, "i.test.", other, 2));
	sql("KILL %s", ask("SELECT " OUR_CONNECTION));
	assert_ping(fixture, BACKEND_OK, "");
	/* A server that went and came while nobody looked. */
	server_stop();
	server_start();
	sql("USE %s", fixture->database);
	assert_ok(save(fixture, "i.test.", zone, 3));
	assert_rows("i.test.", zone);
	zone_unref(zone);
	zone_unref(other);
}

static void test_killed_within_a_transaction(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("k.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("k.test.", "slow 60 IN A 192.0.2.2\n");
	struct runner runner = { .fixture = fixture,
		.item = { .name = "k.test.", .zone = new, .generation = 2 } };

	assert_ok(save(fixture, "k.test.", old, 1));
	sql("CREATE TRIGGER slow BEFORE INSERT ON records FOR EACH ROW SET @x = SLEEP(5)");
	start_runner(&runner, run_item);
	wait_for("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND STATE = 'User sleep'");
	sql("KILL %s", ask("SELECT " OUR_CONNECTION));
	join_runner(&runner);
	if (runner.item.verdict != BACKEND_DOWN || !runner.item.lost)
		fail_msg("verdict %d: %s", (int)runner.item.verdict, runner.item.err.text);
	assert_rows("k.test.", old);
	sql("DROP TRIGGER slow");
	assert_ok(save(fixture, "k.test.", new, 2));
	assert_rows("k.test.", new);
	zone_unref(old);
	zone_unref(new);
}

/* A thread of ours that the server still runs, its outcome unknown to us, holds the zone: the next connection ends it. */
static void test_fence(void **state)
{
	struct fixture *fixture = *state;
	struct target *target = target_of(fixture);
	struct zone *zone = make_zone("q.test.", "www 60 IN A 192.0.2.1\n");

	assert_ok(save(fixture, "q.test.", zone, 1));
	MYSQL *lost = connect_root(fixture->database);
	assert_int_equal(mysql_query(lost, "START TRANSACTION"), 0);
	assert_int_equal(mysql_query(lost, "DELETE FROM records"), 0);
	assert_int_equal(mysql_query(lost, "UPDATE zonefan_state SET generation = 9"), 0);
	target_raise_fence(target, mysql_thread_id(lost));
	link_abort(&target->link);
	int64_t start = now_ms();
	struct backend_item item = check(fixture, "q.test.", zone, 2);
	int64_t took_ms = now_ms() - start;
	int committed = mysql_query(lost, "COMMIT");
	mysql_close(lost); /* before anything is asserted: it holds locks */
	assert_ok(item);
	assert_true(took_ms < 4500); /* no lock was waited for: that is 5 s */
	assert_false(target->fence.up);
	assert_int_not_equal(committed, 0);
	assert_rows("q.test.", zone);
	/* The same number on another run of the server may be anybody: it is left alone. */
	lost = connect_root(fixture->database);
	target_raise_fence(target, mysql_thread_id(lost));
	target->fence.server_started_s -= 60;
	link_abort(&target->link);
	assert_ok(check(fixture, "q.test.", zone, 2));
	assert_int_equal(mysql_query(lost, "DO 1"), 0);
	mysql_close(lost);
	zone_unref(zone);
}

/* Where nothing was to be written the end of the transaction is not waited for; but its locks are gone. */
static void test_nothing_to_write(void **state)
{
	struct fixture *fixture = *state;
	struct target *target = target_of(fixture);
	struct zone *zone = make_zone("e.test.", "www 60 IN A 192.0.2.1\n");

	assert_ok(save(fixture, "e.test.", zone, 1));
	assert_false(target->link.owed);
	assert_ok(save(fixture, "e.test.", zone, 1));
	assert_true(target->link.owed);
	sql("SET SESSION innodb_lock_wait_timeout = 20; START TRANSACTION; "
	    "SELECT * FROM zonefan_state FOR UPDATE; SELECT * FROM zones FOR UPDATE; ROLLBACK");
	wait_for("SELECT COUNT(*) = 0 FROM information_schema.INNODB_TRX");
	/* Its answer is not taken for that of the next packet, whatever that is. */
	assert_ok(save(fixture, "e.test.", zone, 2));
	assert_ok(save(fixture, "e.test.", zone, 2));
	assert_ping(fixture, BACKEND_OK, "");
	assert_ok(save(fixture, "e.test.", zone, 2));
	assert_ok(check(fixture, "e.test.", zone, 2));
	assert_verdict(save(fixture, "e.test.", zone, 1), BACKEND_STALE, "generation 2");
	assert_true(target->link.owed);
	/* And if the connection goes meanwhile, that is no failure of anything. */
	sql("KILL %s", ask("SELECT " OUR_CONNECTION));
	assert_ok(save(fixture, "e.test.", zone, 3));
	assert_string_equal(ask("SELECT generation FROM zonefan_state"), "3");
	assert_rows("e.test.", zone);
	zone_unref(zone);
}

/*
 * The server is at it for longer than we wait. COMMIT is among what it has: whether it still gets there is open, but it
 * does so in whole or not at all, and not behind what is written next.
 */
static void test_slow_transaction(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("sl.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("sl.test.", "slow 60 IN A 192.0.2.2\n");
	struct zone *newer = make_zone("sl.test.", "www 60 IN A 192.0.2.3\n");

	fixture->settings.transaction_max_ms = 1000;
	open_backend(fixture);
	save_in_the_end(fixture, "sl.test.", old, 1);
	sql("CREATE TRIGGER slow BEFORE INSERT ON records FOR EACH ROW SET @x = IF(NEW.hostname = 'slow', SLEEP(10), 0)");
	int64_t start = now_ms();
	struct backend_item item = save(fixture, "sl.test.", new, 2);
	assert_in_range(now_ms() - start, 900, 9000);
	assert_verdict(item, BACKEND_DOWN, "no answer within the time allowed, while writing the records");
	assert_true(item.lost);
	save_in_the_end(fixture, "sl.test.", newer, 3);
	assert_rows("sl.test.", newer);
	wait_for("SELECT COUNT(*) = 0 FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND STATE = 'User sleep'");
	assert_rows("sl.test.", newer);
	assert_string_equal(ask("SELECT generation FROM zonefan_state"), "3");
	zone_unref(old);
	zone_unref(new);
	zone_unref(newer);
}

/* A statement that the server itself ends: the zone's own trouble, and nothing of it stays. */
static void test_statement_limit(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("lim.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("lim.test.", "slow 60 IN A 192.0.2.2\n");

	fixture->settings.query_timeout_ms = 5000; /* the server ends it at 4 s */
	open_backend(fixture);
	save_in_the_end(fixture, "lim.test.", old, 1);
	sql("CREATE TRIGGER slow BEFORE INSERT ON records FOR EACH ROW SET @x = SLEEP(60)");
	assert_verdict(save(fixture, "lim.test.", new, 2), BACKEND_RETRY, "max_statement_time (1969)");
	sql("DROP TRIGGER slow");
	assert_rows("lim.test.", old);
	zone_unref(old);
	zone_unref(new);
}

/* ---- servers that stop, or never start ---- */

static void test_stopped_server(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("st.test.", "");
	int64_t start;

	fixture->settings.query_timeout_ms = 1000;
	fixture->settings.connect_timeout_ms = 1000;
	open_backend(fixture);
	ping_in_the_end(fixture);
	int stopped;

	kill(server_pid, SIGSTOP);
	/* Only when all its threads stand still has it stopped: until then one may answer once more. */
	assert_int_equal(waitpid(server_pid, &stopped, WUNTRACED), server_pid);
	assert_true(WIFSTOPPED(stopped));
	start = now_ms();
	struct backend_item item = save(fixture, "st.test.", zone, 1);
	int64_t at_statement = now_ms() - start;
	start = now_ms();
	struct backend_item again = save(fixture, "st.test.", zone, 1);
	int64_t at_connect = now_ms() - start;
	kill(server_pid, SIGCONT);
	assert_verdict(item, BACKEND_DOWN, "no answer within the time allowed, while locking the zones");
	assert_true(item.lost);
	assert_in_range(at_statement, 900, 5000);
	assert_verdict(again, BACKEND_DOWN, "cannot connect to dc1 at 127.0.0.1:");
	assert_non_null(strstr(again.err.text, "no answer within 1000 ms"));
	assert_false(again.lost);
	assert_in_range(at_connect, 900, 5000);
	save_in_the_end(fixture, "st.test.", zone, 1);
	assert_rows("st.test.", zone);
	zone_unref(zone);
}

static void test_refused(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;

	close(listen_anywhere(&port));
	fixture->settings.port = port;
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "Connection refused");
	fixture->settings.host = "no-such-host.invalid";
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "cannot connect to dc1: host no-such-host.invalid:");
}

/* Several addresses, of which only one has a listener. */
static void test_host_name(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings.host = "localhost";
	open_backend(fixture);
	assert_ping(fixture, BACKEND_OK, "");
}

struct dribbler {
	int listener;
	pthread_t thread;
	_Atomic bool stop;
};

/* A greeting, one byte per 100 ms: each recv is quick, the call would take for ever. */
static void *dribble(void *context)
{
	static const char greeting[] = "\x50\x00\x00\x00\x0a" "10.11.0-MariaDB-and-so-on-and-so-on-and-so-on-and-so-on";
	struct dribbler *dribbler = context;
	int client = accept(dribbler->listener, NULL, NULL);

	for (size_t i = 0; client >= 0 && i < sizeof(greeting) && !dribbler->stop; i++) {
		if (send(client, greeting + i, 1, MSG_NOSIGNAL) != 1)
			break;
		pause_ms(100);
	}
	while (client >= 0 && !dribbler->stop)
		pause_ms(10);
	if (client >= 0)
		close(client);
	return NULL;
}

static void test_dribbling_server(void **state)
{
	struct fixture *fixture = *state;
	struct dribbler dribbler = { 0 };
	uint16_t port;

	dribbler.listener = listen_anywhere(&port);
	assert_int_equal(pthread_create(&dribbler.thread, NULL, dribble, &dribbler), 0);
	fixture->settings.port = port;
	fixture->settings.connect_timeout_ms = 1000;
	open_backend(fixture);
	int64_t start = now_ms();
	assert_ping(fixture, BACKEND_DOWN, "no answer within 1000 ms");
	assert_in_range(now_ms() - start, 900, 5000);
	dribbler.stop = true;
	pthread_join(dribbler.thread, NULL);
	close(dribbler.listener);
}

static void test_mute_server(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;
	int listener = listen_anywhere(&port);

	fixture->settings.port = port;
	fixture->settings.connect_timeout_ms = 700;
	open_backend(fixture);
	int64_t start = now_ms();
	assert_ping(fixture, BACKEND_DOWN, "no answer within 700 ms");
	assert_in_range(now_ms() - start, 600, 5000);
	close(listener);
}

/* ---- a scripted server: greets, lets anybody in, and answers each statement with OK or an error of its list ---- */

struct fake {
	int listener;
	pthread_t thread;
	const char *refused[4]; /* parts of statements that are answered by code */
	unsigned code;
	char heard[16384];      /* all statements */
};

static bool fake_send(int client, unsigned char number, const void *payload, size_t size)
{
	unsigned char packet[256] = { (unsigned char)size, 0, 0, number };

	memcpy(packet + 4, payload, size);
	return send(client, packet, size + 4, MSG_NOSIGNAL) == (ssize_t)(size + 4);
}

static bool fake_receive(int client, char *out, size_t room)
{
	unsigned char head[4];

	if (recv(client, head, 4, MSG_WAITALL) != 4)
		return false;
	size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
	if (size >= room || recv(client, out, size, MSG_WAITALL) != (ssize_t)size)
		return false;
	out[size] = '\0';
	return true;
}

/* Answers one packet of statements as a server does: up to the first error. */
static bool fake_answer(struct fake *fake, int client, char *packet)
{
	unsigned char number = 1;

	for (char *rest = packet + 1, *statement; (statement = strsep(&rest, ";")) != NULL;) {
		unsigned char ok[] = { 0, 0, 0, rest == NULL ? 2 : 10, 0, 0, 0 };
		unsigned char error[] = "\xff\0\0#HY000scripted";
		bool refused = false;

		snprintf(fake->heard + strlen(fake->heard), sizeof(fake->heard) - strlen(fake->heard), "%s\n", statement);
		for (size_t i = 0; i < ARRAY_SIZE(fake->refused) && fake->refused[i] != NULL; i++)
			refused = refused || strstr(statement, fake->refused[i]) != NULL;
		error[1] = (unsigned char)(fake->code & 255);
		error[2] = (unsigned char)(fake->code >> 8);
		if (!fake_send(client, number++, refused ? error : ok, refused ? sizeof(error) - 1 : sizeof(ok)))
			return false;
		if (refused)
			break;
	}
	return true;
}

static void *fake_serve(void *context)
{
	static const unsigned char greeting[] = "\x0a" "8.0.0\0" "\1\0\0\0" "abcdefgh\0" "\xff\xf7\x2d\2\0\xff\x81\x15"
		"\0\0\0\0\0\0\0\0\0\0" "abcdefghijkl\0" "mysql_native_password";
	static const unsigned char ok[] = { 0, 0, 0, 2, 0, 0, 0 };
	struct fake *fake = context;
	char packet[8192];
	int client = accept(fake->listener, NULL, NULL);

	if (client >= 0 && fake_send(client, 0, greeting, sizeof(greeting)) &&
		fake_receive(client, packet, sizeof(packet)) && fake_send(client, 2, ok, sizeof(ok)))
		while (fake_receive(client, packet, sizeof(packet)) && packet[0] == 3 &&
			fake_answer(fake, client, packet))
			;
	close(client);
	return NULL;
}

static void fake_run(struct fixture *fixture, struct fake *fake, const char *part)
{
	uint16_t port;

	fake->listener = listen_anywhere(&port);
	assert_int_equal(pthread_create(&fake->thread, NULL, fake_serve, fake), 0);
	fixture->settings.port = port;
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, part);
	close_backend(fixture);
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	close(fake->listener);
}

/* MySQL 8 has neither of them: they are left out, once told, and the rest of the session is as it must be. */
static void test_unknown_variables(void **state)
{
	struct fixture *fixture = *state;
	struct fake fake = { .refused = { "max_statement_time", "idle_transaction_timeout" }, .code = 1193 };
	static const char *const needed[] = { "sql_mode", "READ COMMITTED", "innodb_lock_wait_timeout", "lock_wait_timeout",
		"autocommit" };

	fake_run(fixture, &fake, "dc1");
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const char *first = strstr(fake.heard, needed[i]);

		assert_non_null(first);
	}
	assert_non_null(strstr(fake.heard, "@@max_allowed_packet")); /* it went on */
	assert_non_null(find_notice(fixture, "does not know max_statement_time, idle_transaction_timeout"));
}

static void test_refused_session(void **state)
{
	struct fixture *fixture = *state;
	struct fake fake = { .refused = { "READ COMMITTED" }, .code = 1227 };

	fake_run(fixture, &fake, "a right is missing (1227)");
	assert_null(strstr(fake.heard, "@@max_allowed_packet"));
}

static int int_option(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = 0;

	assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

/* What is set against a COMMIT that arrives after we have given up (reliability.md 1.3 b). */
static void test_socket_options(void **state)
{
	struct fixture *fixture = *state;
	struct linger linger = { 0 };
	unsigned timeout_ms = 0;
	socklen_t size = sizeof(linger);

	assert_ping(fixture, BACKEND_OK, "");
	int fd = mysql_get_socket(target_of(fixture)->link.mysql);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
	assert_true(linger.l_onoff != 0 && linger.l_linger == 0);
	size = sizeof(timeout_ms);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size), 0);
	assert_int_equal(timeout_ms, 10000);
	/* A host that dies while a long statement runs there is noticed in a minute. */
	assert_int_equal(int_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	assert_int_equal(int_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(int_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

static void test_cancel(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("c.test.", "");
	struct runner runner = { .fixture = fixture,
		.item = { .name = "c.test.", .zone = zone, .generation = 2 } };

	assert_ok(save(fixture, "c.test.", zone, 1));
	sql("START TRANSACTION; SELECT id FROM zones WHERE zone_name = 'c.test.' FOR UPDATE");
	start_runner(&runner, run_item);
	wait_for("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'");
	int64_t cancelled = now_ms();
	fixture->backend->ops->cancel(fixture->backend);
	join_runner(&runner);
	int64_t took_ms = now_ms() - cancelled;
	sql("ROLLBACK");
	assert_int_equal(runner.item.verdict, BACKEND_DOWN);
	assert_false(runner.item.lost);
	assert_true(took_ms < 4000);
	int64_t start = now_ms();
	assert_ping(fixture, BACKEND_DOWN, "cancelled");
	assert_true(now_ms() - start < 3000);
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lock_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush_tables_with_read_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadlock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle_connection_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_within_a_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_statement_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dribbling_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mute_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_variables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_session, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql faults", tests, group_setup, group_teardown);
}
