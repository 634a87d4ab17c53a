"""The Rust example: its guide command by command, what it owes on its own, and behind Headroom.

Ends with 77 (ctest: skipped) where there is no cargo that can build it; where CI=true that fails.
CARGO_TARGET_DIR (ctest sets it) keeps what cargo builds out of the tree.
"""

import http.client
import http.server
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

import guide
from harness import HEADROOM, Case, alive, eventually, free_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "rust-axum")
TARGET = os.path.abspath(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "build", "cargo")))
RUST = os.path.join(TARGET, "example", "release", "rust-axum")


def cannot_build():
    """Builds the example. Why it cannot be built on this machine, or nothing."""
    for program in ("cargo", "curl"):
        if not shutil.which(program):
            return f"there is no {program}"
    said = subprocess.run(["cargo", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"cargo (\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < (1, 85):
        return f"Rust 1.85 is needed, found: {said.strip()}"
    fetched = subprocess.run(["cargo", "fetch", "--locked"], cwd=EXAMPLE, capture_output=True,
                             text=True, timeout=300)
    if fetched.returncode != 0:
        return f"cargo fetch --locked: {fetched.stderr.strip()}"
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", "--target-dir",
                    os.path.join(TARGET, "example")], cwd=EXAMPLE, check=True,
                   stdin=subprocess.DEVNULL)
    return None


class Service:
    """One run of the example, on its own."""

    def __init__(self, case, *flags, env=None):
        self.log_path = os.path.join(case.folder, f"service-{time.monotonic_ns()}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([RUST, *flags], stderr=log, env={**os.environ, **(env or {})})
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)
        if not eventually(lambda: "listening on" in self.log() or self.process.poll() is not None):
            raise AssertionError(self.log())
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.log())
        self.port = int(found[1]) if found else None

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.connect()
        return connection

    def get(self, path="/"):
        connection = self.connect()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


