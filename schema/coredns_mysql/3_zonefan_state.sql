-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which store wrote which generation of a zone, and what its rows were then:
-- digest and record_count as zonefan's lib/zone/zone.h defines them.
-- changed_at is UTC; it moves with every change of a zone's rows. The row of a
-- deleted zone stays for 30 days.
CREATE TABLE IF NOT EXISTS `zonefan_state` (
	zone_name VARCHAR(255) NOT NULL,
	store_id CHAR(32) NOT NULL,
	generation BIGINT UNSIGNED NOT NULL,
	digest CHAR(32) NOT NULL,
	record_count BIGINT UNSIGNED NOT NULL,
	serial INT UNSIGNED NOT NULL,
	deleted TINYINT NOT NULL DEFAULT 0,
	changed_at DATETIME(6) NOT NULL,
	PRIMARY KEY (zone_name),
	KEY changed_at (changed_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
