/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a database server answers, through libmariadb into a coredns_mysql back end: a zone is called delivered only if the
 * server said OK to the COMMIT behind its writes, and no answer crashes, hangs or bloats us.
 *
 * The server is in this thread: libmariadb waits for bytes by poll(), which stands here, takes the client's packet and
 * writes the next answer. What has no answer is a connection that ends, so nothing ever waits for time to pass.
 *
 * The input: a byte that chooses what the back end is asked for; then packets, each two bytes of length (0xffff: the answer to
 * one packet of the client ends) and the payload. Lengths and numbers of packets are made good here.
 */
#include "fuzz.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/coredns_mysql/coredns_mysql.h"
#include "base/buf.h"

#define OUR_STORE "00112233445566778899aabbccddeeff"

enum { ANSWER_ENDS = 0xffff, HEADER = 4, CLIENT_MOST = 1 << 20, TURNS_MOST = 200, ZONES = 2, STACK = 256 * 1024 };

enum { COM_QUIT = 1, COM_QUERY = 3, COM_STMT_SEND_LONG_DATA = 24, COM_STMT_CLOSE = 25, MORE_RESULTS = 8 };

static struct {
	int listener;           /* -1: none */
	int fd;                 /* -1: nobody is connected */
	char path[64];
	struct fuzz_input answers;
	struct buf heard;       /* of the client, not yet a whole packet */
	bool greeted;
	bool logged_in;
	unsigned turns;
	struct {
		bool wrote;             /* its stamp was sent since the last COMMIT */
		bool committed;         /* ... and that COMMIT was answered OK */
		unsigned false_commits; /* COMMITs with its stamp that were not, since it was looked at */
	} zones[ZONES];
} server = { .listener = -1, .fd = -1 };

static const char *const names[ZONES] = { "a.test.", "b.test." };

/*
 * A server may announce any number of columns, and libmariadb makes room for all of them before the first one comes. It
 * can do without the memory, and must here.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16:malloc_context_size=10:max_allocation_size_mb=24:allocator_may_return_null=1";
}

/*
 * libmariadb itself loses a little of an answer that breaks off in its middle. That we free all results is seen by the tests
 * with real servers.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmariadb\n";
}

/*
 * A server may name a login method that there is no plugin for. What the C library says then is freed when the thread has
 * ended that connects, which may be a moment after the input, and would count as lost. So these stand before the C library's.
 */
void *dlopen(const char *path, int flags)
{
	static void *(*real)(const char *path, int flags);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "dlopen");
	return path != NULL && access(path, R_OK) != 0 ? NULL : real(path, flags);
}

char *dlerror(void)
{
	static char text[] = "no such plugin";

	return text;
}

/* ---- what is answered ---- */

/* The next answer's packets, payloads behind their headers, the first with that number. False: there is none. */
static bool next_answer(uint8_t number, struct buf *out)
{
	if (server.answers.left == 0)
		return false;
	while (server.answers.left > 0) {
		size_t size = fuzz_u16(&server.answers);
		if (size == ANSWER_ENDS)
			break;
		const uint8_t *payload = fuzz_bytes(&server.answers, size, &size);
		char header[HEADER] = { (char)size, (char)(size >> 8), (char)(size >> 16), (char)number++ };
		buf_append(out, header, sizeof(header));
		buf_append(out, payload, size);
	}
	return true;
}

/* ---- whether COMMIT was answered OK, by the protocol alone ---- */

struct packets {
	const uint8_t *at;
	size_t left;
};

static bool next_packet(struct packets *packets, struct fuzz_input *out)
{
	if (packets->left < HEADER)
		return false;
	size_t size = packets->at[0] | (size_t)packets->at[1] << 8 | (size_t)packets->at[2] << 16;
	*out = (struct fuzz_input){ packets->at + HEADER, size };
	packets->at += HEADER + size;
	packets->left -= HEADER + size;
	return true;
}

static uint64_t length_encoded(struct fuzz_input *packet)
{
	uint8_t first = fuzz_byte(packet);
	size_t size = first == 0xfc ? 2 : first == 0xfd ? 3 : first == 0xfe ? 8 : 0;
	uint64_t value = first;

	for (size_t i = 0; i < size; i++)
		value = (i == 0 ? 0 : value) | (uint64_t)fuzz_byte(packet) << (8 * i);
	return value;
}

static unsigned status_of(struct fuzz_input *packet)
{
	unsigned low = fuzz_byte(packet);

	return low | (unsigned)fuzz_byte(packet) << 8;
}

