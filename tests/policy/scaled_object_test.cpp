#include "policy/scaled_object.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "formula/modifiers.h"
#include "policy/schedule.h"
#include "policy/trigger_parameters.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy {
namespace {

using keda::Strictness;

constexpr std::string_view kCron =
    "{type: cron, metadata: {timezone: UTC, start: 0 8 * * *, end: 0 18 * * *, "
    "desiredReplicas: \"2\"}}";
constexpr std::string_view kPrometheus =
    "{type: prometheus, metadata: {serverAddress: http://p, query: up, threshold: \"5\"}}";

std::string scaled_object_of(std::string_view spec) {
  return fmt::format(
      "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: shop, namespace: d}}\n"
      "spec:\n{}",
      spec);
}

/// A spec with a target and these triggers, and further lines.
std::string with_triggers(std::string_view triggers, std::string_view more = "") {
  return scaled_object_of(
      fmt::format("  scaleTargetRef: {{name: x}}\n  triggers: [{}]\n{}", triggers, more));
}

Tree parsed(const std::string& text) {
  Problems problems;
  Tree tree = parse(text, problems);
  EXPECT_FALSE(problems.any()) << to_string(problems.error("test.yaml", text));
  return tree;
}

keda::Read read_scaled(const std::string& text, Strictness strictness = Strictness::cluster) {
  const Tree tree = parsed(text);
  return keda::read(*tree.documents.at(0), strictness);
}

keda::ScaledObject object(const std::string& text) { return read_scaled(text).object; }

Result<ScaledObjectRead> read_one_scaled(const std::string& text) {
  const Tree tree = parsed(text);
  return read_scaled_object(*tree.documents.at(0), "shop.yaml");
}

TEST(ScaledObject, ItsSchemaIsTheCrds) {
  struct Case {
    const char* why;
    std::string text;
    std::vector<std::string> expected;
  };
  const std::string cron(kCron);
  const Case cases[] = {
      {"the least that is right", with_triggers(cron), {}},
      {"a null is as good as nothing",
       scaled_object_of("  scaleTargetRef: null\n  triggers: null\n"),
       {"FieldValueRequired spec.scaleTargetRef", "FieldValueRequired spec.triggers"}},
      {"an unknown field is dropped before anything is missed",
       with_triggers(cron, "  fallback: {a: b}\n"),
       {"FieldValueRequired spec.fallback.failureThreshold",
        "FieldValueRequired spec.fallback.replicas"}},
      {"no trigger", with_triggers(""), {"FieldValueInvalid spec.triggers"}},
      {"a trigger without its parts",
       with_triggers("{}"),
       {"FieldValueRequired spec.triggers[0].metadata",
        "FieldValueRequired spec.triggers[0].type"}},
      {"a null is no trigger", with_triggers("null"), {"FieldValueTypeInvalid spec.triggers[0]"}},
      {"a number in the metadata is no text",
       with_triggers("{type: cron, metadata: {desiredReplicas: 2}}"),
       {"FieldValueTypeInvalid spec.triggers[0].metadata.desiredReplicas"}},
      {"a bool of YAML 1.1 is no text, either",
       with_triggers("{type: cron, metadata: {a: yes}}"),
       {"FieldValueTypeInvalid spec.triggers[0].metadata.a"}},
      {"a word outside the list that is no word at all is two errors",
       with_triggers(cron, "  fallback: {failureThreshold: 1, replicas: 1, behavior: {}}\n"),
       {"FieldValueNotSupported spec.fallback.behavior",
        "FieldValueTypeInvalid spec.fallback.behavior"}},
      {"a whole number is one with a point, too",
       with_triggers(cron, "  pollingInterval: 30.0\n"),
       {}},
      {"beyond 32 bits",
       with_triggers(cron, "  pollingInterval: 2147483648\n"),
       {"FieldValueInvalid spec.pollingInterval"}},
      {"a number of another base",
       with_triggers(cron, "  pollingInterval: 0x1F\n  cooldownPeriod: 0o17\n"),
       {}},
      {"a fraction is no whole number",
       with_triggers(cron, "  pollingInterval: 30.5\n"),
       {"FieldValueTypeInvalid spec.pollingInterval"}},
      {"nor is what has no end",
       with_triggers(cron, "  pollingInterval: .inf\n"),
       {"FieldValueTypeInvalid spec.pollingInterval"}},
      {"nor a number that fits no 64 bits",
       with_triggers(cron, "  pollingInterval: 99999999999999999999\n"),
       {"FieldValueTypeInvalid spec.pollingInterval"}},
      {"a bool in quotes is none",
       with_triggers("{type: cron, useCachedMetrics: \"true\", metadata: {}}"),
       {"FieldValueTypeInvalid spec.triggers[0].useCachedMetrics"}},
      {"no metadata",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec: {}\n",
       {"FieldValueRequired metadata", "FieldValueRequired spec.scaleTargetRef",
        "FieldValueRequired spec.triggers"}},
      {"metadata that is no map, and no spec",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: shop\n",
       {"FieldValueTypeInvalid metadata", "FieldValueRequired spec"}},
      {"a spec that is no map",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec: []\n",
       {"FieldValueTypeInvalid spec"}},
      {"no map at all", "- a\n", {"FieldValueTypeInvalid "}},
      {"names that are none",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a..b, namespace: A}\n"
       "spec: {scaleTargetRef: {name: x}, triggers: [" +
           cron + "]}\n",
       {"FieldValueInvalid metadata.name", "FieldValueInvalid metadata.namespace"}},
      {"a name that is too long",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: " +
           std::string(254, 'a') + "}\nspec: {scaleTargetRef: {name: x}, triggers: [" + cron +
           "]}\n",
       {"FieldValueInvalid metadata.name"}},
      {"an empty one",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: \"\"}\n"
       "spec: {scaleTargetRef: {name: x}, triggers: [" +
           cron + "]}\n",
       {"FieldValueInvalid metadata.name"}},
      {"policies that are no list, and one that is no map",
       with_triggers(cron,
                     "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {policies: "
                     "a}, scaleDown: {policies: [a]}}}}\n"),
       {"FieldValueTypeInvalid "
        "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies[0]",
        "FieldValueTypeInvalid "
        "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.policies"}},
      {"a tolerance that is a list",
       with_triggers(cron,
                     "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: "
                     "{tolerance: []}}}}\n"),
       {"FieldValueInvalid spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance",
        "FieldValueTypeInvalid "
        "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance"}},
      {"an authentication that is no map",
       with_triggers("{type: cron, metadata: {}, authenticationRef: a}"),
       {"FieldValueTypeInvalid spec.triggers[0].authenticationRef"}},
      {"a tolerance may be a whole number or a text",
       with_triggers(cron,
                     "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: "
                     "{tolerance: 0}, scaleDown: {tolerance: \"0.05\"}}}}\n"),
       {}},
      {"but no other number, of which it is said twice",
       with_triggers(cron,
                     "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: "
                     "{tolerance: 0.1}}}}\n"),
       {"FieldValueInvalid spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance",
        "FieldValueTypeInvalid "
        "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance"}},
      {"the default of the maximum counts",
       with_triggers(cron, "  minReplicaCount: 101\n"),
       {"FieldValueInvalid spec"}},
      {"but not while something has no shape",
       with_triggers(cron, "  minReplicaCount: 101\n  maxReplicaCount: a\n"),
       {"FieldValueTypeInvalid spec.maxReplicaCount"}},
      {"it does while something is only too small",
       with_triggers(cron, "  minReplicaCount: 1\n  maxReplicaCount: 0\n"),
       {"FieldValueInvalid spec", "FieldValueInvalid spec.maxReplicaCount"}},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    std::vector<std::string> errors;
    for (const auto& error : read_scaled(text).errors)
      errors.push_back(error.type + " " + error.path);
    EXPECT_EQ(errors, expected);
  }
}

