/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bounded first-in first-out queue of pointers between threads: the only way
 * data passes from one thread to another. Posting may be refused; every caller
 * handles that. What a queued pointer points at belongs to the queue until it
 * is taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct queue;

/* with_fd: the queue also has an eventfd, readable while items wait, for an event loop. */
struct queue *queue_create(size_t capacity, bool with_fd);
/* The queue must be empty and unused. */
void queue_destroy(struct queue *queue);
/* Any thread; never blocks. 0, ERR_BUSY (full) or ERR_CLOSED; then the caller keeps the item. */
MUST_CHECK int queue_push(struct queue *queue, void *item);
/*
 * Takes up to most items into out and returns how many. Waits for the first one up to timeout_ms (-1: for
 * ever; 0: not at all). 0 items: time-out, woken, or closed and empty.
 */
size_t queue_take(struct queue *queue, void **out, size_t most, int64_t timeout_ms);
/* Makes a waiting (or the next) queue_take return, with whatever is there. */
void queue_wake(struct queue *queue);
/* No further posts; what is queued can still be taken. */
void queue_close(struct queue *queue);
size_t queue_size(struct queue *queue);
/* Closed and empty: nothing will come any more. */
bool queue_is_over(struct queue *queue);
/* The eventfd, or -1. queue_take with time-out 0 resets it once the queue is empty. */
int queue_fd(const struct queue *queue);
