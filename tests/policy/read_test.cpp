#include "policy/read.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "policy/document.h"

namespace headroom::policy {
namespace {

TEST(Read, TakesTheWholeDocument) {
  const auto read_text = read(R"(apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: { name: shop }
spec:
  target:
    process:
      command: [./shop, --port, $(PORT), 5]
      workingDirectory: /srv
      env: { A: "1", B: 2, C: true }
      readinessProbe: { httpGet: { path: /readyz, port: 81 }, periodSeconds: 1 }
      startTimeout: 90
      resources: { requests: { cpu: 1.5, memory: 1Gi } }
      output: { to: files, maxBytes: 1Mi }
  gateway:
    listen: "[::1]:8080"
    trustedProxies: [10.0.0.0/8]
    forwarded: true
    hold: { maxBytes: 4096, timeout: 1m30s, noWake: [/healthz] }
  minReplicas: 0
  maxReplicas: 8
  cooldownPeriod: 300
  concurrency: { metric: rps, target: 12.5, metricAggregationAlgorithm: weighted-exponential }
  metrics:
    - type: Resource
      resource: { name: memory, target: { type: AverageValue, averageValue: 100Mi } }
  behavior:
    scaleUp: { selectPolicy: Disabled }
    scaleDown: { tolerance: 0.05, policies: [ { type: Percent, value: 10, periodSeconds: 60 } ] }
)");
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  ASSERT_EQ(read_text->size(), 1U);
  const auto& a = read_text->front();
  EXPECT_EQ(a.name, "shop");
  const auto& process = a.target.process;
  EXPECT_EQ(process.command, (std::vector<std::string>{"./shop", "--port", "$(PORT)", "5"}));
  EXPECT_EQ(process.env,
            (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}, {"C", "true"}}));
  EXPECT_EQ(process.readiness_probe->http_get->port, 81);
  EXPECT_EQ(process.readiness_probe->period, 1s);
  EXPECT_EQ(process.readiness_probe->timeout, 1s) << "Kubernetes' default";
  EXPECT_EQ(process.start_timeout, 90s) << "a bare number is seconds";
  EXPECT_EQ(process.resources.requests.cpu, Quantity{1500});
  EXPECT_EQ(process.output.to, Output::To::files);
  EXPECT_EQ(process.output.max_bytes, 1 << 20);
  EXPECT_EQ(a.gateway->listen, "[::1]:8080");
  EXPECT_FALSE(a.gateway->unix_sockets);
  EXPECT_EQ(a.gateway->hold.timeout, 90s);
  EXPECT_EQ(a.min_replicas, Replicas{0});
  EXPECT_EQ(a.max_replicas, Replicas{8});
  EXPECT_EQ(a.concurrency->target, 12.5);
  EXPECT_EQ(a.concurrency->metric_aggregation_algorithm,
            Concurrency::Aggregation::weighted_exponential);
  ASSERT_EQ(a.metrics.size(), 1U);
  EXPECT_EQ(a.metrics[0].target.average_value, Quantity{100LL * 1024 * 1024 * 1000});
  EXPECT_EQ(a.behavior->scale_up->select_policy, ScalingRules::Select::disabled);
  EXPECT_EQ(a.behavior->scale_down->policies[0].period, 60s);
  EXPECT_EQ(a.behavior->scale_down->stabilization_window, std::nullopt) << "not said is not 0";
}

TEST(Read, FillsInWhatToScaleBy) {
  struct Case {
    const char* why;
    std::string text;
    bool concurrency;
    std::size_t metrics;
  };
  const std::string cpu =
      "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, "
      "averageUtilization: 50}}}]\n";
  const Case cases[] = {
      {"a gateway: Knative's defaults", document(), true, 0},
      {"no gateway: HPA's", document("", ""), false, 1},
      {"metrics alone", document(cpu), false, 1},
      {"both", document(cpu + "  concurrency: {}\n"), true, 1},
      {"an empty list of metrics says nothing", document("  metrics: []\n"), true, 0},
  };
  for (const auto& [why, text, concurrency, metrics] : cases) {
    SCOPED_TRACE(why);
    const auto read_text = read(text);
    ASSERT_TRUE(read_text) << to_string(read_text.error());
    EXPECT_EQ(read_text->front().concurrency.has_value(), concurrency);
    EXPECT_EQ(read_text->front().metrics.size(), metrics);
  }
  const auto hpa = read(document("", ""));
  EXPECT_EQ(hpa->front().metrics[0].target.average_utilization, 80);
}

