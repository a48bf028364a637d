/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many zones go to a lane in one job. Pure logic: no I/O, no thread.
 *
 * Small jobs are over soon, so that a lone change never waits long for a
 * connection, and one bad zone costs few others their turn. A far back end
 * needs large ones, or its round trips are all that it does. So a lane that is
 * behind is given twice as many as long as that makes it faster by a fifth
 * and a job takes half of BATCH_LONG_US at the most; over twice that, half as
 * many. Now and then the next size is tried again, for the way may have changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BATCH_FIRST = 64,        /* zones; the smallest size */
	BATCH_SIZES = 5,         /* each twice the one before */
	BATCH_MOST = BATCH_FIRST << (BATCH_SIZES - 1),
	BATCH_LONG_US = 1500000,
	BATCH_RETRY_JOBS = 64    /* full ones, until another size is tried again */
};

struct batch {
	unsigned size;           /* a job may have BATCH_FIRST << size zones */
	double rates[BATCH_SIZES]; /* zones per second with full jobs of that size; 0: not known */
	unsigned jobs;           /* full ones since another size was tried */
	bool smaller;            /* the next try is a smaller size */
};

void batch_init(struct batch *batch);
/* How many zones a job may have. */
size_t batch_zones(const struct batch *batch);
/* A job of so many zones came back, all of them answered. */
void batch_landed(struct batch *batch, size_t zones, int64_t took_us);
/* A job of so many zones ended with the connection, or the back end failed under it: smaller ones tell more. */
void batch_lost(struct batch *batch, size_t zones);
/* Was it so large that its failure says nothing of any one of its zones? */
bool batch_is_crowd(size_t zones);
