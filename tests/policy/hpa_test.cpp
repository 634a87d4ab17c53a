#include "policy/hpa.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "policy/documents.h"
#include "policy/joined.h"

namespace headroom::policy {
namespace {

std::string metadata(const std::string& more = "") {
  return "kind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shop" + more + "}\n";
}

std::string v2(const std::string& spec, const std::string& more = "") {
  return "apiVersion: autoscaling/v2\n" + metadata(more) +
         "spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n" + spec;
}

std::string v1(const std::string& spec, const std::string& annotations = "") {
  return "apiVersion: autoscaling/v1\n" +
         metadata(annotations.empty() ? "" : ", annotations: {" + annotations + "}") +
         "spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n" + spec;
}

hpa::HorizontalPodAutoscaler read_hpa(const std::string& text) {
  Problems problems, warnings;
  const auto tree = parse(text, problems);
  EXPECT_EQ(tree.documents.size(), 1U) << text;
  if (tree.documents.size() != 1) return {};
  auto hpa = hpa::read(*tree.documents[0], problems, warnings);
  EXPECT_FALSE(problems.any()) << to_string(problems.error("a.yaml", text));
  return hpa;
}

/// Its errors and its warnings, as people see them.
std::pair<std::string, std::string> said_of(const std::string& text) {
  const auto stream = read_stream(text, "a.yaml", {});
  std::string errors = joined(stream.errors), warnings;
  for (const auto& document : stream.documents) {
    errors += joined(document.errors);
    warnings += joined(document.warnings);
  }
  return {errors, warnings};
}

TEST(Hpa, SaysWhatIsWrongWhereItIs) {
  struct Case {
    const char* why;
    std::string text;
    const char* errors;
  };
  const Case cases[] = {
      {"right", v2("  maxReplicas: 3\n"), ""},
      {"what is missing is said at what it is missing from", v2("  minReplicas: 2\n"),
       "a.yaml:5:3: spec.maxReplicas: found nothing, expected at least 1"},
      {"one field, one sentence", v2("  maxReplicas: -1\n"),
       "a.yaml:6:16: spec.maxReplicas: found -1, expected at least 1"},
      {"fields that do not fit together", v2("  minReplicas: 4\n  maxReplicas: 3\n"),
       "a.yaml:7:16: spec.maxReplicas: found 3, expected at least minReplicas (4)"},
      {"in a list",
       v2("  maxReplicas: 3\n  metrics:\n  - type: Resource\n    resource: {name: cpu, "
          "target: {type: Utilization, averageUtilization: 0}}\n"),
       "a.yaml:9:75: spec.metrics[0].resource.target.averageUtilization: found 0, expected at "
       "least 1"},
      {"a group is needed",
       "apiVersion: autoscaling/v2\n" + metadata() +
           "spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: v1, kind: Deployment, name: a}}\n",
       "a.yaml:4:53: spec.scaleTargetRef.apiVersion: found \"v1\", expected group/version such as "
       "apps/v1"},
      {"a text for a number", v2("  maxReplicas: \"3\"\n"),
       "a.yaml:6:16: spec.maxReplicas: found the text \"3\", expected a whole number of 32 bits"},
      {"a number for a text", v2("  maxReplicas: 3\n", ", labels: {tier: 1}"),
       "a.yaml:3:55: metadata.labels[tier]: found \"1\", expected text, in quotes: \"1\""},
      {"YAML's yes is no text for kubectl", v2("  maxReplicas: 3\n", ", labels: {canary: yes}"),
       "a.yaml:3:57: metadata.labels[canary]: found \"yes\", expected text, in quotes: \"yes\""},
      {"an operator that its controller fails of for ever",
       v2("  maxReplicas: 3\n  metrics:\n  - type: External\n    external: {metric: {name: q, "
          "selector: {matchExpressions: [{key: a, operator: Is}]}}, target: {type: Value, value: "
          "1}}\n"),
       "a.yaml:9:83: spec.metrics[0].external.metric.selector.matchExpressions[0].operator: found "
       "\"Is\", expected one of In, NotIn, Exists, DoesNotExist"},
      {"a version that is no more", "apiVersion: autoscaling/v2beta2\n" + metadata(),
       "a.yaml:1:13: apiVersion: found \"autoscaling/v2beta2\", expected autoscaling/v2 or "
       "autoscaling/v1"},
      {"a spec that is none", "apiVersion: autoscaling/v2\n" + metadata() + "spec: [1]\n",
       "a.yaml:4:7: spec: found a list, expected fields as name: value"},
      {"no spec", "apiVersion: autoscaling/v2\n" + metadata(),
       "a.yaml:1:1: spec.maxReplicas: found nothing, expected at least 1\n"
       "a.yaml:1:1: spec.scaleTargetRef.kind: found nothing, expected a kind such as Deployment\n"
       "a.yaml:1:1: spec.scaleTargetRef.name: found nothing, expected a name\n"
       "a.yaml:1:1: spec.scaleTargetRef.apiVersion: found nothing, expected group/version such as "
       "apps/v1"},
      {"metadata that is none",
       "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: web\nspec: {}\n",
       "a.yaml:3:11: metadata: found \"web\", expected fields as name: value"},
      {"a list for a text", v2("  maxReplicas: 3\n", ", labels: {tier: [a]}"),
       "a.yaml:3:55: metadata.labels[tier]: found a list, expected text"},
      {"a list for labels", v2("  maxReplicas: 3\n", ", labels: [a]"),
       "a.yaml:3:48: metadata.labels: found a list, expected texts as name: text"},
      {"twenty things at most",
       v2("  maxReplicas: 3\n",
          [] {
            std::string labels = ", labels: {";
            for (int i = 0; i < 25; ++i) labels += "l" + std::to_string(i) + ": 1, ";
            return labels + "}";
          }()),
       [] {
         static std::string all;
         int column = 53;
         for (int i = 0; i < 20; ++i) {
           all += fmt::format(
               "{}a.yaml:3:{}: metadata.labels[l{}]: found \"1\", expected text, in quotes: \"1\"",
               i == 0 ? "" : "\n", column, i);
           column += i < 9 ? 7 : 8;
         }
         return all.c_str();
       }()},
      {"metrics that are no list", v2("  maxReplicas: 3\n  metrics: cpu\n"),
       "a.yaml:7:12: spec.metrics: found \"cpu\", expected a list"},
      {"nothing in a list", v2("  maxReplicas: 3\n  metrics: [~]\n"),
       "a.yaml:7:13: spec.metrics[0].type: found nothing, expected one of Resource, "
       "ContainerResource, Pods, Object, External"},
      {"more than 32 bits", v2("  maxReplicas: 2147483648\n"),
       "a.yaml:6:16: spec.maxReplicas: found \"2147483648\", expected a whole number of 32 bits"},
      {"fewer than that", v2("  maxReplicas: -2147483649\n"),
       "a.yaml:6:16: spec.maxReplicas: found \"-2147483649\", expected a whole number of 32 bits"},
      {"a number of another base is one", v2("  maxReplicas: 0x1F\n"), ""},
      {"a name that is no text", v2("  maxReplicas: 3\n  [a]: 1\n"),
       "a.yaml:7:3: found no text as a name, expected \"name: value\""},
      {"v1 has its own spec", v1("  maxReplicas: 0\n"),
       "a.yaml:6:16: spec.maxReplicas: found \"0\", expected at least 1"},
      {"and its own percentage", v1("  maxReplicas: 3\n  targetCPUUtilizationPercentage: 0\n"),
       "a.yaml:7:35: spec.metrics[0].resource.target.averageUtilization: found 0, expected at "
       "least 1"},
      {"its behavior is an annotation, too",
       v1("  maxReplicas: 3\n",
          "autoscaling.alpha.kubernetes.io/behavior: "
          "'{\"ScaleUp\":{\"StabilizationWindowSeconds\":-7}}'"),
       "a.yaml:3:96: spec.behavior.scaleUp.stabilizationWindowSeconds: found -7, expected 0 to "
       "3600"},
      {"v1 says it in an annotation",
       v1("  maxReplicas: 3\n",
          "autoscaling.alpha.kubernetes.io/metrics: '[{\"type\": \"Pods\"}]'"),
       "a.yaml:3:95: spec.metrics[0].pods: found nothing, expected it beside type Pods"},
  };
  for (const auto& [why, text, errors] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(said_of(text).first, errors) << text;
  }
}

TEST(Hpa, HasAVersion) {
  Problems problems, warnings;
  const auto tree = parse("kind: HorizontalPodAutoscaler\n", problems);
  hpa::read(*tree.documents.at(0), problems, warnings);
  ASSERT_TRUE(problems.any());
  EXPECT_EQ(problems.error("a.yaml", "").what,
            "apiVersion: found a map, expected autoscaling/v2 or autoscaling/v1");
}

TEST(Hpa, WarnsOfWhatTheServerDropsInSilence) {
  struct Case {
    const char* why;
    std::string text;
    const char* warnings;
  };
  const Case cases[] = {
      {"a slip", v2("  maxReplicas: 3\n  minReplica: 2\n"),
       "a.yaml:7:3: unknown field \"spec.minReplica\" is dropped, as the API server does; did you "
       "mean \"minReplicas\"?"},
      {"in a list",
       v2("  maxReplicas: 3\n  behavior: {scaleUp: {policies: [{type: Pods, value: 1, "
          "periodSeconds: 1, colour: red}]}}\n"),
       "a.yaml:7:76: unknown field \"spec.behavior.scaleUp.policies[0].colour\" is dropped, as the "
       "API server does"},
      {"status and what the server writes are no slips",
       v2("  maxReplicas: 3\nstatus: {a: 1}\n", ", uid: 1-2, managedFields: []"), ""},
      {"twenty slips at most",
       v2("  maxReplicas: 3\n",
          [] {
            std::string fields;
            for (int i = 0; i < 25; ++i) fields += ", x" + std::to_string(i) + ": 1";
            return fields;
          }()),
       [] {
         static std::string all;
         int column = 40;
         for (int i = 0; i < 20; ++i) {
           all += fmt::format(
               "{}a.yaml:3:{}: unknown field \"metadata.x{}\" is dropped, as the API server does",
               i == 0 ? "" : "\n", column, i);
           column += i < 10 ? 7 : 8;
         }
         return all.c_str();
       }()},
      {"zero needs a gate",
       v2("  maxReplicas: 3\n  minReplicas: 0\n  metrics:\n  - type: External\n    external: "
          "{metric: {name: q}, target: {type: Value, value: 1}}\n"),
       "a.yaml:7:16: spec.minReplicas: found 0, which an API server without the gate "
       "HPAScaleToZero refuses"},
      {"a null is left out", v2("  maxReplicas: 3\n", ", labels: {tier: ~}"), ""},
      {"an annotation of two documents",
       v1("  maxReplicas: 3\n", "autoscaling.alpha.kubernetes.io/metrics: \"[]\\n---\\n[]\""),
       "a.yaml:3:95: autoscaling.alpha.kubernetes.io/metrics: passed over, as the API server "
       "does: found no JSON"},
      {"one that is no JSON",
       v1("  maxReplicas: 3\n", "autoscaling.alpha.kubernetes.io/metrics: '['"),
       "a.yaml:3:95: autoscaling.alpha.kubernetes.io/metrics: passed over, as the API server "
       "does: found no valid YAML: end of sequence flow not found"},
      {"one that says more than is known",
       v1("  maxReplicas: 3\n",
          "autoscaling.alpha.kubernetes.io/behavior: '{\"ScaleUp\":{\"colour\":1}}'"),
       "a.yaml:3:96: autoscaling.alpha.kubernetes.io/behavior: unknown field \"scaleUp.colour\" is "
       "dropped, as the API server does"},
      {"an empty behavior says nothing",
       v1("  maxReplicas: 3\n", "autoscaling.alpha.kubernetes.io/behavior: '{}'"), ""},
      {"an annotation that cannot be read",
       v1("  maxReplicas: 3\n", "autoscaling.alpha.kubernetes.io/metrics: '[{\"type\": 1}]'"),
       "a.yaml:3:95: autoscaling.alpha.kubernetes.io/metrics: passed over, as the API server "
       "does: [0].type: found \"1\", expected text, in quotes: \"1\""},
  };
  for (const auto& [why, text, warnings] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(said_of(text).second, warnings) << text;
    EXPECT_EQ(said_of(text).first, "");
  }
}

TEST(Hpa, DefaultsAreTheServers) {
  auto hpa = read_hpa(v2("  maxReplicas: 3\n  behavior: {scaleDown: {policies: []}}\n"));
  hpa::set_defaults(hpa);
  EXPECT_EQ(hpa.spec.min_replicas, 1);
  ASSERT_EQ(hpa.spec.metrics.size(), 1U);
  EXPECT_EQ(hpa.spec.metrics[0].resource->target.average_utilization, 80);
  EXPECT_EQ(hpa.spec.behavior->scale_up->stabilization_window_seconds, 0);
  EXPECT_EQ(hpa.spec.behavior->scale_up->policies->size(), 2U);
  EXPECT_EQ(hpa.spec.behavior->scale_down->stabilization_window_seconds, std::nullopt)
      << "the controller's";
  EXPECT_TRUE(hpa.spec.behavior->scale_down->policies->empty()) << "an empty list was not left out";

  auto plain = read_hpa(v2("  maxReplicas: 3\n"));
  hpa::set_defaults(plain);
  EXPECT_EQ(plain.spec.behavior, std::nullopt) << "no behavior is not an empty one";
}

TEST(Hpa, V1IsReadIntoTheSame) {
  const auto hpa = read_hpa(
      v1("  maxReplicas: 3\n  targetCPUUtilizationPercentage: 70\n",
         "autoscaling.alpha.kubernetes.io/metrics: '[{\"type\":\"Pods\",\"pods\":{\"metricName\":"
         "\"qps\",\"targetAverageValue\":\"1500m\"}},{\"type\":\"Object\",\"object\":{\"target\":{"
         "\"kind\":\"Service\",\"name\":\"s\"},\"metricName\":\"hits\",\"targetValue\":\"0\","
         "\"averageValue\":\"5\"}}]', autoscaling.alpha.kubernetes.io/behavior: "
         "'{\"ScaleUp\":{\"StabilizationWindowSeconds\":7}}', other: kept"));
  ASSERT_EQ(hpa.spec.metrics.size(), 3U) << "the annotation's first, then the percentage";
  EXPECT_EQ(hpa.spec.metrics[0].pods->metric.name, "qps");
  EXPECT_EQ(hpa.spec.metrics[0].pods->target.average_value, Quantity{1500});
  EXPECT_EQ(hpa.spec.metrics[1].object->target.type, "AverageValue");
  EXPECT_EQ(hpa.spec.metrics[1].object->target.value, std::nullopt);
  EXPECT_EQ(hpa.spec.metrics[2].resource->target.average_utilization, 70);
  EXPECT_EQ(hpa.spec.behavior->scale_up->stabilization_window_seconds, 7)
      << "the annotation is the server's own struct, whose names are in capitals";
  ASSERT_EQ(hpa.annotations.size(), 1U);
  EXPECT_EQ(hpa.annotations.at("other"), "kept");
}

TEST(Hpa, V1SpellsItsSourcesInItsOwnWay) {
  const auto hpa = read_hpa(
      v1("  maxReplicas: 3\n",
         "autoscaling.alpha.kubernetes.io/metrics: '[{\"type\":\"ContainerResource\","
         "\"containerResource\":{\"name\":\"cpu\",\"container\":\"app\","
         "\"targetAverageUtilization\":50}},{\"type\":\"Object\",\"object\":{\"target\":{\"kind\":"
         "\"Service\",\"name\":\"s\"},\"metricName\":\"hits\",\"targetValue\":\"7\","
         "\"averageValue\":\"5\"}},{\"type\":\"External\",\"external\":{\"metricName\":\"q\","
         "\"targetValue\":\"9\"}}]'"));
  ASSERT_EQ(hpa.spec.metrics.size(), 3U);
  EXPECT_EQ(hpa.spec.metrics[0].container_resource->container, "app");
  EXPECT_EQ(hpa.spec.metrics[0].container_resource->target.type, "Utilization");
  EXPECT_EQ(hpa.spec.metrics[1].object->target.type, "AverageValue");
  EXPECT_EQ(hpa.spec.metrics[1].object->target.value, Quantity{7000})
      << "beside an average 0 alone is nothing";
  EXPECT_EQ(hpa.spec.metrics[2].external->target.type, "Value");
}

// The pairs that k8s.io/kubernetes' own functions answer.
TEST(Hpa, RefusesNamesAsTheServerDoes) {
  struct Case {
    const char* why;
    std::string text;
    std::vector<std::string> errors;
  };
  const auto container = [](std::string_view name, std::string_view of = "app") {
    return v2(
        fmt::format("  maxReplicas: 3\n  metrics: [{{type: ContainerResource, "
                    "containerResource: {{name: {}, container: {}, target: {{type: "
                    "Utilization, averageUtilization: 1}}}}}}]\n",
                    name, of));
  };
  const auto scales = [](std::string_view reference) {
    return fmt::format(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\n"
        "spec: {{maxReplicas: 1, scaleTargetRef: {{{}}}}}\n",
        reference);
  };
  const auto named = [](std::string_view metadata) {
    return fmt::format(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{{}}}\n"
        "spec: {{maxReplicas: 1, scaleTargetRef: {{apiVersion: a/b, kind: C, name: d}}}}\n",
        metadata);
  };
  const std::string invalid_name = "FieldValueInvalid spec.metrics[0].containerResource.name";
  const std::string long_name(64, 'a');
  const Case cases[] = {
      {"a resource of containers", container("ephemeral-storage"), {}},
      {"pages", container("hugepages-2Mi"), {}},
      {"pages of a quota", container("requests.hugepages-2Mi"), {invalid_name}},
      {"one of a domain", container("example.com/gpu"), {}},
      {"Kubernetes' own", container("kubernetes.io/gpu"), {}},
      {"a quota's of a domain", container("requests.example.com/gpu"), {invalid_name}},
      {"two domains", container("a/b/c"), {invalid_name, invalid_name}},
      {"an empty domain", container("/gpu"), {invalid_name, invalid_name}},
      {"an empty name", container("example.com/"), {invalid_name, invalid_name, invalid_name}},
      {"no resource", container("speed"), {invalid_name, invalid_name}},
      {"a long one of a domain",
       container("example.com/" + long_name),
       {invalid_name, invalid_name}},
      {"a container's name that is none",
       container("cpu", "A"),
       {"FieldValueInvalid spec.metrics[0].containerResource.container"}},
      {"and too long",
       container("cpu", long_name),
       {"FieldValueInvalid spec.metrics[0].containerResource.container"}},
      {"a kind of dots",
       scales("apiVersion: a/b, kind: .., name: ."),
       {"FieldValueInvalid spec.scaleTargetRef.kind",
        "FieldValueInvalid spec.scaleTargetRef.name"}},
      {"a version alone",
       scales("apiVersion: /, kind: A, name: b"),
       {"FieldValueInvalid spec.scaleTargetRef.apiVersion"}},
      {"a group of nothing",
       scales("apiVersion: /v1, kind: A, name: b"),
       {"FieldValueInvalid spec.scaleTargetRef.apiVersion"}},
      {"no name", named(""), {"FieldValueRequired metadata.name"}},
      {"names that are none",
       named("name: A, namespace: B"),
       {"FieldValueInvalid metadata.name", "FieldValueInvalid metadata.namespace"}},
      {"a long name", named("name: " + std::string(254, 'a')), {"FieldValueInvalid metadata.name"}},
      {"labels",
       named("name: a, labels: {/a: b, c: \"d \", e: \"\", f: " + long_name + "}"),
       {"FieldValueInvalid metadata.labels", "FieldValueInvalid metadata.labels",
        "FieldValueInvalid metadata.labels"}},
      {"a tolerance below 0, and no policies",
       v2("  maxReplicas: 3\n  behavior: {scaleUp: {tolerance: -1, policies: []}}\n"),
       {"FieldValueRequired spec.behavior.scaleUp.policies",
        "FieldValueInvalid spec.behavior.scaleUp.tolerance"}},
  };
  for (const auto& [why, text, errors] : cases) {
    SCOPED_TRACE(why);
    auto hpa = read_hpa(text);
    hpa::set_defaults(hpa);
    std::vector<std::string> found;
    for (const auto& error : hpa::validate(hpa, false)) {
      found.push_back(error.type + " " + error.path);
    }
    EXPECT_EQ(found, errors);
  }
}

TEST(Hpa, WhatHasNoDefaultsIsChecked) {
  hpa::HorizontalPodAutoscaler hpa;
  hpa.name = "a";
  hpa.spec.scale_target_ref = {"apps/v1", "Deployment", "a"};
  hpa.spec.max_replicas = 1;
  hpa.spec.behavior.emplace().scale_up.emplace().policies = {{"Pods", 1, 1}};
  EXPECT_TRUE(hpa::validate(hpa, false).empty());
  hpa.spec.behavior->scale_down.emplace();
  ASSERT_EQ(hpa::validate(hpa, false).size(), 1U);
  EXPECT_EQ(hpa::validate(hpa, false)[0].path, "spec.behavior.scaleDown.policies");
  hpa.spec.behavior->scale_up.reset();
  EXPECT_EQ(hpa::validate(hpa, false).size(), 1U);
}

const std::string kEverything = v2(
    "  minReplicas: 2\n  maxReplicas: 30\n"
    "  metrics:\n"
    "  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: "
    "60}}}\n"
    "  - {type: ContainerResource, containerResource: {name: memory, container: app, target: "
    "{type: AverageValue, averageValue: 200Mi}}}\n"
    "  - {type: Pods, pods: {metric: {name: qps}, target: {type: AverageValue, averageValue: "
    "1500m}}}\n"
    "  - {type: Object, object: {describedObject: {apiVersion: v1, kind: Service, name: s}, "
    "metric: {name: hits, selector: {}}, target: {type: Value, value: 2k}}}\n"
    "  - {type: External, external: {metric: {name: \"true\", selector: {matchLabels: {q: \"1\"}, "
    "matchExpressions: [{key: a, operator: NotIn, values: [b, \"no\"]}, {key: c, operator: "
    "Exists}]}}, target: {type: "
    "AverageValue, averageValue: 30}}}\n"
    "  behavior:\n"
    "    scaleUp: {stabilizationWindowSeconds: 0, selectPolicy: Disabled, tolerance: 300m, "
    "policies: [{type: Percent, value: 50, periodSeconds: 60}]}\n"
    "    scaleDown: {selectPolicy: Min, policies: [{type: Pods, value: 1, periodSeconds: "
    "1800}]}\n");

TEST(Hpa, GoesRoundThroughEveryForm) {
  const auto hpa = read_hpa(kEverything);
  EXPECT_EQ(read_hpa(hpa::write(hpa)), hpa) << hpa::write(hpa);
  const auto autoscaler = hpa::to_autoscaler(hpa);
  const auto back = hpa::from_autoscaler(autoscaler);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, hpa) << hpa::write(*back);
  for (const char* behavior : {"{}", "{scaleUp: {policies: []}}", "{scaleDown: {}}"}) {
    auto bare = read_hpa(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
        "metadata: {name: a}\nspec: {behavior: " +
        std::string(behavior) + "}\n");
    EXPECT_EQ(read_hpa(hpa::write(bare)), bare) << hpa::write(bare);
    bare.spec.scale_target_ref.name = "a";
    const auto there = hpa::to_autoscaler(bare);
    EXPECT_EQ(hpa::to_autoscaler(*hpa::from_autoscaler(there)), there) << behavior;
  }
  const auto document = write_document(autoscaler);
  const auto again = read_documents(document, "b.yaml", {});
  ASSERT_TRUE(again) << to_string(again.error()) << "\n" << document;
  EXPECT_EQ(again->front(), autoscaler) << document;
}

