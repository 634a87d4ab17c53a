#include "policy/changes.h"

#include <gmock/gmock.h>

#include "policy/document.h"

namespace headroom::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> between(const std::string& before, const std::string& after) {
  const auto one = read(before), other = read(after);
  EXPECT_TRUE(one) << to_string(one.error());
  EXPECT_TRUE(other) << to_string(other.error());
  return one && other ? changes(one->front(), other->front()) : std::vector<std::string>();
}

TEST(Changes, AreNamedAsTheDocumentDoes) {
  struct Case {
    const char* why;
    std::string before, after;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"nothing", document(), document(), {}},
      {"a number, a duration, a flag",
       document("  minReplicas: 2\n", "gateway: {}"),
       document("  minReplicas: 3\n  cooldownPeriod: 90s\n", "gateway: {forwarded: true}"),
       {"gateway.forwarded false → true", "minReplicas 2 → 3", "cooldownPeriod 5m → 1m30s"}},
      {"deeper down, in seconds and in words",
       document("  concurrency: {target: 10}\n"),
       document("  concurrency: {target: 20, metric: rps}\n", "gateway: {hold: {timeout: 5s}}"),
       {"gateway.hold.timeout 1m → 5s", "concurrency.metric concurrency → rps",
        "concurrency.target 10 → 20"}},
      {"what was not there, or is not any more",
       document("  objective: {latency: 1s}\n"),
       document("  behavior: {scaleDown: {selectPolicy: Disabled}}\n"),
       {"objective removed", "behavior added"}},
      {"of texts and lists only that they changed",
       document("", "gateway: {listen: ':80', trustedProxies: [10.0.0.0/8]}"),
       document("", "gateway: {listen: ':81', trustedProxies: [10.0.0.1/32]}"),
       {"gateway.listen changed", "gateway.trustedProxies changed"}},
  };
  for (const auto& [why, before, after, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(between(before, after), expected);
  }
}

TEST(Changes, OfTheEnvironmentSayNoValue) {
  auto before = document(), after = before;
  after.replace(after.find("[./shop]"), 8, "[./shop], env: {PASSWORD: secret}");
  EXPECT_THAT(between(before, after), ElementsAre("target.process.env changed"));
  EXPECT_THAT(between(after, after), IsEmpty());
}

}  // namespace
}  // namespace headroom::policy