TEST(Read, JsonIsYaml) {
  const auto read_text = read(R"({
  "apiVersion": "headroom.dev/v1alpha1", "kind": "Autoscaler", "metadata": {"name": "shop"},
  "spec": {
	"target": {"process": {"command": ["./shop", "--title", "a \"b\" \u00e9\n"]}},
    "gateway": {"listen": ":8080", "forwarded": false},
    "minReplicas": 0, "maxReplicas": 8, "concurrency": {"target": 1e1}
  }
})");
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  EXPECT_EQ(read_text->front().target.process.command[2], "a \"b\" é\n");
  EXPECT_EQ(read_text->front().concurrency->target, 10);
}

TEST(Read, EachEscapeIsItsCharacter) {
  const auto read_text = read(R"({"apiVersion": "headroom.dev/v1alpha1", "kind": "Autoscaler",
    "metadata": {"name": "shop"}, "spec": {"gateway": {}, "maxReplicas": 1, "target": {"process":
    {"command": ["./shop", "a\Nb\_\xE9\N", "\L\P\x85\u263A"]}}}})");
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  const auto& command = read_text->front().target.process.command;
  EXPECT_EQ(command[1], "a\u0085b\u00A0\u00E9\u0085");
  EXPECT_EQ(command[2], "\u2028\u2029\u0085\u263A");
  const auto again = read(write_document(read_text->front()));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->front(), read_text->front());
}

TEST(Read, SeveralDocuments) {
  const auto one = document();
  const std::string other = R"(apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: {name: worker}
spec: {target: {process: {command: [./worker]}}, maxReplicas: 0, minReplicas: 1}
)";
  const auto held = other.substr(0, other.find("maxReplicas")) + "maxReplicas: 2}\n";
  const auto read_text = read("---\n---\n" + one + "---\n# nothing\n---\n" + held + "...\n");
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  ASSERT_EQ(read_text->size(), 2U);
  EXPECT_EQ((*read_text)[1].name, "worker");
  EXPECT_EQ(
      wrong_with(one + "---\n" + one),
      "a.yaml:11:18: name: found \"shop\" again, expected another name than the document on line "
      "1\n"
      "a.yaml:14:12: listen: found \":8080\", expected another address than \":8080\" of shop");
}

TEST(Read, ListeningTwice) {
  struct Case {
    const char* why;
    const char *one, *other;
    bool refused;
  };
  const Case cases[] = {
      {"the same", "127.0.0.1:80", "127.0.0.1:80", true},
      {"all addresses hold each", ":80", "127.0.0.1:80", true},
      {"the same port in another spelling", ":080", "localhost:80", true},
      {"another port", ":80", ":81", false},
      {"another address", "127.0.0.1:80", "127.0.0.2:80", false},
      {"all of IPv4 hold none of IPv6", "0.0.0.0:80", "[::1]:80", false},
      {"the kernel chooses", ":0", ":0", false},
      {"the same socket", "unix:/run/a", "unix:/run/a", true},
      {"another socket", "unix:/run/a", "unix:/run/b", false},
  };
  for (const auto& [why, one, other, refused] : cases) {
    SCOPED_TRACE(why);
    const auto gateway = [](const std::string& listen) {
      return "gateway: {listen: '" + listen + "'}";
    };
    auto second = document("", gateway(other));
    second.replace(second.find("name: shop"), 10, "name: other");
    EXPECT_EQ(!read(document("", gateway(one)) + "---\n" + second), refused);
  }
}

