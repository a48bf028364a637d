-- SPDX-License-Identifier: GPL-3.0-or-later
-- What was written at a back end, and since when its name servers answer it. Rows are made only where name servers are asked.

-- number: grows with each writing, over all back ends: what is new is a range of it. since: of the first generation in a row that
-- was not answered. late: a name server was asked for it when it was time, and does not answer it. answered_at: of this generation, by every name server; 0: not yet.
CREATE TABLE receipt (
	zone_id INTEGER NOT NULL REFERENCES zone (id),
	backend_id INTEGER NOT NULL REFERENCES backend (id),
	number INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
	serial INTEGER NOT NULL,
	pushed_at INTEGER NOT NULL,
	written_at INTEGER NOT NULL,
	since INTEGER NOT NULL,
	late INTEGER NOT NULL CHECK (late IN (0, 1)),
	answered_at INTEGER NOT NULL,
	PRIMARY KEY (zone_id, backend_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipt_open ON receipt (number) WHERE answered_at = 0;
CREATE INDEX receipt_count ON receipt (backend_id, late, deleted, since) WHERE answered_at = 0;

-- What one name server said last that is worth keeping: that it answers this generation, or, once it is late, why it does not.
CREATE TABLE receipt_answer (
	zone_id INTEGER NOT NULL REFERENCES zone (id),
	backend_id INTEGER NOT NULL REFERENCES backend (id),
	server TEXT NOT NULL,
	generation INTEGER NOT NULL,
	asked_at INTEGER NOT NULL,
	answered_at INTEGER NOT NULL,
	serial INTEGER,
	authoritative INTEGER NOT NULL CHECK (authoritative IN (0, 1)),
	error TEXT,
	PRIMARY KEY (zone_id, backend_id, server)
) STRICT, WITHOUT ROWID;
