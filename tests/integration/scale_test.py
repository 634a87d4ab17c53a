"""From zero to several replicas and back, by what passes the gateway."""

import signal
import unittest

from harness import Case, alive, document, eventually, free_port


class Scale(Case):
    def test_zero_to_several_and_back_without_a_failed_request(self):
        headroom = self.service("--min", "0", "--max", "4", "--concurrency", "5", "--window", "6s",
                                "--cooldown", "2s", service=("--wait", "20ms"))
        self.assertEqual(headroom.replicas(), [])
        load = self.load(headroom.url(), "--schedule", "0s:20,3s:600,9s:600,10s:20,11s:0")
        self.assertTrue(eventually(lambda: len(headroom.replicas()) >= 3), headroom.log())
        result = load.result()
        self.assertEqual(result["failures"], 0, result)
        self.assertTrue(eventually(lambda: not headroom.replicas(), 60), headroom.log())
        events = headroom.explain("--rescales", "--last", "100")
        counts = [event["decision"]["replicas"] for event in events]
        self.assertIn(0, counts)
        self.assertGreaterEqual(max(counts), 3)
        for event in events:
            self.assertTrue(event["decision"]["steps"], "each change says why")
        self.assertEqual(headroom.terminate(), 0)

    def test_the_first_request_starts_the_first_replica(self):
        headroom = self.service("--min", "0", "--max", "2", "--cooldown", "1s", "--window", "6s")
        status, _, _ = headroom.get()
        self.assertEqual(status, 200)
        self.assertEqual(len(headroom.replicas()), 1)

    def test_stop_answers_what_is_open(self):
        headroom = self.service("--min", "1", service=("--wait", "1500ms"))
        headroom.wait_for("ready")
        load = self.load(headroom.url(), "--closed", "8", "--requests", "8")
        eventually(lambda: False, 0.5)
        replicas = headroom.replicas()
        self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(load.result()["failures"], 0)
        self.assertFalse([pid for pid in replicas if alive(pid)])

    def test_a_second_signal_does_not_wait(self):
        headroom = self.service("--min", "1", service=("--wait", "60s"))
        headroom.wait_for("ready")
        self.load(headroom.url(), "--closed", "1", "--requests", "1", "--timeout", "90s")
        eventually(lambda: False, 0.3)
        replicas = headroom.replicas()
        headroom.process.send_signal(signal.SIGTERM)
        headroom.wait_for("SIGTERM")
        headroom.process.send_signal(signal.SIGTERM)
        self.assertEqual(headroom.process.wait(10), 143)
        self.assertTrue(eventually(lambda: not any(map(alive, replicas))))

    def test_unix_sockets_carry_requests_too(self):
        headroom = self.run_headroom("--listen", "127.0.0.1:0", "--max", "2", "--output", "none",
                                     "--", __import__("harness").SERVICE, "--socket", "$(SOCKET)")
        self.assertEqual(headroom.get()[0], 200)


class Reload(Case):
    def test_a_change_is_taken_and_a_mistake_is_not(self):
        port = free_port()
        path = self.write("app.yaml", document(port=port, least=1, most=1))
        headroom = self.run_headroom(path)
        self.assertEqual(headroom.get()[0], 200)
        self.write("app.yaml", document(port=port, least=3, most=3))
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 3), headroom.log())
        self.write("app.yaml", document(port=port, least=3, most=3).replace(
            "maxReplicas", "maxReplica"))
        headroom.wait_for(r"app\.yaml:\d+:\d+: .*maxReplica.*maxReplicas")
        self.assertEqual(len(headroom.replicas()), 3)
        self.assertEqual(headroom.get()[0], 200)
        self.write("app.yaml", document(port=port, least=1, most=1))
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 1), headroom.log())

    def test_a_new_name_takes_over_the_address(self):
        port = free_port()
        path = self.write("app.yaml", document("before", port, 1, 1))
        headroom = self.run_headroom(path)
        self.assertEqual(headroom.get(port=port)[0], 200)
        self.write("app.yaml", document("after", port, 1, 1))
        headroom.wait_for("after: listening")
        self.assertEqual(headroom.get(port=port)[0], 200)

    def test_sighup_reads_the_file_again(self):
        path = self.write("app.yaml", document(least=1, most=1))
        headroom = self.run_headroom(path)
        headroom.wait_for("ready")
        headroom.process.send_signal(signal.SIGHUP)
        headroom.wait_for("read again")
        self.assertFalse(headroom.ended())

    def test_a_file_may_hold_several_and_each_goes_its_way(self):
        one, other = free_port(), free_port()
        text = document("one", one, 1, 2) + "---\n" + document("other", other, 0, 2)
        path = self.write("app.yaml", text)
        headroom = self.run_headroom(path)
        self.assertEqual(headroom.get(port=one)[0], 200)
        self.assertEqual(headroom.get(port=other)[0], 200)
        self.write("app.yaml", document("one", one, 1, 2))
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 1), headroom.log())
        self.assertEqual(headroom.get(port=one)[0], 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
