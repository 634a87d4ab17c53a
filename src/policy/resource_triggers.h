#pragma once

#include <optional>

#include "policy/autoscaler.h"

/// KEDA's cpu and memory triggers ask no source: they stand for metrics of the replicas' own.
namespace headroom::policy {

/// The metric that a cpu or memory trigger stands for; none for other triggers, and for one whose
/// parameters are wrong.
std::optional<Metric> metric_of(const Trigger& trigger);

/// Adds to the metrics what the triggers stand for, where it is not there yet.
void add_resource_metrics(Autoscaler& autoscaler);

/// Drops the triggers that stand for one of the metrics. False: there was none.
bool drop_resource_triggers(Autoscaler& autoscaler);

/// Without those triggers. Where no other is left, what only sources need goes, too: nothing is
/// polled, and what is always active neither cools down nor sleeps.
Autoscaler without_resource_triggers(Autoscaler autoscaler);

}  // namespace headroom::policy
