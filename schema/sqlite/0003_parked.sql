-- SPDX-License-Identifier: GPL-3.0-or-later
-- A delivery can be parked (state 6): not tried until somebody asks, because its zone is frozen or its dead letter was
-- dropped. And an event tells who did it, and which push it is about.

CREATE TABLE delivery_3 (
	backend_id INTEGER NOT NULL REFERENCES backend (id),
	zone_id INTEGER NOT NULL REFERENCES zone (id),
	applied INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6 AND state <> 2),
	check_rows INTEGER NOT NULL CHECK (check_rows IN (0, 1)),
	suspect INTEGER NOT NULL CHECK (suspect IN (0, 1)),
	attempts INTEGER NOT NULL,
	next_try INTEGER NOT NULL,
	since INTEGER NOT NULL,
	applied_at INTEGER NOT NULL,
	last_error TEXT,
	PRIMARY KEY (zone_id, backend_id)
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_3 SELECT * FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_3 RENAME TO delivery;

CREATE INDEX delivery_due ON delivery (backend_id, suspect, next_try, zone_id, state, since) WHERE state <> 0;

ALTER TABLE event ADD COLUMN actor TEXT;
ALTER TABLE event ADD COLUMN push_id TEXT;

-- Every push writes an event now, and this index was most of what that cost: a page somewhere in it for each. Without it the
-- events of one zone are a walk over all of them, a tenth of a second for the million that there may be.
DROP INDEX event_zone;
