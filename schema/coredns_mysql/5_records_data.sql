-- SPDX-License-Identifier: GPL-3.0-or-later
-- For tables that the plugin "mysql" made: VARCHAR(1024) is too short for some
-- TXT records.
ALTER TABLE `records` MODIFY data MEDIUMTEXT NOT NULL;