TEST(Hpa, ToAutoscalerGoesByWhatUpstreamLooksAt) {
  auto hpa = read_hpa(
      v2("  maxReplicas: 3\n  metrics:\n"
         "  - {type: Resource, resource: {name: cpu, target: {type: Value, averageUtilization: "
         "60}}}\n"
         "  - {type: External, external: {metric: {name: q}, target: {type: Utilization, value: "
         "5}}}\n"
         "  - {type: Object, object: {describedObject: {kind: Service, name: s}, metric: {name: "
         "h}, target: {type: AverageValue, value: 5}}}\n"));
  hpa::set_defaults(hpa);
  EXPECT_TRUE(hpa::validate(hpa, false).empty());
  const auto autoscaler = hpa::to_autoscaler(hpa);
  using Type = MetricTarget::Type;
  EXPECT_EQ(autoscaler.metrics[0].target.type, Type::utilization);
  EXPECT_EQ(autoscaler.metrics[1].target.type, Type::value);
  EXPECT_EQ(autoscaler.metrics[2].target.type, Type::average_value)
      << "an Object goes by its type, and so fails for ever";
}

TEST(Hpa, FromAutoscalerNamesWhatWouldBeLost) {
  Autoscaler autoscaler;
  autoscaler.name = "web";
  autoscaler.gateway.emplace();
  autoscaler.triggers.emplace_back().type = "kafka";
  autoscaler.behavior.emplace().scale_up.emplace().tolerance = 0.12345;
  const auto hpa = hpa::from_autoscaler(autoscaler);
  ASSERT_FALSE(hpa);
  EXPECT_EQ(hpa.error().what,
            "web: found target.process, gateway, triggers, behavior.scaleUp.tolerance, which a "
            "HorizontalPodAutoscaler cannot say");
}

