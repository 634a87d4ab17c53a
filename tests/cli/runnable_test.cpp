#include "cli/runnable.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary.h"

namespace headroom::cli {
namespace {

using ::testing::HasSubstr;

Result<std::vector<policy::Autoscaler>> runnable(const std::string& triggers) {
  TemporaryFolder folder;
  std::ofstream(folder / "app.yaml")
      << "apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: { name: app }\n"
         "spec:\n  target: { process: { command: [sleep, \"9\"] } }\n  maxReplicas: 3\n"
         "  triggers:\n"
      << triggers;
  return read_runnable(folder / "app.yaml");
}

TEST(Runnable, CpuAndMemoryTriggersAreMetrics) {
  const auto read = runnable(
      "  - { type: cpu, metricType: Utilization, metadata: { value: \"60\" } }\n"
      "  - { type: memory, metadata: { value: 100Mi } }\n");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->front().triggers.empty());
  ASSERT_EQ(read->front().metrics.size(), 2U);
  EXPECT_EQ(read->front().metrics[0].target.average_utilization, 60);
}

TEST(Runnable, OtherTriggersAreRefused) {
  const auto read = runnable(
      "  - { type: cpu, metricType: Utilization, metadata: { value: \"60\" } }\n"
      "  - { type: kafka }\n");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what,
              HasSubstr("triggers[1]: no source reads triggers of type kafka yet"));
  EXPECT_THAT(read.error().what, Not(HasSubstr("cpu")));
}

}  // namespace
}  // namespace headroom::cli
