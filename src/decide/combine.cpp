#include "decide/combine.h"

#include <algorithm>

#include "decide/steps.h"

namespace headroom::decide {
namespace {

using Stage = Step::Stage;

void append(const Proposal& proposal, std::vector<Step>& steps) {
  steps.insert(steps.end(), proposal.steps.begin(), proposal.steps.end());
}

}  // namespace

Combined combine(std::span<const Proposal> proposals, Replicas current, std::vector<Step>& steps) {
  const Proposal* winner = nullptr;
  const Proposal* failed = nullptr;
  for (const auto& proposal : proposals) {
    if (!proposal.replicas) {
      if (failed == nullptr) failed = &proposal;
    } else if (winner == nullptr || *proposal.replicas > *winner->replicas) {
      winner = &proposal;
    }
  }
  for (const auto& proposal : proposals) {
    if (&proposal != winner) append(proposal, steps);
  }
  if (winner != nullptr) append(*winner, steps);
  if (winner == nullptr) {
    if (failed == nullptr) return {current};
    Chain(steps, current).link(Stage::combine, step::kNothingReadable, current);
    return {current, failed};
  }
  Chain chain(steps, *winner->replicas);
  if (proposals.size() > 1) {
    chain.link(Stage::combine, step::kLargestWins, *winner->replicas, {}, winner->source);
  }
  if (failed == nullptr || *winner->replicas >= current) return {*winner->replicas};
  chain.link(Stage::combine, step::kFailedHolds, current, {}, failed->source);
  return {current, failed};
}

}  // namespace headroom::decide
