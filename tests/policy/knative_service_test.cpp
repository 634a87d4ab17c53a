#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "policy/documents.h"
#include "policy/joined.h"
#include "policy/knative.h"

namespace headroom::policy {
namespace {

std::string service(std::string_view annotations, std::string_view spec = "",
                    std::string_view containers = "[{command: [./web]}]") {
  return fmt::format(
      "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {{name: web, namespace: "
      "shop}}\n"
      "spec:\n  template:\n    metadata: {{annotations: {{{}}}}}\n"
      "    spec: {{{}containers: {}}}\n",
      annotations, spec, containers);
}

std::string annotated(std::string_view name, std::string_view text) {
  return service(
      fmt::format("autoscaling.knative.dev/max-scale: \"9\", "
                  "autoscaling.knative.dev/{}: \"{}\"",
                  name, text));
}

Document read_one(const std::string& text) {
  auto stream = read_stream(text, "a.yaml", {});
  EXPECT_TRUE(stream.errors.empty()) << text;
  EXPECT_EQ(stream.documents.size(), 1U) << text;
  return stream.documents.empty() ? Document{} : stream.documents[0];
}

TEST(KnativeService, BecomesWhatDoesTheSame) {
  const auto document = read_one(
      service("autoscaling.knative.dev/minScale: \"1\", autoscaling.knative.dev/max-scale: \"20\", "
              "autoscaling.knative.dev/metric: rps, autoscaling.knative.dev/target: \"50\", "
              "autoscaling.knative.dev/target-utilization-percentage: \"80\", "
              "autoscaling.knative.dev/window: 2m, "
              "autoscaling.knative.dev/panic-window-percentage: \"20\", "
              "autoscaling.knative.dev/panic-threshold-percentage: \"150\", "
              "autoscaling.knative.dev/initial-scale: \"3\", "
              "autoscaling.knative.dev/activation-scale: \"2\", "
              "autoscaling.knative.dev/scale-down-delay: 30s, "
              "autoscaling.knative.dev/scale-to-zero-pod-retention-period: 1m, "
              "autoscaling.knative.dev/class: kpa.autoscaling.knative.dev, "
              "autoscaling.knative.dev/metric-aggregation-algorithm: weighted-exponential",
              "containerConcurrency: 10, ",
              "[{command: [./web], args: [--port, $(PORT)], workingDir: /srv, env: [{name: A, "
              "value: b}, {name: B}]}]"));
  EXPECT_EQ(joined(document.errors), "");
  EXPECT_EQ(joined(document.warnings), "");
  EXPECT_TRUE(document.left_behind.empty());
  ASSERT_TRUE(document.autoscaler);
  const auto& a = *document.autoscaler;
  EXPECT_EQ(a.name, "web");
  EXPECT_EQ(a.namespace_, "shop");
  EXPECT_EQ(a.min_replicas, Replicas{1});
  EXPECT_EQ(a.max_replicas, Replicas{20});
  EXPECT_EQ(a.cooldown_period, 120s);
  EXPECT_EQ(a.target.process.command, (std::vector<std::string>{"./web", "--port", "$(PORT)"}));
  EXPECT_EQ(a.target.process.working_directory, "/srv");
  EXPECT_EQ(a.target.process.env, (std::map<std::string, std::string>{{"A", "b"}, {"B", ""}}));
  const Concurrency expected{
      .metric = Concurrency::Metric::rps,
      .target = 50,
      .target_utilization_percentage = 80,
      .container_concurrency = 10,
      .window = 120s,
      .panic_window_percentage = 20,
      .panic_threshold_percentage = 150,
      .initial_scale = 3,
      .activation_scale = 2,
      .scale_down_delay = 30s,
      .scale_to_zero_pod_retention_period = 60s,
      .metric_aggregation_algorithm = Concurrency::Aggregation::weighted_exponential};
  EXPECT_EQ(a.concurrency, expected);
  const auto again = read_documents(write_document(a), "b.yaml", {});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->front(), a);
}

// What is decided by is the same, whichever way the settings were read.
TEST(KnativeService, DecidesByTheSameSettings) {
  const Strings cases[] = {{},
                           {{"target", "10"}},
                           {{"metric", "rps"}},
                           {{"window", "30s"}, {"panic-window-percentage", "50"}},
                           {{"target-utilization-percentage", "100"}}};
  for (const auto& annotations : cases) {
    const KnativeRevision revision{.annotations = annotations, .container_concurrency = 20};
    auto theirs = read_knative_revision(KnativeCluster{}, revision);
    ASSERT_TRUE(theirs) << theirs.error().what;
    const auto ours = settings_of(concurrency_of(revision, *theirs));
    theirs->target_burst_capacity = 0;  // the gateway is always in the path
    EXPECT_EQ(ours, *theirs);
  }
}

TEST(KnativeService, SaysWhatIsWrongWhereItIs) {
  struct Case {
    const char* why;
    std::string text;
    const char* errors;
  };
  const std::string fine = service("");
  const auto with = [&fine](std::string_view what, std::string_view in_its_place) {
    auto text = fine;
    return text.replace(text.find(what), what.size(), in_its_place);
  };
  const Case cases[] = {
      {"nothing wrong", fine, ""},
      {"another version", with("dev/v1", "dev/v1alpha1"),
       "a.yaml:1:13: apiVersion: found \"serving.knative.dev/v1alpha1\", expected "
       "serving.knative.dev/v1"},
      {"what the webhook refuses", annotated("window", "5s"),
       "a.yaml:6:102: spec.template.metadata.annotations.autoscaling.knative.dev/window: found "
       "\"5s\", expected whole seconds from 6s to 1h"},
      {"under the name that was written", annotated("minScale", "x"),
       "a.yaml:6:104: spec.template.metadata.annotations.autoscaling.knative.dev/minScale: found "
       "\"x\", expected a whole number of 32 bits"},
      {"a number that is no text", service("autoscaling.knative.dev/min-scale: 1"),
       "a.yaml:6:65: spec.template.metadata.annotations[autoscaling.knative.dev/min-scale]: found "
       "\"1\", expected text, in quotes: \"1\""},
      {"a limit beyond", service("", "containerConcurrency: 1001, "),
       "a.yaml:7:34: spec.template.spec.containerConcurrency: found 1001, expected 0 to 1000"},
      {"where it does nothing",
       with("namespace: shop", "annotations: {autoscaling.knative.dev/min-scale: \"1\"}"),
       "a.yaml:3:72: metadata.annotations.autoscaling.knative.dev/min-scale: found it, expected it "
       "in spec.template.metadata.annotations, where it works"},
      {"another class", annotated("class", "hpa.autoscaling.knative.dev"),
       "a.yaml:6:101: spec.template.metadata.annotations.autoscaling.knative.dev/class: found "
       "\"hpa.autoscaling.knative.dev\", expected kpa.autoscaling.knative.dev, as what scales "
       "otherwise is a kind of its own"},
      {"a name of digits", with("name: web", "name: 1web"),
       "a.yaml:3:18: metadata.name: found \"1web\", expected a DNS label that begins with a "
       "letter, such as web"},
      {"no name", with("name: web, ", ""),
       "a.yaml:1:1: metadata.name: found \"\", expected a DNS label that begins with a letter, "
       "such as web"},
      {"no containers", service("", "", "[]"),
       "a.yaml:7:24: spec.template.spec.containers: found none, expected a list of them"},
      {"a text for containers", service("", "", "web"),
       "a.yaml:7:24: spec.template.spec.containers: found none, expected a list of them"},
      {"a variable without a name", service("", "", "[{command: [a], env: [b]}]"),
       "a.yaml:7:46: spec.template.spec.containers[0].env[0].name: found nothing, expected a name"},
      {"variables that are no list", service("", "", "[{command: [a], env: b}]"),
       "a.yaml:7:45: spec.template.spec.containers[0].env: found \"b\", expected a list"},
      {"no list of them", with("containers: [{command: [./web]}]", ""),
       "a.yaml:7:11: spec.template.spec.containers: found none, expected a list of them"},
      {"no spec", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\n",
       "a.yaml:1:1: spec.template.spec.containers: found none, expected a list of them"},
  };
  for (const auto& [why, text, errors] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(joined(read_one(text).errors), errors) << text;
  }
}

TEST(KnativeService, WarnsOfWhatHasNoCounterpart) {
  struct Case {
    const char* why;
    std::string text;
    const char* warnings;
  };
  const Case cases[] = {
      {"no maximum", service(""),
       "a.yaml:1:1: spec.template.metadata.annotations.autoscaling.knative.dev/max-scale: found "
       "none, which is no limit; an Autoscaler's is 10000"},
      {"a slip", annotated("min-scael", "1"),
       "a.yaml:6:105: spec.template.metadata.annotations.autoscaling.knative.dev/min-scael: found "
       "an unknown annotation, passed over; is it min-scale?"},
      {"nobody's", annotated("colour", "red"),
       "a.yaml:6:102: spec.template.metadata.annotations.autoscaling.knative.dev/colour: found an "
       "unknown annotation, passed over"},
      {"the activator's", annotated("targetBurstCapacity", "-1"),
       "a.yaml:6:115: "
       "spec.template.metadata.annotations.autoscaling.knative.dev/targetBurstCapacity: found it, "
       "passed over: the gateway is always in the path"},
      {"an image's own command",
       service("autoscaling.knative.dev/max-scale: \"9\"", "", "[{args: [a]}]"),
       "a.yaml:7:25: spec.template.spec.containers[0].command: found none, and what is in the "
       "image is not known: \"web\" stands for it"},
  };
  for (const auto& [why, text, warnings] : cases) {
    SCOPED_TRACE(why);
    const auto document = read_one(text);
    EXPECT_EQ(joined(document.errors), "");
    EXPECT_EQ(joined(document.warnings), warnings) << text;
  }
}

TEST(KnativeService, NamesWhatIsLeftBehind) {
  const auto document = read_one(
      "apiVersion: serving.knative.dev/v1\nkind: Service\n"
      "metadata: {name: web, labels: {a: b}, annotations: {c: d}}\n"
      "spec:\n  traffic: []\n  template:\n    metadata: {annotations: {e: f}, labels: {g: h}}\n"
      "    spec:\n      timeoutSeconds: 5\n      containers:\n      - {name: queue}\n"
      "      - {image: x, ports: [], env: [{name: A, valueFrom: {}}]}\n");
  EXPECT_EQ(joined(document.errors), "");
  const std::vector<std::string> expected = {"metadata.labels",
                                             "metadata.annotations",
                                             "spec.template.metadata.annotations",
                                             "spec.template.spec.containers[0]",
                                             "spec.template.spec.containers[1].env[0].valueFrom",
                                             "spec.template.spec.containers[1].image",
                                             "spec.template.spec.containers[1].ports",
                                             "spec.traffic",
                                             "spec.template.metadata.labels",
                                             "spec.template.spec.timeoutSeconds"};
  EXPECT_EQ(document.left_behind, expected);
}

}  // namespace
}  // namespace headroom::policy
