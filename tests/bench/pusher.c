/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pushes zones as DirectAdmin does: HTTP/1.0, Basic auth, one connection per
 * push, the zone as the body of a POST (directadmin-protocol.md 5). Several
 * workers play several panels.
 *
 * bench_pusher PLAN OUT PORT WORKERS USER [PAUSE_MS DATABASE_USER DATABASE DATABASE_PORT...]
 *
 * With databases named (one worker only) each push is followed until all of
 * them show it, and the next begins PAUSE_MS later. Passwords come from
 * BENCH_PASSWORD and BENCH_DB_PASSWORD. OUT gets JSON: for each push the
 * microseconds from the first start to its start, its answer and its commit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <mysql.h>

#include "base/buf.h"
#include "base/thread.h"
#include "plan.h"
#include "watch.h"

enum { WORKERS_MAX = 256, DATABASES_MAX = 8, ANSWER_MAX = 4096, COMMIT_TIMEOUT_MS = 30000 };

struct pusher {
	struct plan plan;
	uint16_t port;
	const char *authorization;
	struct watch *watch;
	int64_t pause_ms;
	atomic_size_t next;
	atomic_size_t failed;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put_base64(struct buf *out, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;
		char four[4] = { '=', '=', '=', '=' };

		if (i + 1 < size)
			bits |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (i + 2 < size)
			bits |= (unsigned char)text[i + 2];
		for (size_t k = 0; k < 4 && i + k <= size; k++)
			four[k] = digits[(bits >> (18 - 6 * k)) & 63];
		buf_append(out, four, sizeof(four));
	}
}

