#include "decide/waiting.h"

#include <algorithm>

#include "decide/rounding.h"
#include "policy/knative.h"

namespace headroom::decide {

std::optional<double> open_per_replica(const policy::Concurrency& policy) {
  if (policy.metric != policy::Concurrency::Metric::rps) return settings_of(policy).target;
  // A count of open requests is no rate; only a limit on them says what one replica takes.
  if (policy.container_concurrency <= 0) return std::nullopt;
  return policy.container_concurrency * policy.target_utilization_percentage / 100;
}

std::optional<Replicas> needed_for_waiting(const policy::Concurrency& policy, const Load& load) {
  if (load.waiting <= 0) return std::nullopt;
  const auto per_replica = open_per_replica(policy);
  if (!per_replica) return std::nullopt;
  const double open = static_cast<double>(load.waiting) +
                      static_cast<double>(std::max<std::int64_t>(0, load.running));
  return ceil_replicas(open / std::max(0.01, *per_replica));
}

}  // namespace headroom::decide