/* Passes over one statement's result. -1: an error or half a result; else the status, *is_ok: it has no rows. */
static int pass_result(struct packets *packets, bool *is_ok)
{
	struct fuzz_input packet;
	int ends = 0;

	if (!next_packet(packets, &packet) || packet.left == 0 || packet.at[0] == 0xff || packet.at[0] == 0xfb)
		return -1;
	*is_ok = packet.at[0] == 0;
	if (*is_ok) {
		fuzz_byte(&packet);
		length_encoded(&packet);
		length_encoded(&packet);
		return (int)status_of(&packet);
	}
	while (next_packet(packets, &packet)) {
		if (packet.left > 0 && packet.at[0] == 0xff)
			return -1;
		if (packet.left == 0 || packet.left >= 9 || packet.at[0] != 0xfe || ++ends < 2)
			continue;
		fuzz_byte(&packet);
		status_of(&packet); /* warnings */
		return (int)status_of(&packet);
	}
	return -1;
}

/* A result for each statement, and the last one, which is COMMIT's, is OK. */
static bool is_ok_to_all(const struct buf *answer, size_t statements)
{
	struct packets packets = { (const uint8_t *)answer->data, answer->size };
	bool is_ok = false;

	for (size_t i = 0; i < statements; i++) {
		int status = pass_result(&packets, &is_ok);
		if (status < 0 || ((status & MORE_RESULTS) != 0) != (i + 1 < statements))
			return false;
	}
	return is_ok;
}

/*
 * "Log in by that other method": libmariadb (3.3.20) keeps the method's name in a buffer that the next packet may move, and
 * prints it later. Nothing of ours is before or behind that, so such an answer is left out.
 */
static bool switches_method(const struct buf *answer)
{
	struct packets packets = { (const uint8_t *)answer->data, answer->size };
	struct fuzz_input packet;

	while (next_packet(&packets, &packet)) {
		if (packet.left > 0 && packet.at[0] == 0xfe)
			return true;
	}
	return false;
}

/* Behind start, which is NULL or in sql; names are sent as hex. */
static bool has_name(const struct buf *sql, const char *start, const char *name)
{
	struct buf hex = { 0 };

	buf_puts(&hex, "x'");
	buf_hex(&hex, name, strlen(name));
	buf_puts(&hex, "'");
	bool has = start != NULL && memmem(start, (size_t)(sql->data + sql->size - start), hex.data, hex.size) != NULL;
	buf_free(&hex);
	return has;
}

/* Stamps stand behind all else but COMMIT. */
static bool has_stamp(const struct buf *sql, const char *name)
{
	return has_name(sql, memmem(sql->data, sql->size, "(zone_name,store_id,", 20), name);
}

/* Zones that were written together and failed are tried again, in parts: what is seen under the lock then is what counts. */
static bool is_look(const struct buf *sql, const char *name)
{
	return memmem(sql->data, sql->size, " FOR UPDATE", 11) != NULL && has_name(sql, sql->data, name);
}

static void note_query(const struct buf *sql, const struct buf *answer)
{
	size_t statements = 1;

	for (size_t i = 0; i < ZONES; i++) {
		server.zones[i].wrote |= has_stamp(sql, names[i]);
		if (is_look(sql, names[i]))
			server.zones[i].false_commits = 0;
	}
	if (sql->size < 6 || memcmp(sql->data + sql->size - 6, "COMMIT", 6) != 0)
		return;
	for (size_t i = 0; i < sql->size; i++)
		statements += sql->data[i] == ';'; /* no record here has one */
	bool is_ok = is_ok_to_all(answer, statements);
	for (size_t i = 0; i < ZONES; i++) {
		if (!server.zones[i].wrote)
			continue;
		server.zones[i].committed = is_ok;
		server.zones[i].false_commits += !is_ok;
		server.zones[i].wrote = false;
	}
}

/* ---- the server ---- */

static void hang_up(void)
{
	if (server.fd >= 0)
		close(server.fd);
	server.fd = -1;
	server.greeted = server.logged_in = false;
	buf_clear(&server.heard);
}

static void say(const struct buf *answer)
{
	if (answer->size == 0 || send(server.fd, answer->data, answer->size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)answer->size)
		hang_up();
}

/* Takes a whole packet of the client. False: there is none. */
static bool hear(struct buf *out, uint8_t *number)
{
	const uint8_t *head = (const uint8_t *)server.heard.data;

	if (server.heard.size < HEADER)
		return false;
	size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
	if (server.heard.size < HEADER + size)
		return false;
	*number = head[3];
	buf_append(out, head + HEADER, size);
	server.heard.size -= HEADER + size;
	memmove(server.heard.data, server.heard.data + HEADER + size, server.heard.size);
	return true;
}

/* False: the client has gone. */
static bool listen_in(void)
{
	char piece[16384];
	ssize_t got;

	while ((got = recv(server.fd, piece, sizeof(piece), MSG_DONTWAIT)) > 0 && server.heard.size < CLIENT_MOST)
		buf_append(&server.heard, piece, (size_t)got);
	return got != 0;
}