TEST(Read, PutsVariablesIn) {
  struct Case {
    const char* why;
    std::string process;
    std::vector<std::string> command;
  };
  const Case cases[] = {
      {"a variable", "[a, $(WORD)]", {"a", "hello"}},
      {"inside of a text, several", "[a, 'x$(WORD)y$(MIN)']", {"a", "xhelloy3"}},
      {"an empty one", "[a, $(EMPTY)]", {"a", ""}},
      {"a literal", "[a, $$(WORD)]", {"a", "$(WORD)"}},
      {"a literal of a literal", "[a, $$$(WORD)]", {"a", "$$(WORD)"}},
      {"other dollars stay",
       "[a, '$', '$$', '$WORD', '${WORD}', '$(', '$(ls -l)', '$()', '$(A$(WORD)']",
       {"a", "$", "$$", "$WORD", "${WORD}", "$(", "$(ls -l)", "$()", "$(Ahello"}},
      {"what was put in is not looked at again", "[a, $(SELF)]", {"a", "$(SELF)"}},
      {"each replica gets its own",
       "[a, $(PORT), $(SOCKET), $$(PORT)]",
       {"a", "$(PORT)", "$(SOCKET)", "$$(PORT)"}},
      {"a list stays a text", "[a, $(LIST)]", {"a", "[a, b]"}},
  };
  for (const auto& [why, command, expected] : cases) {
    SCOPED_TRACE(why);
    auto text = document();
    text.replace(text.find("[./shop]"), 8, command);
    const auto read_text = read(text);
    ASSERT_TRUE(read_text) << to_string(read_text.error());
    EXPECT_EQ(read_text->front().target.process.command, expected);
  }
}

TEST(Read, PutsVariablesIntoEveryValue) {
  auto text = document("  minReplicas: \"$(MIN)\"\n  cooldownPeriod: $(MIN)0s\n",
                       "gateway: {listen: ':80$(PORT)', forwarded: $(FLAG)}");
  text.replace(text.find("shop"), 4, "$(NAME)");
  const auto read_text = read(text);
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  const auto& a = read_text->front();
  EXPECT_EQ(a.name, "web");
  EXPECT_EQ(a.min_replicas, Replicas{3}) << "a number, though JSON needs the quotes";
  EXPECT_EQ(a.cooldown_period, 30s);
  EXPECT_EQ(a.gateway->listen, ":801")
      << "outside of the process PORT is a variable like any other";
  EXPECT_TRUE(a.gateway->forwarded);
  EXPECT_EQ(
      wrong_with(document("  minReplicas: $(WORD)\n")),
      "a.yaml:8:16: minReplicas: found $(WORD) (5 characters, which may be secret), expected a "
      "whole number from 0 to 10000")
      << "what it is stays in the environment";
}

TEST(Read, WordsInAnySpellingThatYamlHas) {
  for (const char* yes : {"true", "True", "TRUE"}) {
    const auto read_text = read(document("", "gateway: {forwarded: " + std::string(yes) + "}"));
    ASSERT_TRUE(read_text) << to_string(read_text.error());
    EXPECT_TRUE(read_text->front().gateway->forwarded);
  }
  for (const char* no : {"false", "False", "FALSE"}) {
    const auto read_text = read(document("", "gateway: {forwarded: " + std::string(no) + "}"));
    ASSERT_TRUE(read_text) << to_string(read_text.error());
    EXPECT_FALSE(read_text->front().gateway->forwarded);
  }
  const auto plus = read(document("  minReplicas: +2\n"));
  ASSERT_TRUE(plus) << to_string(plus.error());
  EXPECT_EQ(plus->front().min_replicas, Replicas{2});
  const auto scheme = read([] {
    auto text = document();
    return text.replace(text.find("{command: [./shop]}"), 19,
                        "{command: [a], readinessProbe: {httpGet: {scheme: HTTP}}}");
  }());
  EXPECT_TRUE(scheme) << to_string(scheme.error());
}

TEST(Read, AKindFromTheEnvironment) {
  auto text = document();
  text.replace(text.find("Autoscaler"), 10, "$(KIND)");
  EXPECT_TRUE(read(text));
  text.replace(text.find("$(KIND)"), 7, "$(WORD)");
  EXPECT_EQ(wrong_with(text), "a.yaml:2:7: kind: found \"hello\", expected \"Autoscaler\"");
}

TEST(Read, WithoutAnEnvironmentThereIsNoVariable) {
  const auto read_text = read_documents(document("  minReplicas: $(MIN)\n"), "a.yaml", {});
  ASSERT_FALSE(read_text);
  EXPECT_TRUE(read_text.error().what.starts_with("minReplicas: found $(MIN), expected"));
}

