-- SPDX-License-Identifier: GPL-3.0-or-later
-- The first store. schema/README.md draws it and tells what each column means.
-- Times are microseconds; generations and digests are unsigned 64-bit numbers kept as their bit patterns.

CREATE TABLE meta (
	key TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zone (
	id INTEGER NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	generation INTEGER NOT NULL CHECK (generation > 0),
	deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
	digest_count INTEGER NOT NULL,
	digest_high INTEGER NOT NULL,
	digest_low INTEGER NOT NULL,
	serial INTEGER NOT NULL,
	hostname TEXT NOT NULL,
	username TEXT NOT NULL,
	updated_at INTEGER NOT NULL,
	text_size INTEGER NOT NULL,
	checksum BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX zone_name ON zone (name);
-- Counting the zones in service must not read them.
CREATE INDEX zone_tombstone ON zone (id) WHERE deleted = 1;

-- Apart from zone, so that walking the names does not drag the texts along.
CREATE TABLE zone_text (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	checksum BLOB NOT NULL,
	text BLOB NOT NULL
) STRICT;

CREATE TABLE backend (
	id INTEGER NOT NULL PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE delivery (
	backend_id INTEGER NOT NULL REFERENCES backend (id),
	zone_id INTEGER NOT NULL REFERENCES zone (id),
	applied INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state IN (0, 1, 3, 4, 5)),
	check_rows INTEGER NOT NULL CHECK (check_rows IN (0, 1)),
	suspect INTEGER NOT NULL CHECK (suspect IN (0, 1)),
	attempts INTEGER NOT NULL,
	next_try INTEGER NOT NULL,
	since INTEGER NOT NULL,
	applied_at INTEGER NOT NULL,
	last_error TEXT,
	PRIMARY KEY (backend_id, zone_id)
) STRICT, WITHOUT ROWID;

-- What is due is a range of this index, read backwards; state and since stand in it for the counts.
CREATE INDEX delivery_due ON delivery (backend_id, suspect, next_try, zone_id, state, since) WHERE state <> 0;

CREATE TABLE rejected (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	at INTEGER NOT NULL,
	source TEXT NOT NULL,
	hostname TEXT NOT NULL,
	username TEXT NOT NULL,
	error TEXT NOT NULL,
	text_size INTEGER NOT NULL
) STRICT;

CREATE TABLE rejected_text (
	rejected_id INTEGER NOT NULL PRIMARY KEY REFERENCES rejected (id) ON DELETE CASCADE,
	checksum BLOB NOT NULL,
	text BLOB NOT NULL
) STRICT;

CREATE TABLE event (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,
	zone TEXT,
	backend TEXT,
	source TEXT,
	detail TEXT
) STRICT;

CREATE INDEX event_at ON event (at);
CREATE INDEX event_zone ON event (zone, id) WHERE zone IS NOT NULL;
CREATE INDEX event_backend ON event (backend, id) WHERE backend IS NOT NULL;
