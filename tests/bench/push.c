/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "push.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"
#include "now.h"

enum { HEAD_MAX = 1024, ANSWER_MAX = 4096, EVENTS_MAX = 64 };

static const int64_t answer_limit_ns = INT64_C(60) * 1000000000;

struct worker {
	int fd;                   /* -1: idle */
	struct plan_push *push;
	size_t head_size;
	size_t sent;              /* of head and body */
	char head[HEAD_MAX];
};

struct push_state {
	const struct push_run *run;
	struct worker *workers;
	struct worker **idle;
	size_t idle_count;
	int epoll;
	size_t next;              /* the push to begin next */
	size_t failed;
	int64_t start_ns;
};

static void release(struct push_state *state, struct worker *worker)
{
	if (worker->fd >= 0)
		close(worker->fd);
	worker->fd = -1;
	state->idle[state->idle_count++] = worker;
}

static void fail(struct push_state *state, struct worker *worker, const char *why)
{
	fprintf(stderr, "bench_pusher: %s: %s\n", worker->push->name, why);
	state->failed++;
	release(state, worker);
}

/* A connection of its own. Loopback completes it at once; if not, the first send finds out. */
static int dial(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends what is left, as far as it goes. False: the connection is of no use. */
static bool send_rest(struct worker *worker)
{
	const struct plan_push *push = worker->push;
	size_t size = worker->head_size + push->body_size;

	while (worker->sent < size) {
		size_t of_head = worker->sent < worker->head_size ? worker->head_size - worker->sent : 0;
		size_t of_body = worker->sent > worker->head_size ? worker->sent - worker->head_size : 0;
		struct iovec parts[2] = {
			{ .iov_base = worker->head + worker->head_size - of_head, .iov_len = of_head },
			{ .iov_base = (char *)(uintptr_t)push->body + of_body, .iov_len = push->body_size - of_body },
		};
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
		ssize_t sent = sendmsg(worker->fd, &message, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN;
		worker->sent += (size_t)sent;
	}
	return true;
}

/* Told once: when the server has ended, all of its answer is there. */
static void watch(struct push_state *state, struct worker *worker, int operation)
{
	bool all_sent = worker->sent == worker->head_size + worker->push->body_size;
	struct epoll_event event = { .events = EPOLLRDHUP | (all_sent ? 0U : EPOLLOUT), .data.ptr = worker };

	CHECK(epoll_ctl(state->epoll, operation, worker->fd, &event) == 0);
}

static size_t make_head(const struct push_run *run, const struct plan_push *push, char head[HEAD_MAX])
{
	if (run->authorization == NULL)
		return 0;

	int size = snprintf(head, HEAD_MAX,
		"POST /CMD_API_DNS_ADMIN?action=rawsave&domain=%s&username=bench&hostname=da1.host.example HTTP/1.0\r\n"
		"Authorization: Basic %s\r\n"
		"Host: ns3.dns-host.example\r\n"
		"Content-Length: %zu\r\n\r\n",
		push->name, run->authorization, push->body_size);

	CHECK(size > 0 && size < HEAD_MAX);
	return (size_t)size;
}

static void begin(struct push_state *state, struct plan_push *push, int64_t start_ns)
{
	const struct push_run *run = state->run;
	struct worker *worker = state->idle[--state->idle_count];

	worker->push = push;
	worker->head_size = make_head(run, push, worker->head);
	worker->sent = 0;
	push->start_ns = start_ns;
	worker->fd = dial(run->port);
	if (worker->fd < 0 || !send_rest(worker))
		fail(state, worker, strerror(errno));
	else
		watch(state, worker, EPOLL_CTL_ADD);
}

static bool is_success(const struct push_run *run, const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");

	if (run->authorization == NULL)
		return strncmp(answer, "HTTP/1.1 2", 10) == 0;
	return body != NULL && strncmp(body + 4, "error=0", 7) == 0;
}

static void take_answer(struct push_state *state, struct worker *worker)
{
	struct plan_push *push = worker->push;
	char answer[ANSWER_MAX];
	ssize_t size = recv(worker->fd, answer, sizeof(answer) - 1, 0);

	push->ack_ns = now_ns();
	if (size < 0) {
		fail(state, worker, strerror(errno));
		return;
	}
	answer[size] = '\0';
	if (!is_success(state->run, answer)) {
		fail(state, worker, answer);
		return;
	}
	release(state, worker);
	if (state->run->answered != NULL && !state->run->answered(state->run->ctx, push))
		state->failed++;
}

static void on_event(struct push_state *state, struct worker *worker, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP))
		take_answer(state, worker);
	else if (!send_rest(worker))
		fail(state, worker, strerror(errno));
	else
		watch(state, worker, EPOLL_CTL_MOD);
}

/* When push number i should begin, with a rate. */
static int64_t due_ns(const struct push_state *state, size_t i)
{
	return state->start_ns + (int64_t)((double)i * 1e9 / state->run->per_second);
}

static void begin_due(struct push_state *state)
{
	const struct push_run *run = state->run;

	while (state->idle_count > 0 && state->next < run->plan->count) {
		int64_t now = now_ns();
		int64_t start_ns = run->per_second > 0 ? due_ns(state, state->next) : now;

		if (start_ns > now)
			break;
		begin(state, &run->plan->pushes[state->next++], start_ns);
	}
}

static struct timespec time_to_wait(const struct push_state *state)
{
	const struct push_run *run = state->run;
	int64_t wait_ns = answer_limit_ns;

	if (run->per_second > 0 && state->idle_count > 0 && state->next < run->plan->count)
		wait_ns = due_ns(state, state->next) - now_ns();
	return timespec_of_ns(wait_ns > 0 ? wait_ns : 0);
}

static void give_up_slow(struct push_state *state)
{
	for (size_t i = 0; i < state->run->workers; i++) {
		struct worker *worker = &state->workers[i];

		if (worker->fd >= 0 && now_ns() - worker->push->start_ns >= answer_limit_ns)
			fail(state, worker, "no answer in time");
	}
}

static void run_to_end(struct push_state *state)
{
	struct epoll_event events[EVENTS_MAX];

	while (state->next < state->run->plan->count || state->idle_count < state->run->workers) {
		begin_due(state);
		if (state->idle_count == state->run->workers && state->next == state->run->plan->count)
			break;

		struct timespec wait = time_to_wait(state);
		int count = epoll_pwait2(state->epoll, events, EVENTS_MAX, &wait, NULL);

		for (int i = 0; i < count; i++)
			on_event(state, events[i].data.ptr, events[i].events);
		if (count == 0)
			give_up_slow(state);
	}
}

size_t push_all(const struct push_run *run)
{
	struct push_state state = { .run = run, .start_ns = now_ns() };

	state.workers = xcalloc(run->workers, sizeof(*state.workers));
	state.idle = xcalloc(run->workers, sizeof(*state.idle));
	state.epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(state.epoll >= 0);
	for (size_t i = 0; i < run->workers; i++) {
		state.workers[i].fd = -1;
		state.idle[state.idle_count++] = &state.workers[i];
	}
	run_to_end(&state);
	close(state.epoll);
	free(state.idle);
	free(state.workers);
	return state.failed;
}