TEST(Hpa, AToleranceThatIsNoThousandthIsLost) {
  Autoscaler autoscaler;
  autoscaler.name = "web";
  autoscaler.target.scale_target_ref = {"apps/v1", "Deployment", "web"};
  autoscaler.behavior.emplace().scale_down.emplace().tolerance = 1e16;
  const auto hpa = hpa::from_autoscaler(autoscaler);
  ASSERT_FALSE(hpa);
  EXPECT_EQ(hpa.error().what,
            "web: found behavior.scaleDown.tolerance, which a HorizontalPodAutoscaler cannot say");
  autoscaler.behavior.reset();
  ASSERT_TRUE(hpa::from_autoscaler(autoscaler));
  EXPECT_EQ(hpa::from_autoscaler(autoscaler)->spec.behavior, std::nullopt);
}

TEST(Documents, Lists) {
  struct Case {
    const char* why;
    std::string text;
    std::vector<std::string> kinds;
  };
  const std::string item = "{apiVersion: v1, kind: Pod}";
  const Case cases[] = {
      {"a list", "kind: List\nitems: [" + item + "]\n", {"Pod"}},
      {"without items", "kind: List\n", {"List"}},
      {"whose items are none", "kind: List\nitems: a\n", {"List"}},
      {"of a kind, whose items need not say it",
       "apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}}]\n",
       {"Pod"}},
      {"or do", "apiVersion: v1\nkind: PodList\nitems: [" + item + "]\n", {"Pod"}},
      {"or say a half", "apiVersion: v1\nkind: PodList\nitems: [{apiVersion: v2}]\n", {"Pod"}},
      {"of no kind", "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]\n", {""}},
      {"of no version", "kind: PodList\nitems: [{metadata: {name: a}}]\n", {""}},
      {"of texts", "apiVersion: v1\nkind: PodList\nitems: [a]\n", {""}},
      {"no map", "- a\n", {""}},
      {"a kind that is none", "kind: [a]\n", {""}},
  };
  for (const auto& [why, text, kinds] : cases) {
    SCOPED_TRACE(why);
    std::vector<std::string> found;
    for (const auto& document : read_stream(text, "a.yaml", {}).documents) {
      found.push_back(document.kind);
    }
    EXPECT_EQ(found, kinds);
  }
}