TEST(ScaledObject, TheWebhooksChecks) {
  struct Case {
    const char* why;
    std::string text;
    std::vector<std::string> expected;
  };
  const std::string cron(kCron);
  const std::string cpu = "{type: cpu, metricType: Utilization, metadata: {value: \"50\"}}";
  const Case cases[] = {
      {"nothing to say", with_triggers(cron), {}},
      {"a minimum of 0 that is written counts as 1",
       with_triggers(cron, "  minReplicaCount: 0\n  idleReplicaCount: 0\n"),
       {}},
      {"one that is left out as 0",
       with_triggers(cron, "  idleReplicaCount: 0\n"),
       {"verifyReplicaCount"}},
      {"and so nothing can be the maximum of 0 replicas",
       with_triggers(cron, "  idleReplicaCount: 2\n  minReplicaCount: 2\n"),
       {"verifyReplicaCount"}},
      {"a name twice",
       with_triggers(
           "{type: external, name: a, metadata: {}}, {type: cron, name: a, metadata: {}}"),
       {"verifyTriggers"}},
      {"cron has nothing to cache",
       with_triggers("{type: cron, useCachedMetrics: true, metadata: {}}"),
       {"verifyTriggers"}},
      {"cpu alone cannot wake up", with_triggers(cpu), {"verifyCPUMemoryScalers"}},
      {"with one replica it need not", with_triggers(cpu, "  minReplicaCount: 1\n"), {}},
      {"a fallback for cpu is none",
       with_triggers(cpu, "  minReplicaCount: 1\n  fallback: {failureThreshold: 1, replicas: 1}\n"),
       {"verifyFallback"}},
      {"a fallback by a formula that is not there",
       with_triggers(
           cron, "  fallback: {failureThreshold: 1, replicas: 1, behavior: scalingModifiers}\n"),
       {"verifyScaledObjects"}},
      {"modifiers without a formula",
       with_triggers(cron, "  advanced: {scalingModifiers: {target: \"1\"}}\n"),
       {"verifyScaledObjects"}},
      {"more at least than at most",
       with_triggers(cron, "  minReplicaCount: 5\n  maxReplicaCount: 4\n"),
       {"verifyReplicaCount"}},
      {"a formula that fails with a number below 0",
       with_triggers(
           "{type: external, name: a, metadata: {}}",
           "  advanced: {scalingModifiers: {formula: \"[1, 2][a < 0 ? 2 : 0]\", target: \"1\"}}\n"),
       {"verifyScaledObjects"}},
      {"a target without an end",
       with_triggers("{type: external, name: a, metadata: {}}",
                     "  advanced: {scalingModifiers: {formula: a, target: Inf}}\n"),
       {"verifyScaledObjects"}},
      {"the HPA's name is too long for a label",
       with_triggers(cron,
                     fmt::format("  advanced: {{horizontalPodAutoscalerConfig: {{name: {}}}}}\n",
                                 std::string(64, 'h'))),
       {"verifyName"}},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    std::vector<std::string> checks;
    for (const auto& refusal : keda::webhook(object(text))) checks.push_back(refusal.check);
    EXPECT_EQ(checks, expected);
  }
}

TEST(ScaledObject, TheWebhookLooksAtTheCluster) {
  const auto other = [](std::string name, std::string hpa) {
    auto another = object(with_triggers(kCron));
    another.name = std::move(name);
    another.spec.hpa_config.name = std::move(hpa);
    return another;
  };
  const keda::PodSpec pods{{{"app", {{"cpu", {100}}}, {}}, {"proxy", {}, {}}}, {}};
  auto pod_level = pods;
  pod_level.pod.limits["cpu"] = {100};
  const auto cpu = [](std::string_view more) {
    return with_triggers(
        fmt::format("{{type: cpu, metricType: Utilization, metadata: {{value: \"50\"{}}}}}", more),
        "  minReplicaCount: 1\n");
  };
  const keda::OtherHpa hpa{"h", "d", {}, {}, {"apps/v1", "Deployment", "x"}};
  auto owned = hpa, released = hpa, unknown = hpa;
  unknown.target = {"example.com/v1", "Widget", "x"};
  auto of_stateful_set = hpa;
  of_stateful_set.target.kind = "StatefulSet";
  auto unknown_object = other("b", "h");
  unknown_object.spec.scale_target_ref.kind = "Widget";
  owned.owners = {{"keda.sh/v1alpha1", "ScaledObject", "shop"}};
  released.annotations["validations.keda.sh/hpa-ownership"] = "false";
  struct Case {
    const char* why;
    std::string text;
    keda::World world;
    std::vector<std::string> expected;
  };
  const std::string cron = with_triggers(kCron);
  const Case cases[] = {
      {"an empty cluster does", cron, {.has_scale = false}, {}},
      {"another has the target",
       cron,
       {.scaled_objects = {other("b", "h")}},
       {"verifyScaledObjects"}},
      {"the object itself is no other", cron, {.scaled_objects = {other("shop", "h")}}, {}},
      {"another HPA has the target", cron, {.hpas = {hpa}}, {"verifyHpas"}},
      {"it is the object's own", cron, {.hpas = {owned}}, {}},
      {"it is given up", cron, {.hpas = {released}}, {}},
      {"it is of a kind that nobody knows, and so may be any",
       cron,
       {.hpas = {unknown}},
       {"verifyHpas"}},
      {"it is another kind's", cron, {.hpas = {of_stateful_set}}, {}},
      {"it is handed over",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: shop, namespace: d, "
       "annotations: {scaledobject.keda.sh/transfer-hpa-ownership: \"true\"}}\nspec: "
       "{scaleTargetRef: {name: x}, advanced: {horizontalPodAutoscalerConfig: {name: h}}, "
       "triggers: [" +
           std::string(kCron) + "]}\n",
       {.hpas = {hpa}},
       {}},
      {"another of a kind that nobody knows has the name",
       cron,
       {.scaled_objects = {unknown_object}},
       {"verifyScaledObjects"}},
      {"the pods of a Rollout are not looked at",
       scaled_object_of(
           "  scaleTargetRef: {name: x, apiVersion: argoproj.io/v1alpha1, kind: Rollout}\n"
           "  minReplicaCount: 1\n  triggers: [{type: cpu, metricType: Utilization, metadata: "
           "{value: \"50\"}}]\n"),
       {.target = pods},
       {}},
      {"nor those of a ReplicaSet",
       scaled_object_of(
           "  scaleTargetRef: {name: x, kind: ReplicaSet}\n"
           "  minReplicaCount: 1\n  triggers: [{type: cpu, metricType: Utilization, metadata: "
           "{value: \"50\"}}]\n"),
       {.target = pods},
       {}},
      {"nor those of what is called like a Deployment",
       scaled_object_of(
           "  scaleTargetRef: {name: x, apiVersion: example.com/v1, kind: Deployment}\n"
           "  minReplicaCount: 1\n  triggers: [{type: cpu, metricType: Utilization, metadata: "
           "{value: \"50\"}}]\n"),
       {.target = pods},
       {}},
      {"an empty container's name is none",
       cpu(", containerName: \"\""),
       {.target = pods},
       {"verifyCPUMemoryScalers"}},
      {"a default of another namespace",
       cpu(""),
       {.target = pods, .limit_ranges = {{"other", {{"Container", {{"cpu", {1}}}, {}}}}}},
       {"verifyCPUMemoryScalers"}},
      {"a container has no request", cpu(""), {.target = pods}, {"verifyCPUMemoryScalers"}},
      {"the named one has", cpu(", containerName: app"), {.target = pods}, {}},
      {"nobody has that name, which passes", cpu(", containerName: other"), {.target = pods}, {}},
      {"the pod as a whole has", cpu(""), {.target = pod_level}, {}},
      {"which is nothing for a named container",
       cpu(", containerName: proxy"),
       {.target = pod_level},
       {"verifyCPUMemoryScalers"}},
      {"a default does",
       cpu(""),
       {.target = pods, .limit_ranges = {{"d", {{"Container", {{"cpu", {1}}}, {}}}}}},
       {}},
      {"one for pods does not",
       cpu(""),
       {.target = pods, .limit_ranges = {{"d", {{"Pod", {{"cpu", {1}}}, {}}}}}},
       {"verifyCPUMemoryScalers"}},
      {"a dry run does not look", cpu(""), {.target = pods, .dry_run = true}, {}},
      {"no target at all", cpu(""), {}, {"verifyCPUMemoryScalers"}},
  };
  for (const auto& [why, text, world, expected] : cases) {
    SCOPED_TRACE(why);
    std::vector<std::string> checks;
    for (const auto& refusal : keda::webhook(object(text), world)) checks.push_back(refusal.check);
    EXPECT_EQ(checks, expected);
  }
}