static int dial(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct timeval limit = { .tv_sec = 60 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool send_all(int fd, const char *data, size_t size)
{
	while (size != 0) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		data += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Reads to the end of the connection; true if the body says error=0. */
static bool read_answer(int fd, char answer[ANSWER_MAX])
{
	size_t size = 0;

	while (size < ANSWER_MAX - 1) {
		ssize_t got = recv(fd, answer + size, ANSWER_MAX - 1 - size, 0);

		if (got < 0)
			return false;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	answer[size] = '\0';

	const char *body = strstr(answer, "\r\n\r\n");

	return body != NULL && strncmp(body + 4, "error=0", 7) == 0;
}

static void make_request(const struct pusher *pusher, const struct plan_push *push, struct buf *out)
{
	buf_clear(out);
	buf_printf(out,
		"POST /CMD_API_DNS_ADMIN?action=rawsave&domain=%s&username=bench&hostname=da1.host.example "
		"HTTP/1.0\r\n"
		"Authorization: Basic %s\r\n"
		"Host: ns3.dns-host.example\r\n"
		"Content-Length: %zu\r\n\r\n",
		push->name, pusher->authorization, push->body_size);
	buf_append(out, push->body, push->body_size);
}

static bool push_one(struct pusher *pusher, struct plan_push *push, struct buf *request)
{
	char answer[ANSWER_MAX] = "";

	make_request(pusher, push, request);
	push->start_ns = now_ns();

	int fd = dial(pusher->port);
	bool ok = fd >= 0 && send_all(fd, request->data, request->size) && read_answer(fd, answer);

	push->ack_ns = now_ns();
	if (fd >= 0)
		close(fd);
	if (!ok)
		fprintf(stderr, "bench_pusher: %s: %s: %s\n", push->name, strerror(errno), answer);
	return ok;
}

static bool follow(struct pusher *pusher, struct plan_push *push)
{
	struct timespec pause = { .tv_sec = pusher->pause_ms / 1000,
		.tv_nsec = pusher->pause_ms % 1000 * 1000000 };
	struct err err = { 0 };

	if (watch_wait(pusher->watch, push->sql, push->sql_size, COMMIT_TIMEOUT_MS, &err) != 0) {
		fprintf(stderr, "bench_pusher: %s: %s\n", push->name, err.text);
		return false;
	}
	push->commit_ns = now_ns();
	nanosleep(&pause, NULL);
	return true;
}

static void *worker(void *arg)
{
	struct pusher *pusher = arg;
	struct buf request = { 0 };
	size_t i;

	while ((i = atomic_fetch_add(&pusher->next, 1)) < pusher->plan.count) {
		struct plan_push *push = &pusher->plan.pushes[i];

		if (!push_one(pusher, push, &request) || (pusher->watch != NULL && !follow(pusher, push)))
			atomic_fetch_add(&pusher->failed, 1);
	}
	buf_free(&request);
	return NULL;
}

static void run_workers(struct pusher *pusher, size_t count)
{
	pthread_t threads[WORKERS_MAX];

	for (size_t i = 0; i < count; i++)
		threads[i] = thread_start("push", worker, pusher);
	for (size_t i = 0; i < count; i++)
		thread_join(threads[i]);
}

static int64_t since_us(int64_t start_ns, int64_t ns)
{
	return ns == 0 ? -1 : (ns - start_ns) / 1000;
}

static int write_report(const char *path, const struct pusher *pusher, size_t workers, int64_t start_ns)
{
	FILE *out = fopen(path, "w");

	if (out == NULL) {
		fprintf(stderr, "bench_pusher: %s: %s\n", path, strerror(errno));
		return 1;
	}
	fprintf(out, "{\"start_ns\": %lld, \"workers\": %zu, \"failed\": %zu, \"pushes\": [",
		(long long)start_ns, workers, (size_t)pusher->failed);
	for (size_t i = 0; i < pusher->plan.count; i++) {
		const struct plan_push *push = &pusher->plan.pushes[i];

		fprintf(out, "%s\n[%lld, %lld, %lld]", i == 0 ? "" : ",",
			(long long)since_us(start_ns, push->start_ns),
			(long long)since_us(start_ns, push->ack_ns),
			(long long)since_us(start_ns, push->commit_ns));
	}
	fprintf(out, "]}\n");
	return fclose(out) == 0 ? 0 : 1;
}

static const char *secret(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL ? value : "";
}

/* argv: PAUSE_MS DATABASE_USER DATABASE DATABASE_PORT... */
static int open_watch(struct pusher *pusher, int argc, char **argv, struct err *err)
{
	unsigned ports[DATABASES_MAX];
	size_t count = 0;

	if (argc < 4 || argc - 3 > DATABASES_MAX)
		return err_set(err, ERR_INVALID, "one to %d database ports", DATABASES_MAX);
	for (int i = 3; i < argc; i++)
		ports[count++] = (unsigned)strtoul(argv[i], NULL, 10);
	pusher->pause_ms = strtol(argv[0], NULL, 10);
	return watch_open(argv[1], secret("BENCH_DB_PASSWORD"), argv[2], ports, count, &pusher->watch, err);
}

int main(int argc, char **argv)
{
	struct pusher pusher = { 0 };
	struct buf login = { 0 };
	struct buf authorization = { 0 };
	struct err err = { 0 };

	if (argc < 6) {
		fprintf(stderr, "usage: bench_pusher PLAN OUT PORT WORKERS USER [PAUSE_MS DATABASE_USER "
				"DATABASE PORT...]\n");
		return 2;
	}

	size_t workers = strtoul(argv[4], NULL, 10);

	if (workers < 1 || workers > WORKERS_MAX || (argc > 6 && workers != 1)) {
		fprintf(stderr, "bench_pusher: 1 to %d workers, one where commits are watched\n",
			WORKERS_MAX);
		return 2;
	}
	pusher.port = (uint16_t)strtoul(argv[3], NULL, 10);
	buf_printf(&login, "%s:%s", argv[5], secret("BENCH_PASSWORD"));
	put_base64(&authorization, login.data);
	pusher.authorization = authorization.data;
	if (plan_read(argv[1], &pusher.plan, &err) != 0 ||
		(argc > 6 && open_watch(&pusher, argc - 6, argv + 6, &err) != 0)) {
		fprintf(stderr, "bench_pusher: %s\n", err.text);
		return 1;
	}

	int64_t start_ns = now_ns();

	run_workers(&pusher, workers);

	int status = write_report(argv[2], &pusher, workers, start_ns);

	if (pusher.failed != 0) {
		fprintf(stderr, "bench_pusher: %zu of %zu pushes failed\n", (size_t)pusher.failed,
			pusher.plan.count);
		status = 1;
	}
	watch_close(pusher.watch);
	plan_free(&pusher.plan);
	buf_free(&login);
	buf_free(&authorization);
	return status;
}
