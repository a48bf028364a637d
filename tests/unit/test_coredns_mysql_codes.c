/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unusual answers (reliability.md B22): a relay before a real mariadbd puts an error in the place of one statement, which
 * the server then raises itself, behind all that came before it in the same packet; or it answers nonsense. Each of 38
 * codes at each of six stages must end in its class, COMMIT must never follow it, and the zone keeps its old rows.
 */
#include "test_coredns_mysql_util.h"

#include <netinet/tcp.h>
#include <poll.h>

enum { ROOM = 65536, HEAD = 4, MEMORY_MOST_KIB = 200 * 1024 };

/* ---- the relay ---- */

enum nonsense { NONE, SHORT, WRONG_NUMBER, HUGE, EMPTY, LOCAL_FILE, MANY_COLUMNS, DEFINITIONS, NONSENSES, MUTE, PARAMETERS };

struct relay {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;       /* of what stands below, which the test changes */
	const char *mark;           /* the statement that is replaced, by a part of it; "": the greeting; NULL: none */
	unsigned code;
	enum nonsense nonsense;     /* instead of an answer to the packet that holds the mark */
	unsigned hits;
	bool failed;                /* this connection was answered so */
	bool commit_followed;       /* and a COMMIT came by it afterwards */
	bool file_sent;             /* bytes of a local file */
	_Atomic bool stop;
};