TEST(Documents, WhatAScaledObjectLeavesBehind) {
  const auto object = [](std::string_view annotations) {
    return fmt::format(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: a, annotations: {}}}\n"
        "spec: {{scaleTargetRef: {{name: x}}, triggers: [{{type: external, metadata: "
        "{{scalerAddress: a}}}}]}}\n",
        annotations);
  };
  const auto left = [](const std::string& text) {
    const auto stream = read_stream(text, "a.yaml", {});
    return stream.documents.at(0).left_behind;
  };
  EXPECT_TRUE(left(object("{autoscaling.keda.sh/paused: \"true\", "
                          "autoscaling.keda.sh/force-activation: \"true\"}"))
                  .empty())
      << "what pauses or forces is read";
  EXPECT_EQ(left(object("{a: b}")), std::vector<std::string>{"metadata.annotations"});
}

TEST(Documents, ATextThatBreaksOffIsNotReadByHalves) {
  const auto stream = read_stream(v2("  maxReplicas: 3\n") + "---\nkind: [a\n", "a.yaml", {});
  EXPECT_EQ(stream.documents.size(), 1U);
  ASSERT_EQ(stream.errors.size(), 1U);
  EXPECT_TRUE(stream.errors[0].what.starts_with("found no valid YAML"));
  const auto nothing = read_stream("kind: [a\n", "a.yaml", {});
  EXPECT_TRUE(nothing.documents.empty());
  EXPECT_EQ(nothing.errors.size(), 1U) << "that it holds no autoscaler is not known";
}

