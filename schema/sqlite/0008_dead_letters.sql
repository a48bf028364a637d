-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is rejected, dead or parked, in the order in which it is listed and replayed: a page of it costs no more than what it
-- passes. Pushes and deliveries that succeed never touch it.

CREATE INDEX delivery_dead ON delivery (zone_id, backend_id, state) WHERE state >= 4;