TEST(ScaledObject, TheReconcilersOrder) {
  struct Case {
    const char* why;
    std::string text;
    bool has_scale;
    const char* gives_up;
    bool hpa;
  };
  const auto annotated = [](std::string_view annotations) {
    auto text = with_triggers(kCron);
    text.replace(text.find("namespace: d"), 12,
                 fmt::format("namespace: d, annotations: {{{}}}", annotations));
    return text;
  };
  const Case cases[] = {
      {"all is well", with_triggers(kCron), true, "", true},
      {"no target", with_triggers(kCron), false, "target", false},
      {"a kind that nobody knows",
       scaled_object_of(
           fmt::format("  scaleTargetRef: {{name: x, kind: Widget}}\n  triggers: [{}]\n", kCron)),
       true, "target", false},
      {"a kind that cannot be scaled",
       scaled_object_of(fmt::format(
           "  scaleTargetRef: {{name: x, kind: DaemonSet}}\n  triggers: [{}]\n", kCron)),
       true, "target", false},
      {"a Deployment of others",
       scaled_object_of(
           fmt::format("  scaleTargetRef: {{name: x, apiVersion: example.com/v1, kind: "
                       "Deployment}}\n  triggers: [{}]\n",
                       kCron)),
       true, "target", false},
      {"a Rollout",
       scaled_object_of(
           fmt::format("  scaleTargetRef: {{name: x, apiVersion: argoproj.io/v1alpha1, kind: "
                       "Rollout}}\n  triggers: [{}]\n",
                       kCron)),
       true, "", true},
      {"an apiVersion that is none",
       scaled_object_of(fmt::format(
           "  scaleTargetRef: {{name: x, apiVersion: a/b/c}}\n  triggers: [{}]\n", kCron)),
       true, "target", false},
      {"more replicas than 32 bits",
       annotated("autoscaling.keda.sh/paused-replicas: \"2147483648\""), true, "pausedReplicas",
       false},
      {"fewer than that", annotated("autoscaling.keda.sh/paused-replicas: \"-2147483649\""), true,
       "pausedReplicas", false},
      {"a pause comes before all else", annotated("autoscaling.keda.sh/paused: \"true\""), false,
       "", false},
      {"whatever is no Go bool pauses", annotated("autoscaling.keda.sh/paused: \"3\""), true, "",
       false},
      {"a count pauses even with paused false",
       annotated(
           "autoscaling.keda.sh/paused: \"false\", autoscaling.keda.sh/paused-replicas: \"0\""),
       true, "", false},
      {"a count that is none", annotated("autoscaling.keda.sh/paused-replicas: \"a\""), true,
       "pausedReplicas", false},
      {"a parameter is missing", with_triggers("{type: cron, metadata: {}}"), true, "hpa", false},
      {"a type that nobody has", with_triggers("{type: CPU, metadata: {}}"), true, "hpa", false},
      {"a quantity that is none is an error, not a crash",
       with_triggers("{type: cpu, metricType: AverageValue, metadata: {value: abc}}"), true, "hpa",
       false},
      {"the API server wants a target above 0",
       with_triggers(
           "{type: prometheus, metadata: {serverAddress: p, query: q, threshold: \"0\"}}"),
       true, "hpaRefused", false},
      {"and knows no metric type Other",
       with_triggers("{type: prometheus, metricType: Other, metadata: {serverAddress: p, query: q, "
                     "threshold: \"1\"}}"),
       true, "hpaRefused", false},
  };
  for (const auto& [why, text, has_scale, gives_up, hpa] : cases) {
    SCOPED_TRACE(why);
    keda::World world{.has_scale = has_scale};
    world.target.emplace();
    const auto result = keda::reconcile(object(text), world);
    EXPECT_EQ(result.gives_up ? result.gives_up->check : "", gives_up);
    EXPECT_EQ(result.hpa.has_value(), hpa);
  }
}

TEST(ScaledObject, TheHpaOfAnObject) {
  auto from = object(with_triggers(
      fmt::format("{}, {{type: memory, metricType: AverageValue, metadata: {{value: 1Gi, "
                  "containerName: app}}}}, {}",
                  kPrometheus, kCron)));
  from.labels = {{"team", "a"}, {"tier", "b"}, {"app.kubernetes.io/managed-by", "helm"}};
  from.annotations = {{"scaledobject.keda.sh/hpa-excluded-labels", "team, tier"},
                      {"autoscaling.keda.sh/paused-scale-in", "yes"}};
  const auto written = keda::to_hpa(from);
  ASSERT_TRUE(written) << written.error().detail;
  EXPECT_EQ(written->name, "keda-hpa-shop");
  const std::map<std::string, std::string> labels = {
      {"app.kubernetes.io/name", "keda-hpa-shop"},
      {"app.kubernetes.io/part-of", "shop"},
      {"app.kubernetes.io/managed-by", "helm"},
      {"scaledobject.keda.sh/name", "shop"},
      {"tier", "b"},  // the list is not trimmed: it names " tier"
  };
  EXPECT_EQ(written->labels, labels);
  EXPECT_EQ(written->annotations, from.annotations);
  EXPECT_EQ(written->spec.min_replicas, 1);
  EXPECT_EQ(written->spec.max_replicas, 100);
  ASSERT_EQ(written->spec.metrics.size(), 3u);  // by type, then by trigger
  EXPECT_EQ(written->spec.metrics[0].container_resource->container, "app");
  EXPECT_EQ(written->spec.metrics[1].external->metric.name, "s0-prometheus");
  EXPECT_EQ(written->spec.metrics[2].external->metric.name, "s2-cron-UTC-08xxx-018xxx");
  EXPECT_EQ(written->spec.behavior->scale_down->select_policy, "Disabled");
  EXPECT_FALSE(written->spec.behavior->scale_up);
}

