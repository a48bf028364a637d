# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue, part 6 (V10): a webhook is told of changes of state with their end, one message each, never one a zone; a receiver that is away is told
later, in order; the examples of receivers for mail and chat.
"""
import base64
import http.server
import json
import os
import subprocess
import threading
import urllib.request

import pytest
from zf.daemon import SOURCE
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named

EXAMPLES = os.path.join(SOURCE, "deploy", "notify")


class Receiver:
    """Takes what is posted, or answers with the status that a test wants."""

    def __init__(self, path="/hook-canary-5b1d"):
        receiver = self
        self.path = path
        self.messages = []
        self.refused = []
        self.status = 200
        self.headers = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == receiver.path and self.headers["Content-Type"] == "application/json"
                receiver.headers = dict(self.headers)
                status = receiver.status  # a test that sees the message may change it at once
                (receiver.messages if status < 300 else receiver.refused).append(json.loads(body))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def told(self):
        return [(message["event"], message["backend"], message["state"]) for message in self.messages]

    def wait_told(self, *expected, deadline=60):
        wait_for(lambda: self.told() == list(expected), deadline, lambda: f"told {self.told()}, not {expected}")

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def told(install, dcs, receiver):
    zonefan = install(dcs[:2], start=False, config={"notify": {
        "url": receiver.url, "username": "zf", "password": "canary-notify-77ab", "min_seconds": 3}})
    zonefan.secrets += ["canary-notify-77ab", receiver.path]
    zonefan.start()
    for backend in zonefan.backends:
        zonefan.wait_lane(backend, "up")
    # On a machine that is busy a start may be an outage that is told; then its end is, too.
    wait_for(lambda: [state for _, _, state in receiver.told()].count("recovered") * 2 == len(receiver.messages) and
             zonefan.status()["notify"]["waiting"] == 0, 60, lambda: f"all is well; told {receiver.told()}")
    receiver.messages.clear()
    return zonefan


@pytest.mark.threads
def test_an_outage_is_told_once_and_its_end(told, dcs, receiver):
    sent = told.status()["notify"]["sent"]
    dcs[1].proxy.refuse()
    for name in named("outage", 5):
        told.da().push_ok(name, da_zone(name))
    receiver.wait_told(("backend_down", "dc2", "problem"))
    # It lasts: several times min_seconds, and more zones than before.
    told.da().push_ok("later.example", da_zone("later.example"))
    wait_for(lambda: told.backend("dc2")["oldest_pending_seconds"] > 12, 60, "the outage lasts")
    assert receiver.told() == [("backend_down", "dc2", "problem")], "once, not again and again"
    receiver.status = 503  # the receiver has an outage of its own
    dcs[1].proxy.passing()
    told.wait_converged()
    wait_for(lambda: receiver.refused, 60, "the end of the outage is posted")
    receiver.status = 200
    receiver.wait_told(("backend_down", "dc2", "problem"), ("backend_down", "dc2", "recovered"))
    down, up = receiver.messages
    assert up["id"] != down["id"] and {message["id"] for message in receiver.refused} == {up["id"]}
    assert "dc2 is down: " in down["text"] and down["detail"] in down["text"] and up["text"].endswith("dc2 is up again")
    assert receiver.headers["Authorization"] == "Basic " + base64.b64encode(b"zf:canary-notify-77ab").decode()
    assert told.log().count("a notification can't be posted") == 1
    wait_for(lambda: told.status()["notify"]["waiting"] == 0, 30, "the status says so")
    assert told.status()["notify"]["sent"] == sent + 2 and told.status()["notify"]["error"] is None


def test_what_waits_for_an_operator_is_told(told, receiver):
    name = "held.example"
    told.da().push_ok(name, da_zone(name))
    lines = [line for line in da_zone(name, 2026030499).splitlines() if "\tNS\t" not in line and " NS " not in line]
    assert "held" in told.da().push(name, "\n".join(lines) + "\n").text
    receiver.wait_told(("held", None, "problem"))
    held = told.api("/api/v1/held")["held"][0]["id"]
    told.ctl("held", "list", check=0)
    told.ctl("discard", str(held), check=0)
    receiver.wait_told(("held", None, "problem"), ("held", None, "recovered"))


def test_a_redirect_is_not_followed(told, dcs, receiver):
    receiver.status = 307
    dcs[0].proxy.refuse()
    told.da().push_ok("away.example", da_zone("away.example"))
    wait_for(lambda: len(receiver.refused) >= 2, 60, "it is posted, and posted again")
    assert not receiver.messages and told.status()["notify"]["error"] == "it answered 307"


# ---- the examples ----

MESSAGE = {"id": "1-2", "text": "zonefan ns1: dc1 is down: refused\nBcc: all@example.net", "event": "backend_down", "state": "problem",
           "backend": "dc1", "detail": "refused", "since": "2026-03-04T00:00:00Z", "at": "2026-03-04T00:00:10Z", "host": "ns1", "version": "0.1.0"}


@pytest.fixture
def example():
    started = []

    def start(program, *arguments):
        port = free_port()
        started.append(subprocess.Popen([os.path.join(EXAMPLES, program), "--listen", f"127.0.0.1:{port}", *arguments],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        def post(body):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", json.dumps(body).encode(), timeout=20) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code
            except OSError:
                return None
        wait_for(lambda: post({}) == 400, 30, f"{program} listens")
        return post
    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=30)


def test_the_example_for_mail(example, tmp_path):
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f"#!/bin/sh\n[ ! -e {tmp_path}/full ] || exit 75\ncat > {tmp_path}/letter\n")
    sendmail.chmod(0o755)
    post = example("mail", "--to", "noc@example.net", "--sendmail", str(sendmail))
    assert post(MESSAGE) == 200
    head, _, body = (tmp_path / "letter").read_text().partition("\n\n")
    assert "Subject: zonefan ns1: dc1 is down: refused Bcc: all@example.net" in head and "To: noc@example.net" in head
    assert not [line for line in head.splitlines() if line.startswith("Bcc")]
    assert "event: backend_down" in body and "since: 2026-03-04T00:00:00Z" in body
    (tmp_path / "full").touch()
    assert post(MESSAGE) == 503


def test_the_example_for_a_chat(example, tmp_path):
    chat = Receiver("/services/T0/canary")
    (tmp_path / "url").write_text(chat.url + "\n")
    post = example("chat", "--to-file", str(tmp_path / "url"))
    try:
        assert post(MESSAGE) == 200
        assert [list(message) for message in chat.messages] == [["text"]] and MESSAGE["text"] in chat.messages[0]["text"]
        for chat.status in (500, 99):  # the one is an answer, the other is none of HTTP
            assert post(MESSAGE) == 503
    finally:
        chat.close()


@pytest.mark.parametrize("url", ["hooks.chat.example/canary", "https://hooks.chat.example/can ary", "https:///canary", "ftp://hooks.chat.example/canary",
                                 "https://u:canary@hooks.chat.example/", "https://[canary/", "https://hooks.chat.example:canary/", "https://hooks.chat.example/canary\u00e9"])
def test_the_example_for_a_chat_does_not_print_its_url(tmp_path, url):
    file = tmp_path / "url"
    file.write_text(url + "\n")
    ended = subprocess.run([os.path.join(EXAMPLES, "chat"), "--listen", f"127.0.0.1:{free_port()}", "--to-file", str(file)],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1 and ended.stderr.startswith(f"{file}: "), ended
    assert len(ended.stderr.splitlines()) == 1 and "hooks" not in ended.stderr and "ary" not in ended.stderr.replace(str(file), "")
