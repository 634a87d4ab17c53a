#include <string>

#include <gtest/gtest.h>

#include "policy/document.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

struct RefusedCase {
  const char* why;
  std::string text;
  const char* message;
};

void expect_refused(const RefusedCase& refused) {
  SCOPED_TRACE(refused.why);
  EXPECT_EQ(wrong_with(refused.text), std::string("a.yaml:") + refused.message) << refused.text;
}

/// A document whose process says this.
std::string process(const std::string& what) {
  auto text = document();
  return text.replace(text.find("{command: [./shop]}"), 19, what);
}
std::string probe(const std::string& what) {
  return process("{command: [a], readinessProbe: " + what + "}");
}
std::string gateway(const std::string& what) { return document("", "gateway: " + what); }
std::string metric(const std::string& what) { return document("  metrics: [" + what + "]\n"); }
std::string cpu_target(const std::string& what) {
  return metric("{type: Resource, resource: {name: cpu, target: " + what + "}}");
}

std::string target(const std::string& what, const std::string& gateway_line) {
  auto text = document("", gateway_line);
  return text.replace(text.find("{process: {command: [./shop]}}"), 30, what);
}

TEST(Refused, DocumentsOfAnotherKind) {
  const RefusedCase cases[] = {
      {"nothing at all", "", "1:1: found no document, expected at least one Autoscaler"},
      {"comments only", "# later\n---\n",
       "1:1: found no document, expected at least one Autoscaler"},
      {"a text", "hello\n", "1:1: document: found \"hello\", expected a map with kind: Autoscaler"},
      {"a list", "- 1\n", "1:1: document: found a list, expected a map with kind: Autoscaler"},
      {"another kind says just that", "apiVersion: v1\nkind: Service\nspec: {ports: []}\n",
       "1:13: apiVersion: found \"v1\", expected \"headroom.dev/v1alpha1\"\n"
       "a.yaml:2:7: kind: found \"Service\", expected \"Autoscaler\""},
      {"kinds that are no texts, or not known", "apiVersion: [a]\nkind: $(NOPE)\n",
       "2:7: kind: found $(NOPE), expected a variable of the environment (a literal $(NOPE) is "
       "written $$(NOPE))"},
      {"empty", "{}\n",
       "1:1: apiVersion: found nothing, expected \"headroom.dev/v1alpha1\"\n"
       "a.yaml:1:1: kind: found nothing, expected \"Autoscaler\"\n"
       "a.yaml:1:1: metadata: found nothing, expected fields as name: value\n"
       "a.yaml:1:1: spec: found nothing, expected fields as name: value"},
      {"a level that is none",
       "apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: shop\nspec:\n",
       "1:1: spec: found nothing, expected fields as name: value\n"
       "a.yaml:3:11: metadata: found \"shop\", expected fields as name: value"},
  };
  for (const auto& refused : cases) expect_refused(refused);
}

