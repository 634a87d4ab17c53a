"""Secrets stay where they were put: not one is in the log, the journal, or an answer of any kind."""

import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading
import unittest

from admin import Admin
from harness import HEADROOM, SERVICE, Case, eventually, free_port

# Each a word of its own, so that what leaks is named by it.
SECRETS = {
    "the admin's token": "admin-token-7b1f6d2c9e",
    "the token after it": "second-token-31c0aa52f8",
    "a token that is too short": "short-tok-9",
    "a wrong token that was tried": "wrong-token-55d0c1e7a3",
    "an environment value of the document": "document-env-4f0d9b61",
    "one that came from Headroom's environment": "headroom-env-c83a17de",
    "one given by a flag": "flag-env-e2b7740c",
    "a probe's header": "probe-header-0a9d5f3b",
    "a client's Authorization": "client-bearer-6610fd2b",
    "a client's cookie": "client-cookie-a1b0c9d8",
    "a client's query": "client-query-77e3f0aa",
    "a client's body": "client-body-2fd8e6b4",
    "a password in a document that is refused": "refused-env-b94c2e70",
}


def found_in(text):
    """The names of the secrets that the text has, however it was escaped."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return [name for name, secret in SECRETS.items() if secret in text]


class SecretsTest(Case):
    def document(self, env=""):
        return f"""apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: {{ name: shop }}
spec:
  target:
    process:
      command: [sh, -c, 'test -n "$LITERAL" && exec {SERVICE} --port $PORT']
      env:
        LITERAL: {SECRETS["an environment value of the document"]}
        LOOKED_UP: $(HEADROOM_SECRET)
{env}
      output: {{ to: none }}
      readinessProbe:
        periodSeconds: 1
        httpGet:
          path: /
          httpHeaders: [{{ name: Authorization, value: Bearer $(PROBE_SECRET) }}]
  gateway: {{ listen: "127.0.0.1:0" }}
  minReplicas: 1
  maxReplicas: 3
  objective: {{ latency: 1s }}
