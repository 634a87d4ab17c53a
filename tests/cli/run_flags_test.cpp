#include "cli/run_flags.h"

#include <gtest/gtest.h>

#include "policy/read.h"

namespace headroom::cli {
namespace {

const std::vector<std::string> kCommand = {"./server", "--port", "$(PORT)"};

std::optional<std::string> nothing(std::string_view) { return std::nullopt; }

/// What run does: made from the flags, written, read back.
policy::Autoscaler through_the_document(const RunFlags& flags) {
  const auto made = autoscaler_of(flags, kCommand);
  EXPECT_TRUE(made) << to_string(made.error());
  const auto document = policy::write_document(*made);
  const auto read = policy::read_documents(document, "flags", nothing);
  EXPECT_TRUE(read) << to_string(read.error()) << "\n" << document;
  if (!read || read->size() != 1) return {};
  EXPECT_EQ(policy::write_document(read->front()), document) << "what is read writes the same";
  return read->front();
}

TEST(RunFlags, EachReachesThePolicy) {
  RunFlags flags;
  flags.name = "shop";
  flags.listen = "127.0.0.1:9000";
  flags.min = 0;
  flags.max = 8;
  flags.objective = "100ms@p99.5";
  flags.concurrency = 12.5;
  flags.limit = 50;
  flags.cpu = 70;
  flags.memory = 80;
  flags.cooldown = "90s";
  flags.window = "30s";
  flags.readiness_path = "/readyz";
  flags.liveness_path = "/healthz";
  flags.grace = "5s";
  flags.start_timeout = "2m";
  flags.env = {"MODE=fast", "EMPTY=", "EQUALS=a=b"};
  flags.output = "logs";
  const auto policy = through_the_document(flags);

  EXPECT_EQ(policy.name, "shop");
  EXPECT_EQ(policy.target.process.command, kCommand);
  ASSERT_TRUE(policy.gateway);
  EXPECT_EQ(policy.gateway->listen, "127.0.0.1:9000");
  EXPECT_EQ(policy.min_replicas, Replicas{0});
  EXPECT_EQ(policy.max_replicas, Replicas{8});
  EXPECT_EQ(policy.objective, (policy::Objective{100ms, 99.5}));
  ASSERT_TRUE(policy.concurrency);
  EXPECT_EQ(policy.concurrency->target, 12.5);
  EXPECT_EQ(policy.concurrency->container_concurrency, 50);
  EXPECT_EQ(policy.concurrency->window, 30s);
  ASSERT_EQ(policy.metrics.size(), 2u);
  EXPECT_EQ(policy.metrics[0].target.average_utilization, 70);
  EXPECT_EQ(policy.metrics[1].name, "memory");
  EXPECT_EQ(policy.cooldown_period, 90s);
  const auto& process = policy.target.process;
  ASSERT_TRUE(process.readiness_probe && process.readiness_probe->http_get);
  EXPECT_EQ(process.readiness_probe->http_get->path, "/readyz");
  EXPECT_EQ(process.readiness_probe->period, 1s);
  ASSERT_TRUE(process.liveness_probe && process.liveness_probe->http_get);
  EXPECT_EQ(process.liveness_probe->http_get->path, "/healthz");
  EXPECT_EQ(process.termination_grace_period, 5s);
  EXPECT_EQ(process.start_timeout, 120s);
  EXPECT_EQ(process.env.at("EQUALS"), "a=b");
  EXPECT_EQ(process.env.at("EMPTY"), "");
  EXPECT_EQ(process.output.to, policy::Output::To::files);
  EXPECT_EQ(process.output.directory, "logs");
}

TEST(RunFlags, WithoutAnyTheDocumentsDefaultsHold) {
  const auto policy = through_the_document({});
  EXPECT_EQ(policy.name, "server");
  EXPECT_EQ(policy.gateway->listen, ":8080");
  EXPECT_EQ(policy.min_replicas, Replicas{1});
  EXPECT_GE(policy.max_replicas, Replicas{1});
  EXPECT_EQ(policy.cooldown_period, 300s);
}

TEST(RunFlags, RateIsATargetOfItsOwn) {
  RunFlags flags;
  flags.rps = 150;
  const auto policy = through_the_document(flags);
  ASSERT_TRUE(policy.concurrency);
  EXPECT_EQ(policy.concurrency->metric, policy::Concurrency::Metric::rps);
  EXPECT_EQ(policy.concurrency->target, 150);
}

TEST(RunFlags, TheMostIsNeverBelowTheLeast) {
  RunFlags flags;
  flags.min = 500;
  EXPECT_EQ(through_the_document(flags).max_replicas, Replicas{500});
}

TEST(RunFlags, VariablesAreLookedUpAsInAFile) {
  struct Case {
    const char *why, *given, *read;
  };
  const Case cases[] = {
      {"from the environment", "$(PLACE)", "here"},
      {"within a text", "a$(PLACE)b$(PLACE)", "aherebhere"},
      {"two dollar signs: as it stands", "$$(PLACE)", "$(PLACE)"},
      {"each replica's own", "$(PORT)", "$(PORT)"},
      {"each replica's own, as it stands", "$$(PORT)", "$$(PORT)"},
      {"no variable", "$PLACE ${PLACE} $ $$", "$PLACE ${PLACE} $ $$"},
  };
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "PLACE") return "here";
    return std::nullopt;
  };
  for (const auto& [why, given, expected] : cases) {
    SCOPED_TRACE(why);
    const auto document = document_of({}, {"./server", given});
    ASSERT_TRUE(document);
    const auto policies = policy::read_documents(*document, "flags", environment);
    ASSERT_TRUE(policies) << to_string(policies.error()) << *document;
    EXPECT_EQ(policies->front().target.process.command[1], expected);
  }
}

