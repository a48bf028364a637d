-- SPDX-License-Identifier: GPL-3.0-or-later
-- Without a row of the empty name the plugin "mysql" answers SERVFAIL for every
-- CNAME whose target is in no zone of this database. It is no zone and never
-- has records.
INSERT INTO `zones` (zone_name) VALUES ('');
