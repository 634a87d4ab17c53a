#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/units.h"
#include "policy/autoscaler.h"

/// Knative Serving's settings for its autoscaler (KPA): what a revision's annotations and the
/// cluster's config-autoscaler say, checked and derived as release 1.23 does it.
namespace headroom::policy {

/// Everything that deciding and applying goes by, derived: nothing is left to look up.
struct KpaSettings {
  bool rps = false;       // requests per second, rather than requests at once
  bool weighted = false;  // averages weigh newer seconds more
  double target = 70;     // per replica, utilisation taken off
  double total = 100;     // what a replica can take
  Millis window = 60s;    // whole seconds, as the panic window
  Millis panic_window = 6s;
  double panic_threshold = 2;  // a fraction
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  std::int32_t activation_scale = 0;  // 0: off
  Millis scale_down_delay = 0s;
  double target_burst_capacity = 211;  // 0: off; negative: the activator is always in the path
  bool reachable = true;               // a route points to it, or nobody knows
  Replicas min_scale = {0};            // 0 where unreachable
  Replicas max_scale = {0};            // 0: none
  Replicas initial_scale = {1};
  bool scale_to_zero = true;
  Millis grace = 30s;     // the activator is in the path so long before zero
  Millis retention = 0s;  // the last pod is kept so long; 0 where unreachable
  double activator_capacity = 100;

  bool operator==(const KpaSettings&) const = default;
};

/// Names and values as people wrote them; any text.
using Strings = std::map<std::string, std::string, std::less<>>;

/// config-autoscaler, with the defaults filled in.
struct KnativeCluster {
  std::string pod_autoscaler_class = "kpa.autoscaling.knative.dev";
  double concurrency_utilisation = 0.7;  // a fraction
  double concurrency_default = 100;
  double rps_default = 200;
  double panic_window_percentage = 10;
  double panic_threshold_percentage = 200;
  bool allow_zero_initial_scale = false;
  std::int32_t max_scale_limit = 0;  // 0: none
  KpaSettings settings;              // what is said directly
};

/// Reads the data of the config map config-autoscaler; keys of other names are nobody's.
/// Errors: invalid, naming the key and what it must be. Where upstream lets a value pass that is
/// no number (NaN, Inf), this refuses it.
Result<KnativeCluster> read_knative_cluster(const Strings& config);

struct KnativeRevision {
  Strings annotations;  // without "autoscaling.knative.dev/"; in kebab-case or (but for
                        // activation-scale) camelCase
  std::int32_t container_concurrency = 0;  // 0: no limit
  bool reachable = true;
};

/// Checks a revision's annotations and derives its settings. Errors: as read_knative_cluster().
Result<KpaSettings> read_knative_revision(const KnativeCluster& cluster,
                                          const KnativeRevision& revision);

struct KnativeProblem {
  std::string name;  // of the annotation, as it is written, or containerConcurrency
  std::string what;  // "found …, expected …"
};

/// The same with all that is wrong, each name once; the settings are then as good as any.
KpaSettings read_knative_revision(const KnativeCluster& cluster, const KnativeRevision& revision,
                                  std::vector<KnativeProblem>& problems);

/// The setting in kebab-case that an annotation sets, "" where it is nobody's; and the one that is
/// most like it, or "".
std::string_view knative_setting(std::string_view annotation);
std::string_view nearest_knative_setting(std::string_view annotation);

/// What a revision without errors says, in Headroom's document; `settings` are what was read of it.
/// Left behind: the numbers of replicas, which are the document's own, and the burst capacity,
/// which says when Knative's activator is in the path: the gateway always is.
Concurrency concurrency_of(const KnativeRevision& revision, const KpaSettings& settings);

/// The same for Headroom's own document. Bounds of replicas and scaling to zero are the
/// document's; they stay as they are by default.
KpaSettings settings_of(const Concurrency& concurrency);

/// Percent of the window in whole seconds, halves up, at least one.
Millis panic_window_of(Millis window, double percentage);

}  // namespace headroom::policy
