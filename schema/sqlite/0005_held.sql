-- SPDX-License-Identifier: GPL-3.0-or-later
-- What waits for an operator's word, and what he has put in force.

CREATE TABLE held (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	at INTEGER NOT NULL,
	origin TEXT NOT NULL,
	source TEXT NOT NULL,
	actor TEXT NOT NULL,
	hostname TEXT NOT NULL,
	username TEXT NOT NULL,
	reason TEXT NOT NULL,
	checksum BLOB NOT NULL,
	text BLOB,
	approved INTEGER NOT NULL DEFAULT 0,
	UNIQUE (kind, subject)
) STRICT;

CREATE TABLE held_zone (
	held_id INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,
	zone_id INTEGER NOT NULL REFERENCES zone (id),
	generation INTEGER NOT NULL,
	PRIMARY KEY (held_id, zone_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE frozen (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	at INTEGER NOT NULL,
	actor TEXT NOT NULL
) STRICT;

-- A zone whose content is not what its master gave last: a rollback is in force. master_serial: of the master's text.
CREATE TABLE zone_override (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	at INTEGER NOT NULL,
	master_serial INTEGER NOT NULL
) STRICT;