class Owes(Case):
    """The duties that README.md names, each by what a client sees."""

    def start(self, *flags, **options):
        return Service(self, "--port", "0", *flags, **options)

    @staticmethod
    def accepts(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def test_it_listens_where_it_is_told_to(self):
        port = free_port()
        self.assertEqual(Service(self, env={"PORT": str(port)}).port, port)
        path = os.path.join(self.folder, "socket")
        for flags, env in ((("--socket", path), {}), ((), {"SOCKET": path})):
            service = Service(self, *flags, env=env)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                self.assertIn(b" 200 ", client.recv(1000))
            self.assertEqual(service.terminate(), 0)
            self.assertFalse(os.path.exists(path))
        Service(self, "--socket", path).process.kill()
        self.assertTrue(os.path.exists(path))
        self.assertIn("listening", Service(self, "--socket", path).log(), "over what was left behind")

    def test_what_it_is_told_wrongly_ends_it_with_a_word(self):
        for flags in (("--bogus", "1"), ("--port", "99999"), ("--port",), ("--upstream", "a b")):
            with self.subTest(flags):
                service = Service(self, *flags)
                self.assertEqual(service.process.wait(10), 1)
                self.assertIn("usage: rust-axum", service.log())

    def test_it_is_there_quickly_and_small(self):
        def start():
            port = free_port()
            started = time.monotonic()
            process = subprocess.Popen([RUST, "--port", str(port)], stderr=subprocess.DEVNULL)
            try:
                self.assertTrue(eventually(lambda: self.accepts(port), pause=0))
                return time.monotonic() - started
            finally:
                process.kill()
                process.wait()

        self.assertLess(min(start() for _ in range(5)), 1)
        self.assertLess(os.path.getsize(RUST), 2 << 20)

    def test_sigterm_answers_what_is_open_and_closes_what_is_idle(self):
        service = self.start()
        self.assertEqual(service.get("/readyz"), (200, "ready\n"))
        idle, busy, late = service.connect(), service.connect(), service.connect()
        idle.request("GET", "/")
        idle.getresponse().read()
        busy.request("GET", "/work/1000")
        late.sock.sendall(b"GET /readyz HTTP/1.1\r\n")
        self.assertTrue(eventually(lambda: "requests 1\n" in service.get("/metrics")[1]))
        service.process.send_signal(signal.SIGTERM)
        self.assertTrue(eventually(lambda: "draining" in service.log()))
        late.sock.sendall(b"Host: x\r\n\r\n")
        answer = http.client.HTTPResponse(late.sock)
        answer.begin()
        self.assertEqual((answer.status, answer.read()), (503, b"draining\n"))
        self.assertEqual(answer.getheader("Connection"), "close")
        answer = busy.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Connection"), "close")
        self.assertIn(b"worked", answer.read())
        self.assertEqual(idle.sock.recv(1), b"")
        self.assertEqual(service.process.wait(20), 0)

    def test_sigterm_takes_what_waits_in_the_backlog(self):
        service = self.start()
        service.process.send_signal(signal.SIGSTOP)
        waiting = []
        for number in range(800):
            client = socket.create_connection(("127.0.0.1", service.port), timeout=20)
            self.addCleanup(client.close)
            client.sendall(b"GET /work/%d HTTP/1.1\r\nHost: x\r\n\r\n" % (number % 2 * 300))
            waiting.append(client)
        service.process.send_signal(signal.SIGTERM)
        service.process.send_signal(signal.SIGCONT)
        for number, client in enumerate(waiting):
            answer = http.client.HTTPResponse(client)
            answer.begin()
            self.assertEqual(answer.status, 200)
            if number % 2:  # the others may have been answered before it knew
                self.assertEqual(answer.getheader("Connection"), "close")
        self.assertEqual(service.process.wait(20), 0)

    def test_a_second_signal_does_not_wait(self):
        service = self.start()
        busy = service.connect()
        busy.request("GET", "/work/60000")
        self.assertTrue(eventually(lambda: "requests 1\n" in service.get("/metrics")[1]))
        service.process.send_signal(signal.SIGTERM)
        self.assertTrue(eventually(lambda: "draining" in service.log()))
        # The first may be on its way to the loop still: signals of one kind are not counted.
        self.assertTrue(eventually(lambda: not self.accepts(service.port)))
        service.process.send_signal(signal.SIGTERM)
        self.assertEqual(service.process.wait(20), 1)

    def test_a_panic_is_one_requests_failure(self):
        service = self.start()
        busy = service.connect()
        busy.request("GET", "/work/300")
        self.assertEqual(service.get("/panic")[0], 500)
        self.assertEqual(busy.getresponse().status, 200)
        self.assertIn("a bug in a handler", service.log())
        self.assertEqual(service.get()[1], f"hello from process {service.process.pid}\n")
        self.assertIn("\nhttp_server_active_requests 0\n", service.get("/metrics")[1])

    def test_metrics_are_of_requests_and_bounded(self):
        service = self.start()
        for path in ("/work/1", "/work/30", "/work/nonsense", "/panic", "/healthz", "/no/such/path"):
            service.get(path)
        made_up = service.connect()
        made_up.request("BREW", "/")
        self.assertEqual(made_up.getresponse().status, 405)
        gone = service.connect()
        gone.request("GET", "/work/60000")
        gone.close()
        self.assertTrue(eventually(lambda: "_requests 0\n" in service.get("/metrics")[1]))
        page = service.get("/metrics")[1]
        counts = dict(re.findall(r"_seconds_count\{(.*)\} (\d+)", page))
        route = 'http_request_method="%s",http_response_status_code="%s",http_route="%s"'
        self.assertEqual(counts, {route % ("GET", "200", "/work/{milliseconds}"): "2",
                                  route % ("GET", "400", "/work/{milliseconds}"): "1",
                                  route % ("GET", "500", "/panic"): "1",
                                  route % ("_OTHER", "405", "/"): "1"})
        self.assertIn(route % ("GET", "200", "/work/{milliseconds}") + ',le="0.025"} 1', page)

    def test_connections_to_the_upstream_are_pooled(self):
        opened = []

        class Upstream(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                opened.append(self.client_address)
                super().setup()

            def do_GET(self):
                size = (1 << 20) + 1 if self.path == "/large" else 5
                self.send_response(418 if self.path == "/teapot" else 200)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                self.wfile.write(b"x" * size)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        server.daemon_threads = True
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        service = self.start("--upstream", url + "/")
        for _ in range(50):
            self.assertEqual(service.get("/upstream"), (200, "xxxxx"))
        self.assertEqual(len(opened), 1)
        for upstream, status in ((url + "/teapot", 418), (url + "/large", 502),
                                 (f"http://127.0.0.1:{free_port()}/", 502)):
            self.assertEqual(self.start("--upstream", upstream).get("/upstream")[0], status)
        self.assertEqual(self.start().get("/upstream")[0], 404)


class Scaled(Case):
    """Behind Headroom, and no request fails."""

    def scaled(self, *flags):
        return self.run_headroom("--listen", "127.0.0.1:0", "--output", "none",
                                 "--readiness-path", "/readyz", *flags, "--", RUST)

    def test_zero_to_several_and_back_without_a_failed_request(self):
        headroom = self.scaled("--min", "0", "--max", "4", "--concurrency", "5", "--window", "6s",
                               "--cooldown", "2s")
        url = headroom.url()
        self.assertEqual(headroom.replicas(), [])
        load = self.load(url + "/work/20", "--schedule", "0s:20,3s:600,9s:600,10s:20,11s:0")
        self.assertTrue(eventually(lambda: len(headroom.replicas()) >= 3), headroom.log())
        result = load.result()
        self.assertEqual(result["failures"], 0, result)
        self.assertTrue(eventually(lambda: not headroom.replicas(), 60), headroom.log())
        self.assertEqual(headroom.terminate(), 0)

    def test_a_replica_that_is_killed_comes_back_and_no_request_is_lost(self):
        headroom = self.scaled("--min", "3", "--max", "3")
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 3), headroom.log())
        load = self.load(headroom.url() + "/work/5", "--rate", "300", "--duration", "5s")
        for _ in range(4):
            time.sleep(1)
            victims = headroom.replicas()
            if victims:
                os.kill(victims[0], signal.SIGKILL)
        result = load.result()
        self.assertEqual(result["failures"], 0, result)
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 3), headroom.log())

    def test_a_panic_is_answered_and_its_replica_goes_on(self):
        headroom = self.scaled("--min", "1", "--max", "1")
        before = headroom.get()
        self.assertEqual(headroom.get("/panic")[0], 500)
        self.assertEqual(headroom.get()[:2], before[:2])
        self.assertNotIn("exited", headroom.log())

    def test_stop_answers_what_is_open(self):
        headroom = self.scaled("--min", "2", "--max", "2")
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 2), headroom.log())
        load = self.load(headroom.url() + "/work/1500", "--closed", "8", "--requests", "8")
        time.sleep(0.5)
        replicas = headroom.replicas()
        self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(load.result()["failures"], 0)
        self.assertFalse([pid for pid in replicas if alive(pid)])


