"""The example service and the load driver, each against what it must get right."""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import SERVICE, Case, eventually, free_port


class Service(Case):
    def start(self, *flags):
        port = free_port()
        process = subprocess.Popen([SERVICE, "--port", str(port), *flags], stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertTrue(eventually(lambda: self.accepts(port)))
        return process, port

    @staticmethod
    def accepts(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    @staticmethod
    def status(port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def test_ready_only_when_it_is(self):
        _, port = self.start("--ready-delay", "300ms")
        self.assertEqual(self.status(port, "/healthz"), 200)
        self.assertEqual(self.status(port, "/readyz"), 503)
        self.assertTrue(eventually(lambda: self.status(port, "/readyz") == 200))

    def test_sigterm_answers_what_is_open_and_ends_with_0(self):
        process, port = self.start("--wait", "500ms")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Connection"), "close")
        answer.read()
        connection.close()
        self.assertEqual(process.wait(10), 0)

    def test_it_burns_the_cpu_it_is_asked_to_and_no_more(self):
        process, port = self.start()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(20):
            connection.request("GET", "/?cpu=20ms")
            connection.getresponse().read()
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        connection.close()
        self.assertGreater(used, 0.35)
        self.assertLess(used, 0.6)


class Driver(Case):
    """A server that does to each connection what it is told, and how the driver counts it."""

    def counts(self, behave, *flags, requests="5"):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                client.settimeout(5)
                try:
                    client.recv(65536)
                    behave(client)
                except OSError:
                    pass
                client.close()

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        load = self.load(f"http://127.0.0.1:{port}", "--closed", "1", "--requests", requests,
                         "--timeout", "1s", *flags)
        result = load.result()
        return result, load.process.returncode

    def test_every_end_of_a_request_is_counted_as_what_it_was(self):
        def reset(client):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        cases = {
            "reset_before_answer": reset,
            "short_answer": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"),
            "timeout": lambda c: time.sleep(1.5),
            "bad_answer": lambda c: c.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
        }
        for kind, behave in cases.items():
            with self.subTest(kind):
                result, code = self.counts(behave, requests="2")
                self.assertEqual(result["total"]["failed"][kind], 2, result)
                self.assertEqual(code, 1)

    def test_statuses_are_answers_and_4xx_5xx_are_failures(self):
        result, code = self.counts(
            lambda c: c.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        self.assertEqual(result["total"]["status"], {"503": 5})
        self.assertEqual((result["failures"], code), (5, 1))

    def test_what_may_be_repeated_is_counted_apart(self):
        result, code = self.counts(
            lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            "--post-share", "1")
        self.assertEqual(result["not_idempotent"]["answered"], 5)
        self.assertEqual(result["idempotent"]["answered"], 0)
        self.assertEqual(code, 0)

    def test_nobody_listens(self):
        load = self.load(f"http://127.0.0.1:{free_port()}", "--closed", "1", "--requests", "3")
        result = load.result()
        self.assertEqual(result["total"]["failed"]["refused"], 3)

    def test_a_schedule_offers_what_it_says_and_a_stall_is_charged(self):
        stalled = threading.Event()
        listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.addCleanup(listener.close)

        def serve(client):
            while client.recv(65536):
                stalled.wait(5)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        def accept():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        load = self.load(f"http://127.0.0.1:{listener.getsockname()[1]}", "--schedule",
                         "0s:100,2s:100", "--connections", "10")
        time.sleep(1.5)
        stalled.set()
        result = load.result()
        self.assertEqual(result["total"]["offered"], 200)
        # Half of the requests were due more than half a second before anything moved, though
        # only ten could be sent: latency counts from when they were due.
        self.assertGreater(result["latency_us"]["p50"], 400_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
