#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "places.h"
#include "policy/document.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

const std::filesystem::path kExamples = std::filesystem::path(SOURCES) / "examples/autoscalers";

TEST(Examples, AreRightAndReadBackAsTheyAreWritten) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
    SCOPED_TRACE(entry.path());
    ++files;
    const auto autoscalers = read_file(entry.path(), environment);
    ASSERT_TRUE(autoscalers) << to_string(autoscalers.error());
    for (const auto& autoscaler : *autoscalers) {
      const auto again = read(write_document(autoscaler));
      ASSERT_TRUE(again) << to_string(again.error());
      EXPECT_EQ(again->front(), autoscaler);
    }
  }
  EXPECT_GE(files, 3U);
}

TEST(Examples, SayWhatTheirCommentsSay) {
  const auto minimal = read_file(kExamples / "minimal.yaml", environment);
  ASSERT_TRUE(minimal) << to_string(minimal.error());
  EXPECT_EQ(minimal->front().concurrency, Concurrency{});
  const auto shop = read_file(kExamples / "shop.yaml", environment);
  ASSERT_TRUE(shop) << to_string(shop.error());
  EXPECT_TRUE(shop->front().gateway->unix_sockets);
  EXPECT_EQ(shop->front().target.process.env.at("GREETING"), "costs 5 $(CURRENCY)");
  EXPECT_EQ(shop->front().metrics.size(), 2U);
  const auto two = read_file(kExamples / "two-services.yaml", environment);
  ASSERT_TRUE(two) << to_string(two.error());
  ASSERT_EQ(two->size(), 2U);
  EXPECT_FALSE((*two)[1].gateway);
}

}  // namespace
}  // namespace headroom::policy
