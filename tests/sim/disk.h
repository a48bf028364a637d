/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The disk of a simulated world: files in memory, of which each also has what would be left after a power cut. What was
 * written since the last sync is kept write by write, so that a cut can lose some of it, and tear some at 512 bytes
 * (reliability.md 6.4). It fails when told: a write, a sync, room. One disk in a process, one thread.
 *
 * A failed sync is as Linux has it: what it should have made durable may be forgotten, stays readable while the machine
 * runs, and a later sync that succeeds says nothing about it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

enum { DISK_SECTOR = 512, DISK_BALLAST = 16 * 1024 * 1024 };

enum disk_result { DISK_OK, DISK_FULL, DISK_BROKEN };

/* Which operations a fault counts. */
enum disk_fault { DISK_FAULT_NONE, DISK_FAULT_WRITE, DISK_FAULT_SYNC, DISK_FAULT_CUT };

struct disk_file;

/* An empty disk without faults. Files that are open must be closed. */
void disk_wipe(void);
/* Makes it if there is none. NULL: a file without a name, gone when it is closed. */
struct disk_file *disk_open(const char *name);
void disk_close(struct disk_file *file);
bool disk_exists(const char *name);
/* from must not be open; to becomes the same, and durable. */
void disk_copy(const char *from, const char *to);

/* How much was there: up to size. */
size_t disk_read(const struct disk_file *file, void *out, size_t size, size_t offset);
size_t disk_size(const struct disk_file *file);
enum disk_result disk_write(struct disk_file *file, const void *data, size_t size, size_t offset);
enum disk_result disk_truncate(struct disk_file *file, size_t size);
enum disk_result disk_sync(struct disk_file *file);
/* durable: the folder is synced as well; else a power cut may bring the file back. */
enum disk_result disk_delete(const char *name, bool durable);
/* Is there so much room, besides what files have? Takes none of it. */
bool disk_has_room(size_t size);
/* The ballast of lib/store/files.h. */
bool disk_take_ballast(void);
bool disk_release_ballast(void);

/* Writes that had an effect, since the last wipe. */
uint64_t disk_writes(void);
/*
 * The nth such operation from now (1: the next) fails, once; CUT counts writes and syncs, and nothing works from then on.
 * DISK_FAULT_NONE: none fails any more.
 */
void disk_fail(enum disk_fault fault, unsigned nth);
/* A write or a sync failed since the last call. */
bool disk_failed(void);
/* Files can grow by so much; SIZE_MAX: there is no bound. */
void disk_set_room(size_t room);
/* As if the process had no more to say to it: every operation fails, nothing changes. */
void disk_stop(void);
bool disk_is_stopped(void);
/* It works again, without faults, as large as ever: after a kill as it was; after a power cut with what is left. */
void disk_start(bool power_cut, struct rng *rng);
