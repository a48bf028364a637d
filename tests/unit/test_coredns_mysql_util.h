/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A private mariadbd and a back end on it, for the tests of coredns_mysql.
 * Each test takes a database of its own. Included by one test program each.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mysql.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/coredns_mysql/coredns_mysql.h"
#include "backends/coredns_mysql/target.h"
#include "base/clock.h"

#define OUR_STORE "00112233445566778899aabbccddeeff"
#define OTHER_STORE "ffeeddccbbaa99887766554433221100"

enum { WAIT_MS = 30000, MOST_NOTICES = 64 };

static char server_folder[64];
static char server_socket[96];
static uint16_t server_port;
static pid_t server_pid;
static MYSQL *root;
static char current_database[32]; /* of the test that runs */
static const char *server_extra[4]; /* more arguments for mariadbd */

/* ---- processes ---- */

static inline pid_t spawn(const char *const *arguments)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int quiet = open("/dev/null", O_RDWR);

		dup2(quiet, 0);
		dup2(quiet, 1);
		dup2(quiet, 2);
		execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	return pid;
}

static inline void run(const char *const *arguments)
{
	int status;

	assert_int_equal(waitpid(spawn(arguments), &status, 0) > 0, 1);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline void pause_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* Of this process, so far. */
static inline long most_resident_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static inline int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* Listening on loopback with a port of the system's choice. */
static inline int listen_anywhere(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* ---- the server ---- */

static inline MYSQL *connect_root(const char *database)
{
	MYSQL *mysql = mysql_init(NULL);

	if (mysql_real_connect(mysql, NULL, "root", "", database, 0, server_socket, CLIENT_MULTI_STATEMENTS) != NULL)
		return mysql;
	mysql_close(mysql);
	return NULL;
}

static inline void server_start(void)
{
	char tmpdir[128], datadir[128], port[32], socket_path[128], pid_path[128];
	/* A tmpdir of its own: a starting server removes all temporary tables there, whoever made them. */
	const char *arguments[20] = { "mariadbd", "--no-defaults", datadir, tmpdir, port, socket_path, pid_path,
		"--bind-address=127.0.0.1", "--user=root", "--innodb-buffer-pool-size=16M",
		"--innodb-stats-auto-recalc=0", "--innodb-flush-log-at-trx-commit=2", "--userstat=1" };
	const bool first = server_pid == 0; /* later on the port is in the settings of the tests */
	size_t at = 13;

	for (size_t i = 0; i < 4 && server_extra[i] != NULL; i++)
		arguments[at++] = server_extra[i];
	snprintf(datadir, sizeof(datadir), "--datadir=%s/data", server_folder);
	snprintf(tmpdir, sizeof(tmpdir), "--tmpdir=%s", server_folder);
	snprintf(port, sizeof(port), "--port=%u", (unsigned)server_port);
	snprintf(socket_path, sizeof(socket_path), "--socket=%s", server_socket);
	snprintf(pid_path, sizeof(pid_path), "--pid-file=%s/pid", server_folder);
	server_pid = spawn(arguments);
	for (int64_t end = now_ms() + WAIT_MS; root == NULL; pause_ms(20)) {
		assert_true(now_ms() < end);
		if (waitpid(server_pid, NULL, WNOHANG) != 0) {
			assert_true(first); /* somebody else was quicker to take the port, perhaps */
			close(listen_anywhere(&server_port));
			snprintf(port, sizeof(port), "--port=%u", (unsigned)server_port);
			server_pid = spawn(arguments);
		}
		root = connect_root(NULL);
	}
}

static inline void server_stop(void)
{
	mysql_close(root);
	root = NULL;
	assert_true(server_pid > 0); /* kill(0) would be the end of the whole test run */
	kill(server_pid, SIGCONT);
	kill(server_pid, SIGTERM);
	assert_int_equal(waitpid(server_pid, NULL, 0), server_pid);
}

static inline int group_setup(void **state)
{
	char datadir[128], tmpdir[128]; /* its own, as above */
	const char *install[] = { "mariadb-install-db", "--no-defaults", datadir, tmpdir, "--user=root",
		"--auth-root-authentication-method=normal", "--skip-test-db", NULL };

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	coredns_mysql_global_init();
	snprintf(server_folder, sizeof(server_folder), "/tmp/zonefan-mysql-XXXXXX");
	assert_non_null(mkdtemp(server_folder));
	snprintf(server_socket, sizeof(server_socket), "%s/s", server_folder);
	snprintf(datadir, sizeof(datadir), "--datadir=%s/data", server_folder);
	snprintf(tmpdir, sizeof(tmpdir), "--tmpdir=%s", server_folder);
	run(install);
	close(listen_anywhere(&server_port));
	server_start();
	return 0;
}

static inline int group_teardown(void **state)
{
	const char *clean[] = { "rm", "-rf", server_folder, NULL };

	(void)state;
	server_stop();
	run(clean);
	mysql_library_end();
	return 0;
}

/* ---- SQL as root ---- */

PRINTF_LIKE(1, 2) static inline void sql(const char *format, ...)
{
	char text[4096];
	va_list args;
	int got;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (mysql_query(root, text) != 0)
		fail_msg("%s: %s", text, mysql_error(root));
	do {
		mysql_free_result(mysql_store_result(root));
		got = mysql_next_result(root);
	} while (got == 0);
	if (got > 0)
		fail_msg("%s: %s", text, mysql_error(root));
}

/* The first column of the first row, "" if there is none; lives until the next call but three. */
PRINTF_LIKE(1, 2) static inline const char *ask(const char *format, ...)
{
	static char answers[4][65536];
	static unsigned turn;
	char *answer = answers[turn++ % 4];
	char text[4096];
	va_list args;
	MYSQL_ROW row;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (mysql_query(root, text) != 0)
		fail_msg("%s: %s", text, mysql_error(root));
	MYSQL_RES *rows = mysql_store_result(root);
	row = rows == NULL ? NULL : mysql_fetch_row(rows);
	snprintf(answer, 65536, "%s", row == NULL || row[0] == NULL ? "" : row[0]);
	mysql_free_result(rows);
	return answer;
}

PRINTF_LIKE(1, 2) static inline uint64_t count(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return strtoull(ask("%s", text), NULL, 10);
}

/*
 * Row writes to the tables of this database since the server started, also those rolled back. MariaDB 10.11 has
 * neither Innodb_rows_inserted and its like nor the dml_* metrics; userstat counts the same per table.
 */
static inline uint64_t rows_written(void)
{
	return count("SELECT COALESCE(SUM(ROWS_CHANGED), 0) FROM information_schema.TABLE_STATISTICS "
		     "WHERE TABLE_SCHEMA = DATABASE()");
}

/* Transactions of the back end and of root that were committed or rolled back since the server started. */
static inline uint64_t transactions(void)
{
	return count("SELECT SUM(variable_value) FROM information_schema.GLOBAL_STATUS "
		     "WHERE variable_name IN ('Com_commit', 'Com_rollback')");
}

/*
 * Waits until a query answers not "" and not "0". It has a connection of its own, so that root may be in the middle of
 * something; and it asks no oftener than InnoDB renews its lists of transactions, which is 100 ms after the last look.
 */
static inline void wait_for(const char *question)
{
	MYSQL *watcher = connect_root(current_database);
	bool seen = false;

	assert_non_null(watcher);
	for (int64_t end = now_ms() + WAIT_MS; !seen && now_ms() < end; pause_ms(150)) {
		MYSQL_RES *rows = mysql_query(watcher, question) == 0 ? mysql_store_result(watcher) : NULL;
		MYSQL_ROW row = rows == NULL ? NULL : mysql_fetch_row(rows);

		seen = row != NULL && row[0] != NULL && row[0][0] != '\0' && strcmp(row[0], "0") != 0;
		mysql_free_result(rows);
	}
	mysql_close(watcher);
	if (!seen)
		fail_msg("never true: %s", question);
}

/* ---- the back end ---- */

struct fixture {
	char database[32];
	struct coredns_mysql_settings settings;
	struct backend *backend;
	char notices[MOST_NOTICES][256]; /* "kind zone text" */
	size_t notice_count;
};

static inline void keep_notice(void *ctx, const char *backend, const char *kind, const char *zone, const char *text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* two lanes may share a fixture */
	struct fixture *fixture = ctx;

	assert_string_equal(backend, "dc1");
	pthread_mutex_lock(&lock);
	if (fixture->notice_count < MOST_NOTICES)
		snprintf(fixture->notices[fixture->notice_count++], 256, "%s %s %s", kind, zone == NULL ? "-" : zone,
			text);
	pthread_mutex_unlock(&lock);
}

static inline const char *find_notice(const struct fixture *fixture, const char *part)
{
	for (size_t i = 0; i < fixture->notice_count; i++)
		if (strstr(fixture->notices[i], part) != NULL)
			return fixture->notices[i];
	return NULL;
}

static inline struct backend *make_backend(struct fixture *fixture, const char *store_id)
{
	const struct backend_params params = { .name = "dc1", .store_id = store_id, .settings = &fixture->settings,
		.notice = keep_notice, .notice_ctx = fixture };
	struct err err = { 0 };
	struct backend *backend;

	if (coredns_mysql_ops.create(&params, &backend, &err) < 0)
		fail_msg("%s", err.text);
	return backend;
}

static inline struct target *target_of(const struct fixture *fixture)
{
	return (struct target *)fixture->backend;
}

/*
 * As long as it keeps its connection: many rows go as text, in two packets, as they do where the way is long or the server
 * is MySQL; else to a server as near as this one they go by arrays.
 */
static inline void use_text_only(struct fixture *fixture)
{
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	target_of(fixture)->link.prepares_none = true;
}

static inline void close_backend(struct fixture *fixture)
{
	if (fixture->backend != NULL)
		fixture->backend->ops->destroy(fixture->backend);
	fixture->backend = NULL;
}

/* With the settings as they are now. */
static inline void open_backend(struct fixture *fixture)
{
	close_backend(fixture);
	fixture->backend = make_backend(fixture, OUR_STORE);
}

static inline int setup(void **state)
{
	static unsigned number;
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	snprintf(fixture->database, sizeof(fixture->database), "t%u", ++number);
	memcpy(current_database, fixture->database, sizeof(current_database));
	sql("CREATE DATABASE %s; USE %s", fixture->database, fixture->database);
	fixture->settings = (struct coredns_mysql_settings){ .host = "127.0.0.1", .port = server_port,
		.unix_socket = "", .database = fixture->database, .username = "root", .password = "",
		.zones_table = "zones", .records_table = "records", .state_table = "zonefan_state",
		.manage_schema = true, .catch_all_zone = true, .connect_timeout_ms = 3000, .query_timeout_ms = 10000,
		.transaction_stall_ms = 15000, .transaction_max_ms = 120000, .ssl_ca = "", .ssl_cert = "",
		.ssl_key = "" };
	open_backend(fixture);
	*state = fixture;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *fixture = *state;

	close_backend(fixture);
	kill(server_pid, SIGCONT);
	/* Locks that a failed test left behind are waited for, but not for ever. */
	sql("ROLLBACK; UNLOCK TABLES; SET GLOBAL read_only = 0; SET STATEMENT lock_wait_timeout = 10 FOR DROP DATABASE %s",
		fixture->database);
	free(fixture);
	return 0;
}

/* A user of this database with just these rights on the tables that there are. */
static inline void use_plain_user(struct fixture *fixture)
{
	sql("CREATE USER IF NOT EXISTS plain@localhost; GRANT SELECT, INSERT, UPDATE, DELETE ON %s.* TO plain@localhost",
		fixture->database);
	fixture->settings.username = "plain";
	fixture->settings.manage_schema = false;
	open_backend(fixture);
}

/* The tables as the CoreDNS plugin makes them. */
static inline void make_plugin_tables(void)
{
	sql("CREATE TABLE zones (id INT NOT NULL AUTO_INCREMENT, zone_name VARCHAR(255) NOT NULL, PRIMARY KEY (id), "
	    "UNIQUE KEY (zone_name)) ENGINE=InnoDB CHARSET=latin1;"
	    "CREATE TABLE records (id INT NOT NULL AUTO_INCREMENT, zone_id INT NOT NULL, hostname VARCHAR(512) NOT NULL, "
	    "type VARCHAR(10) NOT NULL, data VARCHAR(1024) NOT NULL, ttl INT NOT NULL DEFAULT 120, "
	    "online INT NOT NULL DEFAULT 0, PRIMARY KEY (id), FOREIGN KEY (zone_id) REFERENCES zones (id)) "
	    "ENGINE=InnoDB CHARSET=latin1");
}

static inline void make_state_table(void)
{
	sql("CREATE TABLE zonefan_state (zone_name VARCHAR(255) NOT NULL PRIMARY KEY, store_id CHAR(32) NOT NULL, "
	    "generation BIGINT UNSIGNED NOT NULL, digest CHAR(32) NOT NULL, record_count BIGINT UNSIGNED NOT NULL, "
	    "serial INT UNSIGNED NOT NULL, deleted TINYINT NOT NULL, changed_at DATETIME(6) NOT NULL, "
	    "KEY (changed_at)) ENGINE=InnoDB");
}

/* ---- zones ---- */

/* SOA, NS and the lines given. */
static inline struct zone *make_zone(const char *name, const char *lines)
{
	struct buf text = { 0 };
	struct err err = { 0 };
	struct zone *zone = NULL;

	buf_printf(&text, "@ 3600 IN SOA ns1.%s hostmaster.%s 2026112000 3600 600 86400 300\n@ 3600 IN NS ns1.%s\n%s", name,
		name, name, lines);
	if (zone_parse(name, text.data, text.size, 0, &zone, &err) < 0)
		fail_msg("%s", err.text);
	buf_free(&text);
	return zone;
}

/* count A records; of number changed the address is another. */
static inline struct zone *make_big_zone(const char *name, unsigned records, unsigned changed)
{
	struct buf lines = { 0 };

	for (unsigned i = 0; i < records; i++)
		buf_printf(&lines, "h%u 300 IN A 10.%u.%u.%u\n", i, i == changed ? 9u : 1u, i / 256, i % 256);
	struct zone *zone = make_zone(name, lines.data == NULL ? "" : lines.data);
	buf_free(&lines);
	return zone;
}

static inline struct backend_item apply_item(struct fixture *fixture, struct backend_item item)
{
	fixture->backend->ops->apply(fixture->backend, &item, 1);
	return item;
}

static inline struct backend_item save(struct fixture *fixture, const char *name, struct zone *zone,
	uint64_t generation)
{
	return apply_item(fixture, (struct backend_item){ .name = name, .zone = zone, .generation = generation });
}

static inline struct backend_item check(struct fixture *fixture, const char *name, struct zone *zone,
	uint64_t generation)
{
	return apply_item(fixture,
		(struct backend_item){ .name = name, .zone = zone, .generation = generation, .check = true });
}

#define assert_ok(item)                                                                                      \
	do {                                                                                                 \
		struct backend_item done_ = (item);                                                          \
		if (done_.verdict != BACKEND_OK)                                                             \
			fail_msg("verdict %d: %s", (int)done_.verdict, done_.err.text);                      \
	} while (0)

#define assert_verdict(item, wanted_verdict, part)                                                           \
	do {                                                                                                 \
		struct backend_item done_ = (item);                                                          \
		if (done_.verdict != (wanted_verdict) || strstr(done_.err.text, (part)) == NULL)             \
			fail_msg("verdict %d: %s", (int)done_.verdict, done_.err.text);                      \
	} while (0)

/* Until it is there: with deadlines as short as those of some tests a busy machine may need several tries. */
static inline void save_in_the_end(struct fixture *fixture, const char *name, struct zone *zone, uint64_t generation)
{
	struct backend_item item = { 0 };

	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_ms(50)) {
		item = save(fixture, name, zone, generation);
		if (item.verdict == BACKEND_OK)
			return;
	}
	fail_msg("verdict %d: %s", (int)item.verdict, item.err.text);
}

static inline void ping_in_the_end(struct fixture *fixture)
{
	enum backend_verdict got = BACKEND_DOWN;
	struct err err = { 0 };

	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_ms(50)) {
		got = fixture->backend->ops->ping(fixture->backend, &err);
		if (got == BACKEND_OK)
			return;
	}
	fail_msg("verdict %d: %s", (int)got, err.text);
}

