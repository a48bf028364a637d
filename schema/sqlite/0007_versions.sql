-- SPDX-License-Identifier: GPL-3.0-or-later
-- Zones of which something is known that the generation does not tell: a peer's changes, or generations that no change of
-- ours made. Our own counter is the zone's generation minus lead; without a row lead is 0 and no other store is known.

CREATE TABLE zone_version (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	lead INTEGER NOT NULL,
	tag INTEGER NOT NULL,
	others TEXT NOT NULL,
	origin TEXT NOT NULL,
	merged INTEGER NOT NULL,
	checksum BLOB NOT NULL
) STRICT;
