#pragma once

#include <string>
#include <vector>

#include "policy/autoscaler.h"

namespace headroom::cli {

/// The autoscalers of a file as `run` takes them.
/// Triggers of type cpu and memory are the metrics that they stand for.
/// Errors: those of policy::read_file, and invalid for what a document may say and this machine
/// cannot do: an object of Kubernetes as target, metrics and triggers that no source reads yet.
/// Each of those is said, one per line.
Result<std::vector<policy::Autoscaler>> read_runnable(const std::string& file);

}  // namespace headroom::cli