TEST(Triggers, TargetsAndMetricNames) {
  struct Case {
    const char* why;
    const char* type;
    Metadata metadata;
    const char* metric;
    std::int64_t milli;
    double activation;
  };
  const Case cases[] = {
      {"a window asks for exactly its replicas",
       "cron",
       {{"timezone", "Europe/Zurich"},
        {"start", "*/5 8-18 * * 1,3"},
        {"end", "59 23 ? * *"},
        {"desiredReplicas", "3"}},
       "s4-cron-Europe-Zurich-xSl58-18xx1Cm3-5923Qmxx",
       1000,
       0},
      {"the default",
       "kafka",
       {{"topic", "orders.eu"}, {"consumerGroup", "g"}},
       "s4-kafka-orders-eu",
       10'000,
       0},
      {"all topics of a group",
       "kafka",
       {{"consumerGroup", "g"}, {"lagThreshold", "7"}},
       "s4-kafka-g-topics",
       7000,
       0},
      {"20 messages", "rabbitmq", {{"queueName", "a b/c"}}, "s4-rabbitmq-a+b-2Fc", 20'000, 0},
      {"the old form",
       "rabbitmq",
       {{"queueName", "q"}, {"queueLength", "5"}},
       "s4-rabbitmq-q",
       5000,
       0},
      {"a rate",
       "rabbitmq",
       {{"queueName", "q"}, {"mode", "MessageRate"}, {"value", "2.5"}, {"activationValue", "1"}},
       "s4-rabbitmq-q",
       2500,
       1},
      {"a list", "redis-cluster", {{"listName", "l"}}, "s4-redis-l", 5000, 0},
      {"a stream by its length",
       "redis-streams",
       {{"stream", "s"}, {"streamLength", "9"}},
       "s4-redis-streams-s",
       9000,
       0},
      {"by what is pending",
       "redis-streams",
       {{"stream", "s"}, {"consumerGroup", "g"}, {"streamLength", "9"}},
       "s4-redis-streams-s",
       5000,
       0},
      {"by its lag",
       "redis-sentinel-streams",
       {{"stream", "s"}, {"consumerGroup", "g"}, {"lagCount", "4"}, {"activationLagCount", "2"}},
       "s4-redis-streams-s",
       4000,
       2},
      {"three decimals, nearest",
       "postgresql",
       {{"targetQueryValue", "0.0005"}},
       "s4-postgresql",
       1,
       0},
      {"an exponent",
       "prometheus",
       {{"threshold", " 1e3 "}, {"activationThreshold", "0.5"}},
       "s4-prometheus",
       1'000'000,
       0.5},
      {"a negative is 0", "prometheus", {{"threshold", "-1"}}, "s4-prometheus", 0, 0},
      {"but a whole number is passed on",
       "kafka",
       {{"topic", "t"}, {"lagThreshold", "-3"}},
       "s4-kafka-t",
       -3000,
       0},
      {"more than fits is the most there is",
       "prometheus",
       {{"threshold", "1e300"}},
       "s4-prometheus",
       INT64_MAX,
       0},
      {"a mode without a value",
       "rabbitmq",
       {{"queueName", "q"}, {"mode", "MessageRate"}},
       "s4-rabbitmq-q",
       0,
       0},
      {"a path with signs",
       "metrics-api",
       {{"valueLocation", "list.#(k==\"v\").n/d:(1)%"}, {"targetValue", "0.25"}},
       "s4-metric-api-list-#-k==\"v\"--n-d--1--",
       250,
       0},
      {"a stream of NATS", "nats-jetstream", {{"stream", "s"}}, "s4-nats-jetstream-s", 10'000, 0},
      {"pods", "kubernetes-workload", {{"value", "2.5"}}, "s4-workload-d", 2500, 0},
      {"an external scaler says it itself", "external", {{"scalerAddress", "a:1"}}, "", 0, 0},
  };
  for (const auto& [why, type, metadata, metric, milli, activation] : cases) {
    SCOPED_TRACE(why);
    const auto target = target_of(type, metadata, 4, "d");
    ASSERT_TRUE(target) << target.error().what;
    EXPECT_EQ(target->metric_name, metric);
    EXPECT_EQ(target->quantity.milli, milli);
    EXPECT_EQ(target->activation, activation);
  }
  for (const char* type : {"cpu", "memory", "aws-sqs-queue", "kafak"}) {
    EXPECT_FALSE(target_of(type, {}, 0, "d")) << type;
  }
  const auto none = target_of({.type = "prometheus", .metadata = {{"threshold", "many"}}}, 0);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, "threshold: found \"many\", expected a number");
  EXPECT_EQ(to_quantity(INFINITY), Quantity{0});
  EXPECT_EQ(support_of("temporal"), TriggerSupport::unsupported);
}

TEST(Triggers, Parameters) {
  struct Case {
    const char* why;
    const char* type;
    Metadata metadata;
    std::vector<std::string> wrong;
    bool authenticated = false;
    bool under_modifiers = false;
    const char* metric_type = "";
  };
  const Case cases[] = {
      {"blanks are nothing",
       "prometheus",
       {{"serverAddress", " "}, {"query", "q"}, {"threshold", "1"}},
       {"serverAddress"}},
      {"numbers are JSON's",
       "prometheus",
       {{"serverAddress", "p"}, {"query", "q"}, {"threshold", "05"}},
       {"threshold"}},
      {"an item of a map has one =",
       "prometheus",
       {{"serverAddress", "p"}, {"query", "q"}, {"threshold", "1"}, {"customHeaders", "a=1,b=2=3"}},
       {"customHeaders"}},
      {"bearer without a token",
       "prometheus",
       {{"serverAddress", "p"}, {"query", "q"}, {"threshold", "1"}, {"authModes", "bearer"}},
       {"authModes"}},
      {"which an authentication may have",
       "prometheus",
       {{"serverAddress", "p"}, {"query", "q"}, {"threshold", "1"}, {"authModes", "bearer"}},
       {},
       true},
      {"a target of 0 is none",
       "metrics-api",
       {{"url", "u"}, {"valueLocation", "v"}},
       {"targetValue"}},
      {"but not needed under modifiers",
       "metrics-api",
       {{"url", "u"}, {"valueLocation", "v"}},
       {},
       false,
       true},
      {"words are case-sensitive",
       "metrics-api",
       {{"url", "u"}, {"valueLocation", "v"}, {"targetValue", "1"}, {"format", "JSON"}},
       {"format"}},
      {"a selector that is none",
       "kubernetes-workload",
       {{"podSelector", "a in ()"}, {"value", "1"}},
       {"podSelector"}},
      {"both of the same text",
       "cron",
       {{"timezone", "UTC"},
        {"start", "0 8 * * *"},
        {"end", "0 8 * * *"},
        {"desiredReplicas", "1"}},
       {"end"}},
      {"no replicas, and no such day of the week",
       "cron",
       {{"timezone", "UTC"},
        {"start", "0 8 * * 7"},
        {"end", "0 9 * * *"},
        {"desiredReplicas", "0"}},
       {"start", "desiredReplicas"}},
      {"from the environment",
       "kafka",
       {{"bootstrapServersFromEnv", "BROKERS"}, {"consumerGroup", "g"}, {"topic", "t"}},
       {}},
      {"a limit needs a topic, and no idle consumers",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"allowIdleConsumers", "true"},
        {"limitToPartitionsWithLag", "true"}},
       {"limitToPartitionsWithLag", "topic"}},
      {"amqp counts messages only",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "amqp://h/v"}, {"mode", "MessageRate"}, {"value", "1"}},
       {"mode"}},
      {"http does more",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "https://h/v"}, {"mode", "MessageRate"}, {"value", "1"}},
       {}},
      {"a mode without a value",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "https://h/v"}, {"mode", "QueueLength"}},
       {"value"}},
      {"no address", "redis", {{"listName", "l"}}, {"address"}},
      {"hosts and ports", "redis", {{"listName", "l"}, {"host", "a,b"}, {"port", "1"}}, {"ports"}},
      {"a lag of nothing",
       "kafka",
       {{"bootstrapServers", "b"}, {"consumerGroup", "g"}, {"topic", "t"}, {"lagThreshold", "0"}},
       {"lagThreshold"}},
      {"less than nothing wakes",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"activationLagThreshold", "-1"}},
       {"activationLagThreshold"}},
      {"lags that are none",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"lagThreshold", "a"},
        {"activationLagThreshold", "b"}},
       {"lagThreshold", "activationLagThreshold"}},
      {"partitions",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"partitionLimitation", "1,2,4-6"}},
       {}},
      {"of three ends",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"partitionLimitation", "1-2-3"}},
       {"partitionLimitation"}},
      {"of letters",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"partitionLimitation", "a"}},
       {"partitionLimitation"}},
      {"below 0, which reads as two ends",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"partitionLimitation", "-1"}},
       {"partitionLimitation"}},
      {"beyond 32 bits",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"partitionLimitation", "2147483648"}},
       {"partitionLimitation"}},
      {"two ways to share at once",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"limitToPartitionsWithLag", "true"},
        {"ensureEvenDistributionOfPartitions", "true"}},
       {"limitToPartitionsWithLag"}},
      {"an even share needs a topic",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"ensureEvenDistributionOfPartitions", "true"}},
       {"topic"}},
      {"so does little metadata",
       "kafka",
       {{"bootstrapServers", "b"}, {"consumerGroup", "g"}, {"fullMetadata", "false"}},
       {"topic"}},
      {"all topics of a group", "kafka", {{"bootstrapServers", "b"}, {"consumerGroup", "g"}}, {}},
      {"no flag",
       "kafka",
       {{"bootstrapServers", "b"},
        {"consumerGroup", "g"},
        {"topic", "t"},
        {"allowIdleConsumers", "yes"}},
       {"allowIdleConsumers"}},
      {"20 messages of either protocol",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "http://h"}},
       {}},
      {"two ways to say how many",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "amqp://h"}, {"queueLength", "5"}, {"value", "5"}},
       {"queueLength"}},
      {"or a mode beside the old way",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "amqp://h"}, {"queueLength", "5"}, {"mode", "QueueLength"}},
       {"queueLength"}},
      {"the old way",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "amqp://h"}, {"queueLength", "5"}},
       {}},
      {"a mode that is none",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "amqp://h"}, {"mode", "Length"}, {"value", "5"}},
       {"mode"}},
      {"a value without a mode",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "amqp://h"}, {"value", "5"}},
       {"mode"}},
      {"an answer in time is http's",
       "rabbitmq",
       {{"queueName", "q"},
        {"host", "amqp://h"},
        {"mode", "QueueLength"},
        {"value", "5"},
        {"timeout", "1s"}},
       {"timeout"}},
      {"so are patterns",
       "rabbitmq",
       {{"queueName", "q"},
        {"host", "amqp://h"},
        {"useRegex", "true"},
        {"excludeUnacknowledged", "true"}},
       {"useRegex", "excludeUnacknowledged"}},
      {"a time that is none",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "http://h"}, {"timeout", "soon"}},
       {"timeout"}},
      {"an address without a protocol", "rabbitmq", {{"queueName", "q"}, {"host", "h"}}, {"host"}},
      {"whose protocol is said",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "h"}, {"protocol", "http"}},
       {}},
      {"an address from elsewhere", "rabbitmq", {{"queueName", "q"}, {"hostFromEnv", "HOST"}}, {}},
      {"pages of nothing",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "http://h"}, {"pageSize", "0"}},
       {"pageSize"}},
      {"pages of something",
       "rabbitmq",
       {{"queueName", "q"}, {"host", "http://h"}, {"pageSize", "a"}},
       {"pageSize"}},
      {"an authentication has no names of queues",
       "rabbitmq",
       {{"host", "http://h"}},
       {"queueName"},
       true,
       false},
      {"as many ports as hosts",
       "redis",
       {{"listName", "l"}, {"hosts", "a,b"}, {"ports", "1,2"}},
       {}},
      {"hosts without ports", "redis", {{"listName", "l"}, {"hosts", "a"}}, {"address"}},
      {"no whole number of items",
       "redis",
       {{"listName", "l"}, {"address", "a:1"}, {"listLength", "1.5"}},
       {"listLength"}},
      {"a connection, and no target",
       "postgresql",
       {{"query", "q"}, {"connectionFromEnv", "C"}},
       {"targetQueryValue"}},
      {"which modifiers have",
       "postgresql",
       {{"query", "q"}, {"connectionFromEnv", "C"}},
       {},
       false,
       true},
      {"no account",
       "nats-jetstream",
       {{"stream", "s"}, {"consumer", "c"}, {"natsServerMonitoringEndpoint", "n"}},
       {"account"}},
      {"an account by its id",
       "nats-jetstream",
       {{"stream", "s"},
        {"consumer", "c"},
        {"natsServerMonitoringEndpoint", "n"},
        {"accountID", "a"}},
       {}},
      {"an account by its name",
       "nats-jetstream",
       {{"stream", "s"},
        {"consumer", "c"},
        {"natsServerMonitoringEndpoint", "n"},
        {"account", "a"}},
       {}},
      {"pods without a target", "kubernetes-workload", {{"podSelector", "a=b"}}, {"value"}},
      {"which modifiers have", "kubernetes-workload", {{"podSelector", "a=b"}}, {}, false, true},
      {"no pods", "kubernetes-workload", {{"value", "1"}}, {"podSelector"}},
      {"one way to authenticate",
       "prometheus",
       {{"serverAddress", "p"}, {"query", "q"}, {"threshold", "1"}, {"authModes", "basic,bearer"}},
       {"authModes"},
       true,
       false},
      {"no source is in percent",
       "prometheus",
       {{"serverAddress", "p"}, {"query", "q"}, {"threshold", "1"}},
       {""},
       false,
       false,
       "Utilization"},
      {"percent", "cpu", {{"value", "50"}}, {}, false, false, "Utilization"},
      {"no percent", "cpu", {{"value", "half"}}, {"value"}, false, false, "Utilization"},
      {"more of it than 32 bits",
       "cpu",
       {{"value", "2147483648"}},
       {"value"},
       false,
       false,
       "Utilization"},
      {"less than that", "cpu", {{"value", "-2147483649"}}, {"value"}, false, false, "Utilization"},
      {"no value", "cpu", {}, {"value"}, false, false, "Utilization"},
      {"an amount", "memory", {{"value", "1Gi"}}, {}, false, false, "AverageValue"},
      {"no amount", "memory", {{"value", "much"}}, {"value"}, false, false, "AverageValue"},
      {"nor any", "memory", {}, {"value"}, false, false, "AverageValue"},
      {"a resource's target has a type", "cpu", {{"value", "50"}}, {""}},
      {"of two", "cpu", {{"value", "50"}}, {""}, false, false, "Value"},
      {"which once stood elsewhere",
       "cpu",
       {{"value", "50"}, {"type", "Utilization"}},
       {"type"},
       false,
       false,
       "Utilization"},
      {"but an empty one is none",
       "cpu",
       {{"value", "50"}, {"type", " "}},
       {},
       false,
       false,
       "Utilization"},
      {"a type that only KEDA has", "mysql", {}, {}},
      {"a connection or all its parts",
       "postgresql",
       {{"query", "q"},
        {"targetQueryValue", "1"},
        {"host", "h"},
        {"port", "1"},
        {"userName", "u"},
        {"dbName", "d"}},
       {"sslmode"}},
  };
  for (const auto& [why, type, metadata, wrong, authenticated, under_modifiers, metric_type] :
       cases) {
    SCOPED_TRACE(why);
    std::vector<std::string> names;
    for (const auto& problem :
         check_parameters(type, metadata, authenticated, metric_type, {"d", under_modifiers})) {
      names.push_back(problem.name);
    }
    EXPECT_EQ(names, wrong);
  }
}