/* As look() gives it. */
static inline struct backend_seen seen_of(struct fixture *fixture, const char *name)
{
	struct backend_seen seen = { .name = name };
	char before[ZONE_NAME_SIZE];
	struct backend_look look = { .after = before, .zones = &seen, .count = 1 };
	struct err err = { 0 };

	snprintf(before, sizeof(before), "%.*s", (int)strlen(name) - 1, name);
	if (fixture->backend->ops->look(fixture->backend, &look, &err) != BACKEND_OK)
		fail_msg("%s", err.text);
	assert_int_equal(look.done, 1);
	buf_free(&look.strays);
	return seen;
}

/* The rows are the zone's, by our own arithmetic on what a plain client reads. */
static inline void assert_rows(const char *name, const struct zone *zone)
{
	struct zone_digest digest = { 0 };
	MYSQL_ROW row;
	char *text = xasprintf(
		"SELECT hostname, type, data, ttl, online FROM records JOIN zones ON zones.id = zone_id WHERE zone_name = '%s'",
		name);

	assert_int_equal(mysql_query(root, text), 0);
	free(text);
	MYSQL_RES *rows = mysql_store_result(root);
	assert_non_null(rows);
	while ((row = mysql_fetch_row(rows)) != NULL)
		zone_digest_add(&digest, row[0], row[1], row[2], row[3], row[4]);
	mysql_free_result(rows);
	if (!zone_digest_equal(&digest, zone_digest(zone)))
		fail_msg("%s: the %" PRIu64 " rows are not the zone's %" PRIu64 " records", name, digest.count,
			zone_digest(zone)->count);
}
