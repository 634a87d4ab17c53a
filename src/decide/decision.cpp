#include "decide/decision.h"

#include <algorithm>
#include <array>

#include "decide/steps.h"

namespace headroom::decide {
namespace {

using Links = std::vector<const Step*>;

/// A step that gives a number of its own, whatever the ones before it in its chain said.
bool overrides(const Step& step) {
  static constexpr std::array kCodes = {step::kWaiting, step::kWaitingHeld, step::kPanic,
                                        step::kStartHeld};
  return step.after > step.before && std::ranges::find(kCodes, step.code) != kCodes.end();
}

/// The steps that led to the number, in order: back from the last, each one that ended where the
/// next began, to where the winner's chain started.
Links linked(const std::vector<Step>& steps, Replicas start, Replicas end) {
  Links links;
  bool overridden = false;
  for (auto at = steps.rbegin(); at != steps.rend(); ++at) {
    const Step& step = *at;
    if (step.after != end || step.before == step.after) continue;
    const bool recommends = step.stage == Step::Stage::recommend;
    if (!(recommends && overridden)) links.push_back(&step);
    overridden = overridden || overrides(step);
    end = step.before;
    if (recommends && end == start) break;
  }
  std::ranges::reverse(links);
  return links;
}

std::string joined(const Links& links) {
  std::string text;
  for (const Step* step : links) text += (text.empty() ? "" : "; ") + step->text;
  return text;
}

}  // namespace

void set_condition(std::vector<Condition>& conditions, std::string_view type, Truth status,
                   std::string_view reason) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  Condition& condition = found != conditions.end() ? *found : conditions.emplace_back();
  condition.type = type;
  condition.status = status;
  condition.reason = reason;
}

void show_conditions(const std::vector<Condition>& conditions, Decision& decision) {
  decision.conditions.resize(conditions.size());
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    auto& shown = decision.conditions[i];
    shown.type = conditions[i].type;
    shown.status = conditions[i].status;
    shown.reason = conditions[i].reason;
    shown.message.clear();
  }
}

std::string Decision::reason() const {
  if (steps.empty()) return "";
  // An operator's word is why, whatever the others said.
  if (steps.back().code == step::kPinned) return steps.back().text;
  // To zero and from it, one step alone is why, whatever the others said.
  for (const Step& step : steps) {
    const bool alone = step.code == step::kWaiting || step.code == step::kActivated ||
                       step.code == step::kScaledToZero;
    const bool zero = current == Replicas{0} || replicas == Replicas{0};
    if (alone && zero && rescales() && step.after == replicas) return step.text;
  }
  // What stood outside the bounds was brought inside them first; the winner's chain starts there.
  const Step& first = steps.front();
  const bool moved_first = first.stage == Step::Stage::limit && first.after != first.before;
  if (moved_first && first.after == replicas) return first.text;
  Links links = linked(steps, moved_first ? first.after : current, replicas);
  if (moved_first && !links.empty() && links.front() != &first) {
    links.insert(links.begin(), &first);
  }
  if (!links.empty()) return joined(links);
  // Nothing moved: what the last one to recommend saw says why.
  const auto last = std::find_if(steps.rbegin(), steps.rend(), [](const Step& step) {
    return step.stage == Step::Stage::recommend;
  });
  return last != steps.rend() ? last->text : steps.back().text;
}

}  // namespace headroom::decide
