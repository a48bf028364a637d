-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is known of the DirectAdmin masters, and which of their zones were missing in their lists.

-- pass: the number of its newest complete list; judged: of the newest one whose missing zones were all counted. error: why the newest one was not complete; NULL: it was.
CREATE TABLE master (
	identity TEXT NOT NULL PRIMARY KEY,
	pass INTEGER NOT NULL,
	judged INTEGER NOT NULL,
	complete_at INTEGER NOT NULL,
	tried_at INTEGER NOT NULL,
	since INTEGER NOT NULL,
	zones INTEGER NOT NULL,
	error TEXT
) STRICT;

-- generation and updated_at: of the zone when the list was fetched. condemned: it may be deleted, if all that is still so.
CREATE TABLE missing (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	master TEXT NOT NULL,
	generation INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	passes INTEGER NOT NULL,
	last_pass INTEGER NOT NULL,
	condemned INTEGER NOT NULL CHECK (condemned IN (0, 1)),
	checksum BLOB NOT NULL
) STRICT;

CREATE INDEX missing_master ON missing (master, zone_id);
CREATE INDEX missing_condemned ON missing (zone_id) WHERE condemned = 1;
