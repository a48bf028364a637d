-- SPDX-License-Identifier: GPL-3.0-or-later
-- For tables that the plugin "mysql" made: without this index each of its
-- queries reads the whole zone.
ALTER TABLE `records` ADD INDEX zone_hostname_type (zone_id, hostname, type);
