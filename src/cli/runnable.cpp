#include "cli/runnable.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/serve.h"
#include "policy/read.h"
#include "policy/resource_triggers.h"

namespace headroom::cli {
namespace {

std::string_view word_of(policy::Metric::Type type) {
  switch (type) {
    case policy::Metric::Type::resource:
      return "Resource";
    case policy::Metric::Type::container_resource:
      return "ContainerResource";
    case policy::Metric::Type::pods:
      return "Pods";
    case policy::Metric::Type::object:
      return "Object";
    case policy::Metric::Type::external:
      return "External";
  }
  return "";
}

/// What stands in the way, each a sentence.
std::vector<std::string> obstacles(const policy::Autoscaler& autoscaler) {
  std::vector<std::string> all;
  if (const auto& object = autoscaler.target.scale_target_ref) {
    all.push_back(fmt::format(
        "target.scaleTargetRef: found {} {}, expected target.process: run scales processes of "
        "this machine",
        printable(object->kind, 60), printable(object->name, 60)));
  }
  for (std::size_t i = 0; i < autoscaler.metrics.size(); ++i) {
    const auto& metric = autoscaler.metrics[i];
    if (metric.type == policy::Metric::Type::resource) continue;
    all.push_back(fmt::format("metrics[{}]: no source reads metrics of type {} yet ({})", i,
                              word_of(metric.type), printable(metric.name, 60)));
  }
  for (std::size_t i = 0; i < autoscaler.triggers.size(); ++i) {
    if (policy::metric_of(autoscaler.triggers[i])) continue;
    all.push_back(fmt::format("triggers[{}]: no source reads triggers of type {} yet", i,
                              printable(autoscaler.triggers[i].type, 60)));
  }
  const std::pair<const char*, bool> of_triggers[] = {
      {"idleReplicas", autoscaler.idle_replicas.has_value()},
      {"fallback", autoscaler.fallback.has_value()},
      {"scalingModifiers", autoscaler.scaling_modifiers.has_value()},
      {"pause", autoscaler.pause != policy::Pause{}}};
  for (const auto& [name, there] : of_triggers) {
    if (there) all.push_back(fmt::format("{}: run does not do this yet", name));
  }
  return all;
}

Result<void> check_runnable(const std::vector<policy::Autoscaler>& autoscalers,
                            const std::string& file) {
  std::string what;
  for (const auto& autoscaler : autoscalers) {
    for (const auto& obstacle : obstacles(autoscaler)) {
      what += fmt::format("{}{}: spec.{}", what.empty() ? "" : fmt::format("\n{}: ", file),
                          autoscaler.name, obstacle);
    }
  }
  if (what.empty()) return {};
  return fail({Code::invalid, std::move(what), {file}});
}

}  // namespace

Result<std::vector<policy::Autoscaler>> read_runnable(const std::string& file) {
  auto autoscalers = policy::read_file(file, environment());
  if (!autoscalers) return autoscalers;
  if (auto can = check_runnable(*autoscalers, file); !can) return fail(can.error());
  for (auto& autoscaler : *autoscalers) policy::drop_resource_triggers(autoscaler);
  return autoscalers;
}

}  // namespace headroom::cli
