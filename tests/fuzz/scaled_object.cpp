#include "policy/scaled_object.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"

namespace {

using namespace headroom;
using namespace headroom::policy;

/// Kubernetes' reading: nothing that it says may end the process.
void ask_cluster(const Node& document) {
  const auto [object, errors, warnings] = keda::read(document, keda::Strictness::cluster);
  if (!errors.empty()) return;
  keda::World world;
  world.target.emplace().containers.push_back({"app", {{"cpu", {1}}}, {}});
  world.scaled_objects.push_back(object);
  const auto refusals = keda::webhook(object, world);
  const auto result = keda::reconcile(object, world);
  check(!(result.gives_up && result.hpa), "who gives up writes no HPA");
  for (const auto& refusal : refusals) check(!refusal.detail.empty(), "a refusal says why");
}

}  // namespace

/// Any document is an Autoscaler, which is written so that it reads back equal, or a problem.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Problems problems;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Tree tree = parse(text, problems);
  if (problems.any()) return 0;
  for (const Node* document : tree.documents) {
    ask_cluster(*document);
    const auto read = read_scaled_object(*document, "fuzz.yaml");
    if (!read) {
      check(!read.error().what.empty(), "a problem is said");
      continue;
    }
    Problems wrong;
    const auto written = write_scaled_object(read->autoscaler);
    const Tree again = parse(written, wrong);
    check(!wrong.any() && again.documents.size() == 1, "what is written is YAML");
    const auto second = read_scaled_object(*again.documents[0], "again.yaml");
    check(second && second->autoscaler == read->autoscaler, "what is written reads back");
  }
  return 0;
}
