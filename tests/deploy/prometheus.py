# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus on loopback, with a folder of its own, that reads one zonefand."""
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from zf.wait import free_port, wait_for

CONFIG = """\
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [{rules}]
scrape_configs:
  - job_name: zonefan
    basic_auth: {{ username: {user}, password: {password} }}
    static_configs: [ {{ targets: ["127.0.0.1:{port}"] }} ]
"""


def promtool(*arguments, stdin=None):
    """The finished process, text."""
    return subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True, timeout=60)


class Prometheus:
    def __init__(self, directory, zonefan, rules):
        self.directory = os.path.join(str(directory), "prometheus")
        os.makedirs(self.directory)
        self.port = free_port()
        config = os.path.join(self.directory, "prometheus.yml")
        with open(config, "w", encoding="ascii") as out:
            out.write(CONFIG.format(rules=rules, user=zonefan.user, password=zonefan.password, port=zonefan.port))
        self.log_path = os.path.join(self.directory, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.directory}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def query(self, expression):
        """[(labels, value), ...] of now."""
        result = self.ask("query", query=expression)["result"]
        return [(entry["metric"], float(entry["value"][1])) for entry in result]

    def label_values(self, selector, label):
        """As Grafana asks for its function of that name."""
        return self.ask(f"label/{label}/values", **{"match[]": selector})

    def ask(self, what, **parameters):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{what}?" + urllib.parse.urlencode(parameters),
                                        timeout=30) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{what} {parameters}: {error.read().decode()}") from None

    def wait_value(self, expression, condition, deadline=60):
        """The first result of the expression of which condition(value) is true for all samples, of which there is one."""
        def there():
            found = self.query(expression) if self.is_ready() else []
            return found if found and all(condition(value) for _, value in found) else None
        return wait_for(there, deadline, lambda: f"{expression}: {self.query(expression)}")

    def is_ready(self):
        assert self.process.poll() is None, open(self.log_path, encoding="utf-8").read()[-3000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        shutil.rmtree(self.directory, ignore_errors=True)
