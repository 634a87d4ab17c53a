#pragma once

#include <optional>
#include <span>
#include <vector>

#include "decide/proposal.h"

namespace headroom::decide {

struct Combined {
  Replicas replicas;
  /// The first that failed, where what failed kept the number from falling; nothing may lower it.
  const Proposal* held_by = nullptr;
};

/// The largest wins; one that failed blocks scaling down, never up; with no number at all what
/// runs is held. Appends the chains to `steps`, the winner's last, and what was made of them.
/// No proposals at all leave `current`.
Combined combine(std::span<const Proposal> proposals, Replicas current, std::vector<Step>& steps);

}  // namespace headroom::decide