TEST(Refused, Texts) {
  const RefusedCase cases[] = {
      {"no YAML", "a: [1\n", "2:1: found no valid YAML: end of sequence flow not found"},
      {"a tab as indentation", "a:\n\tb: 1\n", "2:3: found no valid YAML: illegal map value"},
      {"the first documents' problems are said, too", "kind: A\n---\n\"a",
       "1:7: kind: found \"A\", expected \"Autoscaler\"\n"
       "a.yaml:3:3: found no valid YAML: illegal EOF in scalar"},
      {"a field twice", document("  maxReplicas: 9\n"),
       "8:3: found \"maxReplicas\" again, expected it once (it is on line 7)"},
      {"a name that is no text", document("  [a]: 9\n"),
       "8:3: found no text as a name, expected \"name: value\""},
      {"no name", document("  ~: 9\n"), "8:3: found no text as a name, expected \"name: value\""},
      {"an unknown alias", document("  minReplicas: *a\n"),
       "8:16: found no valid YAML: the referenced anchor is not defined"},
      {"an alias of itself", document("  behavior: &a {scaleUp: *a}\n"),
       "8:26: found an alias of what it stands in, expected an alias of something before"},
      {"merging", document("  behavior: {<<: {}}\n"),
       "8:14: unknown field \"<<\", expected the fields themselves: merging is not supported, "
       "aliases are"},
      {"a tag", document("  minReplicas: !!binary aGVsbG8=\n"),
       "8:16: found the tag \"tag:yaml.org,2002:binary\", expected none\n"
       "a.yaml:8:16: minReplicas: found \"aGVsbG8=\", expected a whole number from 0 to 10000"},
      {"not UTF-8", "a: \xff\n",
       "1:4: found the byte 0xFF, expected UTF-8 without control characters"},
      {"UTF-16",
       std::string("\xff\xfe"
                   "a\0",
                   4),
       "1:1: found the byte 0xFF, expected UTF-8 without control characters"},
      {"what yaml-cpp takes for the end", "a: 1\nb: \x04\n",
       "2:4: found the byte 0x04, expected UTF-8 without control characters"},
      {"DEL", document("  # \x7f\n"),
       "8:5: found the byte 0x7F, expected UTF-8 without control characters"},
      {"a tag that says what is there", document("  minReplicas: !!int 1\n  maxReplicas: 0\n"),
       "9:3: found \"maxReplicas\" again, expected it once (it is on line 7)"},
      {"a tag that says something else", document("  minReplicas: !!map 1\n"),
       "8:16: found the tag \"tag:yaml.org,2002:map\", expected none"},
      {"a tag of one's own", document("  minReplicas: !one 1\n"),
       "8:16: found the tag \"!one\", expected none"},
      {"a text by its tag", document("  minReplicas: !!str 1\n"),
       "8:16: minReplicas: found the text \"1\", expected a whole number from 0 to 10000"},
      {"no name before a colon", document("  {: 9}\n"),
       "8:3: found no valid YAML: end of map not found"},
      {"a NUL in a text", process("{command: [\"a\\0b\"]}"),
       "5:32: command[0]: found \"a\\x00b\", expected text"},
  };
  for (const auto& refused : cases) expect_refused(refused);
}

TEST(Refused, FieldsThatAreNot) {
  const RefusedCase cases[] = {
      {"a slip", document("  minReplica: 1\n"),
       "8:3: unknown field \"minReplica\", did you mean \"minReplicas\"?"},
      {"the case counts", document("  minreplicas: 1\n"),
       "8:3: unknown field \"minreplicas\", did you mean \"minReplicas\"?"},
      {"nothing near", process("{command: [a], output: {colour: red}}"),
       "5:45: unknown field \"colour\", expected one of to, directory, maxBytes or maxFiles"},
      {"to come: forecast", document("  forecast: {season: 24h}\n"),
       "8:3: forecast: not supported yet by this version"},
      {"to come: grpc probes", probe("{grpc: {port: 1}}"),
       "5:53: grpc: not supported yet by this version"},
      {"to come: https probes", probe("{httpGet: {scheme: HTTPS}}"),
       "5:71: scheme: \"HTTPS\" is not supported yet by this version, expected \"HTTP\""},
      {"a protocol that is no text", probe("{httpGet: {scheme: [HTTP]}}"),
       "5:71: scheme: found a list, expected text"},
      {"another protocol", probe("{httpGet: {scheme: FTP}}"),
       "5:71: scheme: found \"FTP\", expected \"HTTP\""},
      {"a metric without a type", metric("{resource: {name: cpu}}"),
       "8:13: type: found nothing, expected Resource, ContainerResource, Pods, Object or External"},
      {"a type that is no text", metric("{type: [a]}"),
       "8:20: type: found a list, expected Resource, ContainerResource, Pods, Object or External"},
      {"a target without a type", cpu_target("{averageUtilization: 1}"),
       "8:60: type: found nothing, expected Utilization, Value or AverageValue"},
      {"a target of a type that is none", cpu_target("{type: Percent, averageUtilization: 1}"),
       "8:67: type: found \"Percent\", expected Utilization, Value or AverageValue"},
      {"a target that is none", cpu_target("50"),
       "8:60: target: found \"50\", expected fields as name: value"},
      {"a metric that is none", metric("cpu"),
       "8:13: metrics[0]: found \"cpu\", expected fields as name: value"},
      {"no metric at all", metric("{type: Resorce}"),
       "8:20: type: found \"Resorce\", expected Resource, ContainerResource, Pods, Object or "
       "External"},
      {"a kind without its level", metric("{type: Pods}"),
       "8:13: pods: found nothing, expected fields as name: value"},
      {"a level of another kind",
       metric("{type: Pods, pods: {metric: {name: a}, target: {type: AverageValue, "
              "averageValue: 1}}, external: {}}"),
       "8:110: external: found beside type Pods, expected what the type names only"},
  };
  for (const auto& refused : cases) expect_refused(refused);
}