TEST(Triggers, Schedules) {
  struct Case {
    const char* why;
    const char* text;
    bool good;
  };
  const Case cases[] = {
      {"every minute", "* * * * *", true},
      {"lists, ranges, steps", "*/5 8-18/2 1,15 * 1-5", true},
      {"names in any case", "0 0 * Jan,DEC mon-FRI", true},
      {"? is *", "0 0 ? * ?", true},
      {"a zone of its own", "CRON_TZ=Europe/Zurich 0 8 * * *", true},
      {"a zone and nothing else", "TZ=UTC", false},
      {"seconds", "0 0 8 * * *", false},
      {"a word", "@daily", false},
      {"Sunday is 0 only", "0 8 * * 7", false},
      {"no 60th minute", "60 * * * *", false},
      {"backwards", "0 18-8 * * *", false},
      {"a step of nothing", "*/0 * * * *", false},
      {"30 February never comes", "0 0 30 2 *", false},
      {"its Mondays do", "0 0 30 2 1", true},
      {"29 February does", "0 0 29 2 *", true},
      {"nothing in a list", "0 , * * *", false},
      {"no minute", ", 0 * * *", false},
      {"no month", "0 0 * , *", false},
      {"no day of the month, of two ways to say one", "0 0 , * 1", true},
      {"no day of the week, of two ways to say one", "0 0 1 * ,", true},
      {"no day of the week, and it alone counts", "0 0 * * ,", false},
      {"two steps", "*/5/5 * * * *", false},
      {"three ends", "1-2-3 * * * *", false},
      {"a first that is no number", "a-5 * * * *", false},
      {"a last that is no number", "5-a * * * *", false},
      {"a number below the least", "* * 0 * *", false},
      {"a step that is no number", "*/a * * * *", false},
      {"a step below 0", "*/-5 * * * *", false},
      {"a step beyond all bounds is one of the first minute alone", "*/1000001 * * * *", true},
      {"a value beyond all bounds", "1000001 * * * *", false},
      {"a star and more", "*,5 * * * *", true},
  };
  for (const auto& [why, text, good] : cases) {
    EXPECT_EQ(read_schedule(text).has_value(), good) << why << ": " << text;
  }
}