TEST(Read, ZeroIsWokenByTriggersAndMetricsFromOutside) {
  for (const char* wakes :
       {"triggers: [{type: cron, metadata: {}}]",
        "metrics: [{type: External, external: {metric: {name: q}, target: {type: Value, value: "
        "1}}}]",
        "metrics: [{type: Object, object: {describedObject: {kind: Ingress, name: a}, metric: "
        "{name: q}, target: {type: Value, value: 1}}}]"}) {
    const auto read_text = read(
        "apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: {name: a}\nspec: "
        "{target: {scaleTargetRef: {kind: Deployment, name: a}}, minReplicas: 0, maxReplicas: "
        "2, " +
        std::string(wakes) + "}\n");
    EXPECT_TRUE(read_text) << to_string(read_text.error());
  }
}

TEST(Read, UnixSocketsWhereTheCommandNamesOne) {
  struct Case {
    const char* why;
    const char* process;
    bool expected;
  };
  const Case cases[] = {
      {"not named", "{command: [a]}", false},
      {"in the command", "{command: [a, --socket=$(SOCKET)]}", true},
      {"in the environment", "{command: [a], env: {S: $(SOCKET)}}", true},
      {"a literal", "{command: [a, $$(SOCKET)]}", false},
  };
  for (const auto& [why, process, expected] : cases) {
    SCOPED_TRACE(why);
    auto text = document();
    text.replace(text.find("{command: [./shop]}"), 19, process);
    const auto read_text = read(text);
    ASSERT_TRUE(read_text) << to_string(read_text.error());
    EXPECT_EQ(read_text->front().gateway->unix_sockets, expected);
  }
}

TEST(Read, HoldsAtZero) {
  auto text = document("  minReplicas: 0\n");
  text.replace(text.find("maxReplicas: 8"), 14, "maxReplicas: 0");
  const auto read_text = read(text);
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  EXPECT_EQ(read_text->front().max_replicas, Replicas{0});
}

TEST(Read, AliasesAreTheNodesThatTheyName) {
  auto text = document();
  text.replace(text.find("{command: [./shop]}"), 19,
               "{command: [./shop], readinessProbe: &p {tcpSocket: {}}, livenessProbe: *p}");
  const auto read_text = read(text);
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  EXPECT_EQ(read_text->front().target.process.liveness_probe,
            read_text->front().target.process.readiness_probe);
}

TEST(Read, SaysEverythingAtOnceInTheOrderOfTheText) {
  EXPECT_EQ(
      wrong_with(R"(apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: { name: Shop }
spec:
  target:
    process:
      comand: [./shop]
  minReplicas: -1
  maxReplicas: many
  gateway: { listen: 8080 }
)"),
      "a.yaml:3:19: name: found \"Shop\", expected a DNS label such as shop-1 (a-z, 0-9, -; at "
      "most 63)\n"
      "a.yaml:7:7: unknown field \"comand\", did you mean \"command\"?\n"
      "a.yaml:7:7: command: found nothing, expected a list of 1 to 1000\n"
      "a.yaml:8:16: minReplicas: found \"-1\", expected a whole number from 0 to 10000\n"
      "a.yaml:9:16: maxReplicas: found \"many\", expected a whole number from 0 to 10000\n"
      "a.yaml:10:22: listen: found \"8080\", expected an address such as :8080, localhost:8080, "
      "[::1]:8080 or unix:/path");
}

TEST(Read, SaysTwentyThingsAtMost) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "  field" + std::to_string(i) + ": 1\n";
  const auto message = wrong_with(document(many));
  EXPECT_EQ(std::ranges::count(message, '\n'), 19) << message;
}

TEST(Read, ColumnsAreCharacters) {
  EXPECT_EQ(
      wrong_with(document("  cooldownPeriod: \"é€\"\n  behavior: {\"ü\": 1, tolerance: 2}\n")),
      "a.yaml:8:19: cooldownPeriod: found \"é€\", expected a duration from 0s to 30d\n"
      "a.yaml:9:14: unknown field \"ü\", expected one of scaleUp or scaleDown\n"
      "a.yaml:9:22: unknown field \"tolerance\", expected one of scaleUp or scaleDown");
}

}  // namespace
}  // namespace headroom::policy
