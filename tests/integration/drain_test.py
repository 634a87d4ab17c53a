"""What a drain does not see the end of: who is told, and where it is to be read."""

import http.client
import json
import signal
import subprocess
import unittest

from admin import Admin
from harness import HEADROOM, Case, document, eventually


class Drain(Case):
    def document(self, name="shop", least=1, drain="1s"):
        text = document(name, least=least, most=2)
        return self.write("app.yaml", text.replace("gateway: {", f"gateway: {{ drain: {drain},"))

    def start(self, least=1, drain="1s"):
        headroom = self.run_headroom(self.document("shop", least, drain))
        headroom.wait_for("ready after" if least else "admin: ")
        return headroom

    def ask(self, headroom, count, where="outstanding", path="/?wait=4s"):
        """That many requests, which have arrived, and take longer than the drain."""
        open_now = []
        for _ in range(count):
            client = http.client.HTTPConnection("127.0.0.1", headroom.port(), timeout=30)
            self.addCleanup(client.close)
            client.request("GET", path)
            open_now.append(client)
        there = f'headroom_requests_{where}{{autoscaler="shop"}} {count}\n'
        admin = Admin(headroom.journal)
        self.assertTrue(eventually(lambda: there in admin.get("/metrics").body.decode()),
                        headroom.log())
        return open_now

    def verb(self, headroom, *arguments):
        done = subprocess.run([HEADROOM, *arguments, "--journal", headroom.journal],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def troubles(self, headroom):
        told = json.loads(self.verb(headroom, "events", "--kind", "trouble", "-o", "json"))
        return [event["text"] for event in told]

    def is_cut(self, client):
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            client.getresponse()

    def test_sigterm_says_what_it_cut(self):
        headroom = self.start()
        clients = self.ask(headroom, 3)
        self.assertEqual(headroom.terminate(), 0)
        for client in clients:
            self.is_cut(client)
        what = "3 requests were cut: still open after 1 s (gateway.drain)"
        self.assertEqual(self.troubles(headroom), [what])
        self.assertIn(f"warn  shop: {what}\n", headroom.log())

    def test_a_replica_that_leaves_says_what_was_cut_with_it(self):
        headroom = self.start()
        [client] = self.ask(headroom, 1)
        self.verb(headroom, "scale", "shop", "0")
        headroom.wait_for("replica 1 gone")
        self.is_cut(client)
        what = "replica 1: 1 request was cut: still open after 1 s (gateway.drain)"
        self.assertEqual(self.troubles(headroom), [what])
        log = headroom.log()
        self.assertLess(log.index("drains, 1 open"), log.index(what))
        self.assertLess(log.index(what), log.index("replica 1 gone"))
        self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(self.troubles(headroom), [what], "once")

    def test_who_waits_at_the_end_gets_an_answer(self):
        headroom = self.start(least=0)
        self.verb(headroom, "scale", "shop", "0")
        clients = self.ask(headroom, 2, "waiting", "/")
        headroom.process.send_signal(signal.SIGTERM)
        for client in clients:
            answer = client.getresponse()
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.getheader("Retry-After"), "1")
            self.assertEqual(answer.getheader("Connection"), "close")
            self.assertIn('details="drain_cut"', answer.getheader("Proxy-Status"))
            answer.read()
        self.assertEqual(headroom.process.wait(30), 0)
        self.assertEqual(
            self.troubles(headroom),
            ["2 requests got 503: still without a replica after 1 s (gateway.drain)"])

    def test_so_does_who_waits_for_a_service_that_is_no_longer_in_the_document(self):
        headroom = self.start(least=0)
        self.verb(headroom, "scale", "shop", "0")
        [client] = self.ask(headroom, 1, "waiting", "/")
        self.document("other", least=0)
        self.assertEqual(client.getresponse().status, 503)
        headroom.wait_for(r"shop: 1 request got 503: still without a replica after 1 s")
        self.assertFalse(headroom.ended())

    def test_a_service_that_leaves_has_its_own_time_at_the_end_too(self):
        headroom = self.start(drain="20s")
        [client] = self.ask(headroom, 1)
        self.document("other", least=0, drain="1s")
        headroom.wait_for("shop: stops: it is no longer in the document")
        headroom.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.getresponse().status, 200, headroom.log())
        client.close()
        self.assertEqual(headroom.process.wait(30), 0)
        self.assertEqual(self.troubles(headroom), [])

    def test_an_end_that_loses_nothing_says_nothing(self):
        headroom = self.start(drain="30s")
        [client] = self.ask(headroom, 1, path="/?wait=1s")
        headroom.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.getresponse().status, 200)
        client.close()
        self.assertEqual(headroom.process.wait(30), 0)
        self.assertEqual(self.troubles(headroom), [])

    def test_after_an_upgrade_the_old_ones_log_says_it(self):
        headroom = self.start(drain="6s")
        [client] = self.ask(headroom, 1, path="/?wait=20s")
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("taken over at an upgrade")
        what = "1 request was cut: still open after 6 s (gateway.drain)"
        headroom.wait_for(r"all that was open is answered")
        self.is_cut(client)
        self.assertIn(f"warn  shop: {what}\n", headroom.log())
        self.assertEqual(self.troubles(headroom), [], "the journal is the successor's")
        self.assertEqual(headroom.get()[0], 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
