/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/connect.h"

#include <arpa/inet.h>
#include <errmsg.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/coredns_mysql/classify.h"
#include "backends/coredns_mysql/wait.h"
#include "base/clock.h"
#include "base/offload.h"
#include "base/resolve.h"
#include "base/testing.h"

enum {
	USER_TIMEOUT_MS = 10000, /* after that long without an ACK the kernel gives up */
	KEEP_IDLE_S = 30,        /* likewise of a host that dies while we wait for it and send nothing: in a minute, not in hours */
	KEEP_INTERVAL_S = 10,
	KEEP_PROBES = 3,
	LOGIN_SHARE = 2,         /* with a last good address the resolver gets a half of the time */
	GRACE_MS = 100           /* a thread that keeps its deadline can say so itself */
};

/* The methods by which a password does not leave this host in clear (dialog and mysql_clear_password do). */
#define LOGIN_METHODS "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec"

/* ---- name resolution ---- */

static bool is_literal(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* The addresses to try; where the resolver is of no use, the one that worked last. 0, or err says why there are none. */
static int resolve(const struct connect_target *target, int64_t deadline_ms, char out[RESOLVE_MOST][NI_MAXHOST],
	size_t *count, struct err *err)
{
	int ret = resolve_host(target->settings->host, deadline_ms, target->cancel_fd, out, count, err);

	if (ret == ERR_OK)
		return 0;
	if (ret == ERR_CLOSED || target->last_address[0] == '\0')
		return err_prefix(err, "cannot connect to %s", target->backend);
	snprintf(out[0], NI_MAXHOST, "%s", target->last_address);
	*count = 1;
	return 0;
}

/* ---- connecting ---- */

/* Copies of all it needs: it may outlive the back end. */
struct connecting {
	struct coredns_mysql_settings settings;
	char *host; /* what libmariadb is given */
	struct wait wait;
	MYSQL *mysql;
	unsigned code;
	char message[256];
	pthread_mutex_t lock;
	int watched_fd; /* under lock: our own descriptor of the socket, to break a handshake that nobody waits for */
};

static char *copy(const char *text)
{
	return xstrdup(text == NULL ? "" : text);
}

static struct connecting *connecting_create(const struct coredns_mysql_settings *from, const char *host,
	int64_t deadline_ms)
{
	struct connecting *connecting = xcalloc(1, sizeof(*connecting));
	struct coredns_mysql_settings *to = &connecting->settings;

	*to = *from;
	to->unix_socket = copy(from->unix_socket);
	to->database = copy(from->database);
	to->username = copy(from->username);
	to->password = copy(from->password);
	to->ssl_ca = copy(from->ssl_ca);
	to->ssl_cert = copy(from->ssl_cert);
	to->ssl_key = copy(from->ssl_key);
	connecting->host = copy(host);
	connecting->watched_fd = -1;
	connecting->wait = (struct wait){ .deadline_ms = deadline_ms, .cancel_fd = -1, .most = WAIT_SAID_MOST };
	CHECK(pthread_mutex_init(&connecting->lock, NULL) == 0);
	return connecting;
}

static void connecting_free(struct connecting *connecting)
{
	struct coredns_mysql_settings *settings = &connecting->settings;

	free((void *)(uintptr_t)settings->unix_socket);
	free((void *)(uintptr_t)settings->database);
	free((void *)(uintptr_t)settings->username);
	explicit_bzero((void *)(uintptr_t)settings->password, strlen(settings->password));
	free((void *)(uintptr_t)settings->password);
	free((void *)(uintptr_t)settings->ssl_ca);
	free((void *)(uintptr_t)settings->ssl_cert);
	free((void *)(uintptr_t)settings->ssl_key);
	free(connecting->host);
	if (connecting->watched_fd >= 0)
		close(connecting->watched_fd);
	pthread_mutex_destroy(&connecting->lock);
	free(connecting);
}

static void socket_seen(void *ctx, int fd)
{
	struct connecting *connecting = ctx;

	pthread_mutex_lock(&connecting->lock);
	if (connecting->watched_fd < 0)
		connecting->watched_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&connecting->lock);
}

