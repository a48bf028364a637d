# SPDX-License-Identifier: GPL-3.0-or-later
"""
Every write of a zone's stamp (zonefan_state) at a database, as the server itself kept it: a trigger logs it in the transaction
that wrote it, in a database that zonefand knows nothing of. A state that is overwritten at once is in it, too.
"""
from .book import Stamp
from .mariadb import WATCHED
from .wait import wait_for

LOG = (f"CREATE TABLE IF NOT EXISTS {WATCHED}.stamps (id BIGINT AUTO_INCREMENT PRIMARY KEY, store_id CHAR(32), "
       "zone_name VARCHAR(255), generation BIGINT UNSIGNED, serial INT UNSIGNED, deleted TINYINT) ENGINE=InnoDB")


class StampLog:
    """Watches from now on; waits for the table, which zonefand makes. Lives as long as the test's database."""

    def __init__(self, centre):
        self.db = centre.db
        wait_for(lambda: self.db.has_table("zonefan_state"), 60, f"{centre.name} has its tables")
        self.db.sql(f"CREATE DATABASE IF NOT EXISTS {WATCHED}")
        self.db.sql(LOG)
        for when in ("INSERT", "UPDATE"):
            self.db.sql(f"CREATE OR REPLACE TRIGGER stamp_{when.lower()} AFTER {when} ON zonefan_state FOR EACH ROW INSERT INTO "
                        f"{WATCHED}.stamps (store_id, zone_name, generation, serial, deleted) VALUES "
                        "(NEW.store_id, NEW.zone_name, NEW.generation, NEW.serial, NEW.deleted)")
        self.first = self.position()

    def position(self):
        return self.db.value(f"SELECT COALESCE(MAX(id), 0) FROM {WATCHED}.stamps")

    def forget(self):
        """What was written up to here is not compared with what comes."""
        self.first = self.position()

    def written(self, zones):
        """[Stamp] of these zones, in the order of writing: a zone's row is locked from before its line until COMMIT."""
        return [Stamp(name[:-1], *rest) for name, *rest in self.db.sql(
            f"SELECT zone_name, store_id, generation, serial, deleted FROM {WATCHED}.stamps WHERE id>%s ORDER BY id", self.first)
            if name[:-1] in zones]
