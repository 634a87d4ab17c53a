#pragma once

#include <array>
#include <string_view>

/// The kinds of steps that a decision's chain is made of. The codes are fixed words: people
/// search for them, and the documentation prints this table.
namespace headroom::decide {

namespace step {
inline constexpr std::string_view kCpuUtilization = "CpuUtilization";
inline constexpr std::string_view kCpuAverageValue = "CpuAverageValue";
inline constexpr std::string_view kMemoryUtilization = "MemoryUtilization";
inline constexpr std::string_view kMemoryAverageValue = "MemoryAverageValue";
inline constexpr std::string_view kCpuUnavailable = "CpuUnavailable";
inline constexpr std::string_view kMemoryUnavailable = "MemoryUnavailable";
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
inline constexpr std::string_view kTooManyReplicas = "TooManyReplicas";
inline constexpr std::string_view kTooFewReplicas = "TooFewReplicas";
}  // namespace step

struct StepKind {
  std::string_view code;
  std::string_view meaning;
};

inline constexpr std::array kSteps = {
    StepKind{step::kCpuUtilization, "CPU used, in percent of what the replicas request"},
    StepKind{step::kCpuAverageValue, "CPU used per replica, in cores"},
    StepKind{step::kMemoryUtilization, "memory used, in percent of what the replicas request"},
    StepKind{step::kMemoryAverageValue, "memory used per replica, in bytes"},
    StepKind{step::kCpuUnavailable, "CPU could not be read: scales nothing down"},
    StepKind{step::kMemoryUnavailable, "memory could not be read: scales nothing down"},
    StepKind{step::kConcurrency, "requests in flight over the stable window"},
    StepKind{step::kRequestRate, "requests per second over the stable window"},
    StepKind{step::kLoadUnavailable, "the gateway's load could not be read: scales nothing down"},
    StepKind{step::kScaleUpRate, "maxScaleUpRate: at most so many times what is ready"},
    StepKind{step::kScaleDownRate, "maxScaleDownRate: at least what is ready divided by it"},
    StepKind{step::kActivationScale, "activationScale: at least so many under any load"},
    StepKind{step::kPanic, "the panic window is over the threshold: its peak is held for a window"},
    StepKind{step::kScaleDownDelay, "scaleDownDelay: the largest answer of that time"},
    StepKind{step::kTargetBurstCapacity, "targetBurstCapacity: room for so much more at once"},
    StepKind{step::kWaiting, "requests wait at the gateway now: enough for them and what runs"},
    StepKind{step::kWaitingHeld, "what waiting requests needed is held for a window"},
    StepKind{step::kLargestWins, "several gave a number: the largest is taken"},
    StepKind{step::kFailedHolds, "one that could not be read blocks scaling down"},
    StepKind{step::kNothingReadable, "nothing could be read: held"},
    StepKind{step::kInitialScale, "initialScale: at least so many until they were ready once"},
    StepKind{step::kActivated, "a request arrived at zero: started at once"},
    StepKind{step::kActive, "requests are open: at least one replica"},
    StepKind{step::kAsleep, "at zero, and nothing waits"},
    StepKind{step::kCooldown, "to zero only after cooldownPeriod without a request"},
    StepKind{step::kScaledToZero, "no request for cooldownPeriod: to zero"},
    StepKind{step::kKeptAwake, "not to zero where nothing would be seen to wake it"},
    StepKind{step::kScaleUpStabilized, "the lowest recommendation inside the scale-up window"},
    StepKind{step::kScaleDownStabilized, "the highest recommendation inside the scale-down window"},
    StepKind{step::kScaleUpLimit, "not faster up than the scale-up policies allow"},
    StepKind{step::kScaleDownLimit, "not faster down than the scale-down policies allow"},
    StepKind{step::kTooManyReplicas, "at most maxReplicas"},
    StepKind{step::kTooFewReplicas, "at least minReplicas"},
};

}  // namespace headroom::decide