TEST(Documents, OneNameInTwoNamespaces) {
  const auto two = v2("  maxReplicas: 1\n") + "---\n" +
                   "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: "
                   "web, namespace: other}\nspec: {maxReplicas: 1, scaleTargetRef: {apiVersion: "
                   "apps/v1, kind: Deployment, name: web}}\n";
  const auto read = read_any(two, "a.yaml", {});
  EXPECT_TRUE(read) << to_string(read.error());
}

TEST(Documents, AnyKindOfOneStream) {
  const std::string text =
      "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n" + v2("  maxReplicas: 3\n") +
      "---\napiVersion: v1\nkind: List\nitems:\n- " +
      [] {
        auto item = v2("  maxReplicas: 3\n");
        item.replace(item.find("name: web"), 9, "name: two");
        for (std::size_t at = item.find('\n'); at + 1 < item.size(); at = item.find('\n', at + 1)) {
          item.insert(at + 1, "  ");
        }
        return item;
      }() +
      "---\napiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: {name: $(NAME)}\nspec: "
      "{maxReplicas: 2, target: {process: {command: [a]}}}\n";
  const auto read = read_any(
      text, "a.yaml", [](std::string_view) -> std::optional<std::string> { return "three"; });
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->size(), 4U);
  EXPECT_TRUE((*read)[0].skipped);
  EXPECT_EQ((*read)[1].kind, "HorizontalPodAutoscaler");
  EXPECT_EQ((*read)[1].where.line, 5);
  EXPECT_EQ((*read)[1].autoscaler->name, "web");
  EXPECT_EQ((*read)[1].autoscaler->namespace_, "shop");
  EXPECT_EQ((*read)[2].autoscaler->name, "two");
  EXPECT_EQ((*read)[3].autoscaler->name, "three");
}

