#pragma once

#include <array>
#include <string_view>

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
  std::string_view code;
  std::string_view meaning;
  std::array<std::string_view, 4> inputs = {};
};

inline constexpr std::array kSteps = {
    StepKind{step::kUtilization,
             "what the replicas use of a resource, in percent of what they request",
             {"percent", "target", "filledIn", "ratio"}},
    StepKind{step::kAverageValue,
             "what a replica has of a metric, on average",
             {"milli", "targetMilli", "filledIn", "ratio"}},
    StepKind{step::kValue,
             "a metric of all replicas together, against a target for all",
             {"milli", "targetMilli", "ready", "ratio"}},
    StepKind{step::kAverageOfAll,
             "a metric of all replicas together, against a target for each",
             {"milli", "targetMilli", "replicas", "ratio"}},
    StepKind{step::kSourceFailed, "the metric's source failed: scales nothing down"},
    StepKind{step::kNoReading, "there is no reading of any replica: scales nothing down"},
    StepKind{step::kNotReady,
             "no replica that has a reading has been ready long enough: scales nothing down"},
    StepKind{step::kNoReplicas, "the metric is of replicas and there is none: scales nothing down"},
    StepKind{step::kNoRequest,
             "a container asks for nothing of the resource, so there is no percentage of it: give "
             "it a request, or use AverageValue"},
    StepKind{step::kNoTarget, "the metric has no target of its type"},
    StepKind{step::kInvalidSelector,
             "the target does not say which replicas are its own: nothing can be read"},
    StepKind{step::kScalingDisabled,
             "at zero because somebody set it so: set it to 1 or more to scale again"},
    StepKind{step::kWoken, "a trigger is active at zero or idle: to minReplicas, or 1"},
    StepKind{step::kSlept,
             "no trigger has been active for the cooldown: to idleReplicas, or minReplicas",
             {"after"}},
    StepKind{step::kRaised, "below minReplicas without an active trigger: to it at once"},
    StepKind{step::kCoolingDown, "no trigger is active, but the cooldown is not over", {"left"}},
    StepKind{step::kTriggerActive, "a trigger is active: nothing to wake", {"failing"}},
    StepKind{step::kTriggerFails,
             "a trigger fails and none is active: not to zero because of it",
             {"fallback"}},
    StepKind{step::kTriggersInactive, "no trigger is active: nothing to do"},
    StepKind{step::kPaused, "paused by its document: held", {"active"}},
    StepKind{step::kConcurrency,
             "requests in flight over the stable window",
             {"average", "seconds", "target"}},
    StepKind{step::kRequestRate,
             "requests per second over the stable window",
             {"average", "seconds", "target"}},
    StepKind{step::kLoadUnavailable, "the gateway's load could not be read: scales nothing down"},
    StepKind{step::kScaleUpRate, "maxScaleUpRate: at most so many times what is ready", {"rate"}},
    StepKind{
        step::kScaleDownRate, "maxScaleDownRate: at least what is ready divided by it", {"rate"}},
    StepKind{step::kActivationScale, "activationScale: at least so many under any load", {"least"}},
    StepKind{step::kPanic,
             "the panic window is over the threshold: its peak is held for a window",
             {"average", "target", "wants", "ago"}},
    StepKind{step::kScaleDownDelay, "scaleDownDelay: the largest answer of that time", {"seconds"}},
    StepKind{step::kTargetBurstCapacity,
             "targetBurstCapacity: room for so much more at once",
             {"capacity", "target"}},
    StepKind{step::kWaiting,
             "requests wait at the gateway now: enough for them and what runs",
             {"waiting", "running", "target"}},
    StepKind{step::kWaitingHeld,
             "what waiting requests needed is held for a window",
             {"ago", "seconds"}},
    StepKind{step::kLargestWins, "several gave a number: the largest is taken"},
    StepKind{step::kFailedHolds, "one that could not be read blocks scaling down"},
    StepKind{step::kNothingReadable, "nothing could be read: held"},
    StepKind{step::kInitialScale,
             "initialScale: at least so many until they were ready once",
             {"least"}},
    StepKind{step::kActivated, "a request arrived at zero: started at once", {"open"}},
    StepKind{step::kActive, "requests are open: at least one replica", {"open"}},
    StepKind{step::kAsleep, "at zero, and nothing waits"},
    StepKind{
        step::kCooldown, "to zero only after cooldownPeriod without a request", {"idle", "after"}},
    StepKind{step::kScaledToZero, "no request for cooldownPeriod: to zero", {"idle", "after"}},
    StepKind{step::kKeptAwake, "not to zero where nothing would be seen to wake it"},
    StepKind{step::kScaleUpStabilized,
             "the lowest recommendation inside the scale-up window",
             {"seconds"}},
    StepKind{step::kScaleDownStabilized,
             "the highest recommendation inside the scale-down window",
             {"seconds"}},
    StepKind{step::kScaleUpLimit, "not faster up than the scale-up policies allow", {"limit"}},
    StepKind{
        step::kScaleDownLimit, "not faster down than the scale-down policies allow", {"limit"}},
    StepKind{
        step::kPinned,
        "an operator's scale or pause: so many, whatever the policy says; the seconds that are "
        "left, -1 without an end",
        {"left", "pause"}},
    StepKind{step::kTooManyReplicas, "at most maxReplicas", {"limit"}},
    StepKind{step::kTooFewReplicas, "at least minReplicas", {"limit"}},
};

