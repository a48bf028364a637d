/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/batch.h"

static const double worth = 1.2; /* what twice the zones must bring */
static const double weight = 0.5; /* of the newest job in a rate */

void batch_init(struct batch *batch)
{
	*batch = (struct batch){ 0 };
}

size_t batch_zones(const struct batch *batch)
{
	return (size_t)BATCH_FIRST << batch->size;
}

/* Is the larger of two neighbours worth it? Yes, if one of them is not known. */
static bool is_worth_it(const struct batch *batch, unsigned larger)
{
	double with = batch->rates[larger];
	double without = batch->rates[larger - 1];

	return with <= 0 || without <= 0 || with >= worth * without;
}

static void learn(struct batch *batch, size_t zones, int64_t took_us)
{
	double rate = (double)zones * 1e6 / (double)(took_us > 0 ? took_us : 1);
	double *known = &batch->rates[batch->size];

	*known = *known <= 0 ? rate : *known + weight * (rate - *known);
}

/* What was learnt of a neighbour may be true no longer. */
static void try_again(struct batch *batch)
{
	batch->jobs = 0;
	batch->smaller = !batch->smaller;
	if (batch->smaller && batch->size > 0)
		batch->rates[--batch->size] = 0;
	else if (batch->size + 1 < BATCH_SIZES)
		batch->rates[batch->size + 1] = 0;
}

void batch_landed(struct batch *batch, size_t zones, int64_t took_us)
{
	/* What was not full says nothing of what a full one would take. */
	if (zones != batch_zones(batch))
		return;
	learn(batch, zones, took_us);
	if (batch->size > 0 && (!is_worth_it(batch, batch->size) || took_us > INT64_C(2) * BATCH_LONG_US))
		batch->size--;
	else if (batch->size + 1 < BATCH_SIZES && is_worth_it(batch, batch->size + 1) && took_us <= BATCH_LONG_US / 2)
		batch->size++;
	else if (++batch->jobs >= BATCH_RETRY_JOBS)
		try_again(batch);
}

void batch_lost(struct batch *batch, size_t zones)
{
	/* A quarter of what was lost, or less. */
	while (batch->size > 0 && batch_zones(batch) * 4 > zones)
		batch->size--;
}

bool batch_is_crowd(size_t zones)
{
	return zones > BATCH_FIRST;
}
