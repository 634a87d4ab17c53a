"""A real Prometheus scrapes a Headroom under load: what it takes, the alerts, the dashboard."""

import json
import os
import re
import shutil
import subprocess
import unittest
import urllib.parse
import urllib.request

from admin import Admin
from harness import Case, eventually, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ALERTS = os.path.join(ROOT, "deploy/prometheus/alerts.yaml")
DASHBOARD = os.path.join(ROOT, "deploy/grafana/headroom.json")
TOKEN = "0123456789abcdef0123456789abcdef"

# Panels whose queries rightly find nothing, or no number, while all goes well.
MAY_BE_EMPTY = {"Failures by reason", "How long they waited (p99)"}


def panels():
    with open(DASHBOARD) as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def variables():
    with open(DASHBOARD) as file:
        dashboard = json.load(file)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


@unittest.skipUnless(shutil.which("prometheus") and shutil.which("promtool"),
                     "prometheus is not installed: scripts/packages.sh test")
class Prometheus(Case):
    def promtool(self, *arguments, **options):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True,
                              timeout=60, cwd=os.path.dirname(ALERTS), **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def start_prometheus(self, admin):
        port = free_port()
        token = self.write("scrape-token", TOKEN + "\n")
        config = self.write("prometheus.yml", f"""
global: {{ scrape_interval: 500ms, evaluation_interval: 1s }}
rule_files: [{json.dumps(ALERTS)}]
scrape_configs:
  - job_name: headroom
    authorization: {{ credentials_file: {json.dumps(token)} }}
    static_configs: [{{ targets: ["127.0.0.1:{admin}"] }}]
""")
        log = open(os.path.join(self.folder, "prometheus.log"), "w+")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
             f"--storage.tsdb.path={self.folder}/tsdb"], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.api = f"http://127.0.0.1:{port}/api/v1/"

        def ready():
            try:
                return self.ask("query", query="vector(1)")
            except (OSError, AssertionError):  # it says 503 while it begins
                return None
        if not eventually(ready, 60):
            log.seek(0)
            self.fail(log.read())

    def ask(self, what, **parameters):
        url = self.api + what + "?" + urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def test_it_takes_all_and_every_query_finds_something(self):
        admin = free_port()
        token = self.write("token", TOKEN + "\n")
        os.chmod(token, 0o600)
        headroom = self.service("--min", "1", "--max", "4", "--concurrency", "5", "--window", "6s",
                                "--admin", f"0.0.0.0:{admin}", "--admin-token-file", token,
                                "--objective", "2s@p99",
                                service=("--wait", "20ms"))
        headroom.wait_for("ready after")
        local = Admin(headroom.journal)
        text = local.get("/metrics")
        self.assertIn("version=0.0.4", text.headers["Content-Type"])
        self.promtool("check", "metrics", input=text.body.decode())
        opened = local.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        self.assertIn("openmetrics-text", opened.headers["Content-Type"])

        self.start_prometheus(admin)
        load = self.load(headroom.url(), "--schedule", "0s:20,2s:400,14s:400")
        held = local.ask("POST", "/api/v1/autoscalers/cpp-service/scale", {"replicas": 3})
        self.assertEqual(held.status, 200, held.body)
        target = eventually(lambda: [t for t in self.ask("targets")["activeTargets"]
                                     if t["health"] == "up"], 30)
        self.assertTrue(target, self.ask("targets"))
        self.assertEqual(target[0]["lastError"], "")
        self.assertTrue(eventually(lambda: self.query(
            "rate(headroom_requests_arrived_total[5s]) > 50")), headroom.log())

        for title, expression in panels():
            with self.subTest(panel=title, query=expression):
                expression = (expression.replace("$__rate_interval", "10s")
                              .replace("$job", "headroom").replace("$autoscaler", ".*"))
                self.assertNotIn("$", expression)
                found = eventually(lambda: self.query(expression), 15)
                if title in MAY_BE_EMPTY:
                    continue
                self.assertTrue(found)
                for series in found:
                    self.assertNotIn("NaN", series["value"][1])
        for name, definition in variables():
            with self.subTest(variable=name):
                metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", definition).groups()
                values = self.query(f"group by ({label}) ({metric})".replace("$job", "headroom"))
                self.assertTrue(values)

        groups = self.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertGreaterEqual(len(rules), 10)
        self.assertTrue(eventually(lambda: all(
            rule["health"] == "ok" for group in self.ask("rules")["groups"]
            for rule in group["rules"])), self.ask("rules"))
        firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
        self.assertEqual(firing, [], "an alert while all goes well")

        # What it says is what happened.
        result = load.result()
        self.assertEqual(result["failures"], 0, result)
        answered = result["total"]["status"]["200"]
        self.assertTrue(eventually(lambda: self.query(
            f'headroom_requests_total{{code="2xx"}} == {answered}')),
            [result["total"], self.query("headroom_requests_total")])
        self.assertEqual(self.query("headroom_objective_seconds")[0]["value"][1], "2")
        self.assertTrue(eventually(lambda: self.query(
            f"headroom_objective_requests_total == {answered}")))
        within = int(self.query("headroom_objective_requests_within_total")[0]["value"][1])
        self.assertGreater(within, 0.5 * answered)
        self.assertLessEqual(within, answered)
        self.assertEqual(self.query("headroom_replicas_held")[0]["value"][1], "3")
        self.assertEqual(headroom.terminate(), 0)

    def test_alerts_fire_when_they_should(self):
        self.promtool("check", "rules", ALERTS)
        self.promtool("test", "rules", "alerts_test.yaml")
        with open(ALERTS) as alerts, open(ALERTS.replace(".yaml", "_test.yaml")) as tests:
            tried = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels", tests.read()))
            self.assertEqual(set(re.findall(r"alert: (\w+)", alerts.read())), tried)


if __name__ == "__main__":
    unittest.main()