static void set_options(MYSQL *mysql, const struct coredns_mysql_settings *settings)
{
	const my_bool yes = 1;
	const my_bool verify = settings->ssl_verify ? 1 : 0;
	const unsigned off = 0;
	const unsigned tcp = MYSQL_PROTOCOL_TCP;
	const unsigned seconds = (unsigned)((settings->connect_timeout_ms + 999) / 1000);

	mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, wait_for_io);
	/* Ours is the deadline that counts; this one stops the library's own loops around getaddrinfo. */
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_PLUGIN_DIR, COREDNS_MYSQL_PLUGIN_DIR);
	mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, LOGIN_METHODS);
	if (settings->unix_socket[0] == '\0')
		mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
	if (!settings->ssl)
		return;
	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
	if (settings->ssl_ca[0] != '\0')
		mysql_options(mysql, MYSQL_OPT_SSL_CA, settings->ssl_ca);
	if (settings->ssl_cert[0] != '\0')
		mysql_options(mysql, MYSQL_OPT_SSL_CERT, settings->ssl_cert);
	if (settings->ssl_key[0] != '\0')
		mysql_options(mysql, MYSQL_OPT_SSL_KEY, settings->ssl_key);
}

void connect_set_abortive(MYSQL *mysql, bool abortive)
{
	struct linger linger = { .l_onoff = abortive ? 1 : 0, .l_linger = 0 };

	setsockopt(mysql_get_socket(mysql), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_up_socket(MYSQL *mysql)
{
	int fd = mysql_get_socket(mysql);
	int flags = fcntl(fd, F_GETFL);

	connect_set_abortive(mysql, true);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_PROBES);
	/* The library reads plain sockets with MSG_DONTWAIT, but TLS ones without: then the deadline would not hold. */
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void keep_failure(struct connecting *connecting, unsigned code, const char *message)
{
	connecting->code = code;
	snprintf(connecting->message, sizeof(connecting->message), "%s", message);
}

/*
 * libmariadb (3.3.20) looks for a word in the server's version when the very first packet is an error of number 65535, and
 * there is none yet: whoever answers at that port could end the process. Until the greeting has come it is empty here. The
 * greeting puts another one in its place, and frees nothing.
 */
static char *put_version(MYSQL *mysql)
{
	mysql->server_version = xstrdup("");
	mysql->thread_id = ULONG_MAX; /* more than the four bytes of a greeting can say */
	return mysql->server_version;
}

/* After mysql_real_connect. The thread's number comes behind the version. */
static void drop_version(const MYSQL *mysql, char *ours)
{
	if (mysql->thread_id != ULONG_MAX)
		free(ours);
}

static void connect_work(void *arg)
{
	struct connecting *connecting = arg;
	const struct coredns_mysql_settings *settings = &connecting->settings;
	bool local = settings->unix_socket[0] != '\0';
	MYSQL *mysql = mysql_init(NULL);

	CHECK(mysql != NULL);
	wait_watch_reads();
	connecting->wait.seen = socket_seen;
	connecting->wait.seen_ctx = connecting;
	wait_use(&connecting->wait);
	set_options(mysql, settings);
	char *version = put_version(mysql);
	bool connected = mysql_real_connect(mysql, local ? NULL : connecting->host, settings->username, settings->password,
		settings->database, settings->port, local ? settings->unix_socket : NULL, CLIENT_MULTI_STATEMENTS) != NULL;
	drop_version(mysql, version);
	if (!connected || wait_is_over(&connecting->wait)) {
		keep_failure(connecting, mysql_errno(mysql), mysql_error(mysql));
	} else if (settings->ssl && mysql_get_ssl_cipher(mysql) == NULL) {
		keep_failure(connecting, CR_SSL_CONNECTION_ERROR, "the server does not offer TLS");
	} else {
		set_up_socket(mysql);
		connecting->mysql = mysql;
		mysql = NULL;
	}
	if (mysql != NULL)
		mysql_close(mysql);
	wait_use(NULL);
	mysql_thread_end();
}

static void connect_abandon(void *arg)
{
	struct connecting *connecting = arg;

	pthread_mutex_lock(&connecting->lock);
	if (connecting->watched_fd >= 0)
		shutdown(connecting->watched_fd, SHUT_RDWR);
	pthread_mutex_unlock(&connecting->lock);
}

static void connect_release(void *arg)
{
	struct connecting *connecting = arg;

	if (connecting->mysql != NULL) {
		/* Nothing was asked of this connection: it may go without a word. */
		wait_use(&connecting->wait);
		mysql_close(connecting->mysql);
		wait_use(NULL);
	}
	connecting_free(connecting);
}

static const struct offload_job connect_job = { connect_work, connect_abandon, connect_release };

/* ---- both ---- */

static const char *describe_place(const struct coredns_mysql_settings *settings, char *out, size_t size)
{
	if (PLANTED(secret_in_log))
		snprintf(out, size, "%s:%s@%s", settings->username, settings->password, settings->host);
	else if (settings->unix_socket[0] != '\0')
		snprintf(out, size, "%s", settings->unix_socket);
	else
		snprintf(out, size, strchr(settings->host, ':') != NULL ? "[%s]:%u" : "%s:%u", settings->host,
			(unsigned)settings->port);
	return out;
}

static void explain(const struct connect_target *target, const struct connecting *connecting, struct err *err)
{
	const struct coredns_mysql_settings *settings = target->settings;
	enum classify_class class = classify_code(connecting->code);
	char place[512];
	char text[320];

	describe_place(settings, place, sizeof(place));
	if (connecting->wait.timed_out)
		snprintf(text, sizeof(text), "no answer within %" PRId64 " ms", settings->connect_timeout_ms);
	else if (connecting->wait.connect_errno != 0 &&
		(connecting->code == CR_CONNECTION_ERROR || connecting->code == CR_CONN_HOST_ERROR))
		snprintf(text, sizeof(text), "%s", strerror(connecting->wait.connect_errno));
	else if (connecting->code == CR_CONNECTION_ERROR && settings->unix_socket[0] != '\0')
		snprintf(text, sizeof(text), "nobody listens at that socket");
	else if (connecting->code == 1045 || connecting->code == 1698) {
		err_set(err, ERR_DENIED, "login refused for user '%s' at %s, %s (%u)", settings->username,
			target->backend, place, connecting->code);
		return;
	} else
		classify_explain(connecting->code, connecting->message, text, sizeof(text));
	err_set(err, class == CLASSIFY_OPERATOR ? ERR_DENIED : ERR_IO, "cannot connect to %s at %s: %s",
		target->backend, place, text);
}

static MYSQL *connect_once(struct connect_target *target, const char *host, int64_t deadline_ms, unsigned *code,
	struct err *err)
{
	struct connecting *connecting = connecting_create(target->settings, host, deadline_ms);
	enum offload_end end = offload_run("connect", &connect_job, connecting, deadline_ms + GRACE_MS,
		target->cancel_fd);
	char place[512];
	MYSQL *mysql = NULL;

	*code = 0;
	if (end == OFFLOAD_DONE) {
		mysql = connecting->mysql;
		*code = connecting->code;
		if (mysql == NULL)
			explain(target, connecting, err);
		connecting_free(connecting);
		return mysql;
	}
	describe_place(target->settings, place, sizeof(place));
	if (end == OFFLOAD_LATE)
		err_set(err, ERR_TIMEOUT, "cannot connect to %s at %s: no answer within %" PRId64 " ms", target->backend,
			place, target->settings->connect_timeout_ms);
	else
		err_set(err, ERR_IO, "cannot connect to %s at %s: %s", target->backend, place,
			end == OFFLOAD_CANCELLED ? "cancelled" : "too many attempts hang already");
	if (end == OFFLOAD_BUSY)
		connecting_free(connecting);
	return NULL;
}

/*
 * libmariadb verifies a certificate against the host that it was given, and has no other way to be told the name: so
 * with verification it gets the name and resolves it again itself, on the thread that connects. Without, addresses.
 */
static bool name_is_verified(const struct coredns_mysql_settings *settings)
{
	return settings->ssl && settings->ssl_verify;
}

MYSQL *connect_open(struct connect_target *target, unsigned *code, struct err *err)
{
	const struct coredns_mysql_settings *settings = target->settings;
	int64_t now_ms = clock_mono_ms(clock_system());
	int64_t deadline_ms = now_ms + settings->connect_timeout_ms;
	char addresses[RESOLVE_MOST][NI_MAXHOST];
	size_t count = 1;
	MYSQL *mysql = NULL;

	*code = 0;
	if (settings->unix_socket[0] != '\0' || is_literal(settings->host) || name_is_verified(settings)) {
		snprintf(addresses[0], NI_MAXHOST, "%s", settings->host);
	} else {
		int64_t share_ms = settings->connect_timeout_ms / (target->last_address[0] != '\0' ? LOGIN_SHARE : 1);

		if (resolve(target, now_ms + share_ms, addresses, &count, err) < 0)
			return NULL;
	}
	for (size_t i = 0; i < count && mysql == NULL; i++) {
		now_ms = clock_mono_ms(clock_system());
		if (i > 0 && now_ms >= deadline_ms)
			break;
		/* One address that swallows packets leaves time for the next. */
		mysql = connect_once(target, addresses[i], now_ms + (deadline_ms - now_ms) / (int64_t)(count - i), code,
			err);
		if (mysql != NULL)
			memmove(target->last_address, addresses[i], strlen(addresses[i]) + 1);
		else if (*code != CR_CONNECTION_ERROR && *code != CR_CONN_HOST_ERROR)
			break; /* somebody answered: the next address would say the same */
	}
	return mysql;
}
