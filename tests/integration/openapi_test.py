"""The admin server answers as openapi.json says: every path and method, every schema."""

import json
import os
import re
import unittest

from admin import Admin
from harness import Case, document, eventually

try:
    import jsonschema
except ImportError:
    jsonschema = None

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def documented(document):
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


class Checker:
    """Holds answers to the document, and remembers which operations and statuses it has seen."""

    def __init__(self, test, document):
        self.test, self.document, self.seen = test, document, set()

    def resolve(self, value):
        while "$ref" in value:
            at = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            value = at
        return value

    def operation(self, method, target):
        path = target.split("?")[0]
        for template, item in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                if method.lower() in item:
                    return template, item[method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")

    def check(self, method, target, answer, request=None):
        template, operation = self.operation(method, target)
        responses = operation["responses"]
        self.test.assertIn(str(answer.status), responses, f"{method} {target}: {answer.body[:500]}")
        self.seen.add((method, template, answer.status))
        content = self.resolve(responses[str(answer.status)]).get("content", {})
        if not content:
            return
        kind = answer.headers["Content-Type"].split(";")[0]
        self.test.assertIn(kind, content)
        if kind == "application/json":
            self.valid(content[kind]["schema"], answer.json())

    def valid(self, schema, value):
        # The references are into the document, so that is what they are resolved in.
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


@unittest.skipUnless(jsonschema, "python3-jsonschema is not installed: scripts/packages.sh test")
class OpenApi(Case):
    def setUp(self):
        super().setUp()
        self.headroom = self.service("--min", "1", "--max", "3", "--admin", "none",
                                     "--objective", "100ms@p99",
                                     service=("--wait", "5ms"))
        self.headroom.wait_for("ready after")
        self.admin = Admin(self.headroom.journal)
        self.assertTrue(eventually(lambda: self.admin.get("/readyz").status == 200))
        self.document = self.admin.get("/openapi.json").json()
        self.checker = Checker(self, self.document)

    def ask(self, method, target, status, body=None, **headers):
        answer = self.admin.ask(method, target, body, headers)
        self.assertEqual(answer.status, status, f"{method} {target}: {answer.body[:500]}")
        self.checker.check(method, target, answer)
        return answer

    def test_the_schemas_are_schemas(self):
        for name, schema in self.document["components"]["schemas"].items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)
        with self.assertRaises(jsonschema.ValidationError):
            self.checker.valid({"$ref": "#/components/schemas/Ready"}, {"ready": 1, "reasons": []})

    def test_the_decision_in_the_documentation_is_like_a_real_one(self):
        with open(os.path.join(ROOT, "docs", "api.md")) as file:
            text = re.search(r"^Decision:\n\n((?:    .*\n)+)", file.read(), re.M)[1]
        shown = json.loads(re.sub("//.*", "", text).replace(": …", ": 0"))
        (said,) = shown["steps"]

        def real():
            newest = self.admin.get("/api/v1/autoscalers/cpp-service").json()["decision"]
            return [(newest, step) for step in newest["steps"] if step["code"] == said["code"]]
        ((decision, step),) = eventually(real)
        self.assertEqual(shown.keys(), decision.keys())
        self.assertEqual(said.keys(), step.keys())
        self.assertEqual(said["inputs"].keys(), step["inputs"].keys())
        self.assertEqual(shown["conditions"][0].keys(), decision["conditions"][0].keys())
        self.assertEqual(shown["reason"], said["text"])

    def test_all_is_answered_as_it_says(self):
        load = self.load(self.headroom.url(), "--closed", "4", "--requests", "2000")
        shop = "/api/v1/autoscalers/cpp-service"
        for target in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json",
                       "/api/v1/autoscalers", shop):
            self.ask("GET", target, 200)
        self.ask("GET", "/metrics", 200, Accept="application/openmetrics-text")
        etag = self.ask("GET", "/openapi.json", 200).headers["ETag"]
        self.ask("GET", "/openapi.json", 304, **{"If-None-Match": etag})
        self.ask("POST", f"{shop}/scale", 200, {"replicas": 2, "forMs": 60000})
        self.ask("POST", f"{shop}/scale", 400, {"replicas": 99})
        self.ask("POST", f"{shop}/scale", 400, {})
        self.ask("POST", f"{shop}/scale", 415, "{}", **{"Content-Type": "text/plain"})
        self.ask("POST", f"{shop}/scale", 413, "x" * 70000)
        self.ask("POST", "/api/v1/autoscalers/none/scale", 404, {"replicas": 1})
        self.ask("POST", f"{shop}/pause", 200, {"forMs": 60000})
        held = self.ask("GET", shop, 200).json()
        self.assertEqual(held["hold"]["why"], "paused")
        self.ask("POST", f"{shop}/resume", 200, {})
        self.ask("POST", f"{shop}/resume", 409, {})
        self.ask("PUT", "/api/v1/log", 200, {"level": "info"})
        self.ask("PUT", "/api/v1/log", 400, {"level": "loud"})
        self.ask("GET", "/api/v1/log", 200)

        load.result()
        self.assertTrue(eventually(lambda: self.admin.get(shop).json()["latency"]), "of the load")
        self.assertTrue(eventually(  # the newest look is up to 250 ms old
            lambda: self.admin.get(shop).json()["objective"]["total"]["requests"] >= 2000))
        objective = self.ask("GET", shop, 200).json()["objective"]
        self.assertEqual((objective["latencyMs"], objective["percentile"]), (100, 99))
        self.assertEqual(objective["total"]["requests"], 2000)
        self.assertGreater(objective["recent"]["share"], 0.5)
        rescales = self.ask("GET", "/api/v1/decisions?rescales=true", 200).json()["decisions"]
        self.assertTrue(rescales)
        one = self.ask("GET", f"/api/v1/decisions/{rescales[0]['id']}", 200).json()
        self.assertEqual(one["observation"]["unixMillis"], one["unixMs"])
        self.ask("GET", "/api/v1/decisions/999999", 404)
        self.ask("GET", "/api/v1/decisions?autoscaler=cpp-service&limit=3", 200)
        self.ask("GET", "/api/v1/decisions?limit=0", 400)
        events = self.ask("GET", "/api/v1/events", 200).json()["events"]
        kinds = {event["kind"] for event in events}
        self.assertLessEqual({"rescale", "ready", "operator"}, kinds)
        first = self.ask("GET", "/api/v1/events?after=0&limit=1", 200).json()["events"]
        self.assertEqual(first[0]["id"], min(event["id"] for event in events))
        self.ask("GET", "/api/v1/events?after=x", 400)
        self.assertTrue(eventually(lambda: self.admin.get(f"{shop}/history").json()["samples"], 30))
        sample = self.ask("GET", f"{shop}/history", 200).json()["samples"][0]
        self.assertEqual(sample["target"], {"value": 70, "of": "concurrency"})
        self.assertEqual(sample["objective"]["latencyMs"], 100)
        self.ask("GET", f"{shop}/history?since=2&until=1", 400)
        self.ask("GET", "/api/v1/autoscalers/none/history", 404)
        replica = self.ask("GET", shop, 200).json()["instances"][0]["id"]
        self.ask("GET", f"{shop}/replicas/{replica}/output", 200)
        self.ask("GET", f"{shop}/replicas/{replica}/output?after=x", 400)
        self.ask("GET", f"{shop}/replicas/999/output", 404)
        self.ask("GET", "/api/v1/autoscalers/none", 404)
        self.stream()

        answered = {(method, path) for method, path, status in self.checker.seen if status == 200}
        self.assertEqual(documented(self.document), answered, "what is documented was all tried")

    def stream(self):
        """The first status and the first event, each as its schema says."""
        from admin import LocalConnection, Answer
        import json
        connection = LocalConnection(self.admin.path)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/stream", headers={"Last-Event-ID": "0"})
        answer = connection.getresponse()
        self.checker.check("GET", "/api/v1/stream",
                           Answer(answer.status, dict(answer.getheaders()), b""))
        schemas, fields = {"status": "Autoscalers", "event": "Event"}, {}
        while schemas:
            line = answer.readline().decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
                continue
            if fields.get("event") in schemas:
                schema = schemas.pop(fields["event"])
                value = json.loads(fields["data"])
                self.checker.valid({"$ref": f"#/components/schemas/{schema}"}, value)
                if schema == "Event":
                    self.assertEqual(fields["id"], str(value["id"]))
            fields = {}

    def test_a_document_that_is_refused(self):
        shop = document(least=1)
        headroom = self.run_headroom("--admin", "none", self.write("shop.yaml", shop),
                                     journal=os.path.join(self.folder, "of-shop", "journal.db"))
        headroom.wait_for("ready after")
        admin = Admin(headroom.journal)
        self.write("shop.yaml", shop.replace("minReplicas", "minReplica"))
        target = "/api/v1/autoscalers"
        why = eventually(lambda: admin.get(target).json().get("documentRefused"))
        self.assertRegex(why, r'/shop\.yaml:\d+:3: unknown field "minReplica"')
        self.checker.check("GET", target, admin.get(target))

    def test_what_it_does_not_say_is_not_answered(self):
        for path, item in self.document["paths"].items():
            target = path.replace("{name}", "cpp-service").replace("{id}", "1")
            for method in METHODS:
                if method.lower() in item:
                    continue
                with self.subTest(f"{method} {path}"):
                    answer = self.admin.ask(method, target, {})
                    self.assertEqual(answer.status, 405)
                    allowed = {each.strip() for each in answer.headers["Allow"].split(",")}
                    self.assertEqual(allowed - {"HEAD"}, {each.upper() for each in item})


if __name__ == "__main__":
    unittest.main()
