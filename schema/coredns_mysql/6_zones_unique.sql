-- SPDX-License-Identifier: GPL-3.0-or-later
-- For zones tables that were made by hand: a zone exists once.
ALTER TABLE `zones` ADD UNIQUE INDEX zone_name (zone_name);