TEST(RunFlags, ErrorsNameTheFlag) {
  struct Case {
    const char* why;
    void (*set)(RunFlags&);
    const char* said;
  };
  const Case cases[] = {
      {"a duration that is none", [](RunFlags& f) { f.cooldown = "5 minutes"; },
       "--cooldown: found \"5 minutes\""},
      {"each duration", [](RunFlags& f) { f.window = "x"; }, "--window: found \"x\""},
      {"each duration", [](RunFlags& f) { f.grace = "-5s"; }, "--grace: found \"-5s\""},
      {"each duration", [](RunFlags& f) { f.start_timeout = ""; }, "--start-timeout: found \"\""},
      {"no value", [](RunFlags& f) { f.env = {"MODE"}; },
       "--env: found \"MODE\", expected NAME=VALUE"},
      {"an objective without a latency", [](RunFlags& f) { f.objective = "p99"; },
       "--objective: found \"p99\""},
      {"its percentile is a number", [](RunFlags& f) { f.objective = "1s@p99x"; },
       "--objective: found \"1s@p99x\", expected a latency and, after @p, a percentile: 100ms@p99"},
      {"and there", [](RunFlags& f) { f.objective = "1s@"; }, "--objective: found \"1s@\""},
      {"no name", [](RunFlags& f) { f.env = {"=x"}; }, "--env: found \"=x\""},
      {"two targets", [](RunFlags& f) { f.rps = f.concurrency = 1; },
       "--rps: excludes --concurrency"},
  };
  for (const auto& [why, set, said] : cases) {
    SCOPED_TRACE(why);
    RunFlags flags;
    set(flags);
    const auto made = autoscaler_of(flags, kCommand);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_NE(made.error().what.find(said), std::string::npos) << made.error().what;
  }
  EXPECT_NE(autoscaler_of({}, {}).error().what.find("no command"), std::string::npos);
}

TEST(RunFlags, AServiceIsNamedAfterItsCommand) {
  struct Case {
    const char *command, *name;
  };
  const Case cases[] = {
      {"./server", "server"},
      {"/srv/My_Shop.py", "my-shop-py"},
      {"--", "service"},
      {"", "service"},
      {"über", "ber"},
      {"0123456789012345678901234567890123456789012345678901234567890123456789",
       "012345678901234567890123456789012345678901234567890123456789012"},
  };
  for (const auto& [command, name] : cases) EXPECT_EQ(name_of(command), name);
}

}  // namespace
}  // namespace headroom::cli