TEST(Documents, AMinimumOfZeroInASecondSpecIsWarnedOf) {
  const std::string external =
      "  metrics: [{type: External, external: {metric: {name: q}, target: {type: Value, value: "
      "1}}}]\n";
  const std::string text = v2("  maxReplicas: 3\n") + "spec:\n  minReplicas: 0\n" + external;
  const auto stream = read_stream(text, "a.yaml", {});
  ASSERT_EQ(stream.documents.size(), 1U);
  const auto& warnings = stream.documents[0].warnings;
  EXPECT_TRUE(std::ranges::any_of(warnings, [](const Error& warning) {
    return warning.what.starts_with("spec.minReplicas: found 0") && warning.where.line == 1;
  }));
}

TEST(Documents, RefusedStreams) {
  struct Case {
    const char* why;
    std::string text;
    const char* error;
  };
  const Case cases[] = {
      {"nothing", "", "a.yaml:1:1: found no document, expected at least one of "},
      {"nothing to scale by", "apiVersion: v1\nkind: Service\n",
       "a.yaml:1:1: found no autoscaler, expected at least one of "},
      {"no kind", "a: 1\n", "a.yaml:1:1: kind: found nothing, expected one of "},
      {"the errors of all documents, in the order of their places",
       v2("  maxReplicas: 0\n") + "---\n" + v2("  maxReplicas: 0\n"),
       "a.yaml:6:16: spec.maxReplicas: found \"0\", expected at least 1\n"
       "a.yaml:10:18: name: found \"web\" again, expected another name than the document on line "
       "1\n"
       "a.yaml:13:16: spec.maxReplicas: found \"0\", expected at least 1"},
      {"one name in one namespace", v2("  maxReplicas: 1\n") + "---\n" + v2("  maxReplicas: 1\n"),
       "a.yaml:10:18: name: found \"web\" again, expected another name than the document on line "
       "1"},
  };
  for (const auto& [why, text, error] : cases) {
    SCOPED_TRACE(why);
    const auto read = read_any(text, "a.yaml", {});
    ASSERT_FALSE(read);
    EXPECT_TRUE(to_string(read.error()).starts_with(error)) << to_string(read.error());
  }
}

TEST(Documents, FieldsOfMessages) {
  EXPECT_EQ(field_of("spec.metrics[0].type: found 1"), "spec.metrics[0].type");
  EXPECT_EQ(field_of("unknown field \"a: b\""), "");
  EXPECT_EQ(field_of("found nothing"), "");
}

}  // namespace
}  // namespace headroom::policy
