#include "server/health.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::server {
namespace {

using State = target::Replica::State;

constexpr Millis kLasts = 1min;  // being ready for so long, a replica is over its crash

/// Between two crashes a service is not well.
bool crashed(const control::ReplicaStatus& replica) {
  return replica.state == State::backing_off ||
         (replica.restarts > 0 && (replica.state == State::starting ||
                                   (replica.state == State::ready && replica.age < kLasts)));
}

std::int64_t crashes_of(const control::Status& status) {
  return std::ranges::count_if(status.replicas, crashed);
}

/// What it is scaled by; none: unknown.
std::optional<double> load_of(const control::Status& status) {
  if (!status.seen.load) return std::nullopt;
  const auto load = status.by_rate ? status.seen.load->rate : status.seen.load->concurrency;
  return std::isfinite(load) ? std::optional(load) : std::nullopt;
}

std::int64_t waiting(const control::Status& status) {
  return status.seen.load ? status.seen.load->waiting : 0;
}

/// All that are allowed are ready, and it is not enough.
bool at_its_limit(const control::Status& status, const Counts& counts) {
  if (counts.wanted == 0 || counts.wanted < status.maximum.count || counts.ready < counts.wanted) {
    return false;
  }
  const auto load = load_of(status);
  return waiting(status) > 0 ||
         (status.target > 0 && load.value_or(0) > status.target * counts.ready) ||
         std::ranges::find(status.decided.steps, decide::step::kTooManyReplicas,
                           &decide::Step::code) != status.decided.steps.end();
}

bool late(const control::Status& status) {
  if (!status.objective) return false;
  const auto& [requests, within] = status.objective->recent;
  return static_cast<double>(within) * 100 <
         status.objective->wanted.percentile * static_cast<double>(requests);
}

/// Where nobody holds it, and nothing is wrong.
Health movement_of(const Counts& counts) {
  if (counts.ready < counts.wanted) return counts.ready == 0 ? Health::waking : Health::scaling_up;
  if (counts.ready > counts.wanted || counts.draining > 0) return Health::scaling_down;
  return counts.wanted == 0 ? Health::asleep : Health::steady;
}

std::string some(std::int64_t count, const char* one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string how_late(const control::ObjectiveStatus& objective) {
  const auto& [requests, within] = objective.recent;
  const auto share = static_cast<double>(within) / static_cast<double>(requests);
  // Cut, not rounded: what is not 99% does not read so.
  return fmt::format("{}% of the requests within {} in {}, {}% wanted",
                     std::floor(share * 1e4 + 1e-6) / 100, to_string(objective.wanted.latency),
                     span_of(control::ObjectiveMeter::kRecent), objective.wanted.percentile);
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
  if (crashes_of(status) > 0) return Health::crashing;
  if (at_its_limit(status, counts)) return Health::at_its_limit;
  if (status.failed_recently > 0) return Health::failing;
  if (status.target > 0 && !load_of(status)) return Health::load_unknown;
  if (late(status)) return Health::late;
  if (status.hold) return status.hold->pause ? Health::paused : Health::pinned;
  return movement_of(counts);
}

std::string why(Health health, const control::Status& status) {
  const auto counts = counts_of(status);
  const auto missing = counts.wanted - counts.ready;
  switch (health) {
    case Health::crashing: {
      const auto crashes = crashes_of(status);
      return fmt::format("{} crashed and {} started again", some(crashes, "replica"),
                         crashes == 1 ? "is" : "are");
    }
    case Health::at_its_limit:
      return fmt::format("the load asks for more than the {} allowed",
                         some(status.maximum.count, "replica"));
    case Health::failing:
      return fmt::format("{} failed in the last minute",
                         some(static_cast<std::int64_t>(status.failed_recently), "request"));
    case Health::late:
      return how_late(*status.objective);
    case Health::paused:
    case Health::pinned:
      return "at " + decide::replicas(status.hold->replicas);
    case Health::waking:
      return some(missing, "replica") + " starting" +
             (waiting(status) > 0 ? fmt::format(", {} waiting", some(waiting(status), "request"))
                                  : "");
    case Health::scaling_up:
      return some(missing, "more replica") + " starting";
    case Health::scaling_down:
      return some(std::max(counts.draining, -missing), "replica") + " finishing what is open";
    case Health::steady:
      return some(counts.ready, "replica") + " ready";
    case Health::load_unknown:
      return "nothing is scaled down until it can be read";
    case Health::asleep:
      return "the next request starts a replica";
  }
  return "";
}

}  // namespace headroom::server
