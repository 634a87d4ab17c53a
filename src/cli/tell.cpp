#include "cli/tell.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/time.h"
#include "base/zone.h"
#include "decide/record.h"
#include "decide/words.h"

namespace headroom::cli {
namespace {

const char* word(decide::Truth status) {
  if (status == decide::Truth::unknown) return "unknown";
  return status == decide::Truth::yes ? "true" : "false";
}

std::string load_of(const decide::Observation& seen) {
  if (!seen.load) return "not measured: " + decide::said(seen.load.error());
  const auto& load = *seen.load;
  return fmt::format(
      "{:.2f} requests at once and {:.1f}/s over the last {}; now {} waiting, {} running",
      load.concurrency, load.rate, span_of(load.over), load.waiting, load.running);
}

std::string replicas_of(const decide::Observation& seen) {
  using State = decide::ReplicaSeen::State;
  const auto count = [&seen](State state) {
    return std::ranges::count_if(seen.replicas, [state](const decide::ReplicaSeen& replica) {
      return replica.state() == state;
    });
  };
  return fmt::format("{} asked for; {} ready, {} starting, {} draining", seen.current.count,
                     count(State::ready), count(State::starting), count(State::draining));
}

/// "ready for 12.3 s", "not ready for 2.1 s, after 3 failures in a row": it starts, or waits to.
std::string state_of(const decide::ReplicaSeen& replica, Instant now) {
  using State = decide::ReplicaSeen::State;
  const auto lasts = span_of(replica.ready ? now - replica.ready->since : 0ms);
  if (replica.state() == State::ready) return "ready for " + lasts;  // its failures are the past
  if (replica.state() == State::draining) return "draining for " + lasts;
  if (replica.restarts == 0) return "starting for " + lasts;
  return fmt::format("not ready for {}, after {}{}", lasts,
                     decide::counted(replica.restarts, "failure"),
                     replica.restarts == 1 ? "" : " in a row");
}

/// "replica 3: ready for 12.3s, cpu 0.83 cores, memory 41.2 MiB".
std::string replica_of(const decide::ReplicaSeen& replica, Instant now) {
  const auto cpu =
      replica.cpu ? fmt::format("{:.2f} cores", static_cast<double>(replica.cpu->value.milli) / 1e3)
                  : decide::said(replica.cpu.error());
  const auto memory =
      replica.memory ? fmt::format("{:.1f} MiB", static_cast<double>(replica.memory->value.milli) /
                                                     1e3 / (1024.0 * 1024.0))
                     : decide::said(replica.memory.error());
  return fmt::format("replica {}: {}, cpu {}, memory {}", replica.id, state_of(replica, now), cpu,
                     memory);
}

std::string headline(const journal::Entry& entry) {
  const auto& decision = entry.decision;
  const auto reason = decision.reason();
  const auto count = decision.rescales() ? decide::change_of(decision)
                                         : fmt::format("stays at {}", decision.replicas.count);
  return reason.empty() ? count : count + ": " + reason;
}

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

}  // namespace

std::string tell_step(const decide::Step& step) {
  const auto change = step.before == step.after
                          ? fmt::format("{}", step.after.count)
                          : fmt::format("{} → {}", step.before.count, step.after.count);
  return fmt::format("{:<9}  {:<7}  {}  [{}]", decide::word(step.stage), change, step.text,
                     step.code);
}

std::string tell_condition(const decide::Condition& condition) {
  return fmt::format("{} is {}: {}: {}", condition.type, word(condition.status), condition.reason,
                     condition.message);
}

std::string tell(const journal::Entry& entry) {
  const auto& seen = entry.observation;
  std::string text = fmt::format("{} at {}: {}\n", entry.autoscaler, local_time(seen.unix_millis),
                                 headline(entry));
  text += fmt::format("  load      {}\n", load_of(seen));
  text += fmt::format("  replicas  {}\n", replicas_of(seen));
  for (const auto& replica : seen.replicas) {
    text += fmt::format("            {}\n", replica_of(replica, seen.now));
  }
  const char* title = "steps";
  for (const auto& step : entry.decision.steps) {
    text += fmt::format("  {:<8}  {}\n", title, tell_step(step));
    title = "";
  }
  title = "state";
  for (const auto& condition : entry.decision.conditions) {
    text += fmt::format("  {:<8}  {}\n", title, tell_condition(condition));
    title = "";
  }
  if (!entry.outcome.empty()) text += fmt::format("  outcome   {}\n", entry.outcome);
  return text;
}

std::string tell_briefly(const journal::Entry& entry) {
  return fmt::format("{}  {}  {}\n", local_time(entry.observation.unix_millis), entry.autoscaler,
                     headline(entry));
}

std::string tell_json(const std::vector<journal::Entry>& entries) {
  std::string text = "[";
  const char* between = "\n";
  for (const auto& entry : entries) {
    text += fmt::format(
        "{}{{\"id\":{},\"autoscaler\":{},\"time\":\"{}\",\"unixMillis\":{},\n\"observation\":{},\n"
        "\"decision\":{},\n\"outcome\":{}}}",
        between, entry.id, quoted(entry.autoscaler), utc_time(entry.observation.unix_millis),
        entry.observation.unix_millis, decide::to_json(entry.observation),
        decide::to_json(entry.decision), quoted(entry.outcome));
    between = ",\n";
  }
  return text + (entries.empty() ? "]\n" : "\n]\n");
}

}  // namespace headroom::cli
