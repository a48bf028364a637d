# SPDX-License-Identifier: GPL-3.0-or-later
"""Real MariaDB servers: one template data directory per session, one copy and one loopback port per server."""
import os
import secrets
import shutil
import signal
import subprocess
import threading

import pymysql

from .rows import Row
from .wait import free_port, wait_for

DATABASE = "dns"
WATCHED = "watched"  # what triggers of a test keep, out of zonefand's reach
TABLES = ("zones", "records", "zonefan_state")
DML = "SELECT, INSERT, UPDATE, DELETE"

# What the public CoreDNS plugin makes when its tables are missing (coredns-contract.md).
PLUGIN_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS zones (id INT NOT NULL AUTO_INCREMENT, zone_name VARCHAR(255) NOT NULL, "
    "PRIMARY KEY (id), UNIQUE KEY (zone_name))",
    "CREATE TABLE IF NOT EXISTS records (id INT NOT NULL AUTO_INCREMENT, zone_id INT NOT NULL, "
    "hostname VARCHAR(512) NOT NULL, type VARCHAR(10) NOT NULL, data VARCHAR(1024) NOT NULL, "
    "ttl INT NOT NULL DEFAULT 120, online INT NOT NULL DEFAULT 0, PRIMARY KEY (id), "
    "FOREIGN KEY (zone_id) REFERENCES zones(id))",
)


def _as_user():
    return ["--user=root"] if os.geteuid() == 0 else []


