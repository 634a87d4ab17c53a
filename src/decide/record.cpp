#include "decide/record.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <type_traits>

#include "decide/json.h"
#include "decide/window.h"

namespace headroom::decide {
namespace {

constexpr std::int64_t kVersion = 1;

}  // namespace

template <>
struct Words<Absent::Reason> {
  static constexpr std::array<std::string_view, 6> kWords = {"unreachable", "timeout",  "no_data",
                                                             "not_finite",  "negative", "stale"};
};
template <>
struct Words<ReplicaSeen::State> {
  static constexpr std::array<std::string_view, 3> kWords = {"starting", "ready", "draining"};
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
  io.field("answer", absent.answer);
}

template <class Io, Is<ReplicaSeen> T>
void describe(Io& io, T& replica) {
  io.field("id", replica.id);
  io.field("state", replica.state);
  io.field("started", replica.started);
  io.field("stateSince", replica.state_since);
  io.field("cpu", replica.cpu);
  io.field("memory", replica.memory);
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
  io.field("replicas", observation.replicas);
  io.field("load", observation.load);
}

template <class Io, Is<Step> T>
void describe(Io& io, T& step) {
  io.field("stage", step.stage);
  io.field("code", step.code);
  io.field("text", step.text);
  io.field("before", step.before);
  io.field("after", step.after);
}

template <class Io, Is<Condition> T>
void describe(Io& io, T& condition) {
  io.field("type", condition.type);
  io.field("status", condition.status);
  io.field("reason", condition.reason);
  io.field("message", condition.message);
}

template <class Io, Is<Decision> T>
void describe(Io& io, T& decision) {
  io.field("current", decision.current);
  io.field("replicas", decision.replicas);
  io.field("steps", decision.steps);
  io.field("conditions", decision.conditions);
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

template <class Io, Is<Memory> T>
void describe(Io& io, T& memory) {
  io.field("recommendations", memory.recommendations);
  io.field("ups", memory.ups);
  io.field("downs", memory.downs);
  io.field("concurrency", memory.concurrency);
  io.field("lastActive", memory.last_active);
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
