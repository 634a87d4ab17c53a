#include "decide/requests.h"

#include <algorithm>

#include "decide/rounding.h"

namespace headroom::decide {
namespace {

std::optional<std::int64_t> found(const ResourceRequests& requests, std::string_view resource) {
  for (const auto& [name, quantity] : requests) {
    if (name == resource) return quantity.milli;
  }
  return std::nullopt;
}

/// Of the resources that can be asked for by a whole pod.
bool for_pods(std::string_view resource) {
  return resource == "cpu" || resource == "memory" || resource.starts_with("hugepages-");
}

bool by_pod(const Template& made_of) {
  return std::ranges::any_of(made_of.pod_requests,
                             [](const auto& request) { return for_pods(request.first); });
}

std::optional<std::int64_t> of_container(const Template& made_of, std::string_view resource,
                                         std::string_view container) {
  for (const auto* list : {&made_of.containers, &made_of.sidecars}) {
    for (const auto& each : *list) {
      if (each.name == container) return found(each.requests, resource);
    }
  }
  return std::nullopt;
}

/// Each must have one; or, where `some` is enough, those that have one.
std::optional<std::int64_t> of_all(const Template& made_of, std::string_view resource, bool some) {
  std::int64_t sum = 0;
  bool any = false;
  for (const auto* list : {&made_of.containers, &made_of.sidecars}) {
    for (const auto& each : *list) {
      const auto request = found(each.requests, resource);
      if (!request && !some) return std::nullopt;
      any = any || request;
      sum = add(sum, request.value_or(0));
    }
  }
  if (some && !any) return std::nullopt;
  return sum;
}

std::optional<std::int64_t> of_pod(const Template& made_of, std::string_view resource) {
  auto request = for_pods(resource) ? found(made_of.pod_requests, resource) : std::nullopt;
  if (!request) request = of_all(made_of, resource, true);
  const auto overhead = found(made_of.overhead, resource);
  if (!request && !overhead) return std::nullopt;
  return add(request.value_or(0), overhead.value_or(0));
}

}  // namespace

std::optional<std::int64_t> request_of(const Template& made_of, std::string_view resource,
                                       std::string_view container) {
  if (!container.empty()) return of_container(made_of, resource, container);
  return by_pod(made_of) ? of_pod(made_of, resource) : of_all(made_of, resource, false);
}

}  // namespace headroom::decide
