#include "decide/requests.h"

#include <limits>

#include <gtest/gtest.h>

namespace headroom::decide {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// A container that asks for so much CPU, or for nothing.
ContainerSeen container(const char* name, std::optional<std::int64_t> milli) {
  ContainerSeen made{name, {{"memory", {1'000'000}}}};
  if (milli) made.requests.emplace_back("cpu", Quantity{*milli});
  return made;
}

TEST(Requests, AsHpaV2) {
  struct Case {
    const char* why;
    Template made_of;
    std::string_view resource, container;
    std::optional<std::int64_t> expected;
  };
  const Case cases[] = {
      {"all containers together",
       {.containers = {container("a", 100), container("b", 250)}},
       "cpu",
       "",
       350},
      {"a sidecar counts",
       {.containers = {container("a", 100)}, .sidecars = {container("s", 50)}},
       "cpu",
       "",
       150},
      {"one container without a request is enough",
       {.containers = {container("a", 100), container("b", {})}},
       "cpu",
       "",
       {}},
      {"so is a sidecar",
       {.containers = {container("a", 100)}, .sidecars = {container("s", {})}},
       "cpu",
       "",
       {}},
      {"another resource that nobody asks for",
       {.containers = {container("a", 1)}},
       "disk",
       "",
       {}},
      {"no containers at all ask for nothing, which is not to say no", {}, "cpu", "", 0},
      {"overhead is the pod's: without its requests it does not count",
       {.containers = {container("a", 100)}, .overhead = {{"cpu", {10}}}},
       "cpu",
       "",
       100},
      {"sums stop at what 64 bits take",
       {.containers = {container("a", kMost), container("b", 1)}},
       "cpu",
       "",
       kMost},

      {"of the named container alone",
       {.containers = {container("a", 100), container("b", 250)}},
       "cpu",
       "b",
       250},
      {"... or sidecar",
       {.containers = {container("a", 100)}, .sidecars = {container("s", 50)}},
       "cpu",
       "s",
       50},
      {"the named one asks for nothing",
       {.containers = {container("a", 100), container("b", {})}},
       "cpu",
       "b",
       {}},
      {"no container of that name", {.containers = {container("a", 100)}}, "cpu", "z", {}},
      {"the pod's requests are not a container's",
       {.containers = {container("a", {})}, .pod_requests = {{"cpu", {500}}}},
       "cpu",
       "a",
       {}},

      {"the pod's own request, whatever its containers ask for",
       {.containers = {container("a", 100)}, .pod_requests = {{"cpu", {500}}}},
       "cpu",
       "",
       500},
      {"... and its overhead",
       {.containers = {container("a", 100)},
        .pod_requests = {{"cpu", {500}}},
        .overhead = {{"cpu", {10}}}},
       "cpu",
       "",
       510},
      {"the pod asks for another resource: of containers, those that ask",
       {.containers = {container("a", 100), container("b", {})},
        .pod_requests = {{"memory", {500}}}},
       "cpu",
       "",
       100},
      {"... nobody asks, and there is overhead",
       {.containers = {container("a", {})},
        .pod_requests = {{"memory", {500}}},
        .overhead = {{"cpu", {10}}}},
       "cpu",
       "",
       10},
      {"... nobody asks, and there is none",
       {.containers = {container("a", {})}, .pod_requests = {{"memory", {500}}}},
       "cpu",
       "",
       {}},
      {"a pod as a whole cannot ask for disk, so that does not make it one that asks",
       {.containers = {container("a", 100)}, .pod_requests = {{"disk", {500}}}},
       "cpu",
       "",
       100},
      {"... nor is it asked",
       {.containers = {container("a", 100)},
        .pod_requests = {{"cpu", {1}}, {"disk", {500}}},
        .overhead = {{"disk", {7}}}},
       "disk",
       "",
       7},
      {"huge pages it can ask for",
       {.containers = {container("a", {})}, .pod_requests = {{"hugepages-2Mi", {4}}}},
       "hugepages-2Mi",
       "",
       4},
  };
  for (const auto& [why, made_of, resource, name, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(request_of(made_of, resource, name), expected);
  }
}

}  // namespace
}  // namespace headroom::decide
