#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "decide/decision.h"

/// The kinds of steps that a decision's chain is made of. The codes are fixed words: people
/// search for them, and the documentation prints this table.
namespace headroom::decide {

namespace step {
inline constexpr std::string_view kUtilization = "Utilization";
inline constexpr std::string_view kAverageValue = "AverageValue";
inline constexpr std::string_view kValue = "Value";
inline constexpr std::string_view kAverageOfAll = "AverageOfAll";
inline constexpr std::string_view kSourceFailed = "SourceFailed";
inline constexpr std::string_view kNoReading = "NoReading";
inline constexpr std::string_view kNotReady = "NotReady";
inline constexpr std::string_view kNoReplicas = "NoReplicas";
inline constexpr std::string_view kNoRequest = "NoRequest";
inline constexpr std::string_view kNoTarget = "NoTarget";
inline constexpr std::string_view kInvalidSelector = "InvalidSelector";
inline constexpr std::string_view kScalingDisabled = "ScalingDisabled";
inline constexpr std::string_view kWoken = "Woken";
inline constexpr std::string_view kSlept = "Slept";
inline constexpr std::string_view kRaised = "Raised";
inline constexpr std::string_view kCoolingDown = "CoolingDown";
inline constexpr std::string_view kTriggerActive = "TriggerActive";
inline constexpr std::string_view kTriggerFails = "TriggerFails";
inline constexpr std::string_view kTriggersInactive = "TriggersInactive";
inline constexpr std::string_view kPaused = "Paused";
inline constexpr std::string_view kConcurrency = "Concurrency";
inline constexpr std::string_view kRequestRate = "RequestRate";
inline constexpr std::string_view kLoadUnavailable = "LoadUnavailable";
inline constexpr std::string_view kScaleUpRate = "ScaleUpRate";
inline constexpr std::string_view kScaleDownRate = "ScaleDownRate";
inline constexpr std::string_view kActivationScale = "ActivationScale";
inline constexpr std::string_view kPanic = "Panic";
inline constexpr std::string_view kStartHeld = "StartHeld";
inline constexpr std::string_view kScaleDownDelay = "ScaleDownDelay";
inline constexpr std::string_view kTargetBurstCapacity = "TargetBurstCapacity";
inline constexpr std::string_view kWaiting = "Waiting";
inline constexpr std::string_view kWaitingHeld = "WaitingHeld";
inline constexpr std::string_view kLargestWins = "LargestWins";
inline constexpr std::string_view kFailedHolds = "FailedHolds";
inline constexpr std::string_view kNothingReadable = "NothingReadable";
inline constexpr std::string_view kInitialScale = "InitialScale";
inline constexpr std::string_view kActivated = "Activated";
inline constexpr std::string_view kActive = "Active";
inline constexpr std::string_view kAsleep = "Asleep";
inline constexpr std::string_view kCooldown = "Cooldown";
inline constexpr std::string_view kScaledToZero = "ScaledToZero";
inline constexpr std::string_view kKeptAwake = "KeptAwake";
inline constexpr std::string_view kScaleUpStabilized = "ScaleUpStabilized";
inline constexpr std::string_view kScaleDownStabilized = "ScaleDownStabilized";
inline constexpr std::string_view kScaleUpLimit = "ScaleUpLimit";
inline constexpr std::string_view kScaleDownLimit = "ScaleDownLimit";
inline constexpr std::string_view kPinned = "Pinned";
inline constexpr std::string_view kTooManyReplicas = "TooManyReplicas";
inline constexpr std::string_view kTooFewReplicas = "TooFewReplicas";
}  // namespace step

/// A kind of step. `inputs` names what Step::inputs has, in its order.
struct StepKind {
  /// A step as one might meet it, for the page of reasons.
  struct Example {
    Step::Stage stage;
    std::int32_t before, after;
    std::array<double, 4> inputs;
    std::int32_t metric;  // 0: a Resource, 1: a Pods metric, 2: an External one; -1: of none
  };
  std::string_view code;
  std::string_view meaning;  // in one sentence
  std::string_view advice;   // what to do about it
  std::array<std::string_view, 4> inputs;
  Example example;
};

inline constexpr std::array kSteps = {
    StepKind{step::kUtilization,
             "what the replicas use of a resource, in percent of what they request: each metric "
             "asks for as many replicas as bring it to its target",
             "To have more replicas for the same use, lower averageUtilization (--cpu, --memory).",
             {"percent", "target", "filledIn", "ratio"},
             {Step::Stage::recommend, 4, 7, {83, 60, 0, 1.3833}, 0}},
    StepKind{step::kAverageValue,
             "what a replica has of a metric, on average, against its target",
             "To have more replicas for the same load, lower averageValue.",
             {"milli", "targetMilli", "filledIn", "ratio"},
             {Step::Stage::recommend, 4, 8, {179000, 100000, 0, 1.79}, 1}},
    StepKind{step::kValue,
             "a metric of all replicas together, against a target for all of them",
             "To have more replicas for the same load, lower value.",
             {"milli", "targetMilli", "ready", "ratio"},
             {Step::Stage::recommend, 2, 4, {60000, 30000, 2, 2.0}, 2}},
    StepKind{step::kAverageOfAll,
             "a metric of all replicas together, against a target for each of them",
             "To have more replicas for the same load, lower averageValue.",
             {"milli", "targetMilli", "replicas", "ratio"},
             {Step::Stage::recommend, 2, 9, {42000, 5000, 2, 4.2}, 2}},
    StepKind{step::kSourceFailed,
             "the metric's source failed, so the metric gives no number; nothing is scaled down "
             "because of it",
             "Look at the source: the answer is in brackets where it gave one.",
             {},
             {Step::Stage::recommend, 4, 4, {}, 2}},
    StepKind{step::kNoReading,
             "no replica has a reading of the metric, so it gives no number; nothing is scaled "
             "down because of it",
             "Wait a few seconds after a start. If it stays, see `headroom status`: CPU and MEM "
             "say what can be read.",
             {},
             {Step::Stage::recommend, 4, 4, {}, 0}},
    StepKind{step::kNotReady,
             "no replica has a reading that is all of a time when it was ready, and starting up "
             "says nothing of the load; nothing is scaled down because of it",
             "Nothing: it passes when a replica has been ready for as long as its reading is over. "
             "controller.cpuInitializationPeriod and initialReadinessDelay say how old a replica "
             "must be for all to count.",
             {},
             {Step::Stage::recommend, 4, 4, {}, 0}},
    StepKind{step::kNoReplicas,
             "the metric is an average over replicas, and there is none",
             "Nothing: it passes with the first replica.",
             {},
             {Step::Stage::recommend, 1, 1, {}, 0}},
    StepKind{step::kNoRequest,
             "a container asks for nothing of the resource, so there is no percentage of it",
             "Give it a request (target.process.resources.requests), or use AverageValue.",
             {},
             {Step::Stage::recommend, 4, 4, {}, 0}},
    StepKind{step::kNoTarget,
             "the metric has no target of its type, so it gives no number",
             "Give it one in the document: averageUtilization, averageValue or value.",
             {},
             {Step::Stage::recommend, 4, 4, {}, 2}},
    StepKind{step::kInvalidSelector,
             "the target does not say which replicas are its own, so nothing can be read",
             "Give the target's object a selector.",
             {},
             {Step::Stage::recommend, 4, 4, {}, -1}},
    StepKind{step::kScalingDisabled,
             "at zero because somebody set it so: no metric is read there",
             "Set it to 1 or more to scale again.",
             {},
             {Step::Stage::activate, 0, 0, {}, -1}},
    StepKind{step::kWoken,
             "a trigger is active at zero, or at idle: to minReplicas, or to 1",
             "Nothing: this is how work begins.",
             {},
             {Step::Stage::activate, 0, 1, {}, -1}},
    StepKind{step::kSlept,
             "no trigger has been active for the cooldown: to idleReplicas, or to minReplicas",
             "To stay up longer, raise cooldownPeriod.",
             {"after"},
             {Step::Stage::activate, 1, 0, {300}, -1}},
    StepKind{step::kRaised,
             "fewer than minReplicas without an active trigger: to minReplicas at once",
             "Nothing: somebody or something had set it lower.",
             {},
             {Step::Stage::activate, 1, 2, {}, -1}},
    StepKind{step::kCoolingDown,
             "no trigger is active, but the cooldown is not over",
             "To go down sooner, lower cooldownPeriod.",
             {"left"},
             {Step::Stage::activate, 1, 1, {12.5}, -1}},
    StepKind{step::kTriggerActive,
             "a trigger is active, and there are replicas already: nothing to wake",
             "Nothing. If it says that another fails, look at that one's source.",
             {"failing"},
             {Step::Stage::activate, 1, 1, {0}, -1}},
    StepKind{step::kTriggerFails,
             "a trigger fails and none is active: not to zero because of what cannot be read",
             "Look at the trigger's source; a fallback says how many to have meanwhile.",
             {"fallback"},
             {Step::Stage::activate, 2, 2, {0}, -1}},
    StepKind{step::kTriggersInactive,
             "no trigger is active, and nothing is left to take away",
             "Nothing.",
             {},
             {Step::Stage::activate, 0, 0, {}, -1}},
    StepKind{step::kPaused,
             "paused by its document: the number is held",
             "Take the pause out of the document to go on.",
             {"active"},
             {Step::Stage::activate, 2, 2, {1}, -1}},
    StepKind{step::kConcurrency,
             "the requests that were open at once, waiting ones too, on average over the stable "
             "window; each replica is meant to have so many: of concurrency's target "
             "targetUtilizationPercentage, 70% by default, so that there is room while the next "
             "one starts",
             "To have more replicas for the same load, lower concurrency's target (--concurrency). "
             "To use all of it, set targetUtilizationPercentage to 100.",
             {"average", "seconds", "target"},
             {Step::Stage::recommend, 1, 3, {14.2, 60, 7}, -1}},
    StepKind{step::kRequestRate,
             "the requests that arrived per second, on average over the stable window; each "
             "replica is meant to have so many: of the target targetUtilizationPercentage, 70% by "
             "default, so that there is room while the next one starts",
             "To have more replicas for the same load, lower the target (--rps). To use all of it, "
             "set targetUtilizationPercentage to 100.",
             {"average", "seconds", "target"},
             {Step::Stage::recommend, 1, 3, {310, 60, 105}, -1}},
    StepKind{step::kLoadUnavailable,
             "the gateway's load could not be read, so it gives no number; nothing is scaled down "
             "because of it",
             "Nothing: it passes with the gateway's first second. If it stays, report it.",
             {},
             {Step::Stage::recommend, 3, 3, {}, -1}},
    StepKind{step::kScaleUpRate,
             "maxScaleUpRate: at most so many times what is ready",
             "To rise faster, raise concurrency.maxScaleUpRate.",
             {"rate"},
             {Step::Stage::recommend, 30, 20, {10}, -1}},
    StepKind{
        step::kScaleDownRate,
        "maxScaleDownRate: within 2 s not below what was ready divided by it, rounded down; it "
        "is 2 by default, so of 10 or 11 not below 5, and of 3 not below 1",
        "To fall faster, raise concurrency.maxScaleDownRate.",
        {"rate", "ready"},
        {Step::Stage::recommend, 1, 5, {2, 11}, -1}},
    StepKind{step::kActivationScale,
             "activationScale: under any load at least so many",
             "To have fewer under little load, lower concurrency.activationScale.",
             {"least"},
             {Step::Stage::recommend, 1, 3, {3}, -1}},
    StepKind{step::kPanic,
             "a burst: by the short panic window alone (a tenth of the stable one) twice as many "
             "replicas are needed as are ready (panicThresholdPercentage, 200 by default), so that "
             "window decides, and its peak is held until that was not so for a stable window (it "
             "was last so `ago` seconds ago); needed are whole replicas, so where one is ready, a "
             "little more than it is meant to have is a burst: two are needed; "
             "targetUtilizationPercentage counts as for Concurrency",
             "Nothing: this is what bursts are met with. To react later, raise "
             "panicThresholdPercentage; to hold for less long, shorten window.",
             {"average", "target", "wants", "ago"},
             {Step::Stage::recommend, 1, 3, {20, 7, 3, 0}, -1}},
    StepKind{step::kStartHeld,
             "nothing was known of the load, as at a start of Headroom: for a stable window there "
             "are not fewer replicas than were asked for then",
             "Nothing: it passes. To hold for less long, shorten window.",
             {"left"},
             {Step::Stage::recommend, 1, 2, {50}, -1}},
    StepKind{step::kScaleDownDelay,
             "scaleDownDelay: the largest answer of that time counts",
             "To go down sooner, lower concurrency.scaleDownDelay.",
             {"seconds"},
             {Step::Stage::recommend, 1, 3, {90}, -1}},
    StepKind{step::kTargetBurstCapacity,
             "targetBurstCapacity: room for so many more requests at once",
             "To keep less room, lower concurrency.targetBurstCapacity.",
             {"capacity", "target"},
             {Step::Stage::recommend, 1, 3, {25, 10}, -1}},
    StepKind{
        step::kWaiting,
        "requests wait at the gateway now: enough replicas for them and for what runs",
        "Nothing: they are started. If requests wait often, raise minReplicas or lower the target.",
        {"waiting", "running", "target"},
        {Step::Stage::recommend, 1, 3, {3, 14, 7}, -1}},
    StepKind{step::kWaitingHeld,
             "what waiting requests needed is held for a window, so that they do not wait again",
             "To go down sooner, shorten window.",
             {"ago", "seconds"},
             {Step::Stage::recommend, 1, 3, {2.5, 60}, -1}},
    StepKind{step::kLargestWins,
             "several metrics or the load gave a number: the largest is taken",
             "Nothing. The steps before it have what each asked for.",
             {},
             {Step::Stage::combine, 8, 8, {}, 1}},
    StepKind{step::kFailedHolds,
             "one that could not be read keeps the number from falling",
             "Look at the step before that says what failed, and why.",
             {},
             {Step::Stage::combine, 4, 4, {}, 0}},
    StepKind{step::kNothingReadable,
             "nothing could be read: the number is held",
             "Look at the steps before: each says why.",
             {},
             {Step::Stage::combine, 3, 3, {}, -1}},
    StepKind{step::kInitialScale,
             "initialScale: at least so many until they were ready once",
             "To begin with fewer, lower concurrency.initialScale.",
             {"least"},
             {Step::Stage::activate, 1, 3, {3}, -1}},
    StepKind{
        step::kActivated,
        "a request arrived at zero: the first replica is started at once",
        "Nothing: the request is held until it is ready. To spare the wait, set minReplicas to 1.",
        {"open"},
        {Step::Stage::activate, 0, 1, {1}, -1}},
    StepKind{step::kActive,
             "requests are open: at least one replica",
             "Nothing. A connection that stays open (a stream, a WebSocket) keeps it from zero.",
             {"open"},
             {Step::Stage::activate, 0, 1, {2}, -1}},
    StepKind{step::kAsleep,
             "at zero, and nothing waits",
             "Nothing: the next request starts a replica.",
             {},
             {Step::Stage::activate, 0, 0, {}, -1}},
    StepKind{step::kCooldown,
             "the last request is less than cooldownPeriod ago: the last replica stays",
             "To go to zero sooner, lower cooldownPeriod (--cooldown). Monitors' probes are "
             "requests, too: list their paths under gateway.hold.noWake.",
             {"idle", "after"},
             {Step::Stage::activate, 0, 1, {12, 300}, -1}},
    StepKind{step::kScaledToZero,
             "no request for cooldownPeriod: to zero",
             "To stay up longer, raise cooldownPeriod (--cooldown), or set minReplicas to 1.",
             {"idle", "after"},
             {Step::Stage::activate, 1, 0, {301, 300}, -1}},
    StepKind{step::kKeptAwake,
             "not to zero, where there is no gateway that would see a request and wake it",
             "To go to zero, give it a gateway.",
             {},
             {Step::Stage::activate, 0, 1, {}, -1}},
    StepKind{step::kScaleUpStabilized,
             "the scale-up window: the lowest recommendation inside it holds the number, until "
             "that one has left it",
             "To rise sooner, lower behavior.scaleUp.stabilizationWindowSeconds.",
             {"seconds", "left"},
             {Step::Stage::stabilise, 3, 3, {60, 41}, -1}},
    StepKind{step::kScaleDownStabilized,
             "the scale-down window: the highest recommendation inside it holds the number, until "
             "that one has left it",
             "To fall sooner, lower behavior.scaleDown.stabilizationWindowSeconds.",
             {"seconds", "left"},
             {Step::Stage::stabilise, 5, 9, {300, 192}, -1}},
    StepKind{
        step::kScaleUpLimit,
        "not faster up than behavior.scaleUp allows; without a behavior the number at most doubles",
        "To rise faster, allow more in behavior.scaleUp.policies.",
        {"limit"},
        {Step::Stage::limit, 12, 8, {8}, -1}},
    StepKind{step::kScaleDownLimit,
             "not faster down than behavior.scaleDown allows",
             "To fall faster, allow more in behavior.scaleDown.policies.",
             {"limit"},
             {Step::Stage::limit, 2, 6, {6}, -1}},
    StepKind{
        step::kPinned,
        "an operator's scale or pause: so many, whatever the policy says",
        "`headroom resume NAME` ends it. `left` are the seconds that it lasts, -1 without an end.",
        {"left", "pause"},
        {Step::Stage::limit, 3, 5, {600, 0}, -1}},
    StepKind{step::kTooManyReplicas,
             "the load asks for more than maxReplicas",
             "If requests wait or are slow, raise maxReplicas (--max).",
             {"limit"},
             {Step::Stage::limit, 11, 8, {8}, -1}},
    StepKind{step::kTooFewReplicas,
             "the load asks for less than minReplicas",
             "To have fewer, lower minReplicas (--min).",
             {"limit"},
             {Step::Stage::limit, 1, 2, {2}, -1}},
};

/// The conditions' types and reasons, as Kubernetes and KEDA name them.
struct ReasonKind {
  std::string_view type;
  std::string_view reason;
  std::string_view meaning;  // in one sentence
  std::string_view advice;   // what to do about it
  Truth status;              // of the condition, with this reason
};

inline constexpr std::array kReasons = {
    ReasonKind{"AbleToScale", "SucceededGetScale", "the replicas could be counted", "Nothing.",
               Truth::yes},
    ReasonKind{"AbleToScale", "ReadyForNewScale", "the last recommendation stands",
               "Nothing: no window holds the number.", Truth::yes},
    ReasonKind{"AbleToScale", "ScaleUpStabilized", "held by the scale-up window",
               "See the step of that name.", Truth::yes},
    ReasonKind{"AbleToScale", "ScaleDownStabilized", "held by the scale-down window",
               "See the step of that name.", Truth::yes},
    ReasonKind{"AbleToScale", "SucceededRescale", "the new number was written", "Nothing.",
               Truth::yes},
    ReasonKind{"AbleToScale", "FailedUpdateScale", "the new number was refused",
               "Look at who refuses it: rights, quotas, an admission webhook. It is tried again.",
               Truth::no},
    ReasonKind{"AbleToScale", "FailedGetScale", "the replicas could not be counted",
               "Look at whether the target exists, and may be read.", Truth::no},
    ReasonKind{"ScalingActive", "ValidMetricFound", "a number of replicas could be calculated",
               "Nothing.", Truth::yes},
    ReasonKind{"ScalingActive", "ScalingDisabled", "at zero no metric is read",
               "Nothing where zero is wanted; else set the target to 1 or more.", Truth::no},
    ReasonKind{"ScalingActive", "InvalidSelector", "the target does not say which replicas it has",
               "Give the target's object a selector.", Truth::no},
    ReasonKind{"ScalingActive", "AmbiguousSelector", "two autoscalers select the same replica",
               "Let each replica be selected by one autoscaler alone.", Truth::no},
    ReasonKind{"ScalingActive", "FailedGetResourceMetric", "a Resource metric could not be read",
               "The step of the metric says why: no reading, no request, not ready.", Truth::no},
    ReasonKind{"ScalingActive", "FailedGetContainerResourceMetric",
               "a ContainerResource metric could not be read",
               "The step of the metric says why; check the container's name, too.", Truth::no},
    ReasonKind{"ScalingActive", "FailedGetPodsMetric", "a Pods metric could not be read",
               "The step of the metric says why.", Truth::no},
    ReasonKind{"ScalingActive", "FailedGetObjectMetric", "an Object metric could not be read",
               "The step of the metric says why.", Truth::no},
    ReasonKind{"ScalingActive", "FailedGetExternalMetric", "an External metric could not be read",
               "The step of the metric says why: the source's answer is in brackets.", Truth::no},
    ReasonKind{"ScalingActive", "FailedGetLoad", "the gateway's load could not be read",
               "Nothing: it passes with the gateway's first second.", Truth::no},
    ReasonKind{"ScalingLimited", "DesiredWithinRange",
               "the desired count is within the acceptable range", "Nothing.", Truth::no},
    ReasonKind{"ScalingLimited", "TooManyReplicas", "held by the maximum",
               "Raise maxReplicas (--max) if requests wait or are slow.", Truth::yes},
    ReasonKind{"ScalingLimited", "TooFewReplicas", "held by the minimum",
               "Lower minReplicas (--min) to have fewer.", Truth::yes},
    ReasonKind{"ScalingLimited", "ScaleUpLimit", "held by the scale-up policies",
               "Allow more in behavior.scaleUp.policies to rise faster.", Truth::yes},
    ReasonKind{"ScalingLimited", "ScaleDownLimit", "held by the scale-down policies",
               "Allow more in behavior.scaleDown.policies to fall faster.", Truth::yes},
    ReasonKind{"ScaledToZero", "ScaledToZero", "this autoscaler went to zero, and may leave it",
               "Nothing.", Truth::yes},
    ReasonKind{"ScaledToZero", "NotScaledToZero", "this autoscaler did not go to zero",
               "Nothing; at zero all the same, somebody else set it so.", Truth::no},
    ReasonKind{"Ready", "ScaledObjectReady", "the object is as it should be", "Nothing.",
               Truth::yes},
    ReasonKind{"Ready", "TriggerError", "no trigger is active, and one fails",
               "Look at the failing trigger's source.", Truth::no},
    ReasonKind{"Ready", "PartialTriggerError", "a trigger is active, but another fails",
               "Look at the failing trigger's source.", Truth::unknown},
    ReasonKind{"Ready", "ErrorGettingCurrentReplicas", "the replicas could not be counted",
               "Look at whether the target exists, and may be read.", Truth::no},
    ReasonKind{"Ready", "ErrorScalingTarget", "the new number was refused",
               "Look at who refuses it; it is tried again.", Truth::no},
    ReasonKind{"Active", "ScalerActive", "a trigger is active", "Nothing.", Truth::yes},
    ReasonKind{"Active", "ScalerNotActive", "no trigger is active", "Nothing: there is no work.",
               Truth::no},
    ReasonKind{"Active", "ScalerCooldown", "no trigger is active, but one was not long ago",
               "Nothing; a shorter cooldownPeriod takes replicas away sooner.", Truth::no},
    ReasonKind{"Fallback", "FallbackExists", "a source has failed too often: its fallback counts",
               "Mend the source: until then the fallback's number stands in.", Truth::yes},
    ReasonKind{"Fallback", "NoFallbackFound", "no source has failed too often", "Nothing.",
               Truth::no},
    ReasonKind{"Paused", "ScaledObjectPaused", "paused: nothing is changed",
               "Take the pause out of the document to go on.", Truth::yes},
    ReasonKind{"Paused", "ScaledObjectUnpaused", "not paused", "Nothing.", Truth::no},
    ReasonKind{"HPAActive", "HPAActive", "between minimum and maximum it scales", "Nothing.",
               Truth::yes},
    ReasonKind{"HPAActive", "ScalingDisabled", "at zero no metric is read",
               "Nothing: a trigger wakes it.", Truth::yes},
    ReasonKind{"HPAActive", "HPAMetricsUnavailable", "a metric could not be read",
               "The steps say which metric, and why.", Truth::no},
};

/// Those that keep the number from where the load alone would take it.
inline constexpr std::array kHolding = {
    step::kCoolingDown,         step::kCooldown,        step::kFailedHolds,
    step::kInvalidSelector,     step::kKeptAwake,       step::kLoadUnavailable,
    step::kNothingReadable,     step::kPaused,          step::kPinned,
    step::kScaleDownDelay,      step::kScaleDownLimit,  step::kScaleDownRate,
    step::kScaleDownStabilized, step::kScaleUpLimit,    step::kScaleUpRate,
    step::kScaleUpStabilized,   step::kScalingDisabled, step::kSourceFailed,
    step::kStartHeld,           step::kTooFewReplicas,  step::kTooManyReplicas,
    step::kTriggerFails,        step::kWaitingHeld};

inline bool holds(const Step& step) {
  // Panic is two things: what it asks for, and the peak that is held.
  if (step.code == step::kPanic) return step.inputs[2] != step.after.count;
  return std::ranges::find(kHolding, step.code) != kHolding.end();
}

// A row says what it means and what to do about it, or it does not compile.
static_assert(std::ranges::none_of(kSteps, [](const StepKind& kind) {
  return kind.code.empty() || kind.meaning.empty() || kind.advice.empty();
}));
static_assert(std::ranges::none_of(kReasons, [](const ReasonKind& kind) {
  return kind.reason.empty() || kind.meaning.empty() || kind.advice.empty();
}));

}  // namespace headroom::decide