"""

    def certificate(self):
        key, certificate = (os.path.join(self.folder, name) for name in ("key.pem", "cert.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True, timeout=60)
        return certificate, key

    def ask(self, port, target, token=None, body=None):
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request("GET" if body is None else "POST", target, body=body, headers=headers)
        answer = connection.getresponse()
        said = (answer.status, answer.read().decode() + str(answer.getheaders()))
        connection.close()
        return said

    def clients(self, gateway):
        connection = http.client.HTTPConnection("127.0.0.1", gateway, timeout=20)
        headers = {"Authorization": f"Bearer {SECRETS['a client' + chr(39) + 's Authorization']}",
                   "Cookie": f"session={SECRETS['a client' + chr(39) + 's cookie']}"}
        for target in ("/", "/no/such/path", f"/?key={SECRETS['a client' + chr(39) + 's query']}"):
            connection.request("POST", target, headers=headers,
                               body=SECRETS["a client's body"])
            connection.getresponse().read()
        connection.close()

    def stream(self, admin, lines):
        from admin import LocalConnection
        connection = LocalConnection(admin.path)
        connection.request("GET", "/api/v1/stream", headers={"Last-Event-ID": "0"})
        answer = connection.getresponse()
        self.addCleanup(connection.close)

        def read():
            try:
                for line in answer:
                    lines.append(line)
            except (OSError, ValueError):
                pass
        threading.Thread(target=read, daemon=True).start()

    def everything_said(self, headroom, admin):
        """All that the API and the command line answer, by what was asked."""
        targets = ["/", "/healthz", "/readyz", "/metrics", "/api/v1/autoscalers",
                   "/api/v1/autoscalers/shop", "/api/v1/autoscalers/shop/history",
                   "/api/v1/decisions?limit=1000", "/api/v1/events?limit=1000"]
        for decision in admin.get("/api/v1/decisions?limit=1000").json()["decisions"]:
            targets.append(f"/api/v1/decisions/{decision['id']}")
        for replica in admin.get("/api/v1/autoscalers/shop").json()["instances"]:
            targets.append(f"/api/v1/autoscalers/shop/replicas/{replica['id']}/output")
        said = {target: admin.get(target).body for target in targets}
        for verb in (["status"], ["status", "-o", "json"], ["events"], ["explain", "shop"],
                     ["explain", "shop", "-o", "json"], ["logs", "shop"]):
            done = subprocess.run([HEADROOM, *verb, "--journal", headroom.journal],
                                  capture_output=True, timeout=30)
            said["headroom " + " ".join(verb)] = done.stdout + done.stderr
        return said

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_none_is_in_the_log_the_journal_or_an_answer(self):
        file = self.write("shop.yaml", self.document())
        token = self.write("token", SECRETS["the admin's token"] + "\n")
        os.chmod(token, 0o600)
        certificate, key = self.certificate()
        port = free_port()
        headroom = self.run_headroom(
            "-v", "--admin", f"0.0.0.0:{port}", "--admin-token-file", token,
            "--admin-certificate", certificate, "--admin-key", key, file,
            env={"HEADROOM_SECRET": SECRETS["one that came from Headroom's environment"],
                 "PROBE_SECRET": SECRETS["a probe's header"],
                 "REFUSED_SECRET": SECRETS["a password in a document that is refused"] + "\n"})
        headroom.wait_for("ready after")
        admin = Admin(headroom.journal)
        streamed = []
        self.stream(admin, streamed)
        shop = "/api/v1/autoscalers/shop"

        # Tokens, right and wrong, and what comes with them.
        answers = [
            self.ask(port, shop),
            self.ask(port, shop, SECRETS["a wrong token that was tried"]),
            self.ask(port, f"{shop}?token={SECRETS['a wrong token that was tried']}",
                     SECRETS["a wrong token that was tried"]),
            self.ask(port, f"{shop}/scale", SECRETS["the admin's token"], '{"replicas": 99}'),
            self.ask(port, f"{shop}/scale", SECRETS["the admin's token"], '{"replicas": 2}'),
        ]
        self.assertEqual([status for status, _ in answers], [401, 401, 401, 400, 200])
        self.clients(headroom.port())

        # Files that change: a short token, a good one, no certificate, a document that is refused.
        self.write("token", SECRETS["a token that is too short"] + "\n")
        headroom.wait_for("not taken, the token from before goes on")
        self.write("token", SECRETS["the token after it"] + "\n")
        headroom.wait_for("the token was read again, taken")
        self.assertEqual(self.ask(port, shop, SECRETS["the admin's token"])[0], 401)
        answers.append(self.ask(port, shop, SECRETS["the token after it"]))
        self.assertEqual(answers[-1][0], 200)
        with open(key) as text:
            key_text = text.read()
        self.write("cert.pem", key_text)
        headroom.wait_for("not taken, the certificate from before goes on")
        self.assertEqual(self.ask(port, "/healthz")[0], 200)
        self.write("shop.yaml", self.document().replace("$(PROBE_SECRET)", "$(REFUSED_SECRET)")
                   .replace("minReplicas: 1", "minReplicas: $(REFUSED_SECRET)"))
        headroom.wait_for("not taken; what ran before goes on")
        self.assertRegex(headroom.log(), r"minReplicas: found \$\(REFUSED_SECRET\) \(21 char")
        self.write("shop.yaml", self.document("        MORE: more\n"))
        headroom.wait_for("changed, taken")
        self.assertEqual(admin.ask("PUT", "/api/v1/log", {"level": "debug"}).status, 200)
        # Replicas crash, and their end is told; of one that is being replaced it would not be.
        self.assertTrue(eventually(lambda: headroom.log().count(" gone\n") == 2))
        os.kill(headroom.replicas()[0], signal.SIGKILL)
        headroom.wait_for("replica .* (killed|ended|exited|signal)")
        self.assertTrue(eventually(
            lambda: admin.get("/api/v1/autoscalers/shop/history").json()["samples"], 30))

        said = self.everything_said(headroom, admin)
        said["answers over TCP"] = "".join(text for _, text in answers)
        said["the stream"] = b"".join(list(streamed))
        self.assertGreater(len(said["the stream"]), 1000)
        self.assertEqual(headroom.terminate(), 0)
        said["the log"] = headroom.log()
        files = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if name in ("shop.yaml", "token", "key.pem", "cert.pem"):
                    continue  # where they were put
                with open(path, "rb") as content:
                    said[path] = content.read()
                files += 1
        self.assertGreaterEqual(files, 2, "the journal and the log")

        lines = [line for line in key_text.splitlines() if "-----" not in line]
        for what, text in said.items():
            with self.subTest(what):
                self.assertEqual(found_in(text), [])
                whole = text.decode(errors="replace") if isinstance(text, bytes) else text
                self.assertFalse([line for line in lines if line and line in whole], "of the key")
        print(f"secrets: {len(SECRETS)} of them in none of {len(said)} logs, files and answers")

    def test_print_shows_the_document_and_a_refusal_hides_its_values(self):
        secret = SECRETS["one given by a flag"]
        flags = ["run", "--env", f"PASSWORD={secret}"]
        shown = subprocess.run([HEADROOM, *flags, "--print", "--", "./server", "$(PORT)"],
                               capture_output=True, text=True, timeout=30)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        # The document is what is asked for: it has its values, and nothing else has them.
        self.assertEqual(re.findall(rf".*{secret}.*", shown.stdout + shown.stderr),
                         [f"        PASSWORD: {secret}"])
        refused = subprocess.run([HEADROOM, *flags, "--window", "1s", "--", "./server", "$(PORT)"],
                                 capture_output=True, text=True, timeout=30)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("PASSWORD: ", refused.stderr)
        self.assertEqual(found_in(refused.stdout + refused.stderr), [], "a unit's log has it")


if __name__ == "__main__":
    unittest.main()
