/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/store only: the WAL that a process before us left. */
#pragma once

#include "store/db.h"

/*
 * Writes what the WAL holds once more, byte by byte in its place, and waits for the disk; after a first read, before
 * anything is written. Where a sync failed, the kernel may have forgotten pages that it still shows to whoever reads, and
 * no later sync says so (reliability.md 10.5 Q7): on top of those nothing would be durable. Without a WAL it does nothing.
 */
MUST_CHECK int renew_wal(struct store *store, struct err *err);
