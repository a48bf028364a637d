-- SPDX-License-Identifier: GPL-3.0-or-later
-- The last texts of each zone. The newest version's text stands in zone_text, with where it came from; it moves here,
-- compressed, when another one replaces it.

ALTER TABLE zone_text ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE zone_text ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE zone_text ADD COLUMN origin TEXT NOT NULL DEFAULT 'push';
ALTER TABLE zone_text ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE zone_text ADD COLUMN actor TEXT NOT NULL DEFAULT '';

-- id is the zone's id * 2^32 + the version: one tree, in which the versions of a zone stand together and which stays flat,
-- for its rows are in its leaves. A push that replaces a text writes one row more.
CREATE TABLE history (
	id INTEGER NOT NULL PRIMARY KEY,
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
	checksum BLOB NOT NULL,
	text BLOB NOT NULL
) STRICT;