TEST(Refused, ValuesOutOfBounds) {
  const RefusedCase cases[] = {
      {"no whole number", document("  minReplicas: 1.5\n"),
       "8:16: minReplicas: found \"1.5\", expected a whole number from 0 to 10000"},
      {"a text", document("  minReplicas: \"1\"\n"),
       "8:16: minReplicas: found the text \"1\", expected a whole number from 0 to 10000"},
      {"a list", document("  minReplicas: [1]\n"),
       "8:16: minReplicas: found a list, expected a whole number from 0 to 10000"},
      {"too many", document("  minReplicas: 99999999999999999999\n"),
       "8:16: minReplicas: found \"99999999999999999999\", expected a whole number from 0 to "
       "10000"},
      {"no number", document("  concurrency: {target: .inf}\n"),
       "8:25: target: found \".inf\", expected a number from 0.01 to 1000000000"},
      {"NaN", document("  concurrency: {target: nan}\n"),
       "8:25: target: found \"nan\", expected a number from 0.01 to 1000000000"},
      {"below Knative's least target", document("  concurrency: {target: 0.001}\n"),
       "8:25: target: found \"0.001\", expected a number from 0.01 to 1000000000"},
      {"a window below Knative's least", document("  concurrency: {window: 5s}\n"),
       "8:25: window: found \"5s\", expected a duration from 6s to 1h"},
      {"Knative's windows are whole seconds", document("  concurrency: {window: 6.5s}\n"),
       "8:25: window: found \"6.5s\", expected whole seconds"},
      {"an objective of what", document("  objective: {percentile: 99}\n"),
       "8:14: latency: found nothing, expected a duration from 1ms to 1h"},
      {"an objective that is no level", document("  objective: 100ms\n"),
       "8:14: objective: found \"100ms\", expected fields as name: value"},
      {"an objective of nothing", document("  objective: {latency: 0s}\n"),
       "8:24: latency: found \"0s\", expected a duration from 1ms to 1h"},
      {"below nothing", document("  objective: {latency: -1s}\n"),
       "8:24: latency: found \"-1s\", expected a duration from 1ms to 1h"},
      {"of no request", document("  objective: {latency: 1s, percentile: 0}\n"),
       "8:40: percentile: found \"0\", expected a number from 0.001 to 99.999"},
      {"of all of them: one slow request would break it for good",
       document("  objective: {latency: 1s, percentile: 100}\n"),
       "8:40: percentile: found \"100\", expected a number from 0.001 to 99.999"},
      {"a percentile as one says it", document("  objective: {latency: 1s, percentile: p99}\n"),
       "8:40: percentile: found \"p99\", expected a number from 0.001 to 99.999"},
      {"no word", document("  concurrency: {metric: cpu}\n"),
       "8:25: metric: found \"cpu\", expected concurrency or rps"},
      {"yes is not true", gateway("{forwarded: yes}"),
       "6:24: forwarded: found \"yes\", expected true or false"},
      {"an unknown variable for a flag", gateway("{forwarded: $(NOPE)}"),
       "6:24: forwarded: found $(NOPE), expected a variable of the environment (a literal $(NOPE) "
       "is written $$(NOPE))"},
      {"a list for a flag", gateway("{forwarded: []}"),
       "6:24: forwarded: found a list, expected true or false"},
      {"an unknown variable for a word", document("  concurrency: {metric: $(NOPE)}\n"),
       "8:25: metric: found $(NOPE), expected a variable of the environment (a literal $(NOPE) is "
       "written $$(NOPE))"},
      {"a quantity that is none", gateway("{hold: {maxBytes: x}}"),
       "6:30: maxBytes: found \"x\", expected bytes from 0 to 16Gi"},
      {"an amount that is none", process("{command: [a], resources: {requests: {cpu: x}}}"),
       "5:64: cpu: found \"x\", expected a quantity from 1m to 100k"},
      {"a number without an end", document("  concurrency: {target: inf}\n"),
       "8:25: target: found \"inf\", expected a number from 0.01 to 1000000000"},
      {"no number", document("  concurrency: {target: nan}\n"),
       "8:25: target: found \"nan\", expected a number from 0.01 to 1000000000"},
      {"two signs", document("  minReplicas: ++1\n"),
       "8:16: minReplicas: found \"++1\", expected a whole number from 0 to 10000"},
      {"too few seconds", process("{command: [a], terminationGracePeriodSeconds: -1}"),
       "5:67: terminationGracePeriodSeconds: found \"-1\", expected a whole number of seconds "
       "from 0 to 86400"},
      {"too many", process("{command: [a], terminationGracePeriodSeconds: 86401}"),
       "5:67: terminationGracePeriodSeconds: found \"86401\", expected a whole number of seconds "
       "from 0 to 86400"},
      {"a text for a level", document("  behavior: fast\n"),
       "8:13: behavior: found \"fast\", expected fields as name: value"},
      {"a list too long",
       gateway("{trustedProxies: [" +
               [] {
                 std::string all;
                 for (int i = 0; i < 1001; ++i) all += "a,";
                 return all;
               }() +
               "]}"),
       "6:29: trustedProxies: found a list of 1001, expected a list of 0 to 1000"},
      {"variables that are none", process("{command: [a], env: [A]}"),
       "5:41: env: found a list, expected at most 1000 as NAME: text"},
      {"more of them than there may be",
       process("{command: [a], env: {" +
               [] {
                 std::string all;
                 for (int i = 0; i < 1001; ++i) all += "A" + std::to_string(i) + ": a,";
                 return all;
               }() +
               "}}"),
       "5:41: env: found 1001, expected at most 1000 as NAME: text"},
      {"what may be secret is not said", process("{command: [a], env: {A: \"hush\\0\"}}"),
       "5:45: A: found a text (it may be secret), expected text"},
      {"nor what a header carries",
       probe("{httpGet: {httpHeaders: [{name: A, value: \"hush\\n\"}]}}"),
       "5:94: value: found a text (it may be secret), expected the value of a header"},
      {"a name of a variable that is no text", process("{command: [a], env: {[A]: b}}"),
       "5:42: found no text as a name, expected \"name: value\""},
      {"a socket of one's own", process("{command: [a], env: {SOCKET: a}}"),
       "5:42: env: found \"SOCKET\", expected another name: each replica gets its own of these"},
      {"labels that are none",
       metric("{type: External, external: {metric: {name: q, selector: {matchLabels: [a]}}, "
              "target: {type: Value, value: 1}}}"),
       "8:83: matchLabels: found a list, expected at most 1000 as name: text"},
      {"a label that is a list",
       metric("{type: External, external: {metric: {name: q, selector: {matchLabels: {a: [b]}}}, "
              "target: {type: Value, value: 1}}}"),
       "8:87: a: found a list, expected text"},
      {"a text is not true", gateway("{forwarded: \"true\"}"),
       "6:24: forwarded: found \"true\", expected true or false"},
      {"no bytes", gateway("{hold: {maxBytes: 1.0001Ki}}"),
       "6:30: maxBytes: found \"1.0001Ki\", expected bytes from 0 to 16Gi"},
      {"a whole number of seconds", process("{command: [a], terminationGracePeriodSeconds: 30s}"),
       "5:67: terminationGracePeriodSeconds: found \"30s\", expected a whole number of seconds "
       "from 0 to 86400"},
      {"HPA's longest window",
       document("  behavior: {scaleDown: {stabilizationWindowSeconds: 3601}}\n"),
       "8:54: stabilizationWindowSeconds: found \"3601\", expected a whole number of seconds from "
       "0 to 3600"},
      {"HPA's longest period",
       document(
           "  behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1801}]}}\n"),
       "8:73: periodSeconds: found \"1801\", expected a whole number of seconds from 1 to 1800"},
      {"a policy says all", document("  behavior: {scaleUp: {policies: [{type: Pods}]}}\n"),
       "8:35: value: found nothing, expected a whole number from 1 to 2147483647\n"
       "a.yaml:8:35: periodSeconds: found nothing, expected a whole number of seconds from 1 to "
       "1800"},
      {"no policy at all", document("  behavior: {scaleUp: {policies: []}}\n"),
       "8:34: policies: found a list of 0, expected a list of 1 to 100"},
      {"a port beyond", gateway("{listen: ':65536'}"),
       "6:21: listen: found \":65536\", expected an address such as :8080, localhost:8080, "
       "[::1]:8080 or "
       "unix:/path"},
      {"IPv6 without brackets", gateway("{listen: '::1:80'}"),
       "6:21: listen: found \"::1:80\", expected an address such as :8080, localhost:8080, "
       "[::1]:8080 or "
       "unix:/path"},
      {"too long a socket", gateway("{listen: 'unix:/" + std::string(107, 'a') + "'}"),
       "6:21: listen: found \"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\", "
       "expected an "
       "address such as :8080, localhost:8080, [::1]:8080 or unix:/path"},
      {"no network", gateway("{trustedProxies: [10.0.0.1]}"),
       "6:30: trustedProxies[0]: found \"10.0.0.1\", expected a network such as 10.0.0.0/8 or "
       "fd00::/8"},
      {"no such network", gateway("{trustedProxies: [10.0.0.0/8, 10.0.0.0/33]}"),
       "6:42: trustedProxies[1]: found \"10.0.0.0/33\", expected a network such as 10.0.0.0/8 or "
       "fd00::/8"},
      {"a path prefix", gateway("{hold: {noWake: [healthz]}}"),
       "6:29: noWake[0]: found \"healthz\", expected a path such as /healthz"},
      {"a line break forges no header",
       probe("{httpGet: {httpHeaders: [{name: A, value: \"b\\r\\nC: d\"}]}}"),
       "5:94: value: found a text (it may be secret), expected the value of a header"},
      {"no environment name", process("{command: [a], env: {1A: b}}"),
       "5:42: env: found \"1A\", expected the name of an environment variable such as LOG_LEVEL"},
      {"a variable of Headroom's", process("{command: [a], env: {PORT: 80}}"),
       "5:42: env: found \"PORT\", expected another name: each replica gets its own of these"},
      {"a variable without a value", process("{command: [a], env: {A: }}"),
       "5:42: A: found nothing, expected text"},
      {"an unknown variable", document("  minReplicas: $(MINIMUM)\n"),
       "8:16: minReplicas: found $(MINIMUM), expected a variable of the environment (a literal "
       "$(MINIMUM) is "
       "written $$(MINIMUM))"},
      {"only the process has a socket", gateway("{listen: 'unix:$(SOCKET)'}"),
       "6:21: listen: found $(SOCKET), expected a variable of the environment (a literal $(SOCKET) "
       "is written "
       "$$(SOCKET))"},
  };
  for (const auto& refused : cases) expect_refused(refused);
}

