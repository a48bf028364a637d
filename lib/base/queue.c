/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* waits on CLOCK_MONOTONIC */
	void **ring;
	size_t capacity;
	size_t head;           /* index of the oldest item */
	size_t size;
	bool closed;
	bool woken;
	int fd;
};

struct queue *queue_create(size_t capacity, bool with_fd)
{
	struct queue *queue = xcalloc(1, sizeof(*queue));
	pthread_condattr_t attr;

	CHECK(capacity > 0);
	queue->ring = xcalloc(capacity, sizeof(*queue->ring));
	queue->capacity = capacity;
	queue->fd = -1;
	if (with_fd) {
		queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		CHECK(queue->fd >= 0);
	}
	CHECK(pthread_mutex_init(&queue->lock, NULL) == 0);
	CHECK(pthread_condattr_init(&attr) == 0);
	CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&queue->filled, &attr) == 0);
	pthread_condattr_destroy(&attr);
	return queue;
}

void queue_destroy(struct queue *queue)
{
	if (queue == NULL)
		return;
	CHECK(queue->size == 0);
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
	if (queue->fd >= 0)
		close(queue->fd);
	free(queue->ring);
	free(queue);
}

static void signal_fd(struct queue *queue)
{
	uint64_t one = 1;

	if (queue->fd >= 0)
		CHECK(write(queue->fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

int queue_push(struct queue *queue, void *item)
{
	bool first = false;
	int ret = ERR_OK;

	CHECK(pthread_mutex_lock(&queue->lock) == 0);
	if (queue->closed) {
		ret = ERR_CLOSED;
	} else if (queue->size == queue->capacity) {
		ret = ERR_BUSY;
	} else {
		queue->ring[(queue->head + queue->size) % queue->capacity] = item;
		first = ++queue->size == 1;
	}
	pthread_mutex_unlock(&queue->lock);
	/* Without the lock, for whoever wakes up takes it. That may have happened already: then nothing is found. */
	if (first)
		signal_fd(queue);
	if (ret == ERR_OK)
		pthread_cond_signal(&queue->filled);
	return ret;
}

static void wait_filled(struct queue *queue, int64_t timeout_ms)
{
	struct timespec until;

	if (timeout_ms < 0) {
		while (queue->size == 0 && !queue->closed && !queue->woken)
			pthread_cond_wait(&queue->filled, &queue->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (queue->size == 0 && !queue->closed && !queue->woken) {
		if (pthread_cond_timedwait(&queue->filled, &queue->lock, &until) != 0)
			return;
	}
}

size_t queue_take(struct queue *queue, void **out, size_t most, int64_t timeout_ms)
{
	size_t taken = 0;

	CHECK(pthread_mutex_lock(&queue->lock) == 0);
	if (timeout_ms != 0)
		wait_filled(queue, timeout_ms);
	queue->woken = false;
	while (taken < most && queue->size > 0) {
		out[taken++] = queue->ring[queue->head];
		queue->head = (queue->head + 1) % queue->capacity;
		queue->size--;
	}
	/* Begins anew, so that no more of the ring is touched than was ever needed at once. */
	if (queue->size == 0)
		queue->head = 0;
	if (queue->size == 0 && queue->fd >= 0) {
		uint64_t count;
		ssize_t got UNUSED = read(queue->fd, &count, sizeof(count));
	}
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

void queue_wake(struct queue *queue)
{
	CHECK(pthread_mutex_lock(&queue->lock) == 0);
	queue->woken = true;
	pthread_mutex_unlock(&queue->lock);
	signal_fd(queue);
	pthread_cond_broadcast(&queue->filled);
}

void queue_close(struct queue *queue)
{
	CHECK(pthread_mutex_lock(&queue->lock) == 0);
	queue->closed = true;
	pthread_mutex_unlock(&queue->lock);
	signal_fd(queue);
	pthread_cond_broadcast(&queue->filled);
}

size_t queue_size(struct queue *queue)
{
	CHECK(pthread_mutex_lock(&queue->lock) == 0);
	size_t size = queue->size;
	pthread_mutex_unlock(&queue->lock);
	return size;
}

bool queue_is_over(struct queue *queue)
{
	CHECK(pthread_mutex_lock(&queue->lock) == 0);
	bool over = queue->closed && queue->size == 0;
	pthread_mutex_unlock(&queue->lock);
	return over;
}

int queue_fd(const struct queue *queue)
{
	return queue->fd;
}
