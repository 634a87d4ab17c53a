#pragma once

#include <string>

#include "base/meaning.h"
#include "control/status.h"

namespace headroom::server {

/// How a service is, in a word; the gravest first.
enum class Health {
  stopping,
  crashing,
  unready,
  at_its_limit,
  failing,
  load_unknown,
  late,
  paused,
  pinned,
  waking,
  scaling_up,
  scaling_down,
  asleep,
  steady
};

/// What each of them is called, means, and asks for. A new one without a case does not compile.
constexpr Meaning about(Health health) {
  switch (health) {
    case Health::stopping:
      return {"stopping", "it ends: its replicas finish what they have open, and stop", "Nothing.",
              ""};
    case Health::crashing:
      return {"crashing",
              "a replica crashed, did not get ready or could not be started, and has not been "
              "ready for a minute since",
              "Read its last lines: `headroom events NAME --kind trouble`.", ""};
    case Health::unready:
      return {"unready",
              "a replica was ready and is not any more: its probe fails, and it gets no traffic",
              "See what the probe says: `headroom events NAME --kind trouble`.", ""};
    case Health::at_its_limit:
      return {"at its limit", "all that `maxReplicas` allows are ready, and the load asks for more",
              "Raise `maxReplicas`, or let a replica take more.", ""};
    case Health::failing:
      return {"failing", "requests failed in the last minute, by no doing of their clients",
              "See [why](#failures-of-requests): `headroom_request_failures_total`.", ""};
    case Health::load_unknown:
      return {"load unknown",
              "a replica has been ready for a minute, and what it is scaled by cannot be read: "
              "nothing is scaled down",
              "See [why](#why-there-is-no-reading): `headroom explain NAME`.", ""};
    case Health::late:
      return {"late",
              "more requests of the last five minutes missed the "
              "[objective](reference.md#specobjective) than may",
              "Lower the target, so that a replica has less to do; or see what takes its time.",
              ""};
    case Health::paused:
      return {"paused", "an operator holds the number: nothing is decided",
              "Nothing. `headroom resume NAME` ends it.", ""};
    case Health::pinned:
      return {"pinned", "an operator set the number", "Nothing. `headroom resume NAME` ends it.",
              ""};
    case Health::waking:
      return {"waking", "none is ready yet: the first start", "Nothing, if it passes.", ""};
    case Health::scaling_up:
      return {"scaling up", "more replicas start", "Nothing, if it passes.", ""};
    case Health::scaling_down:
      return {"scaling down", "some replicas finish what they have open", "Nothing.", ""};
    case Health::asleep:
      return {"asleep", "it is at zero: the next request starts a replica, if `maxReplicas` allows",
              "Nothing.", ""};
    case Health::steady:
      return {"steady", "as many replicas as wanted are ready", "Nothing.", ""};
  }
  return {};
}

/// What a word is of: "bad" and "warning" need somebody's attention.
constexpr std::string_view mood_of(Health health) {
  switch (health) {
    case Health::crashing:
      return "bad";
    case Health::unready:
    case Health::at_its_limit:
    case Health::failing:
    case Health::load_unknown:
    case Health::late:
      return "warning";
    case Health::paused:
    case Health::pinned:
      return "held";
    case Health::stopping:
    case Health::waking:
    case Health::scaling_up:
    case Health::scaling_down:
      return "moving";
    case Health::asleep:
      return "quiet";
    case Health::steady:
      return "good";
  }
  return "";
}

/// The gravest there is to say of it.
Health health_of(const control::Status& status);
/// The same with its numbers: "1 more replica starting".
std::string why(Health health, const control::Status& status);

/// How many replicas are in each state. `wanted` are asked for.
struct Counts {
  std::int32_t wanted = 0, ready = 0, starting = 0, draining = 0, backing_off = 0;
  bool operator==(const Counts&) const = default;
};
Counts counts_of(const control::Status& status);

}  // namespace headroom::server