TEST(Refused, WhatDoesNotFitTogether) {
  const RefusedCase cases[] = {
      {"min over max", document("  minReplicas: 9\n"),
       "7:16: maxReplicas: found 8, expected at least minReplicas (9)"},
      {"from zero without a gateway", document("  minReplicas: 0\n", ""),
       "8:16: minReplicas: found 0 without a gateway, expected at least 1, or a gateway that "
       "starts a replica "
       "when a request arrives"},
      {"concurrency without a gateway", document("  concurrency: {}\n", ""),
       "8:16: concurrency: found it without a gateway, expected a gateway, which measures it"},
      {"an objective without a gateway", document("  objective: {latency: 1s}\n", ""),
       "8:14: objective: found it without a gateway, expected a gateway, which measures it"},
      {"activation between the bounds",
       document("  minReplicas: 3\n  concurrency: {activationScale: 2}\n"),
       "9:34: activationScale: found 2, expected 0 (off), or 3 to maxReplicas (8)"},
      {"an activation of one is none", document("  concurrency: {activationScale: 1}\n"),
       "8:34: activationScale: found 1, expected 0 (off), or 2 to maxReplicas (8)"},
      {"a socket without a gateway",
       process("{command: [a, $(SOCKET)]}")
           .replace(process("{command: [a, $(SOCKET)]}").find("gateway: {}"), 11, ""),
       "5:31: found $(SOCKET) without a gateway, expected $(PORT), or a gateway that connects to "
       "it"},
      {"no program", process("{command: ['']}"),
       "5:32: command[0]: found \"\", expected a program"},
      {"no command", process("{command: []}"),
       "5:31: command: found a list of 0, expected a list of 1 to 1000"},
      {"a command in one text", process("{command: ./shop}"),
       "5:31: command: found \"./shop\", expected a list of 1 to 1000"},
      {"no handler", probe("{periodSeconds: 1}"),
       "5:52: found 0 of httpGet, tcpSocket and exec, expected exactly one"},
      {"two handlers", probe("{httpGet: {}, tcpSocket: {}}"),
       "5:52: found 2 of httpGet, tcpSocket and exec, expected exactly one"},
      {"a variable for a program that is not there", process("{command: [$(NOPE)]}"),
       "5:32: command[0]: found $(NOPE), expected a variable of the environment (a literal $(NOPE) "
       "is written $$(NOPE))"},
      {"what is wrong alone is not wrong with the head, too",
       gateway("{limits: {requestLine: x, head: 4Ki}}"),
       "6:35: requestLine: found \"x\", expected bytes from 64 to 128Ki"},
      {"nor the other way", gateway("{limits: {requestLine: 64Ki, head: x}}"),
       "6:47: head: found \"x\", expected bytes from 64 to 128Ki"},
      {"nor a minimum with the maximum", target("{process: {command: [a]}}", "minReplicas: x"),
       "6:16: minReplicas: found \"x\", expected a whole number from 0 to 10000"},
      {"nor a maximum with the minimum",
       document("  minReplicas: 9\n").replace(document().find("Replicas: 8"), 11, "Replicas: x"),
       "7:16: maxReplicas: found \"x\", expected a whole number from 0 to 10000"},
      {"nor idle replicas", document("  minReplicas: x\n  idleReplicas: 1\n"),
       "8:16: minReplicas: found \"x\", expected a whole number from 0 to 10000"},
      {"nor an activation", document("  minReplicas: x\n  concurrency: {activationScale: 1}\n"),
       "8:16: minReplicas: found \"x\", expected a whole number from 0 to 10000"},
      {"an activation above the maximum", document("  concurrency: {activationScale: 9}\n"),
       "8:34: activationScale: found 9, expected 0 (off), or 2 to maxReplicas (8)"},
      {"a target that is none is not missing",
       document("  scalingModifiers: {formula: a, target: []}\n"),
       "8:42: target: found a list, expected text"},
      {"a probe of nothing", probe("{exec: {command: ['']}}"),
       "5:70: command[0]: found \"\", expected a program"},
      {"liveness succeeds at once",
       process("{command: [a], livenessProbe: {tcpSocket: {}, successThreshold: 2}}"),
       "5:85: successThreshold: found 2, expected 1 in a livenessProbe"},
      {"a line longer than the head", gateway("{limits: {requestLine: 64Ki}}"),
       "6:35: requestLine: found 64Ki, expected at most head (32Ki)"},
      {"utilization without a number", cpu_target("{type: Utilization}"),
       "8:60: averageUtilization: found nothing, expected it beside type Utilization"},
      {"a value without a number", cpu_target("{type: AverageValue}"),
       "8:60: averageValue: found nothing, expected it beside type AverageValue"},
      {"both", cpu_target("{type: Utilization, averageUtilization: 50, averageValue: 1}"),
       "8:118: averageValue: found beside type Utilization, expected averageUtilization only"},
      {"a total of a resource is none of HPA's", cpu_target("{type: Value, value: 1}"),
       "8:67: type: found \"Value\", expected Utilization or AverageValue"},
      {"pods have no utilization",
       metric("{type: Pods, pods: {metric: {name: a}, target: {type: Utilization, "
              "averageUtilization: 1}}}"),
       "8:67: type: found \"Utilization\", expected AverageValue"},
      {"a process has cpu and memory",
       metric("{type: Resource, resource: {name: disk, target: {type: AverageValue, "
              "averageValue: 1}}}"),
       "8:47: name: found \"disk\", expected cpu or memory"},
      {"a process has no containers",
       metric("{type: ContainerResource, containerResource: {name: cpu, container: a, target: "
              "{type: AverageValue, averageValue: 1}}}"),
       "8:20: type: found \"ContainerResource\", expected Resource: a process has no containers"},
      {"nothing to scale", target("{}", ""),
       "5:11: process: found nothing, expected it or scaleTargetRef"},
      {"two things to scale",
       target("{process: {command: [a]}, scaleTargetRef: {kind: Deployment, name: a}}", ""),
       "5:53: scaleTargetRef: found beside process, expected one of them"},
      {"a gateway to nothing of this machine",
       target("{scaleTargetRef: {kind: Deployment, name: a}}", "gateway: {}"),
       "6:12: gateway: found beside scaleTargetRef, expected target.process, to which alone it "
       "forwards"},
      {"idle is less", document("  minReplicas: 2\n  idleReplicas: 2\n"),
       "9:17: idleReplicas: found 2, expected fewer than minReplicas (2)"},
      {"a formula aims at something", document("  scalingModifiers: {formula: a + b}\n"),
       "8:21: target: found nothing, expected it beside formula"},
      {"cpu does not wake",
       document("  minReplicas: 0\n  metrics: [{type: Resource, resource: {name: cpu, target: "
                "{type: Utilization, averageUtilization: 50}}}]\n",
                ""),
       "8:16: minReplicas: found 0 without a gateway, expected at least 1, or a gateway that "
       "starts a replica "
       "when a request arrives"},
  };
  for (const auto& refused : cases) expect_refused(refused);
}

}  // namespace
}  // namespace headroom::policy
