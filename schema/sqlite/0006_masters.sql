-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is known of the DirectAdmin masters, and which of their zones were missing in their lists.

CREATE TABLE master (
	identity TEXT NOT NULL PRIMARY KEY,
	pass INTEGER NOT NULL,
	complete_at INTEGER NOT NULL,
	tried_at INTEGER NOT NULL,
	zones INTEGER NOT NULL,
	error TEXT
) STRICT;

CREATE TABLE missing (
	zone_id INTEGER NOT NULL PRIMARY KEY REFERENCES zone (id),
	master TEXT NOT NULL,
	generation INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	passes INTEGER NOT NULL,
	last_pass INTEGER NOT NULL
) STRICT;

CREATE INDEX missing_master ON missing (master, zone_id);