TEST(Triggers, LabelSelectors) {
  const std::pair<const char*, bool> cases[] = {
      {"app=web", true},
      {"app==web,tier!=x", true},
      {"app in (a, b),!old", true},
      {"app", true},
      {"app=", true},
      {"app in (a,)", true},
      {"size>3", true},
      {"a.b/c notin (x)", true},
      {"", true},
      {"size>x", false},
      {"app in ()", false},
      {"app in (a b)", false},
      {"app=web,", false},
      {",app", false},
      {"=web", false},
      {"!app=web", false},
      {"app=a=b", false},
      {"A_/x=1", false},
      {"app=-a", false},
      {"app in a", false},
      {"app>1,", false},
      {"app>", false},
      {"app>=1", false},
      {"size<-3", false},
      {"app=web tier=x", false},
      {"app=(a)", false},
      {"app is web", false},
      {"app in (a,=)", false},
      {"app in (a,-b)", false},
      {"app in (,)", true},
      {"app,=", false},
      {"app,!old", true},
      {"!,app", false},
      {"app=,tier=x", true},
      {"app<3", true},
      {"a/b/c=1", false},
      {"example.com/-x=1", false},
  };
  for (const auto& [text, good] : cases) EXPECT_EQ(!wrong_with_selector(text), good) << text;
  const std::string name(63, 'a'), domain(253, 'a');
  EXPECT_FALSE(wrong_with_selector(domain + "/" + name + "=" + name));
  EXPECT_TRUE(wrong_with_selector(domain + "a/a=a"));
  EXPECT_TRUE(wrong_with_selector(name + "a"));
  EXPECT_TRUE(wrong_with_selector("a=" + name + "a"));
}

