# SPDX-License-Identifier: GPL-3.0-or-later
"""
A Galera node that loses the primary component (reliability.md B25): a real node and the arbiter garbd, who is stopped. Two of
two are a majority, one is none. In the long form only.
"""
import os
import signal
import subprocess
import types

import pytest
from zf.mariadb import MariaDB
from zf.oracles import wait_state
from zf.wait import free_port, wait_for
from zf.zones import da_zone, version_of

ZONE = "cluster.example"

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class Node(MariaDB):
    """A node of a cluster of its own."""

    def __init__(self, name, template, directory):
        super().__init__(name, template, directory)
        self.group_port = free_port()

    def start(self, *options):
        clock = "evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;gcache.size=32M"
        return super().start(
            "--wsrep-on=1", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-address=gcomm://",
            "--wsrep-new-cluster", "--wsrep-cluster-name=zf", "--wsrep-node-address=127.0.0.1", "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2", f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{self.group_port};{clock}",
            *options)

    def said(self, what):
        with self._connect() as conn, conn.cursor() as cursor:  # to no database: there is none yet
            cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep_%'")
            return dict(cursor.fetchall())[what]


@pytest.fixture
def cluster(scratch):
    """A node with an arbiter beside it: (centre, arbiter's process)."""
    folder = os.path.join(scratch, "galera")
    os.makedirs(folder)
    node = Node("dc2", os.path.join(scratch, "template"), folder)
    node.start()
    wait_for(lambda: node.said("wsrep_ready") == "ON", 60, "the node takes statements")
    node.reset()
    port = free_port()
    arbiter = subprocess.Popen(
        ["garbd", "--group", "zf", "--address", f"gcomm://127.0.0.1:{node.group_port}", "--options",
         f"gmcast.listen_addr=tcp://127.0.0.1:{port};evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S"],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: node.said("wsrep_cluster_size") == "2", 60, "the arbiter has joined")
        yield types.SimpleNamespace(name="dc2", db=node, backend=lambda: ("dc2", node, node.port)), arbiter
    finally:
        arbiter.kill()
        arbiter.wait()
        node.destroy()


@pytest.mark.row("B25", fault="Galera node out of the primary component (1047)", injected="SIGSTOP of the arbiter, the other of two members",
                 required="no success claimed there; the others go on; delivered <= 36 s after Primary")
def test_not_primary(install, dcs, cluster, happened):
    centre, arbiter = cluster
    zonefan = install([dcs[0], centre, dcs[2]])
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    arbiter.send_signal(signal.SIGSTOP)
    wait_for(lambda: centre.db.said("wsrep_cluster_status") != "Primary", 60, "the node is alone")
    assert centre.db.said("wsrep_ready") == "OFF"
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 2))
    zonefan.wait_converged("dc1", "dc3")
    wait_state(zonefan, "dc2", "down", "probing", limit=30)
    reason = zonefan.backend("dc2")["last_error"]
    assert zonefan.pending()["dc2"] == 1 and "1047" in reason, reason
    centre.db.sql("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'")
    wait_for(lambda: centre.db.said("wsrep_ready") == "ON", 30, "the node is primary by itself")
    zonefan.wait_converged(deadline=36)
    assert version_of(centre.db.rows(ZONE)) == 2
    happened(f"DOWN while it was not primary: {reason}")