/* The connection that waits for us: the one that is open, or else the next. False: there is none. */
static bool turn_to_client(void)
{
	while (server.fd < 0 || !listen_in()) {
		hang_up();
		server.fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
		if (server.fd < 0)
			return false;
	}
	return true;
}

/* Answers what the client sent, and is gone if it sent nothing: it waits in vain. */
static void serve(void)
{
	struct buf packet = { 0 }, answer = { 0 }, sql = { 0 };
	uint8_t number = 0xff;
	bool go_on = false;

	if (!turn_to_client())
		return;
	if (!server.greeted) {
		go_on = next_answer(0, &answer) && !switches_method(&answer);
		server.greeted = true;
	} else {
		while (!go_on && hear(&packet, &number)) {
			uint8_t command = packet.size > 0 && server.logged_in ? (uint8_t)packet.data[0] : 0;

			if (command != COM_QUIT && command != COM_STMT_CLOSE && command != COM_STMT_SEND_LONG_DATA)
				go_on = next_answer((uint8_t)(number + 1), &answer) &&
					(server.logged_in || !switches_method(&answer));
			if (go_on && command == COM_QUERY) {
				buf_append(&sql, packet.data + 1, packet.size - 1);
				note_query(&sql, &answer);
			}
			buf_clear(&packet);
		}
		server.logged_in = true;
	}
	if (go_on && server.turns++ < TURNS_MOST)
		say(&answer);
	else
		hang_up();
	buf_free(&packet);
	buf_free(&answer);
	buf_free(&sql);
}

static bool is_ours(int fd)
{
	struct sockaddr_un peer = { .sun_family = AF_UNSPEC };
	socklen_t size = sizeof(peer);

	return server.listener >= 0 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sun_family == AF_UNIX &&
		strncmp(peer.sun_path, server.path, sizeof(server.path)) == 0;
}

/* Stands before the C library's. */
int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct timespec limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	struct timespec none = { 0, 0 };
	int ready = (int)syscall(SYS_ppoll, fds, count, &none, NULL, 0);

	/* timeout 0: it is only asked whether something came unasked. */
	if (ready == 0 && timeout_ms != 0 && count > 0 && (fds[0].events & POLLIN) != 0 && is_ours(fds[0].fd)) {
		serve();
		ready = (int)syscall(SYS_ppoll, fds, count, &none, NULL, 0);
	}
	if (ready != 0 || timeout_ms == 0)
		return ready;
	return (int)syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? NULL : &limit, NULL, 0);
}

/* ---- what the back end is asked for ---- */

/* The same for all inputs: zone text is not what is tried here, and to parse it would take a tenth of the time. */
static struct zone *zone_of(size_t number)
{
	static const char text[] = "$TTL 300\n@ IN SOA ns1 root 7 3600 600 86400 300\n@ IN NS ns1\nwww IN A 192.0.2.1\n";
	static struct zone *zones[ZONES];
	struct err err;

	if (zones[number] == NULL)
		CHECK(zone_parse(names[number], text, sizeof(text) - 1, 0, &zones[number], &err) == 0);
	return zone_ref(zones[number]);
}

static size_t delivered; /* zones, by all inputs */

/* The inputs are a server's part of a conversation: where ours changes they have to be brought to it, or go no further than there. */
void fuzz_folder_done(void)
{
	FUZZ_REQUIRE(delivered > 0, "no input of the corpus has a zone delivered: did what is asked of a server change?");
}

static void require_verdicts(struct backend *backend, struct backend_item *items, size_t count)
{
	memset(server.zones, 0, sizeof(server.zones));
	backend->ops->apply(backend, items, count);
	for (size_t i = 0; i < count; i++) {
		FUZZ_REQUIRE((unsigned)items[i].verdict <= BACKEND_DOWN, "verdict %d", (int)items[i].verdict);
		FUZZ_REQUIRE(items[i].verdict == BACKEND_OK || items[i].verdict == BACKEND_STALE || items[i].err.text[0] != '\0',
			"verdict %d without a reason", (int)items[i].verdict);
		/* Of one that was found right already no stamp is sent. */
		FUZZ_REQUIRE(items[i].verdict != BACKEND_OK || (!server.zones[i].wrote &&
			(server.zones[i].committed || server.zones[i].false_commits == 0)),
			"%s is called delivered, and its COMMIT was not answered OK", items[i].name);
		delivered += items[i].verdict == BACKEND_OK;
	}
}