/// The conditions' types and reasons, as Kubernetes and KEDA name them.
struct ReasonKind {
  std::string_view type;
  std::string_view reason;
  std::string_view meaning;
};

inline constexpr std::array kReasons = {
    ReasonKind{"AbleToScale", "SucceededGetScale", "the replicas could be counted"},
    ReasonKind{"AbleToScale", "ReadyForNewScale", "the last recommendation stands"},
    ReasonKind{"AbleToScale", "ScaleUpStabilized", "held by the scale-up window"},
    ReasonKind{"AbleToScale", "ScaleDownStabilized", "held by the scale-down window"},
    ReasonKind{"AbleToScale", "SucceededRescale", "the new number was written"},
    ReasonKind{"AbleToScale", "FailedUpdateScale", "the new number was refused"},
    ReasonKind{"AbleToScale", "FailedGetScale", "the replicas could not be counted"},
    ReasonKind{"ScalingActive", "ValidMetricFound", "a number of replicas could be calculated"},
    ReasonKind{"ScalingActive", "ScalingDisabled", "at zero no metric is read"},
    ReasonKind{"ScalingActive", "InvalidSelector", "the target does not say which replicas it has"},
    ReasonKind{"ScalingActive", "AmbiguousSelector", "two autoscalers select the same replica"},
    ReasonKind{"ScalingActive", "FailedGetResourceMetric", "a Resource metric could not be read"},
    ReasonKind{"ScalingActive", "FailedGetContainerResourceMetric",
               "a ContainerResource metric could not be read"},
    ReasonKind{"ScalingActive", "FailedGetPodsMetric", "a Pods metric could not be read"},
    ReasonKind{"ScalingActive", "FailedGetObjectMetric", "an Object metric could not be read"},
    ReasonKind{"ScalingActive", "FailedGetExternalMetric", "an External metric could not be read"},
    ReasonKind{"ScalingActive", "FailedGetLoad", "the gateway's load could not be read"},
    ReasonKind{"ScalingLimited", "DesiredWithinRange",
               "the desired count is within the acceptable range"},
    ReasonKind{"ScalingLimited", "TooManyReplicas", "held by the maximum"},
    ReasonKind{"ScalingLimited", "TooFewReplicas", "held by the minimum"},
    ReasonKind{"ScalingLimited", "ScaleUpLimit", "held by the scale-up policies"},
    ReasonKind{"ScalingLimited", "ScaleDownLimit", "held by the scale-down policies"},
    ReasonKind{"ScaledToZero", "ScaledToZero", "this autoscaler went to zero, and may leave it"},
    ReasonKind{"ScaledToZero", "NotScaledToZero", "this autoscaler did not go to zero"},
    ReasonKind{"Ready", "ScaledObjectReady", "the object is as it should be"},
    ReasonKind{"Ready", "TriggerError", "no trigger is active, and one fails"},
    ReasonKind{"Ready", "PartialTriggerError", "a trigger is active, but another fails"},
    ReasonKind{"Ready", "ErrorGettingCurrentReplicas", "the replicas could not be counted"},
    ReasonKind{"Ready", "ErrorScalingTarget", "the new number was refused"},
    ReasonKind{"Active", "ScalerActive", "a trigger is active"},
    ReasonKind{"Active", "ScalerNotActive", "no trigger is active"},
    ReasonKind{"Active", "ScalerCooldown", "no trigger is active, but one was not long ago"},
    ReasonKind{"Fallback", "FallbackExists", "a source has failed too often: its fallback counts"},
    ReasonKind{"Fallback", "NoFallbackFound", "no source has failed too often"},
    ReasonKind{"Paused", "ScaledObjectPaused", "paused: nothing is changed"},
    ReasonKind{"Paused", "ScaledObjectUnpaused", "not paused"},
    ReasonKind{"HPAActive", "HPAActive", "between minimum and maximum it scales"},
    ReasonKind{"HPAActive", "ScalingDisabled", "at zero no metric is read"},
    ReasonKind{"HPAActive", "HPAMetricsUnavailable", "a metric could not be read"},
};

}  // namespace headroom::decide