class Reader(guide.Reader):
    """Builds where cargo finds what it has built before."""

    def call(self, command, code, seconds):
        if command.startswith("cargo build"):
            os.symlink(os.path.join(TARGET, "example"), os.path.join(self.where(), "target"))
        return super().call(command, code, seconds)


class Guide(Case):
    """README.md: its commands are run in order, and what they print is compared."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(EXAMPLE, "README.md")) as file:
            self.blocks = guide.blocks(file.read())

    def test_what_it_quotes_is_what_is_there(self):
        there = ""
        for name in ("src/main.rs", "Cargo.toml"):
            with open(os.path.join(EXAMPLE, name)) as file:
                there += re.sub(r"(?m)^ +", "", file.read())
        quoted = [block for block in self.blocks if not block.runs()]
        self.assertGreater(len(quoted), 5)
        for block in quoted:
            self.assertIn(re.sub(r"(?m)^ +", "", "\n".join(block.lines)), there)

    def test_its_commands_do_what_it_says(self):
        folder = os.path.join(TARGET, "guide")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        os.symlink(ROOT, os.path.join(folder, "headroom"))
        reader = Reader(folder, os.path.join(self.folder, "scratch"), {"headroom": HEADROOM})
        self.addCleanup(reader.close)
        runs = [block for block in self.blocks if block.runs()]
        self.assertGreater(sum(len(guide.steps(block)) for block in runs), 10)
        for block in runs:
            reader.run(block)
        reader.stop()


if __name__ == "__main__":
    reason = cannot_build()
    if reason:
        print(f"{'failed' if os.environ.get('CI') == 'true' else 'skipped'}: {reason}")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main(verbosity=2)