def make_template(directory):
    """A data directory to copy; root without a password, reachable by TCP."""
    template = os.path.join(directory, "template")
    log = os.path.join(directory, "install.log")
    # A server that starts removes every other server's temporary tables in the same tmpdir: each has its own.
    temporary = os.path.join(directory, "tmp")
    os.makedirs(temporary)
    with open(log, "wb") as out:
        code = subprocess.call(["mariadb-install-db", "--no-defaults", f"--datadir={template}", f"--tmpdir={temporary}",
                                "--auth-root-authentication-method=normal", "--skip-test-db", "--force",
                                *_as_user()],
                               stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    if code:
        with open(log, encoding="utf-8", errors="replace") as text:
            raise AssertionError("mariadb-install-db failed:\n" + text.read()[-2000:])
    return template


class MariaDB:
    """One server. Its port stays the same over stop and start."""

    def __init__(self, name, template, directory):
        self.name = name
        self.directory = os.path.join(directory, name)
        self.datadir = os.path.join(self.directory, "data")
        os.makedirs(os.path.join(self.directory, "tmp"))
        subprocess.check_call(["cp", "-a", template, self.datadir])
        self.port = free_port()
        self.log_path = os.path.join(self.directory, "mariadbd.log")
        self.process = None
        self.stopped = False
        self.local = threading.local()
        self.user = "zonefan"
        self.password = "canary-db-" + secrets.token_hex(8)

    # ---- process ----

    def start(self, *options):
        arguments = ["mariadbd", "--no-defaults", f"--datadir={self.datadir}", f"--port={self.port}",
                     "--bind-address=127.0.0.1", f"--socket={self.directory}/s", f"--pid-file={self.directory}/pid",
                     f"--tmpdir={self.directory}/tmp", f"--log-error={self.log_path}", "--skip-name-resolve", "--skip-log-bin",
                     "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=96M", "--innodb-use-native-aio=0",
                     "--performance-schema=OFF", "--userstat=1", "--max-connections=300", "--lc-messages-dir=/usr/share/mysql",
                     *_as_user(), *options]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.stopped = False
        wait_for(self._answers, 60, lambda: f"{self.name} starts:\n{self.log_tail()}")
        return self

    def _answers(self):
        assert self.process.poll() is None, f"{self.name} ended at start:\n{self.log_tail()}"
        try:
            self._connect().close()
            return True
        except pymysql.MySQLError:
            return False

    def log_tail(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()[-2000:]
        except OSError:
            return "(no log)"

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def _end(self, sig):
        if not self.alive():
            return
        self.resume()
        self.process.send_signal(sig)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} does not end on signal {sig}") from None

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def freeze(self):
        """SIGSTOP: the kernel still takes connections, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # only when all its threads stand still has it stopped
        self.stopped = True

    def resume(self):
        if self.stopped:
            self.process.send_signal(signal.SIGCONT)
            self.stopped = False

    # ---- SQL as root, past every proxy ----

    def _connect(self, database=None, read_timeout=60):
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True,
                               charset="utf8mb4", connect_timeout=5, read_timeout=read_timeout, write_timeout=60)

    def connect(self, read_timeout=60):
        """A connection of one's own, to the database that the plugin reads."""
        return self._connect(DATABASE, read_timeout)

    def sql(self, statement, *values):
        """One statement in the plugin's database, on this thread's own connection; the rows as a tuple."""
        for last in (False, True):
            try:
                if getattr(self.local, "conn", None) is None:
                    self.local.conn = self.connect()
                with self.local.conn.cursor() as cursor:
                    cursor.execute(statement, values or None)
                    return cursor.fetchall()
            except (pymysql.OperationalError, pymysql.InterfaceError) as error:
                lost = isinstance(error, pymysql.InterfaceError) or error.args[0] in (0, 1927, 2006, 2013)
                if last or not lost:
                    raise
                self.local.conn = None

    def value(self, statement, *values):
        rows = self.sql(statement, *values)
        return rows[0][0] if rows else None

    # ---- set-up ----

    def reset(self):
        """As on the first day: an empty database, one account with the rights that manage_schema needs."""
        if not self.alive():
            self.start()
        self.resume()
        with self._connect() as conn, conn.cursor() as cursor:
            cursor.execute("SET GLOBAL read_only=0")
            cursor.execute("SET GLOBAL general_log=0")
            cursor.execute("SELECT id FROM information_schema.processlist WHERE id<>CONNECTION_ID() "
                           "AND user<>'system user'")
            for (thread,) in cursor.fetchall():
                try:
                    cursor.execute(f"KILL {thread}")
                except pymysql.MySQLError:
                    pass  # gone by itself
            for database in (DATABASE, WATCHED):
                cursor.execute(f"DROP DATABASE IF EXISTS {database}")
            cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
            cursor.execute(f"DROP USER IF EXISTS {self.user}")
            cursor.execute(f"CREATE USER {self.user} IDENTIFIED BY '{self.password}'")
        self.local.conn = None
        self.grant_schema()

    def grant_schema(self):
        self.sql(f"GRANT {DML}, CREATE, ALTER, INDEX, REFERENCES ON {DATABASE}.* TO {self.user}")

    def grant_dml_only(self):
        """The documented rights: DML on the three tables, which must exist."""
        if self.value("SELECT COUNT(*) FROM mysql.db WHERE user=%s", self.user):
            self.sql(f"REVOKE ALL PRIVILEGES ON {DATABASE}.* FROM {self.user}")
        for table in TABLES:
            self.sql(f"GRANT {DML} ON {DATABASE}.{table} TO {self.user}")

    def revoke(self, rights):
        """Takes rights on the three tables away. (Those on the whole database MariaDB lets open connections keep.)"""
        for table in TABLES:
            self.sql(f"REVOKE {rights} ON {DATABASE}.{table} FROM {self.user}")

    def plugin_schema(self):
        for statement in PLUGIN_SCHEMA:
            self.sql(statement)

    def apply_schema(self, path):
        with open(path, encoding="utf-8") as text:
            lines = [line for line in text.read().splitlines() if not line.lstrip().startswith("--")]
        for statement in "\n".join(lines).split(";"):
            if statement.strip():
                self.sql(statement)

    def set_read_only(self, on):
        self.sql(f"SET GLOBAL read_only={'1' if on else '0'}")

    def general_log(self, on):
        path = os.path.join(self.directory, "general.log")
        if on:
            self.sql(f"SET GLOBAL general_log_file='{path}'")
        self.sql(f"SET GLOBAL general_log={'1' if on else '0'}")
        return path

    # ---- what is there ----

    def has_table(self, table):
        return self.value("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema=%s AND table_name=%s",
                          DATABASE, table) == 1

    def rows(self, zone):
        """The records of a zone, in one statement; [] if it is not there."""
        return [Row(*row) for row in self.sql(
            "SELECT r.hostname, r.type, r.data, r.ttl, r.online FROM records r JOIN zones z ON z.id=r.zone_id "
            "WHERE z.zone_name=%s ORDER BY r.hostname, r.type, r.data", zone + ".")]

    def all_rows(self):
        """{zone without its final dot: [Row, ...]} of all zones, those without records too; in one statement."""
        zones = {}
        for name, *row in self.sql("SELECT z.zone_name, r.hostname, r.type, r.data, r.ttl, r.online "
                                   "FROM zones z LEFT JOIN records r ON z.id=r.zone_id"):
            if name == "":
                continue  # the catch-all row is no zone (decisions.md 26)
            rows = zones.setdefault(name[:-1] if name.endswith(".") else name, [])
            if row[0] is not None:
                rows.append(Row(*row))
        return zones

    def zone_id(self, zone):
        return self.value("SELECT id FROM zones WHERE zone_name=%s", zone + ".")

    def ids(self, zone):
        return [row[0] for row in self.sql("SELECT r.id FROM records r JOIN zones z ON z.id=r.zone_id "
                                           "WHERE z.zone_name=%s ORDER BY r.id", zone + ".")]

    def row_writes(self):
        """
        (inserted, updated, deleted) since the server started, over all tables. MariaDB 10.11 has no Innodb_rows_*
        any more; the handler counters count the same, at the same place: one for each row handed to InnoDB.
        """
        values = dict(self.sql("SHOW GLOBAL STATUS LIKE 'Handler_%'"))
        return tuple(int(values["Handler_" + kind]) for kind in ("write", "update", "delete"))

    def row_reads(self):
        """Rows that were read since the server's start, along an index or, as it likes of small tables, all of them."""
        return sum(int(value) for _, value in self.sql("SHOW GLOBAL STATUS LIKE 'Handler_read_%next'"))

    def rows_changed(self):
        """{table: rows inserted, updated or deleted since the server started} (userstat), of the three tables."""
        changed = dict.fromkeys(TABLES, 0)
        changed.update(self.sql("SELECT table_name, rows_changed FROM information_schema.table_statistics "
                                "WHERE table_schema=%s", DATABASE))
        return changed

    def destroy(self):
        if self.alive():
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
