#include "policy/knative.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

/// Lines "name: value" as a cluster's configuration, and, after an empty line, as a revision's
/// annotations: refused, or settings that one can decide by.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  policy::Strings config;
  policy::KnativeRevision revision;
  policy::Strings* into = &config;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) {
      into = &revision.annotations;
      continue;
    }
    const std::size_t colon = std::min(line.size(), line.find(": "));
    (*into)[std::string(line.substr(0, colon))] =
        std::string(line.substr(std::min(line.size(), colon + 2)));
  }
  const auto cluster = policy::read_knative_cluster(config);
  if (!cluster) {
    check(!cluster.error().what.empty(), "a refusal says why");
    return 0;
  }
  const auto settings = policy::read_knative_revision(*cluster, revision);
  if (!settings) return 0;
  check(settings->target >= 0.01 && std::isfinite(settings->target), "there is a target");
  check(settings->window >= 6s && settings->window <= 1h, "a window keeps to its bounds");
  check(settings->panic_window >= 1s && settings->panic_window <= settings->window,
        "and the panic window to it");
  check(settings->scale_down_delay >= 0s && settings->retention >= 0s && settings->grace > 0s,
        "no period is negative");
  check(settings->max_scale_up_rate > 1 && settings->max_scale_down_rate > 1, "rates move");
  return 0;
}
