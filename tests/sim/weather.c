/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes wrong: at the targets, in their rows, and on the disk. */
#include <stdio.h>
#include <string.h>

#include "disk.h"
#include "schedules.h"
#include "world.h"

static const int64_t slow_ms = 90000;

/* ---- what a target answers ---- */

/* A look may stop half-way; a look or a ping may fail. */
static enum memory_fate fate_of_question(struct world *world, const struct world_target *target)
{
	if (world_chance(world, target->trouble / 4))
		return MEMORY_LOST_BEFORE;
	return world_chance(world, 30) ? MEMORY_RETRY : MEMORY_OK;
}

enum memory_fate world_fate(void *ctx, const char *zone)
{
	struct world_target *target = ctx;
	struct world *world = target->world;

	if (world->calm)
		return MEMORY_OK;
	if (target->down)
		return MEMORY_DOWN;
	if (zone == NULL)
		return fate_of_question(world, target);
	if (target->poison >= 0 && strcmp(zone, world->zones[target->poison].name) == 0)
		return target->poison_is_down ? MEMORY_DOWN : MEMORY_LOST_BEFORE;
	if (!world_chance(world, target->trouble))
		return MEMORY_OK;
	world->tally.faults++;
	enum memory_fate fate = (enum memory_fate)world_pick(world, MEMORY_RETRY, MEMORY_WRONG);
	if (fate == MEMORY_WRONG)
		target->meddled[world_index_of(world, zone)] = true;
	return fate;
}

/* ---- a target as a whole ---- */

static void go_down(struct world *world, struct world_target *target)
{
	schedules_tell("%s is away", world->backends[target - world->targets].name);
	target->down = true;
}

static void get_troubled(struct world *world, struct world_target *target)
{
	target->trouble = (unsigned)world_pick(world, 10, 60);
	schedules_tell("%u of 100 writes at %s go wrong", target->trouble, world->backends[target - world->targets].name);
}

static void get_poisoned(struct world *world, struct world_target *target)
{
	target->poison = (int)world_pick(world, 0, WORLD_ZONES - 1);
	target->poison_is_down = world_chance(world, 50);
	schedules_tell("%s at %s fails %s", world->zones[target->poison].name, world->backends[target - world->targets].name,
		target->poison_is_down ? "as if it were away" : "with the connection");
}

static void get_slow(struct world *world, struct world_target *target)
{
	target->slow_until_ms = world->mono_ms + world_pick(world, 1000, slow_ms);
	schedules_tell("%s answers nothing for %lld ms", world->backends[target - world->targets].name,
		(long long)(target->slow_until_ms - world->mono_ms));
}

static void lose_all(struct world *world, struct world_target *target)
{
	memory_target_wipe(target->target);
	memset(target->meddled, true, sizeof(target->meddled));
	schedules_tell("%s is empty", world->backends[target - world->targets].name);
}

/* ---- rows ---- */

/* Another store was here, or (own) our own store went back in time. */
static void stamp(struct world *world, struct world_target *target, size_t at, bool own)
{
	struct backend_stamp stamp = { .store_id = "0123456789abcdef0123456789abcdef" };
	struct memory_zone held;

	if (own)
		memcpy(stamp.store_id, store_id(world->store), sizeof(stamp.store_id));
	stamp.generation = world_chance(world, 10) ? UINT64_MAX : (uint64_t)world_pick(world, 1, 40);
	if (!own || !memory_target_get(target->target, world->zones[at].name, &held) ||
		strcmp(held.stamp.store_id, stamp.store_id) != 0 || held.stamp.generation < stamp.generation)
		memory_target_stamp(target->target, world->zones[at].name, &stamp);
	target->meddled[at] = true;
	schedules_tell("%s at %s bears generation %llu of %s store", world->zones[at].name,
		world->backends[target - world->targets].name, (unsigned long long)stamp.generation, own ? "our" : "another");
}

/* Somebody edits rows by hand, or (lost) the whole zone is gone, with its stamp or without. False: it was not there. */
static bool change_rows(struct world *world, struct world_target *target, size_t at, bool lost)
{
	struct memory_zone held;

	if (!memory_target_get(target->target, world->zones[at].name, &held) || !held.exists)
		return false;
	held.digest.low ^= 0x10000;
	if (lost) {
		held.exists = false;
		held.digest = (struct zone_digest){ 0 };
		if (world_chance(world, 50))
			held.stamp = (struct backend_stamp){ 0 };
	}
	memory_target_put(target->target, &held);
	target->meddled[at] = true;
	schedules_tell("%s at %s is %s", world->zones[at].name, world->backends[target - world->targets].name,
		lost ? "gone" : "edited");
	return true;
}

/* ---- the disk ---- */

static void fail_disk(struct world *world, enum disk_fault fault)
{
	static const char *const what[] = { "", "write of the disk fails", "sync of the disk fails",
		"operation of the disk is the last before a power cut" };
	unsigned nth = (unsigned)world_pick(world, 1, 40);

	world->tally.disk_faults++;
	disk_fail(fault, nth);
	schedules_tell("number %u from now on: that %s", nth, what[fault]);
}

static void fill_disk(struct world *world)
{
	size_t room = (size_t)world_pick(world, 0, 65536);

	world->tally.disk_faults++;
	world->disk_full = true;
	world->disk_trouble_ms = world->mono_ms;
	disk_set_room(room);
	schedules_tell("the disk has room for %zu bytes", room);
}

static void empty_disk(struct world *world)
{
	if (!world->disk_full)
		return;
	world->disk_full = false;
	world->disk_trouble_ms = world->mono_ms;
	disk_set_room(SIZE_MAX);
	schedules_tell("the disk has room again");
}

/* ---- weather ---- */

void world_begin_fault(struct world *world)
{
	struct world_target *target = &world->targets[world_pick(world, 0, WORLD_TARGETS - 1)];
	size_t zone = (size_t)world_pick(world, 0, WORLD_ZONES - 1);
	int64_t kind = world_pick(world, 0, 13);

	world->tally.faults++;
	if (kind == 0)
		get_troubled(world, target);
	else if (kind == 1)
		get_poisoned(world, target);
	else if (kind == 2)
		get_slow(world, target);
	else if (kind == 3 && world_chance(world, 30))
		lose_all(world, target);
	else if (kind <= 4)
		stamp(world, target, zone, false);
	else if (kind == 5)
		stamp(world, target, zone, true);
	else if (kind == 6)
		fill_disk(world);
	else if (kind <= 9)
		fail_disk(world, (enum disk_fault)(kind - 7 + DISK_FAULT_WRITE));
	else if (kind >= 12 || !change_rows(world, target, zone, kind == 10))
		go_down(world, target);
}

void world_end_fault(struct world *world)
{
	struct world_target *target = &world->targets[world_pick(world, 0, WORLD_TARGETS - 1)];

	switch (world_pick(world, 0, 5)) {
	case 0:
		empty_disk(world);
		break;
	case 1:
		target->trouble = 0;
		schedules_tell("%s makes no more trouble", world->backends[target - world->targets].name);
		break;
	case 2:
		target->poison = -1;
		schedules_tell("no zone is poison at %s", world->backends[target - world->targets].name);
		break;
	default:
		target->down = false;
		schedules_tell("%s is there", world->backends[target - world->targets].name);
		break;
	}
}

void world_end_all_faults(struct world *world)
{
	world->calm = true;
	disk_fail(DISK_FAULT_NONE, 0);
	empty_disk(world);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		world->targets[i].slow_until_ms = 0;
}
