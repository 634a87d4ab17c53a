#include "decide/record.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <type_traits>

#include "base/check.h"
#include "decide/json.h"
#include "decide/steps.h"
#include "decide/window.h"

namespace headroom::decide {
namespace {

constexpr std::int64_t kVersion = 3;

}  // namespace

template <>
struct Words<Absent::Reason> {
  static constexpr std::array<std::string_view, 6> kWords = {"unreachable", "timeout",  "no_data",
                                                             "not_finite",  "negative", "stale"};
};
template <>
struct Words<ReplicaSeen::Phase> {
  static constexpr std::array<std::string_view, 4> kWords = {"Pending", "Running", "Succeeded",
                                                             "Failed"};
};
template <>
struct Words<Truth> {
  static constexpr std::array<std::string_view, 3> kWords = {"False", "True", "Unknown"};
};
template <>
struct Words<Step::Stage> {
  static constexpr std::array<std::string_view, 5> kWords = {"recommend", "combine", "activate",
                                                             "stabilise", "limit"};
};

namespace {

template <class T, class Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

}  // namespace

template <class Io, Is<Measured> T>
void describe(Io& io, T& measured) {
  io.field("milli", measured.value);
  io.field("at", measured.at);
  io.field("window", measured.window);
}

template <class Io, Is<Absent> T>
void describe(Io& io, T& absent) {
  io.field("absent", absent.reason);
  auto answer = absent.answer.text();
  io.field("answer", answer);
  if constexpr (std::same_as<Io, JsonReader>) absent.answer = std::move(answer);
}

using Request = ResourceRequests::value_type;
template <class Io, Is<Request> T>
void describe(Io& io, T& request) {
  io.field("resource", request.first);
  io.field("milli", request.second);
}

template <class Io, Is<ContainerSeen> T>
void describe(Io& io, T& container) {
  io.field("name", container.name);
  io.field("requests", container.requests);
}

template <class Io, Is<Template> T>
void describe(Io& io, T& made_of) {
  io.field("containers", made_of.containers);
  io.field("sidecars", made_of.sidecars);
  io.field("podRequests", made_of.pod_requests);
  io.field("overhead", made_of.overhead);
}

template <class Io, Is<Readiness> T>
void describe(Io& io, T& readiness) {
  io.field("status", readiness.status);
  io.field("since", readiness.since);
}

template <class Io, Is<ReplicaSeen> T>
void describe(Io& io, T& replica) {
  io.field("id", replica.id);
  io.field("phase", replica.phase);
  io.field("deleting", replica.deleting);
  io.field("started", replica.started);
  io.field("ready", replica.ready);
  io.field("madeOf", replica.made_of);
  io.field("cpu", replica.cpu);
  io.field("memory", replica.memory);
  io.later_field("restarts", replica.restarts);
}

template <class Io, Is<MetricSeen> T>
void describe(Io& io, T& metric) {
  io.field("failed", metric.failed);
  io.field("ofReplicas", metric.of_replicas);
  io.field("strays", metric.strays);
  io.field("values", metric.values);
}

template <class Io, Is<ScalerSeen> T>
void describe(Io& io, T& scaler) {
  io.field("trigger", scaler.trigger);
  io.field("metric", scaler.metric);
  io.field("target", scaler.target);
  io.field("active", scaler.active);
}

template <class Io, Is<OffsetSeen> T>
void describe(Io& io, T& offset) {
  io.field("from", offset.from);
  io.field("seconds", offset.seconds);
  if constexpr (std::same_as<Io, JsonReader>) {
    constexpr std::int32_t kDay = 86'400;
    io.require(offset.seconds > -kDay && offset.seconds < kDay, "a day or more from UTC");
  }
}

template <class Io, Is<ZoneSeen> T>
void describe(Io& io, T& zone) {
  io.field("name", zone.name);
  io.field("offsets", zone.offsets);
  if constexpr (std::same_as<Io, JsonReader>) {
    const auto falls = [](const OffsetSeen& before, const OffsetSeen& after) {
      return before.from >= after.from;
    };
    io.require(!zone.offsets.empty(), "a zone without an offset");
    io.require(std::ranges::adjacent_find(zone.offsets, falls) == zone.offsets.end(),
               "offsets that do not rise");
  }
}

template <class Io, Is<Load> T>
void describe(Io& io, T& load) {
  io.field("concurrency", load.concurrency);
  io.field("rate", load.rate);
  io.field("over", load.over);
  io.field("waiting", load.waiting);
  io.field("running", load.running);
  io.field("lastActive", load.last_active);
}

template <class Io, Is<Observation> T>
void describe(Io& io, T& observation) {
  io.field("now", observation.now);
  io.field("unixMillis", observation.unix_millis);
  io.field("current", observation.current);
  io.field("status", observation.status);
  io.field("selects", observation.selects);
  io.field("templates", observation.templates);
  io.field("replicas", observation.replicas);
  io.field("metrics", observation.metrics);
  io.field("triggers", observation.triggers);
  io.field("scalers", observation.scalers);
  io.field("zones", observation.zones);
  io.field("load", observation.load);
}

/// A fixed word of our own tables: read back, it is theirs again.
template <class Table, class Member>
void word_of(JsonWriter& io, std::string_view name, const std::string_view& word, const Table&,
             Member) {
  io.field(name, std::string(word));
}
template <class Table, class Member>
void word_of(JsonReader& io, std::string_view name, std::string_view& word, const Table& table,
             Member member) {
  std::string text;
  io.field(name, text);
  const auto known = std::ranges::find(table, text, member);
  io.require(known != table.end(), "a word of no table");
  if (known != table.end()) word = (*known).*member;
}

/// A step's numbers by the names that its kind has for them. They are told, not decided by: one
/// that a journal has not yet is 0.
template <class S>
struct Inputs {
  S& step;
};
template <class Io, class S>
void describe(Io& io, Inputs<S>& inputs) {
  const auto kind = std::ranges::find(kSteps, inputs.step.code, &StepKind::code);
  check(kind != kSteps.end(), "a step's code is one of kSteps");
  for (std::size_t i = 0; i < kind->inputs.size(); ++i) {
    if (!kind->inputs[i].empty()) io.later_field(kind->inputs[i], inputs.step.inputs[i]);
  }
}
template <class S>
void describe(JsonWriter& io, const Inputs<S>& inputs) {
  describe(io, const_cast<Inputs<S>&>(inputs));
}

template <class Io, Is<Step> T>
void describe(Io& io, T& step) {
  io.field("stage", step.stage);
  word_of(io, "code", step.code, kSteps, &StepKind::code);
  io.field("text", step.text);
  io.field("before", step.before);
  io.field("after", step.after);
  io.field("source", step.source);
  Inputs<T> inputs{step};
  io.field("inputs", inputs);
}

template <class Io, Is<Condition> T>
void describe(Io& io, T& condition) {
  word_of(io, "type", condition.type, kReasons, &ReasonKind::type);
  io.field("status", condition.status);
  word_of(io, "reason", condition.reason, kReasons, &ReasonKind::reason);
  io.field("message", condition.message);
}

template <class Io, Is<MetricNow> T>
void describe(Io& io, T& now) {
  io.field("averageUtilization", now.average_utilization);
  io.field("averageValue", now.average_value);
  io.field("value", now.value);
}

template <class Io, Is<Decision> T>
void describe(Io& io, T& decision) {
  io.field("current", decision.current);
  io.field("replicas", decision.replicas);
  io.field("steps", decision.steps);
  io.field("conditions", decision.conditions);
  io.field("metrics", decision.metrics);
  io.field("write", decision.write);
  io.field("error", decision.error);
  io.field("lookAgain", decision.look_again);
}

template <class Io, Is<Window> T>
void describe(Io& io, T& window) {
  io.field("buckets", window.buckets);
  io.field("first", window.first);
  io.field("last", window.last);
  io.field("written", window.written);
  if constexpr (std::same_as<Io, JsonReader>) {
    io.require(window.buckets.size() <= static_cast<std::size_t>(kMostBuckets),
               "more than 3600 buckets");
    io.require(std::ranges::all_of(window.buckets, [](double b) { return std::isfinite(b); }),
               "a bucket that is no number");
    io.require(!window.written || (!window.buckets.empty() && window.first <= window.last),
               "written, but empty or its first second after its last");
  }
}

template <class Io, Is<Recommendation> T>
void describe(Io& io, T& recommendation) {
  io.field("at", recommendation.at);
  io.field("replicas", recommendation.replicas);
}

template <class Io, Is<ScaleEvent> T>
void describe(Io& io, T& event) {
  io.field("at", event.at);
  io.field("change", event.change);
}

template <class Io, Is<SlotAnswer> T>
void describe(Io& io, T& answer) {
  io.field("slot", answer.slot);
  io.field("replicas", answer.replicas);
}

template <class Io, Is<KpaMemory> T>
void describe(Io& io, T& memory) {
  io.field("panicSince", memory.panic_since);
  io.field("panicPeak", memory.panic_peak);
  io.later_field("fromStart", memory.from_start);
  io.field("delayed", memory.delayed);
  if constexpr (std::same_as<Io, JsonReader>) {
    const auto rises = [](const SlotAnswer& before, const SlotAnswer& after) {
      return before.replicas <= after.replicas;
    };
    io.require(std::ranges::adjacent_find(memory.delayed, rises) == memory.delayed.end(),
               "delayed answers that do not fall");
  }
}

template <class Io, Is<ConcurrencyMemory> T>
void describe(Io& io, T& memory) {
  io.field("stable", memory.stable);
  io.field("panic", memory.panic);
  io.field("kpa", memory.kpa);
  io.field("initialised", memory.initialised);
  io.field("rateSlot", memory.rate_slot);
  io.field("rateReady", memory.rate_ready);
  io.field("raised", memory.raised);
  io.field("lastAnswer", memory.last_answer);
}

template <class Io, Is<Health> T>
void describe(Io& io, T& health) {
  io.field("metric", health.metric);
  io.field("failures", health.failures);
}

template <class Io, Is<KedaMemory> T>
void describe(Io& io, T& memory) {
  io.field("created", memory.created);
  io.field("lastActive", memory.last_active);
  io.field("lastActiveBefore", memory.last_active_before);
  io.field("polled", memory.polled);
  io.field("held", memory.held);
  io.field("health", memory.health);
}

template <class Io, Is<Hold> T>
void describe(Io& io, T& hold) {
  io.field("replicas", hold.replicas);
  io.field("until", hold.until);
  io.field("pause", hold.pause);
}

template <class Io, Is<Memory> T>
void describe(Io& io, T& memory) {
  io.field("recommendations", memory.recommendations);
  io.field("ups", memory.ups);
  io.field("downs", memory.downs);
  io.field("concurrency", memory.concurrency);
  io.field("lastActive", memory.last_active);
  io.field("keda", memory.keda);
  io.field("hold", memory.hold);
  io.field("conditions", memory.conditions);
}

namespace {

/// A record beside its version.
template <class T>
struct Versioned {
  T& value;
};

template <class Io, class T>
void describe(Io& io, Versioned<T>& versioned) {
  std::int64_t version = kVersion;
  io.field("v", version);
  describe(io, versioned.value);
}
template <class T>
void describe(JsonWriter& io, const Versioned<T>& versioned) {
  io.field("v", kVersion);
  describe(io, versioned.value);
}

template <class T>
std::string written(const T& value) {
  JsonWriter writer;
  writer.write(Versioned<const T>{value});
  return writer.take();
}

template <class T>
Result<T> read(std::string_view text, std::string_view name) {
  const auto parsed = parse_json(text);
  if (!parsed) return fail({Code::invalid, std::string(name) + ": " + parsed.error().what});
  // The version first: of a later one no field means what it does here.
  if (const auto* const object = parsed->if_object()) {
    const auto* const version = object->if_contains("v");
    const auto* const number = version != nullptr ? version->if_int64() : nullptr;
    if (number != nullptr && *number != kVersion) {
      return fail({Code::invalid, std::string(name) + ": version " + std::to_string(*number) +
                                      ", this Headroom reads version " + std::to_string(kVersion)});
    }
  }
  T value;
  Versioned<T> versioned{value};
  JsonReader reader(*parsed, name);
  reader.read(versioned);
  if (reader.error()) return fail(*reader.error());
  return value;
}

}  // namespace

std::string to_json(const Observation& observation) { return written(observation); }
std::string to_json(const Decision& decision) { return written(decision); }
std::string to_json(const Memory& memory) { return written(memory); }

Result<Observation> observation_from_json(std::string_view text) {
  return read<Observation>(text, "observation");
}
Result<Decision> decision_from_json(std::string_view text) {
  return read<Decision>(text, "decision");
}
Result<Memory> memory_from_json(std::string_view text) { return read<Memory>(text, "memory"); }

}  // namespace headroom::decide
