-- SPDX-License-Identifier: GPL-3.0-or-later
-- The last texts of each zone. The newest version's text stands in zone_text; it moves here, compressed, when another
-- one replaces it.

CREATE TABLE history (
	zone_id INTEGER NOT NULL REFERENCES zone (id),
	version INTEGER NOT NULL CHECK (version > 0),
	at INTEGER NOT NULL,
	origin TEXT NOT NULL,
	source TEXT NOT NULL,
	actor TEXT NOT NULL,
	hostname TEXT NOT NULL,
	username TEXT NOT NULL,
	serial INTEGER NOT NULL,
	digest_count INTEGER NOT NULL,
	digest_high INTEGER NOT NULL,
	digest_low INTEGER NOT NULL,
	text_size INTEGER NOT NULL,
	PRIMARY KEY (zone_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE history_text (
	zone_id INTEGER NOT NULL,
	version INTEGER NOT NULL,
	checksum BLOB NOT NULL,
	text BLOB NOT NULL,
	UNIQUE (zone_id, version),
	FOREIGN KEY (zone_id, version) REFERENCES history (zone_id, version) ON DELETE CASCADE
) STRICT;
