-- SPDX-License-Identifier: GPL-3.0-or-later
-- The records. hostname is relative to the zone, lower case, "@" for the apex;
-- data is zone-file RDATA with absolute names; only online <> 0 is served. A
-- negative or NULL ttl, or NULL data, stops the plugin "mysql": none is let in.
CREATE TABLE IF NOT EXISTS `records` (
	id BIGINT NOT NULL AUTO_INCREMENT,
	zone_id INT NOT NULL,
	hostname VARCHAR(512) NOT NULL,
	type VARCHAR(10) NOT NULL,
	data MEDIUMTEXT NOT NULL,
	ttl INT NOT NULL DEFAULT 120,
	online INT NOT NULL DEFAULT 0,
	PRIMARY KEY (id),
	KEY zone_hostname_type (zone_id, hostname, type),
	FOREIGN KEY (zone_id) REFERENCES `zones` (id),
	CHECK (ttl >= 0)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