static bool give(int fd, const void *data, size_t size)
{
	return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool give_packet(int fd, unsigned char number, const void *payload, size_t size)
{
	unsigned char head[HEAD] = { (unsigned char)size, (unsigned char)(size >> 8), (unsigned char)(size >> 16), number };

	return give(fd, head, HEAD) && give(fd, payload, size);
}

/* A whole packet of the client; its size, 0: it has gone. */
static size_t take_packet(int fd, unsigned char head[HEAD], char *payload)
{
	if (recv(fd, head, HEAD, MSG_WAITALL) != HEAD)
		return 0;
	size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
	if (size == 0 || size >= ROOM || recv(fd, payload, size, MSG_WAITALL) != (ssize_t)size)
		return 0;
	payload[size] = '\0';
	return size;
}

/* Until the client has gone: what is a column or a parameter, of 7 NULLs each. */
static bool define_for_ever(int client, unsigned char number)
{
	enum { PACKET = HEAD + 7, PACKETS = 1024 };
	unsigned char packets[PACKETS * PACKET];

	for (;;) {
		memset(packets, 0xfb, sizeof(packets));
		for (size_t i = 0; i < PACKETS; i++)
			memcpy(packets + i * PACKET, (unsigned char[HEAD]){ 7, 0, 0, ++number }, HEAD);
		if (!give(client, packets, sizeof(packets)))
			return false;
	}
}

/* False: that was the end of it. */
static bool talk_nonsense(int client, enum nonsense nonsense, unsigned char number)
{
	static const unsigned char ok[] = { 0, 0, 0, 2, 0, 0, 0 };
	static const char file[] = "\xfb/etc/passwd";
	static const unsigned char columns[] = "\xfe\xff\xff\xff\xff\xff\xff\xff\xff";
	static const unsigned char prepared[] = { 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 }; /* statement 1, no columns, one parameter */

	switch (nonsense) {
	case SHORT:
		give(client, "\x07\0\0\1\0\0\0", 7);
		return false;
	case WRONG_NUMBER:
		return give_packet(client, (unsigned char)(number + 5), ok, sizeof(ok));
	case HUGE:
		return give(client, "\xff\xff\xff\1\0\0\0", 7);
	case EMPTY:
		return give_packet(client, number, "", 0);
	case LOCAL_FILE:
		return give_packet(client, number, file, sizeof(file) - 1);
	case MANY_COLUMNS:
		return give_packet(client, number, columns, sizeof(columns) - 1);
	case DEFINITIONS:
		return give_packet(client, number, "\xfd\xff\xff\xff", 4) && define_for_ever(client, number);
	case PARAMETERS:
		return give_packet(client, number, prepared, sizeof(prepared)) && define_for_ever(client, number);
	case MUTE:
		return true;
	default:
		return false;
	}
}

/* One packet of the client, on to the server; or what stands in its place. */
static bool pass_up(struct relay *relay, int client, int server)
{
	unsigned char head[HEAD];
	char packet[ROOM], changed[ROOM + 256];
	size_t size = take_packet(client, head, packet);
	bool going_on = false;

	if (size == 0)
		return false;
	pthread_mutex_lock(&relay->lock);
	char *hit = packet[0] == (relay->nonsense == PARAMETERS ? COM_STMT_PREPARE : COM_QUERY) && relay->mark != NULL && relay->mark[0] != '\0' ? strstr(packet + 1, relay->mark) : NULL;
	relay->file_sent = relay->file_sent || memmem(packet, size, "root:", 5) != NULL;
	if (relay->failed && strstr(packet, "COMMIT") != NULL)
		relay->commit_followed = true;
	relay->failed = relay->failed || hit != NULL;
	if (hit == NULL) {
		going_on = give(server, head, HEAD) && give(server, packet, size);
	} else if (relay->nonsense != NONE) {
		relay->hits++;
		going_on = talk_nonsense(client, relay->nonsense, 1);
	} else {
		/* Values are hex literals: a semicolon stands between statements only. */
		while (hit > packet + 1 && hit[-1] != ';')
			hit--;
		const char *rest = strchr(hit, ';');
		int length = snprintf(changed, sizeof(changed),
			"%.*sSIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO=%u, MESSAGE_TEXT='scripted'%s", (int)(hit - packet),
			packet, relay->code, rest == NULL ? "" : rest);
		relay->hits++;
		going_on = give_packet(server, 0, changed, (size_t)length);
	}
	pthread_mutex_unlock(&relay->lock);
	return going_on;
}

static int connect_server(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(server_port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void send_at_once(int fd)
{
	const int on = 1;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
}

/* The greeting is refused, or spoilt. False: there is no more to it. */
static bool greet(struct relay *relay, int client)
{
	bool spoilt = relay->mark != NULL && relay->mark[0] == '\0';
	unsigned char error[] = "\xff\0\0#HY000scripted";

	if (!spoilt)
		return true;
	relay->hits++;
	error[1] = (unsigned char)(relay->code & 255);
	error[2] = (unsigned char)(relay->code >> 8);
	if (relay->nonsense == NONE) {
		give_packet(client, 0, error, sizeof(error) - 1);
		return false;
	}
	/* What was promised does not come: the client has to find the end of its patience itself. */
	for (char heard[256]; talk_nonsense(client, relay->nonsense, 0) && recv(client, heard, sizeof(heard), 0) > 0;)
		;
	return false;
}

static void relay_client(struct relay *relay, int client)
{
	char data[ROOM];
	int server = -1;
	bool going_on = greet(relay, client);

	pthread_mutex_lock(&relay->lock);
	relay->failed = false;
	pthread_mutex_unlock(&relay->lock);
	if (going_on) {
		server = connect_server();
		send_at_once(server);
		send_at_once(client);
	}
	while (going_on && !relay->stop) {
		struct pollfd ends[2] = { { .fd = client, .events = POLLIN }, { .fd = server, .events = POLLIN } };

		poll(ends, 2, 50);
		if (ends[1].revents != 0) {
			ssize_t got = recv(server, data, sizeof(data), 0);

			going_on = got > 0 && give(client, data, (size_t)got);
		}
		if (going_on && ends[0].revents != 0)
			going_on = pass_up(relay, client, server);
	}
	close(client);
	if (server >= 0)
		close(server);
}

static void *relay_run(void *context)
{
	struct relay *relay = context;

	while (!relay->stop) {
		struct pollfd waiting = { .fd = relay->listener, .events = POLLIN };

		/* Another thread may have been quicker. */
		int client = poll(&waiting, 1, 50) > 0 ? accept(relay->listener, NULL, NULL) : -1;
		if (client >= 0)
			relay_client(relay, client);
	}
	return NULL;
}

static void relay_arm(struct relay *relay, const char *mark, unsigned code, enum nonsense nonsense)
{
	pthread_mutex_lock(&relay->lock);
	relay->mark = mark;
	relay->code = code;
	relay->nonsense = nonsense;
	relay->hits = 0;
	relay->commit_followed = false;
	pthread_mutex_unlock(&relay->lock);
}

/* What it saw since it was armed. */
struct seen {
	unsigned hits;
	bool commit_followed, file_sent;
};

static struct seen relay_seen(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	struct seen seen = { relay->hits, relay->commit_followed, relay->file_sent };
	pthread_mutex_unlock(&relay->lock);
	return seen;
}

/* ---- the cases ---- */

struct stage {
	const char *name, *mark;
	bool at_connect; /* before there is a zone to blame: all of it is DOWN */
};

static const struct stage stages[] = { { "connect", "", true }, { "session set-up", "SET SESSION sql_mode", true },
	{ "lock", "FOR UPDATE", false }, { "delete", "DELETE FROM `records`", false }, { "insert", "INSERT INTO `records`", false },
	{ "commit", "COMMIT", false } };

/* By the table in reliability.md 3.3, not by classify.c. */
static const struct {
	enum backend_verdict verdict;
	unsigned codes[32];
} classes[] = {
	{ BACKEND_RETRY, { 1205, 1213, 1020, 1062, 1317, 1969, 3024 } },
	{ BACKEND_DOWN, { 1040, 1053, 1129, 1158, 1203, 1226, 1927, 1047, 1290, 1836, 1044, 1045, 1049, 1054, 1114, 1021, 1142,
				1143, 1146, 1227, 167, 1105, 9999 } },
	{ BACKEND_REJECT, { 1406, 1366, 1264, 1153, 1048, 1452, 4025, 3819 } },
};

struct rig {
	struct fixture *fixture;
	struct relay relay;
	struct zone *old, *new;
	unsigned cases;
};

static void rig_start(struct rig *rig, struct fixture *fixture)
{
	*rig = (struct rig){ .fixture = fixture, .relay = { .lock = PTHREAD_MUTEX_INITIALIZER },
		/* From the one to the other takes a DELETE and an INSERT. */
		.old = make_zone("u.test.", "gone 60 IN TXT x\nwww 60 IN A 192.0.2.1\n"),
		.new = make_zone("u.test.", "new 60 IN AAAA ::1\nother 60 IN TXT y\nwww 60 IN A 192.0.2.1\n") };
	assert_ok(save(fixture, "u.test.", rig->old, 1));
	rig->relay.listener = listen_anywhere(&rig->relay.port);
	assert_int_equal(pthread_create(&rig->relay.thread, NULL, relay_run, &rig->relay), 0);
	fixture->settings.port = rig->relay.port;
	fixture->settings.connect_timeout_ms = fixture->settings.query_timeout_ms = 1500;
}

static void rig_stop(struct rig *rig)
{
	struct fixture *fixture = rig->fixture;

	/* And when all is well again it is written. */
	relay_arm(&rig->relay, NULL, 0, NONE);
	open_backend(fixture);
	save_in_the_end(fixture, "u.test.", rig->new, 9);
	assert_rows("u.test.", rig->new);
	close_backend(fixture);
	rig->relay.stop = true;
	pthread_join(rig->relay.thread, NULL);
	close(rig->relay.listener);
	zone_unref(rig->old);
	zone_unref(rig->new);
}

static void run_case(struct rig *rig, const struct stage *stage, unsigned code, enum nonsense nonsense,
	enum backend_verdict wanted)
{
	struct fixture *fixture = rig->fixture;
	struct err err = { 0 };
	char number[16];

	relay_arm(&rig->relay, NULL, 0, NONE);
	open_backend(fixture);
	if (!stage->at_connect)
		assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	relay_arm(&rig->relay, stage->mark, code, nonsense);
	int64_t start = now_ms();
	struct backend_item item = save(fixture, "u.test.", rig->new, 2);
	if (item.verdict != wanted || now_ms() - start > 3 * fixture->settings.query_timeout_ms)
		fail_msg("%u (%d) at %s: verdict %d, after %lld ms: %s", code, (int)nonsense, stage->name, (int)item.verdict,
			(long long)(now_ms() - start), item.err.text);
	snprintf(number, sizeof(number), "%u", code);
	if (nonsense == NONE && strstr(item.err.text, number) == NULL)
		fail_msg("%u at %s is not named: %s", code, stage->name, item.err.text);
	struct seen seen = relay_seen(&rig->relay);
	if (seen.hits == 0 || seen.commit_followed || seen.file_sent)
		fail_msg("%u (%d) at %s: %u hits, COMMIT %d, file %d", code, (int)nonsense, stage->name, seen.hits,
			(int)seen.commit_followed, (int)seen.file_sent);
	assert_rows("u.test.", rig->old);
	rig->cases++;
}

static void test_codes_at_stages(void **state)
{
	struct rig rig;

	rig_start(&rig, *state);
	/* Nobody is silent here: what takes long is the machine. */
	rig.fixture->settings.connect_timeout_ms = rig.fixture->settings.query_timeout_ms = 10000;
	for (size_t s = 0; s < ARRAY_SIZE(stages); s++) {
		for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
			for (const unsigned *code = classes[i].codes; *code != 0; code++)
				run_case(&rig, &stages[s], *code, NONE,
					stages[s].at_connect ? BACKEND_DOWN : classes[i].verdict);
		assert_int_equal(rig.cases, 38);
		print_message("%u cases: error codes at %s\n", rig.cases, stages[s].name);
		rig.cases = 0;
	}
	rig_stop(&rig);
}

static void test_nonsense(void **state)
{
	static const char *const kinds[] = { [SHORT] = "a packet cut short", [WRONG_NUMBER] = "a wrong packet number",
		[HUGE] = "a length that never comes", [EMPTY] = "an empty packet", [LOCAL_FILE] = "a request for a local file",
		[MANY_COLUMNS] = "endless columns that do not come", [DEFINITIONS] = "endless columns" };
	struct rig rig;
	long before = most_resident_kib();

	rig_start(&rig, *state);
	for (int nonsense = SHORT; nonsense < NONSENSES; nonsense++) {
		for (size_t s = 0; s < ARRAY_SIZE(stages); s++)
			run_case(&rig, &stages[s], 0, (enum nonsense)nonsense, BACKEND_DOWN);
		print_message("%u cases: %s instead of an answer\n", rig.cases, kinds[nonsense]);
		rig.cases = 0;
	}
	assert_in_range(most_resident_kib() - before, 0, MEMORY_MOST_KIB);
	rig_stop(&rig);
}

/* A server may prepare what it likes: what it says of it is no more than an answer may be. */
static void test_endless_parameters(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };
	char text[] = "x";
	unsigned long length = 1;
	struct rig rig;

	rig_start(&rig, fixture);
	fixture->settings.query_timeout_ms = 10000;
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	struct link *link = &target_of(fixture)->link;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_STRING, .buffer = text, .buffer_length = 1, .length = &length };
	long before = most_resident_kib();
	relay_arm(&rig.relay, "SELECT ?", 0, PARAMETERS);
	assert_int_equal(link_execute(link, 0, "SELECT ?", &bind, 1), -1);
	assert_true(link->lost);
	assert_string_equal(link->text, "more of one answer than there is room for");
	assert_int_equal(relay_seen(&rig.relay).hits, 1);
	assert_in_range(most_resident_kib() - before, 0, MEMORY_MOST_KIB);
	close_backend(fixture);
	rig_stop(&rig);
}

struct pinging {
	struct backend *backend;
	enum backend_verdict verdict;
	struct err err;
	_Atomic bool done;
};

static void *ping_run(void *context)
{
	struct pinging *pinging = context;

	pinging->verdict = pinging->backend->ops->ping(pinging->backend, &pinging->err);
	pinging->done = true;
	return NULL;
}

/* Only an ALTER may take its time: what goes before it is bounded like any statement. */
static void test_mute_before_a_schema_step(void **state)
{
	struct pinging pinging = { 0 };
	pthread_t second; /* a step has a connection of its own */
	pthread_t thread;
	struct rig rig;

	rig_start(&rig, *state);
	assert_int_equal(fcntl(rig.relay.listener, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&second, NULL, relay_run, &rig.relay), 0);
	sql("ALTER TABLE records MODIFY data VARCHAR(1024) NOT NULL");
	relay_arm(&rig.relay, "SET SESSION max_statement_time = 0", 0, MUTE);
	open_backend(rig.fixture);
	pinging.backend = rig.fixture->backend;
	assert_int_equal(pthread_create(&thread, NULL, ping_run, &pinging), 0);
	for (int64_t end = now_ms() + WAIT_MS / 2; !pinging.done && now_ms() < end;)
		pause_ms(20);
	bool in_time = pinging.done;
	pinging.backend->ops->cancel(pinging.backend);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(in_time);
	assert_int_equal(pinging.verdict, BACKEND_DOWN);
	assert_non_null(strstr(pinging.err.text, "connection lost at a schema step: no answer in time"));
	assert_int_equal(relay_seen(&rig.relay).hits, 1);
	rig_stop(&rig);
	assert_int_equal(pthread_join(second, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_codes_at_stages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_parameters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mute_before_a_schema_step, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql codes", tests, group_setup, group_teardown);
}
