/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store: desired state (zone -> generation -> text), deliveries, refused
 * pushes and events, durable. This header shows no SQL library: a second store
 * (shared, for several live zonefands) must be able to stand behind it.
 *
 * Contract (reliability.md 2.2 C1, 3.1): store_commit returns 0 only when all
 * that was written since store_begin survives a power cut. One struct store
 * that writes per process, owned by the engine thread; readers are further
 * handles, each owned by one thread, that see the last commit and are refused
 * every write. Every function may block on the disk.
 *
 * Errors: ERR_NOSPACE (the disk is full: refuse pushes, try again), ERR_BUSY
 * (locked by another process for 5 s), ERR_IO (do not trust the disk: stop
 * acknowledging, leave; this handle writes nothing any more), ERR_CORRUPT (a
 * row's checksum is wrong: that row only; or SQLite found the file damaged),
 * ERR_NOTFOUND, ERR_DENIED (a write by a reader). After a write failed inside a
 * transaction, that one can only be rolled back: store_commit refuses it.
 *
 * Each writing function joins the open transaction, or is one of its own.
 * Callbacks may use the handle, but not end a transaction. A reader holds no
 * transaction beyond a call.
 *
 * All times are microseconds: *_at_us wall clock, due times engine time
 * (sched/delivery.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sched/delivery.h"
#include "zone/zone.h"

enum { STORE_ID_SIZE = 33 };

struct store;

/* ---- opening ---- */

/*
 * Opens the store at path (a file; its folder must exist), making it if it is missing, under an exclusive lock file
 * beside it (path + ".lock"): ERR_BUSY if another zonefand has it. Migrates an older store in one transaction after
 * copying it (path + ".v<N>.bak"). ERR_VERSION if a newer release made it, ERR_FOREIGN if it is the SQLite
 * database of another program, ERR_DENIED if it is on a network file system, ERR_CORRUPT if it is damaged or no such database; none of them is ever changed. *unclean
 * (may be NULL): the last writer did not close it. Takes the ballast (below) if there is room, and gives it back if the
 * disk is too full to open: acknowledged pushes must be delivered all the same.
 */
MUST_CHECK int store_open(const char *path, struct store **out, bool *unclean, struct err *err);
/* A read-only handle on a store that a writer of this process has open. */
MUST_CHECK int store_open_reader(const char *path, struct store **out, struct err *err);
/*
 * What is at path, without a writer: makes and changes nothing. thorough: the whole structure is read, as store_quick_check
 * does. ERR_NOTFOUND: no file, the first start makes it. ERR_VERSION, ERR_FOREIGN, ERR_DENIED and ERR_CORRUPT as store_open.
 */
MUST_CHECK int store_examine(const char *path, bool thorough, struct err *err);
/* NULL is allowed. An open transaction is rolled back. */
void store_close(struct store *store);
/* 32 random hex digits, made with the store. */
const char *store_id(const struct store *store);
/*
 * The whole file's structure, page by page, and that the indexes miss nothing: slow (a few seconds for a gigabyte), on
 * a reader, in the background after an unclean end. ERR_CORRUPT names the first fault. Texts are guarded by their
 * checksums instead.
 */
MUST_CHECK int store_quick_check(struct store *store, struct err *err);
struct store_space {
	uint64_t file_bytes;
	uint64_t log_bytes;              /* of the WAL beside it */
	uint64_t free_bytes;             /* of the file system, for a process without privileges */
};

/* What can't be found out is 0. Blocks on the file system only. */
void store_space(const struct store *store, struct store_space *out);
/* Any thread, while the handle is open: what it is doing ends soon with an error. */
void store_interrupt(struct store *store);

/* ---- transactions (writer) ---- */

MUST_CHECK int store_begin(struct store *store, struct err *err);
MUST_CHECK int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);
/* It is damaged so that nobody goes on with it: no transaction any more, and what is closed is neither cleared up nor called clean. */
void store_distrust(struct store *store);
/*
 * Between transactions, in a quiet moment: moves what was committed to its place in the file, if that has become worth
 * it. In a burst store_begin does it, much later. Waits for the disk, tens of milliseconds. ERR_IO as store_commit.
 */
MUST_CHECK int store_rest(struct store *store, struct err *err);
/*
 * Many reads in a row, outside a transaction: until store_read_end, or the next write, they see one state of the store
 * and cost less each.
 */
MUST_CHECK int store_read_begin(struct store *store, struct err *err);
void store_read_end(struct store *store);
/*
 * Is the file that is open still the one at its path? ERR_NOTFOUND if it was removed or another stands there: what is
 * committed now would be gone with the process.
 */
MUST_CHECK int store_check_place(struct store *store, struct err *err);
/* Writes and commits a few bytes: can pushes be taken again? Waits for no lock. Outside a transaction. */
MUST_CHECK int store_probe(struct store *store, struct err *err);
/*
 * On a full disk: gives the ballast (16 MiB, path + ".ballast") back to the file system, so that the bookkeeping of
 * deliveries can go on; and takes it again (returns false if there is no room yet).
 */
void store_ballast_release(struct store *store);
bool store_ballast_take(struct store *store);

/* ---- zones ---- */

struct store_zone {
	int64_t id;
	char name[ZONE_NAME_SIZE];       /* canonical */
	uint64_t generation;             /* 1 and up */
	bool deleted;                    /* a tombstone: the zone is to be gone; its last text is kept */
	struct zone_digest digest;       /* of the newest accepted content */
	uint32_t serial;
	char *hostname;                  /* the owning master, "" if none is known; owned */
	char *username;                  /* "" if none is known; owned */
	int64_t updated_at_us;           /* of the last accepted push or delete */
	uint64_t text_size;
};

void store_zone_clear(struct store_zone *zone);
/* ERR_NOTFOUND: never held. A tombstone is found (deleted is true). */
MUST_CHECK int store_zone_find(struct store *store, const char *name, struct store_zone *out, struct err *err);
MUST_CHECK int store_zone_get(struct store *store, int64_t id, struct store_zone *out, struct err *err);
/*
 * Writes the zone as given: a new row if id is 0 (then zone->id is set), else that row; text NULL keeps the text that
 * is there. The caller gives the generation.
 */
MUST_CHECK int store_zone_put(struct store *store, struct store_zone *zone, const char *text, size_t size,
	struct err *err);
/* The newest accepted text, checked against its checksum. The caller frees *text. */
MUST_CHECK int store_zone_text(struct store *store, int64_t id, char **text, size_t *size, struct err *err);
/*
 * After ERR_CORRUPT of store_zone_find: what stands in that row all the same, so that a push can be written over it
 * (store_zone_put). The name is right and the generation not below any that was applied; hostname and username are "",
 * for nobody can tell whether they are right.
 */
MUST_CHECK int store_zone_salvage(struct store *store, const char *name, struct store_zone *out, struct err *err);
/*
 * Up to limit zones whose name is greater than after ("" from the first), by name; tombstones only if asked. Damaged
 * rows are passed over and make it ERR_CORRUPT (naming the first one) after all others were given: log it and go on.
 * Fewer than limit zones: there are no more.
 */
MUST_CHECK int store_zone_list(struct store *store, const char *after, size_t limit, bool tombstones,
	bool (*each)(void *ctx, const struct store_zone *zone), void *ctx, struct err *err);
/*
 * The cheapest way through all zones, a page at a time: up to limit rows with ids above *after (0: from the first), in the
 * order of their ids, tombstones among them. A damaged row is given as its id and what is wrong with it (perhaps again on
 * the next page); damage is NULL for all others. *after becomes what the next page begins behind, or INT64_MAX if there
 * are no more.
 */
MUST_CHECK int store_zone_walk(struct store *store, int64_t *after, size_t limit,
	void (*each)(void *ctx, const struct store_zone *zone, const struct err *damage), void *ctx, struct err *err);
/* Without tombstones. */
MUST_CHECK int store_zone_count(struct store *store, uint64_t *count, struct err *err);

/* ---- back ends and deliveries ---- */

/*
 * The ids of the back ends of those names, made if they are new. Every zone without a delivery row at one of them gets
 * one, DUE at now_us (tombstones: CLEAN, nothing to remove), and rows there that lag (applied < generation, CLEAN) become
 * DUE. Costs one pass over all deliveries, about 0.1 s a million.
 */
MUST_CHECK int store_backends_register(struct store *store, const char *const *names, size_t count, int64_t now_us,
	int64_t *ids, struct err *err);
/* The same for one. */
MUST_CHECK int store_backend_register(struct store *store, const char *name, int64_t now_us, int64_t *id,
	struct err *err);
/*
 * The same in steps, while pushes come in: its id, made if it is new; then the rows of at most so many zones behind *after (0
 * at first), which becomes where the next step begins, INT64_MAX at the end.
 */
MUST_CHECK int store_backend_add(struct store *store, const char *name, int64_t *id, struct err *err);
MUST_CHECK int store_backend_fill(struct store *store, int64_t id, int64_t now_us, size_t most, int64_t *after,
	struct err *err);

/*
 * Somebody wants that zone delivered, newer or thawed: at back ends other than those, the configured ones, it is not parked any more,
 * but as what changed while they were away, which is woken when they are registered again. In a transaction of the caller's.
 */
MUST_CHECK int store_backends_unpark(struct store *store, int64_t zone_id, const int64_t *ids, size_t count, struct err *err);

/*
 * wanted is the zone's generation. ERR_NOTFOUND: no such row. Free out with delivery_clear. A row that cannot be right
 * is given as DUE with check: delivering once more is always safe. A damaged zone row is no error here (store_zone_get).
 */
MUST_CHECK int store_delivery_load(struct store *store, int64_t zone_id, int64_t backend_id, struct delivery *out,
	struct err *err);
/* Writes it (INFLIGHT as its resting state); makes the row if it is missing. */
MUST_CHECK int store_delivery_save(struct store *store, int64_t zone_id, int64_t backend_id,
	const struct delivery *delivery, struct err *err);

/* The same where there is no row yet, and cheaper; ERR_CORRUPT if there is one. */
MUST_CHECK int store_delivery_add(struct store *store, int64_t zone_id, int64_t backend_id,
	const struct delivery *delivery, struct err *err);
/* Both at once: for whoever is about to deliver that zone there. Errors as those of store_zone_get, then of the above. */
MUST_CHECK int store_delivery_open(struct store *store, int64_t zone_id, int64_t backend_id, struct store_zone *zone,
	struct delivery *delivery, struct err *err);

struct store_due {
	int64_t zone_id;
	int64_t next_try_us;
	bool suspect;
};

/*
 * What is due at a back end (not CLEAN, next_try <= now), newest first: up to limit rows that are suspect or not, as
 * asked, starting behind (before_us, before_id) of the last page (INT64_MAX, INT64_MAX for the first). *count rows
 * are in out.
 */
MUST_CHECK int store_due_list(struct store *store, int64_t backend_id, bool suspect, int64_t now_us, int64_t before_us,
	int64_t before_id, size_t limit, struct store_due *out, size_t *count, struct err *err);
/* When the next row that is not due yet becomes due; INT64_MAX: none. */
MUST_CHECK int store_due_next(struct store *store, int64_t backend_id, int64_t now_us, int64_t *next_us,
	struct err *err);
/*
 * At start, because the wall clock may have been wrong: what is DUE is due now, what is in WAIT not later than wait_us, all
 * else not later than slow_us. PARKED ones stay.
 */
MUST_CHECK int store_due_clamp(struct store *store, int64_t now_us, int64_t wait_us, int64_t slow_us, struct err *err);

struct store_counts {
	uint64_t pending;                /* neither CLEAN nor PARKED; REJECTED, DEAD or suspect ones included */
	int64_t oldest_since_us;         /* of those; 0: none */
	uint64_t dead;
	uint64_t rejected;
	uint64_t suspect;
	uint64_t parked;
};

MUST_CHECK int store_backend_counts(struct store *store, int64_t backend_id, struct store_counts *out,
	struct err *err);
/*
 * The rows that are neither CLEAN nor PARKED, at all back ends, by zone id, a step at a time: those of the next few thousand
 * zones behind *after (0: from the first), or until each says false, of which row it is given again. *after becomes what the
 * next step begins behind, or INT64_MAX if there are no more.
 */
MUST_CHECK int store_pending_step(struct store *store, int64_t *after,
	bool (*each)(void *ctx, int64_t zone_id, int64_t backend_id, const struct delivery *delivery), void *ctx,
	struct err *err);

/* ---- refused pushes ---- */

struct store_rejected {
	int64_t id;
	const char *name;                /* the zone it was for */
	int64_t at_us;
	const char *source;              /* address of the client */
	const char *hostname;
	const char *username;
	const char *error;
	const char *text;                /* may hold any byte; NULL in lists */
	size_t text_size;
};

/*
 * Keeps the newest per zone, 1,000 and 64 MiB of text in all (decisions.md 17): the oldest go, and a text above 64 MiB
 * is cut. id is set. source, hostname, username and error are cut to 1,024 bytes; so are the texts of an event.
 */
MUST_CHECK int store_rejected_add(struct store *store, struct store_rejected *rejected, struct err *err);
/* The zone was accepted since: its refused push is no news any more. */
MUST_CHECK int store_rejected_drop(struct store *store, const char *name, struct err *err);
/* By zone name after `after`. */
MUST_CHECK int store_rejected_list(struct store *store, const char *after, size_t limit,
	bool (*each)(void *ctx, const struct store_rejected *rejected), void *ctx, struct err *err);
/* With its text. */
MUST_CHECK int store_rejected_get(struct store *store, const char *name,
	bool (*each)(void *ctx, const struct store_rejected *rejected), void *ctx, struct err *err);

/* ---- events ---- */

struct store_event {
	int64_t id;
	int64_t at_us;
	const char *kind;                /* "lane_down", "takeover", "delete_refused", ...: listed in schema/events.md */
	const char *zone;                /* NULL: none, each */
	const char *backend;
	const char *source;
	const char *detail;
	const char *actor;               /* who: a login, or "control socket" */
	const char *push_id;             /* of the request that caused it */
};

MUST_CHECK int store_event_add(struct store *store, const struct store_event *event, struct err *err);
/* Newest first, ids below before (INT64_MAX: from the newest). zone, backend: NULL for all. */
MUST_CHECK int store_event_list(struct store *store, int64_t before, size_t limit, const char *zone,
	const char *backend, bool (*each)(void *ctx, const struct store_event *event), void *ctx, struct err *err);
/*
 * Deletes a bounded number of events older than 90 days or beyond 1,000,000; *count: how many. Call until it is 0. The
 * "lane_paused" of a back end that was not resumed since stays: it is the record of the pause.
 */
MUST_CHECK int store_prune(struct store *store, int64_t wall_us, uint64_t *count, struct err *err);
