/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/offload.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/thread.h"

enum { MOST_LATE = 32 };

struct call {
	const struct offload_job *job;
	void *arg;
	int done_fd;
	pthread_mutex_t lock;
	bool finished; /* under lock, both: whoever sets the second one frees the call */
	bool given_up;
};

static atomic_int late;

static void call_free(struct call *call)
{
	close(call->done_fd);
	pthread_mutex_destroy(&call->lock);
	free(call);
}

static void *call_run(void *context)
{
	struct call *call = context;

	call->job->work(call->arg);
	pthread_mutex_lock(&call->lock);
	call->finished = true;
	bool alone = call->given_up;
	/* Inside the lock: once it is open the waiter may free the call. */
	uint64_t one = 1;
	CHECK(write(call->done_fd, &one, sizeof(one)) == sizeof(one));
	pthread_mutex_unlock(&call->lock);
	if (alone) {
		call->job->release(call->arg);
		call_free(call);
		atomic_fetch_sub(&late, 1);
	}
	return NULL;
}

/* Waits for the call's end, the deadline or the cancel descriptor. */
static enum offload_end call_wait(const struct call *call, int64_t deadline_ms, int cancel_fd)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = call->done_fd, .events = POLLIN },
			{ .fd = cancel_fd, .events = POLLIN } };
		int64_t left = deadline_ms - clock_mono_ms(clock_system());
		int ready = poll(fds, 2, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);

		CHECK(ready >= 0 || errno == EINTR);
		if (ready > 0 && fds[0].revents != 0)
			return OFFLOAD_DONE;
		if (ready > 0 && fds[1].revents != 0)
			return OFFLOAD_CANCELLED;
		if (clock_mono_ms(clock_system()) >= deadline_ms)
			return OFFLOAD_LATE;
	}
}

enum offload_end offload_run(const char *thread_name, const struct offload_job *job, void *arg, int64_t deadline_ms,
	int cancel_fd)
{
	if (atomic_load(&late) >= MOST_LATE)
		return OFFLOAD_BUSY;
	struct call *call = xcalloc(1, sizeof(*call));
	call->job = job;
	call->arg = arg;
	call->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (call->done_fd < 0) {
		free(call);
		return OFFLOAD_BUSY;
	}
	CHECK(pthread_mutex_init(&call->lock, NULL) == 0);
	pthread_detach(thread_start(thread_name, call_run, call));
	enum offload_end end = call_wait(call, deadline_ms, cancel_fd);
	pthread_mutex_lock(&call->lock);
	bool finished = call->finished;
	if (!finished) {
		atomic_fetch_add(&late, 1);
		if (job->abandon != NULL)
			job->abandon(arg);
		call->given_up = true;
	}
	pthread_mutex_unlock(&call->lock);
	if (!finished)
		return end;
	call_free(call);
	return OFFLOAD_DONE;
}

int offload_late(void)
{
	return atomic_load(&late);
}