static void apply(struct backend *backend, size_t count, bool remove, bool check)
{
	struct backend_item items[ZONES] = { { .name = NULL } };

	for (size_t i = 0; i < count; i++)
		items[i] = (struct backend_item){ .name = names[i], .generation = 5, .check = check,
			.zone = remove ? NULL : zone_of(i) };
	require_verdicts(backend, items, count);
	for (size_t i = 0; i < count; i++)
		zone_unref(items[i].zone);
}

static void look(struct backend *backend)
{
	struct backend_seen seen[2] = { { .name = "a.test." }, { .name = "b.test." } };
	struct backend_look asked = { .after = "", .zones = seen, .count = 2, .to_end = true };
	struct err err;

	if (backend->ops->look(backend, &asked, &err) == BACKEND_OK)
		FUZZ_REQUIRE(asked.done <= 2, "%zu zones of 2 were looked at", asked.done);
	buf_free(&asked.strays);
}

static void read_rows(struct backend *backend)
{
	struct backend_rows rows[2] = { { .name = "a.test." }, { .name = "b.test." } };
	struct backend_read asked = { .zones = rows, .count = 2 };
	struct err err;

	if (backend->ops->read(backend, &asked, &err) != BACKEND_OK)
		return;
	FUZZ_REQUIRE(asked.done >= 1 && asked.done <= 2, "%zu zones of 2 were read", asked.done);
	for (size_t i = 0; i < asked.done; i++) {
		size_t length = 0;

		for (size_t k = 0; !rows[i].cut && k < rows[i].count; k++)
			length += rows[i].rows[k].data == NULL ? 0 : strlen(rows[i].rows[k].data);
		FUZZ_REQUIRE(length <= BACKEND_READ_ZONE_BYTES, "%zu bytes of one zone", length);
	}
	backend_read_free(&asked);
}

static void list_names(struct backend *backend)
{
	struct backend_list asked = { .most = 10 };
	struct err err;

	if (backend->ops->list(backend, &asked, &err) != BACKEND_OK)
		return;
	FUZZ_REQUIRE(asked.count <= 10, "%zu names of 10", asked.count);
	for (size_t i = 0; i < asked.count; i++)
		FUZZ_REQUIRE(asked.names[i].name[0] != '\0', "a name that is empty");
	backend_list_free(&asked);
}

static void ask(struct backend *backend, uint8_t what)
{
	struct err err;
	bool exists;

	switch (what % 10) {
	case 0: case 1: case 2: case 3:
		apply(backend, 1, (what & 1) != 0, (what & 2) != 0);
		break;
	case 4: case 5:
		apply(backend, 2, (what & 1) != 0, false);
		break;
	case 6:
		(void)backend->ops->zone_exists(backend, "a.test.", &exists, &err);
		break;
	case 7:
		look(backend);
		break;
	case 8:
		read_rows(backend);
		break;
	default:
		list_names(backend);
		break;
	}
}

static void run_backend(const char *socket_path, uint8_t what)
{
	struct coredns_mysql_settings settings = { .host = "", .unix_socket = socket_path, .database = "d", .username = "u",
		.password = "p", .zones_table = "zones", .records_table = "records", .state_table = "zonefan_state",
		.connect_timeout_ms = 5000, .query_timeout_ms = 5000, .transaction_stall_ms = 5000, .transaction_max_ms = 5000,
		.ssl_ca = "", .ssl_cert = "", .ssl_key = "" };
	struct backend_params params = { .name = "dc1", .store_id = OUR_STORE, .settings = &settings };
	struct backend *backend;
	struct err err;

	CHECK(coredns_mysql_ops.create(&params, &backend, &err) == 0);
	ask(backend, what);
	if ((what & 0x80) != 0)
		ask(backend, what >> 3);
	backend->ops->destroy(backend);
}

static void remove_socket(void)
{
	unlink(server.path);
}

/* AddressSanitizer goes over the whole stack of a thread, each time one begins and ends. */
static void make_stacks_small(void)
{
	pthread_attr_t attributes;

	CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0);
	CHECK(pthread_setattr_default_np(&attributes) == 0);
	pthread_attr_destroy(&attributes);
}

static void start(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	make_stacks_small();

	signal(SIGPIPE, SIG_IGN);
	coredns_mysql_global_init();
	snprintf(server.path, sizeof(server.path), "/tmp/zonefan-fuzz-mysql.%d", (int)getpid());
	memcpy(address.sun_path, server.path, sizeof(server.path));
	unlink(server.path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 16) == 0);
	server.listener = fd;
	atexit(remove_socket);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	int waiting;

	if (server.listener < 0)
		start();
	server.answers = (struct fuzz_input){ data, size };
	server.turns = 0;
	uint8_t what = fuzz_byte(&server.answers);
	run_backend(server.path, what);
	hang_up();
	while ((waiting = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(waiting);
	buf_free(&server.heard);
}
