/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQLite on the simulated disk (disk.h). One connection to a file at a time: locks are granted, the WAL's index is memory
 * that is gone when the connection is.
 */
#pragma once

/* Every database that this process opens from now on stands there, and so does the ballast of the store. */
void vfs_register(void);
