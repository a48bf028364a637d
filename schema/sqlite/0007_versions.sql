-- SPDX-License-Identifier: GPL-3.0-or-later
-- Zones of which a peer's version was merged: their version vectors. A zone without a row has one entry, ours, and its
-- counter is the zone's generation.

CREATE TABLE zone_version (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	own INTEGER NOT NULL,
	others TEXT NOT NULL,
	checksum BLOB NOT NULL
) STRICT;

CREATE TABLE peer (
	url TEXT NOT NULL PRIMARY KEY,
	store_id TEXT NOT NULL,
	complete_at INTEGER NOT NULL
) STRICT;
