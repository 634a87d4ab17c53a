#include "server/health.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::server {
namespace {

using decide::counted;
using State = target::Replica::State;

/// It has been over its start, and over a crash before that, for some time.
bool lasts(const control::ReplicaStatus& replica) {
  return replica.startup && replica.age - *replica.startup >= 1min;
}

/// Between two crashes a service is not well.
bool crashed(const control::ReplicaStatus& replica) {
  return replica.state == State::backing_off ||
         (replica.restarts > 0 && replica.state != State::draining && !lasts(replica));
}

bool unready(const control::ReplicaStatus& replica) {
  return replica.state == State::starting && replica.startup;
}

std::int64_t count(const control::Status& status, bool (*is)(const control::ReplicaStatus&)) {
  return std::ranges::count_if(status.replicas, is);
}

std::int64_t waiting(const control::Status& status) {
  return status.seen.load ? status.seen.load->waiting : 0;
}

/// More than the ready ones are meant to take.
bool overloaded(const control::Status& status, std::int32_t ready) {
  if (waiting(status) > 0) return true;
  if (!status.seen.load || status.target <= 0 || ready == 0) return false;
  const auto load = status.by_rate ? status.seen.load->rate : status.seen.load->concurrency;
  return load > status.target * ready;
}

/// All that are allowed are ready, and it is not enough.
bool at_its_limit(const control::Status& status, const Counts& counts) {
  if (counts.wanted < status.maximum.count || counts.ready < counts.wanted) return false;
  return overloaded(status, counts.ready) ||
         // Of the metrics; what is held from earlier is nothing that is asked for.
         std::ranges::any_of(status.decided.steps, [&](const decide::Step& step) {
           return step.stage == decide::Step::Stage::recommend && step.source >= 0 &&
                  step.after > status.maximum;
         });
}

/// By now it should be known: readings take some seconds to begin.
bool load_unknown(const control::Status& status) {
  constexpr std::array kUnread = {decide::step::kSourceFailed, decide::step::kNoReading,
                                  decide::step::kLoadUnavailable};
  const auto serves = [](const control::ReplicaStatus& replica) {
    return replica.state == State::ready && lasts(replica);
  };
  return status.watched >= 1min && count(status, serves) > 0 &&
         std::ranges::find_first_of(status.decided.steps, kUnread, {}, &decide::Step::code) !=
             status.decided.steps.end();
}

/// Where nobody holds it, and nothing is wrong.
Health movement_of(const Counts& counts) {
  if (counts.ready < counts.wanted) return counts.ready == 0 ? Health::waking : Health::scaling_up;
  if (counts.ready > counts.wanted || counts.draining > 0) return Health::scaling_down;
  return counts.wanted == 0 ? Health::asleep : Health::steady;
}

std::string how_late(const control::ObjectiveStatus& objective) {
  const auto& [requests, within] = objective.recent;
  const auto missed = static_cast<double>(requests - within) / static_cast<double>(requests);
  // Up, not rounded: what is more than 1% does not read so.
  return fmt::format("{}% of the requests missed {} in {}, {:.4g}% may",
                     std::ceil(missed * 1e4 - 1e-6) / 100, to_string(objective.wanted.latency),
                     span_of(control::ObjectiveMeter::kRecent), 100 - objective.wanted.percentile);
}

}  // namespace

Counts counts_of(const control::Status& status) {
  Counts counts{.wanted = status.decided.replicas.count};
  for (const auto& replica : status.replicas) {
    counts.ready += replica.state == State::ready;
    counts.starting += replica.state == State::starting;
    counts.draining += replica.state == State::draining;
    counts.backing_off += replica.state == State::backing_off;
  }
  return counts;
}

Health health_of(const control::Status& status) {
  const auto counts = counts_of(status);
  if (status.ending) return Health::stopping;
  if (count(status, crashed) > 0) return Health::crashing;
  if (count(status, unready) > 0) return Health::unready;
  if (at_its_limit(status, counts)) return Health::at_its_limit;
  if (status.failed_recently > 0) return Health::failing;
  if (load_unknown(status)) return Health::load_unknown;
  if (status.objective && status.objective->missed()) return Health::late;
  if (status.hold) return status.hold->pause ? Health::paused : Health::pinned;
  return movement_of(counts);
}

std::string why(Health health, const control::Status& status) {
  const auto counts = counts_of(status);
  const auto missing = counts.wanted - counts.ready;
  switch (health) {
    case Health::stopping:
      return counted(static_cast<std::int64_t>(status.replicas.size()), "replica") + " left";
    case Health::unready:
      return counted(count(status, unready), "replica") + " not ready any more";
    case Health::crashing:
      return counted(count(status, crashed), "replica") + " failed lately";
    case Health::at_its_limit:
      return fmt::format("the load asks for more than the {} allowed",
                         counted(status.maximum.count, "replica"));
    case Health::failing:
      return fmt::format("{} failed in the last minute",
                         counted(static_cast<std::int64_t>(status.failed_recently), "request"));
    case Health::late:
      return how_late(*status.objective);
    case Health::paused:
    case Health::pinned:
      return "at " + decide::replicas(status.hold->replicas);
    case Health::waking:
      return counted(missing, "replica") + " starting" +
             (waiting(status) > 0 ? fmt::format(", {} waiting", counted(waiting(status), "request"))
                                  : "");
    case Health::scaling_up:
      return counted(missing, "more replica") + " starting";
    case Health::scaling_down:
      return counted(std::max(counts.draining, -missing), "replica") + " finishing what is open";
    case Health::steady:
      return counted(counts.ready, "replica") + " ready";
    case Health::load_unknown:
      return "nothing is scaled down until it can be read";
    case Health::asleep:
      return status.maximum.count == 0 ? "maxReplicas is 0: nothing is started"
                                       : "the next request starts a replica";
  }
  return "";
}

}  // namespace headroom::server
