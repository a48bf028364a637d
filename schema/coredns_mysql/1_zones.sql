-- SPDX-License-Identifier: GPL-3.0-or-later
-- The zones, as the CoreDNS plugin "mysql" reads them. A zone keeps its id for
-- its life. zone_name is lower case, with the final dot; the row '' (without
-- records) lets that plugin answer CNAMEs to names outside this database.
CREATE TABLE IF NOT EXISTS `zones` (
	id INT NOT NULL AUTO_INCREMENT,
	zone_name VARCHAR(255) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY zone_name (zone_name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