TEST(Triggers, NumbersAsGoReadsThem) {
  EXPECT_EQ(formula::read_go_float("0x1p3"), 8);
  EXPECT_EQ(formula::read_go_float("1_0"), 10);
  EXPECT_EQ(formula::read_go_float(".5"), 0.5);
  EXPECT_EQ(formula::read_go_float("1e-400"), 0);
  for (const char* text : {"", "1,5", "_1", "1_", "1__0", "0x1", "1e400", "+nan", "e3", "- 1"}) {
    EXPECT_FALSE(formula::read_go_float(text)) << text;
  }
  EXPECT_EQ(json_number("-1e3"), -1000);
  for (const char* text : {"05", ".5", "5.", "1_0", "+1", "0x1", "1e400", "null"}) {
    EXPECT_FALSE(json_number(text)) << text;
  }
  EXPECT_EQ(json_number("-1.5E+2"), -150);
  EXPECT_EQ(json_number("1e-2"), 0.01);
  EXPECT_EQ(json_number("0.5"), 0.5);
  EXPECT_EQ(json_number("1e-400"), 0) << "as Go reads it";
  for (const char* text : {"1e", "1.e1", "1e5x", "-"}) EXPECT_FALSE(json_number(text)) << text;
  EXPECT_EQ(go_integer("+7"), 7);
  for (const char* text : {"+", "+-7", "7x", ""}) EXPECT_FALSE(go_integer(text)) << text;
  EXPECT_EQ(json_integer("-7"), -7);
  EXPECT_FALSE(json_integer("1e3"));
  EXPECT_FALSE(json_integer("9223372036854775808"));
  EXPECT_EQ(go_duration("1m30s"), 90'000'000'000);
  EXPECT_EQ(go_duration("1500"), 1'500'000'000);
  EXPECT_EQ(go_duration("+1.5s500ms"), 2'000'000'000);
  EXPECT_EQ(go_signed_duration("-1m"), -60'000'000'000);
  EXPECT_EQ(go_signed_duration("0"), 0);
  EXPECT_EQ(go_signed_duration("-0"), 0);
  for (const char* text : {"", "-1s", "-1", "1.5", "1d", "s", "9999999h", "9223372036855", "+",
                           "2000000h2000000h", "1..5s"}) {
    EXPECT_FALSE(go_duration(text)) << text;
  }
  EXPECT_EQ(go_bool("T"), true);
  EXPECT_FALSE(go_bool("yes"));
}

TEST(ScaledObject, ErrorsSayWhereAndWhat) {
  struct Case {
    const char* why;
    std::string text;
    const char* expected;
  };
  const Case cases[] = {
      {"a missing type", with_triggers("{metadata: {}}"),
       "shop.yaml:6:14: spec.triggers[0].type: found nothing, expected it"},
      {"a slip in a type", with_triggers("{type: kafak, metadata: {}}"),
       "shop.yaml:6:21: spec.triggers[0].type: found \"kafak\", expected a trigger of KEDA's; is "
       "it "
       "kafka?"},
      {"a parameter",
       with_triggers("{type: prometheus, metadata: {serverAddress: p, query: q, threshold: abc}}"),
       "shop.yaml:6:83: spec.triggers[0].metadata.threshold: found \"abc\", expected a number"},
      {"what the API server would say of the HPA",
       with_triggers(kCron,
                     "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: "
                     "{stabilizationWindowSeconds: 3601}}}}\n"),
       "stabilizationWindowSeconds: found 3601"},
      {"another version", "apiVersion: keda.sh/v1\nkind: ScaledObject\n",
       "shop.yaml:1:13: apiVersion: found \"keda.sh/v1\", expected keda.sh/v1alpha1"},
      {"a count that is none",
       "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: a\n  annotations:\n"
       "    autoscaling.keda.sh/paused-replicas: x\nspec:\n  scaleTargetRef: {name: x}\n"
       "  triggers: [{type: external, metadata: {scalerAddress: a}}]\n",
       "found \"x\", expected a whole number of replicas"},
      {"an activation target without an end",
       with_triggers(kCron, "  advanced: {scalingModifiers: {activationTarget: Inf}}\n"),
       "spec.advanced.scalingModifiers.activationTarget: found \"Inf\", expected a number"},
      {"an apiVersion of three parts",
       scaled_object_of(fmt::format(
           "  scaleTargetRef: {{name: x, apiVersion: a/b/c}}\n  triggers: [{}]\n", kCron)),
       "spec.scaleTargetRef.apiVersion: found \"a/b/c\", expected a group and version"},
      {"a kind of the core group that nobody knows, which an HPA cannot scale",
       scaled_object_of(fmt::format(
           "  scaleTargetRef: {{name: x, apiVersion: v1, kind: Widget}}\n  triggers: [{}]\n",
           kCron)),
       "spec.scaleTargetRef.apiVersion: found \"v1\""},
      {"no document of a kind", "- a\n", "shop.yaml:1:1: document: found a list, expected a map"},
      {"no apiVersion, which is somebody else's to say",
       "kind: ScaledObject\nmetadata: {name: a}\nspec: {scaleTargetRef: {name: x}, triggers: "
       "[{type: kafak, metadata: {}}]}\n",
       "shop.yaml:3:53: spec.triggers[0].type: found \"kafak\""},
      {"a metric type that the HPA has not, said at the trigger",
       with_triggers("{type: prometheus, metricType: Other, metadata: {serverAddress: p, query: q, "
                     "threshold: \"1\"}}"),
       "spec.triggers[0].metricType: found"},
      {"an activation target that is no number",
       with_triggers(kCron, "  advanced: {scalingModifiers: {activationTarget: x}}\n"),
       "spec.advanced.scalingModifiers.activationTarget: found \"x\", expected a number"},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    const auto result = read_one_scaled(text);
    ASSERT_FALSE(result);
    EXPECT_NE(to_string(result.error()).find(expected), std::string::npos)
        << to_string(result.error());
  }
}

TEST(ScaledObject, WarningsSayWhatIsNotAsItSeems) {
  const auto result = read_one_scaled(with_triggers(
      "{type: cron, metadata: {timezone: UTC, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "
      "2, foo: a}}, {type: aws-sqs-queue, metadata: {}}",
      "  minReplicaCount: 1\n  cooldownPeriod: 5\n  maxReplicas: 4\n"));
  ASSERT_TRUE(result) << to_string(result.error());
  std::string all;
  for (const auto& warning : result->warnings) all += warning + "\n";
  for (const char* expected :
       {"spec.triggers[0].metadata.desiredReplicas: found 2, taken as \"2\"",
        "spec.triggers[0].metadata.foo: found a parameter that cron does not have",
        "spec.triggers[1].type: found \"aws-sqs-queue\", which Headroom cannot ask",
        "spec.cooldownPeriod: found it, which does nothing",
        "spec.maxReplicas: found an unknown field, passed over"}) {
    EXPECT_NE(all.find(expected), std::string::npos) << expected << "\nnot in\n" << all;
  }
  EXPECT_EQ(result->autoscaler.triggers.size(), 2u);
}

TEST(ScaledObject, WarningsHaveTheirPlaces) {
  const auto warnings = [](const std::string& text) {
    const auto result = read_one_scaled(text);
    EXPECT_TRUE(result) << to_string(result.error());
    return result ? result->warnings : std::vector<std::string>{};
  };
  const auto prometheus = [](std::string_view nulls) {
    return with_triggers(
        fmt::format("{{type: prometheus, metadata: {{serverAddress: p, query: q, threshold: \"1\", "
                    "ignoreNullValues: \"{}\"}}}}",
                    nulls));
  };
  EXPECT_TRUE(warnings(prometheus("false")).empty());
  ASSERT_EQ(warnings(prometheus("true")).size(), 1U);
  EXPECT_EQ(warnings(prometheus("true"))[0].substr(0, 50),
            "shop.yaml:6:14: spec.triggers[0]: found ignoreNull");
  EXPECT_EQ(warnings(with_triggers("{type: cron, metadata: {timezone: UTC, start: 0 8 * * *, end: "
                                   "0 18 * * *, desiredReplicas: \"2\", \"[99]\": a}}")),
            std::vector<std::string>{"shop.yaml:6:37: spec.triggers[0].metadata.[99]: found a "
                                     "parameter that cron does not have, passed over"});
  EXPECT_EQ(warnings("extra: 1\n" + with_triggers(kCron)),
            std::vector<std::string>{"shop.yaml:1:1: extra: found an unknown field, passed over"});
}

TEST(ScaledObject, ANumberIsNoLabel) {
  auto text = with_triggers(kCron);
  text.replace(text.find("namespace: d"), 12, "labels: {a: 1}");
  const auto result = read_one_scaled(text);
  ASSERT_FALSE(result);
  EXPECT_EQ(to_string(result.error()),
            "shop.yaml:3:36: metadata.labels.a: found 1, expected a text in quotes");
}

TEST(ScaledObject, ATargetBeyondAllNumbersIsTheMostThereIs) {
  const auto written = keda::to_hpa(
      object(with_triggers("{type: external, name: a, metadata: {scalerAddress: a}}",
                           "  advanced: {scalingModifiers: {formula: a, target: \"1e300\"}}\n")));
  ASSERT_TRUE(written) << written.error().detail;
  EXPECT_EQ(written->spec.metrics.at(0).external->target.average_value, Quantity{INT64_MAX});
}

/// What an Autoscaler says becomes what KEDA's CRD takes, and the other way.
TEST(ScaledObject, OfAnAutoscaler) {
  Autoscaler from;
  from.name = "web";
  from.target.scale_target_ref = {"apps/v1", "Deployment", "web"};
  from.metrics = {
      {.name = "cpu", .target = {.average_utilization = 50}},
      {.type = Metric::Type::container_resource,
       .name = "memory",
       .container = "app",
       .target = {.type = MetricTarget::Type::average_value, .average_value = Quantity{1'000'000}}},
      {.type = Metric::Type::pods, .name = "cpu", .target = {}},
      {.name = "disk", .target = {}},
      {.type = Metric::Type::external, .name = "q", .target = {}}};
  from.scaling_modifiers = ScalingModifiers{"a", "1", "", Trigger::MetricType::value};
  from.force_activation = true;
  from.fallback = Fallback{3, {4}, Fallback::Behavior::static_};
  auto object = keda::from_autoscaler(from);
  ASSERT_EQ(object.spec.triggers.size(), 2U) << "those of the replicas' own, of cpu and memory";
  EXPECT_EQ(object.spec.triggers[0].metric_type, "Utilization");
  EXPECT_EQ(object.spec.triggers[1].metadata.at("containerName"), "app");
  EXPECT_EQ(object.spec.triggers[1].metadata.at("value"), "1k");
  EXPECT_EQ(object.spec.triggers[1].metric_type, "AverageValue");
  EXPECT_EQ(object.spec.scaling_modifiers.metric_type, "Value");
  EXPECT_EQ(object.spec.polling_interval, std::nullopt) << "KEDA's own";
  EXPECT_EQ(object.annotations.at("autoscaling.keda.sh/force-activation"), "true");
  EXPECT_EQ(keda::read(*parsed(keda::write(object)).documents.at(0), Strictness::cluster).object,
            object);

  from.triggers = {{.type = "cpu", .metric_type = Trigger::MetricType::utilization},
                   {.type = "external"},
                   {.type = "memory"}};
  from.behavior.emplace().scale_up.emplace().tolerance = 0.12345;
  from.target.scale_target_ref.reset();
  from.fallback.reset();
  object = keda::from_autoscaler(from);
  EXPECT_EQ(object.spec.triggers.size(), 3U) << "cpu is among them already";
  EXPECT_EQ(object.spec.triggers[1].metric_type, "") << "the usual one is left out";
  EXPECT_EQ(object.spec.triggers[2].metric_type, "AverageValue") << "but where KEDA wants it";
  EXPECT_EQ(object.spec.hpa_config.behavior, std::nullopt) << "no quantity is so fine";
  EXPECT_EQ(object.spec.scale_target_ref, keda::ScaleTarget{});
}

TEST(ScaledObject, BecomesAnAutoscalerAndComesBack) {
  const std::string triggers =
      "{type: cpu, metricType: Utilization, metadata: {value: \"70\"}}, "
      "{type: redis, name: jobs, useCachedMetrics: true, metricType: Value, metadata: {address: "
      "\"r:6379\", listName: \"null\", listLength: \"010e\"}, authenticationRef: {name: a, kind: "
      "ClusterTriggerAuthentication}}";
  auto text = with_triggers(
      triggers,
      "  pollingInterval: 5\n  cooldownPeriod: 6\n  initialCooldownPeriod: 7\n"
      "  idleReplicaCount: 0\n  minReplicaCount: 2\n  maxReplicaCount: 9\n"
      "  fallback: {failureThreshold: 3, replicas: 4, behavior: currentReplicasIfLower}\n"
      "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {tolerance: "
      "\"0.05\"}}}}\n");
  text.replace(text.find("010e"), 4, "10");
  text.replace(text.find("namespace: d"), 12,
               "namespace: d, annotations: {autoscaling.keda.sh/paused-replicas: \"3\", "
               "autoscaling.keda.sh/paused-scale-out: \"true\"}");
  const auto result = read_one_scaled(text);
  ASSERT_TRUE(result) << to_string(result.error());
  const Autoscaler& got = result->autoscaler;
  EXPECT_EQ(got.name, "shop");
  EXPECT_EQ(got.namespace_, "d");
  EXPECT_EQ(got.target.scale_target_ref, (ObjectReference{"apps/v1", "Deployment", "x"}));
  EXPECT_EQ(got.min_replicas, Replicas{2});
  EXPECT_EQ(got.max_replicas, Replicas{9});
  EXPECT_EQ(got.idle_replicas, Replicas{0});
  EXPECT_EQ(got.polling_interval, 5s);
  EXPECT_EQ(got.cooldown_period, 6s);
  EXPECT_EQ(got.initial_cooldown_period, 7s);
  EXPECT_EQ(got.fallback, (Fallback{3, {4}, Fallback::Behavior::current_replicas_if_lower}));
  EXPECT_EQ(got.pause, (Pause{true, Replicas{3}, false, true}));
  ASSERT_EQ(got.metrics.size(), 1u);
  EXPECT_EQ(got.metrics[0].target.average_utilization, 70);
  ASSERT_EQ(got.triggers.size(), 2u);  // all, as their places are in the metrics' names
  EXPECT_EQ(got.triggers[1].metric_type, Trigger::MetricType::value);
  EXPECT_EQ(got.behavior->scale_up->tolerance, 0.05);
  EXPECT_EQ(got.behavior->scale_up->select_policy, ScalingRules::Select::max);

  const auto written = write_scaled_object(got);
  const auto again = read_one_scaled(written);
  ASSERT_TRUE(again) << to_string(again.error()) << written;
  EXPECT_EQ(again->autoscaler, got) << written;
}

TEST(ScaledObject, WhatIsEmptyReadsBack) {
  for (const char* behavior : {"{}", "{scaleUp: {}}", "{scaleDown: {}}"}) {
    const auto first =
        object(with_triggers("{type: external, metadata: {}}",
                             fmt::format("  advanced: {{horizontalPodAutoscalerConfig: {{behavior: "
                                         "{}}}}}\n",
                                         behavior)));
    EXPECT_EQ(object(keda::write(first)), first) << keda::write(first);
  }
  const auto none = object(with_triggers(kCron));
  EXPECT_EQ(object(keda::write(none)), none) << keda::write(none);
}

TEST(ScaledObject, TheSameReadsBack) {
  const auto first = object(with_triggers(
      kPrometheus,
      "  advanced: {restoreToOriginalReplicaCount: true, scalingModifiers: {formula: \"a + 1\", "
      "target: \"2\", activationTarget: \"0.5\", metricType: Value}, "
      "horizontalPodAutoscalerConfig: "
      "{name: h, behavior: {scaleUp: {policies: []}, scaleDown: {policies: [{type: Pods, value: 1, "
      "periodSeconds: 60}], selectPolicy: Min, stabilizationWindowSeconds: 0}}}}\n"));
  EXPECT_EQ(object(keda::write(first)), first) << keda::write(first);
}

}  // namespace
}  // namespace headroom::policy
