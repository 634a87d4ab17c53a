#include "server/views.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "decide/json.h"
#include "decide/record.h"
#include "decide/steps.h"
#include "decide/words.h"
#include "server/health.h"
#include "target/states.h"

namespace headroom::server {
namespace {

using decide::JsonWriter;
using Number = std::optional<double>;  // none: null

Number finite(double value) { return std::isfinite(value) ? Number(value) : std::nullopt; }
Number reading(const decide::Reading& reading) {
  if (!reading) return std::nullopt;
  return static_cast<double>(reading->value.milli) / 1e3;
}
std::optional<std::string> said(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

/// As Kubernetes has it.
const char* word(decide::Truth truth) {
  if (truth == decide::Truth::unknown) return "Unknown";
  return truth == decide::Truth::yes ? "True" : "False";
}

template <class T>
std::string written(const T& value) {
  JsonWriter json;
  json.write(value);
  return json.take();
}

/// {"<name>": [each…]}, of what is JSON already.
template <class T, class Each>
std::string list_json(std::string_view name, const std::vector<T>& all, const Each& each) {
  std::string text = fmt::format("{{\"{}\":[", name);
  for (const auto& one : all) {
    if (text.back() != '[') text += ",\n";
    text += each(one);
  }
  return text + "]}\n";
}

struct Inputs {
  const decide::Step& step;
};
void describe(JsonWriter& io, const Inputs& inputs) {
  const auto kind = std::ranges::find(decide::kSteps, inputs.step.code, &decide::StepKind::code);
  if (kind == decide::kSteps.end()) return;
  for (std::size_t i = 0; i < kind->inputs.size(); ++i) {
    if (!kind->inputs[i].empty()) io.field(kind->inputs[i], finite(inputs.step.inputs[i]));
  }
}

struct StepView {
  const decide::Step& step;
};
void describe(JsonWriter& io, const StepView& view) {
  io.field("stage", std::string(decide::word(view.step.stage)));
  io.field("code", std::string(view.step.code));
  io.field("before", view.step.before);
  io.field("after", view.step.after);
  io.field("text", view.step.text);
  io.field("holds", decide::holds(view.step));
  io.field("inputs", Inputs{view.step});
}

struct ConditionView {
  const decide::Condition& condition;
};
void describe(JsonWriter& io, const ConditionView& view) {
  io.field("type", std::string(view.condition.type));
  io.field("status", std::string(word(view.condition.status)));
  io.field("reason", std::string(view.condition.reason));
  io.field("message", view.condition.message);
}

template <class View, class T>
std::vector<View> views(const std::vector<T>& all) {
  std::vector<View> views;
  views.reserve(all.size());
  for (const auto& one : all) views.push_back(View{one});
  return views;
}

struct DecisionView {
  std::optional<std::int64_t> id;
  const std::string& autoscaler;
  std::int64_t unix_ms;
  const decide::Decision& decision;
  std::optional<std::string> outcome;
};
void describe(JsonWriter& io, const DecisionView& view) {
  io.field("id", view.id);
  io.field("autoscaler", view.autoscaler);
  io.field("unixMs", view.unix_ms);
  io.field("before", view.decision.current);
  io.field("after", view.decision.replicas);
  io.field("reason", view.decision.reason());
  io.field("outcome", view.outcome);
  io.field("steps", views<StepView>(view.decision.steps));
  io.field("conditions", views<ConditionView>(view.decision.conditions));
}

struct Target {
  const control::Status& status;
};
void describe(JsonWriter& io, const Target& target) {
  io.field("value", finite(target.status.target));
  io.field("of", std::string(target.status.by_rate ? "rate" : "concurrency"));
}

struct CountsView {
  Counts counts;
};
void describe(JsonWriter& io, const CountsView& view) {
  io.field("wanted", view.counts.wanted);
  io.field("ready", view.counts.ready);
  io.field("starting", view.counts.starting);
  io.field("draining", view.counts.draining);
  io.field("backingOff", view.counts.backing_off);
}

struct LoadView {
  const decide::Load& load;
};
void describe(JsonWriter& io, const LoadView& view) {
  io.field("concurrency", finite(view.load.concurrency));
  io.field("rate", finite(view.load.rate));
  io.field("waiting", view.load.waiting);
  io.field("running", view.load.running);
}

struct LatencyView {
  const control::Latency& latency;
};
void describe(JsonWriter& io, const LatencyView& view) {
  io.field("p50Ms", view.latency.p50_ms);
  io.field("p95Ms", view.latency.p95_ms);
  io.field("p99Ms", view.latency.p99_ms);
}

struct JudgedView {
  const control::Judged& judged;
};
void describe(JsonWriter& io, const JudgedView& view) {
  const auto& [requests, within] = view.judged;
  io.field("requests", requests);
  io.field("within", within);
  Number share;
  if (requests > 0) share = static_cast<double>(within) / static_cast<double>(requests);
  io.field("share", share);
}

struct ObjectiveView {
  const control::ObjectiveStatus& objective;
};
void describe(JsonWriter& io, const ObjectiveView& view) {
  const auto& [wanted, at_percentile_ms, all, recent] = view.objective;
  io.field("latencyMs", wanted.latency);
  io.field("percentile", wanted.percentile);
  io.field("atPercentileMs", at_percentile_ms);
  io.field("recent", JudgedView{recent});
  io.field("recentMs", control::ObjectiveMeter::kRecent);
  io.field("missed", view.objective.missed());
  io.field("total", JudgedView{all});
}

struct RequestsView {
  const gateway::Snapshot& traffic;
  std::uint64_t failed_recently;
};
void describe(JsonWriter& io, const RequestsView& view) {
  io.field("completed", view.traffic.completed);
  io.field("failed", view.traffic.service_failures());
  io.field("rejected", view.traffic.rejected);
  io.field("failedRecently", view.failed_recently);
  io.field("recentMs", control::Status::kRecent);
}

struct HoldView {
  const decide::Hold& hold;
  const decide::Observation& seen;
};
void describe(JsonWriter& io, const HoldView& view) {
  std::optional<std::int64_t> until;
  if (view.hold.until) {
    until = view.seen.unix_millis + (*view.hold.until - view.seen.now).count();
  }
  io.field("replicas", view.hold.replicas);
  io.field("untilUnixMs", until);
  io.field("why", std::string(view.hold.pause ? "paused" : "scale"));
}

struct InstanceView {
  const control::ReplicaStatus& replica;
};
void describe(JsonWriter& io, const InstanceView& view) {
  const auto& replica = view.replica;
  io.field("id", replica.id);
  io.field("state", std::string(target::about(replica.state).name));
  io.field("pid", replica.pid > 0 ? std::optional<std::int64_t>(replica.pid) : std::nullopt);
  io.field("ageMs", replica.age);
  io.field("restarts", replica.restarts);
  io.field("cpu", reading(replica.cpu));
  io.field("memory", reading(replica.memory));
  io.field("outstanding", replica.outstanding);
}

template <class View, class T>
std::optional<View> when(bool is, T&& value) {
  if (!is) return std::nullopt;
  return View{std::forward<T>(value)};
}

struct StateView {
  const control::Status& status;
};
void describe(JsonWriter& io, const StateView& view) {
  const auto health = health_of(view.status);
  io.field("name", std::string(about(health).name));
  io.field("mood", std::string(mood_of(health)));
  io.field("why", why(health, view.status));
}

struct StatusView {
  const control::Status& status;
};
void describe(JsonWriter& io, const StatusView& view) {
  const auto& status = view.status;
  io.field("name", status.name);
  io.field("state", StateView{status});
  io.field("listening", said(status.listening));
  io.field("minReplicas", status.minimum);
  io.field("maxReplicas", status.maximum);
  io.field("target", when<Target>(status.target > 0, status));
  io.field("replicas", CountsView{counts_of(status)});
  std::optional<LoadView> load;
  if (status.seen.load) load.emplace(LoadView{*status.seen.load});
  io.field("load", load);
  std::optional<LatencyView> latency;
  if (status.latency) latency.emplace(LatencyView{*status.latency});
  io.field("latency", latency);
  std::optional<ObjectiveView> objective;
  if (status.objective) objective.emplace(ObjectiveView{*status.objective});
  io.field("objective", objective);
  std::optional<RequestsView> requests;
  if (status.traffic) requests.emplace(RequestsView{*status.traffic, status.failed_recently});
  io.field("requests", requests);
  std::optional<HoldView> hold;
  if (status.hold) hold.emplace(HoldView{*status.hold, status.seen});
  io.field("hold", hold);
  io.field("decision", DecisionView{status.entry, status.name, status.seen.unix_millis,
                                    status.decided, std::nullopt});
  io.field("instances", views<InstanceView>(status.replicas));
}

}  // namespace

std::string autoscaler_json(const control::Status& status) {
  return written(StatusView{status}) + "\n";
}

std::string autoscalers_json(const Header& header,
                             const std::vector<std::shared_ptr<const control::Status>>& all) {
  const auto list = list_json("autoscalers", all,
                              [](const auto& status) { return written(StatusView{*status}); });
  const auto refused =
      header.refused.empty() ? "" : fmt::format("\"documentRefused\":{},", written(header.refused));
  return fmt::format("{{\"version\":{},\"nowUnixMs\":{},{}{}", written(header.version),
                     header.now_unix_ms, refused, std::string_view(list).substr(1));
}

std::string decision_json(const journal::Entry& entry, bool with_observation) {
  std::string text = written(DecisionView{entry.id, entry.autoscaler, entry.observation.unix_millis,
                                          entry.decision, said(entry.outcome)});
  if (with_observation) {
    text.pop_back();
    text += ",\"observation\":" + decide::to_json(entry.observation) + "}\n";
  }
  return text;
}

std::string decisions_json(const std::vector<journal::Entry>& entries) {
  return list_json("decisions", entries,
                   [](const journal::Entry& entry) { return decision_json(entry, false); });
}

std::string event_json(const journal::Event& event) {
  JsonWriter quoted_name, quoted_text;
  quoted_name.write(event.autoscaler);
  quoted_text.write(event.text);
  return fmt::format(
      "{{\"id\":{},\"unixMs\":{},\"autoscaler\":{},\"kind\":\"{}\",\"text\":{},\"decision\":{}}}",
      event.id, event.unix_ms, quoted_name.take(), name(event.kind), quoted_text.take(),
      event.decision ? std::to_string(*event.decision) : "null");
}

std::string events_json(const std::vector<journal::Event>& events) {
  return list_json("events", events, event_json);
}

namespace {

struct AimedTarget {
  const journal::Sample& sample;
};
void describe(JsonWriter& io, const AimedTarget& view) {
  io.field("value", view.sample.target);
  io.field("of", std::string(view.sample.by_rate ? "rate" : "concurrency"));
}

struct KeptObjective {
  const journal::Sample& sample;
};
void describe(JsonWriter& io, const KeptObjective& view) {
  io.field("latencyMs", view.sample.objective_ms);
  io.field("percentile", view.sample.objective_percentile);
  io.field("requests", view.sample.judged);
  io.field("within", view.sample.within);
}

struct SampleView {
  const journal::Sample& sample;
};
void describe(JsonWriter& io, const SampleView& view) {
  const auto& sample = view.sample;
  io.field("unixMs", sample.unix_ms);
  io.field("wanted", sample.wanted);
  io.field("ready", sample.ready);
  io.field("concurrency", sample.concurrency);
  io.field("rate", sample.rate);
  io.field("waiting", sample.waiting);
  io.field("p50Ms", sample.p50_ms);
  io.field("p95Ms", sample.p95_ms);
  io.field("p99Ms", sample.p99_ms);
  io.field("failed", sample.failed);
  io.field("cpu", sample.cpu);
  io.field("memory", sample.memory);
  io.field("target", when<AimedTarget>(sample.target.has_value(), sample));
  io.field("objective", when<KeptObjective>(sample.objective_ms.has_value(), sample));
}

}  // namespace

std::string history_json(const journal::History& history) {
  const auto list = list_json("samples", history.samples, [](const journal::Sample& sample) {
    return written(SampleView{sample});
  });
  return fmt::format("{{\"stepMs\":{},{}", history.step.count(), std::string_view(list).substr(1));
}

std::string output_json(const target::Written& output) {
  return fmt::format("{{\"text\":{},\"end\":{},\"lost\":{},\"gone\":{}}}\n", written(output.text),
                     output.end, output.lost, output.gone);
}

std::string ready_json(const std::vector<std::string>& reasons) {
  return fmt::format("{{\"ready\":{},\"reasons\":{}}}\n", reasons.empty(), written(reasons));
}

}  // namespace headroom::server
