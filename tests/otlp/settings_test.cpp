#include "otlp/settings.h"

#include <map>

#include <gmock/gmock.h>

namespace headroom::otlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

using Variables = std::map<std::string, std::string, std::less<>>;

policy::Environment environment(const Variables& variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Endpoint, IsAUrlOfHttp) {
  struct Case {
    const char* why;
    std::string url, expected;  // as URL; empty: refused
  };
  const Case cases[] = {
      {"the usual", "http://127.0.0.1:4318", "http://127.0.0.1:4318"},
      {"the scheme's port", "http://collector", "http://collector:80"},
      {"and of https", "https://collector", "https://collector:443"},
      {"a base path", "https://a.example/otlp/", "https://a.example:443/otlp"},
      {"a slash alone", "http://a:1/", "http://a:1"},
      {"IPv6", "http://[::1]:4318/x", "http://[::1]:4318/x"},
      {"no scheme, as for gRPC", "collector:4317", ""},
      {"another scheme", "ftp://a", ""},
      {"no host", "http://:4318", ""},
      {"no host at all", "http://", ""},
      {"port 0", "http://a:0", ""},
      {"a port that is none", "http://a:4318x", ""},
      {"a port too large", "http://a:65536", ""},
      {"an empty port", "http://a:", ""},
      {"IPv6 that does not end", "http://[::1", ""},
      {"brackets without IPv6", "http://[[]", ""},
      {"a bracket in a name", "http://a[b", ""},
      {"something behind IPv6", "http://[::1]x", ""},
      {"a password would be logged", "http://user:pass@a:4318", ""},
      {"a query", "http://a/?x", ""},
      {"a line end would end the request's line", "http://a/x\r\ny", ""},
      {"a space, too", "http://a/x y", ""},
      {"too long", "http://a/" + std::string(3000, 'x'), ""},
  };
  for (const auto& [why, url, expected] : cases) {
    SCOPED_TRACE(why);
    const auto endpoint = parse_endpoint(url);
    EXPECT_EQ(endpoint ? to_string(*endpoint) : "", expected);
    if (!endpoint) {
      EXPECT_THAT(endpoint.error().what, Not(HasSubstr("pass")));
    }
  }
}

TEST(Settings, TheFlagsComeBeforeTheEnvironment) {
  struct Case {
    const char* why;
    Asked asked;
    Variables variables;
    std::string endpoint;  // empty: nothing is sent
    double sample;
    std::size_t warnings;
  };
  const std::string url = "http://a:4318", other = "http://b:4318";
  const Case cases[] = {
      {"nobody asked", {}, {}, "", 0, 0},
      {"an empty variable is none", {}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}, "", 0, 0},
      {"a flag", {.endpoint = url}, {}, url, 0.01, 0},
      {"a variable", {}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", other}}, other, 0.01, 0},
      {"both", {.endpoint = url}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", other}}, url, 0.01, 0},
      {"disabled", {.endpoint = url}, {{"OTEL_SDK_DISABLED", "True"}}, "", 0, 1},
      {"disabled, as all variables say",
       {},
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", url}, {"OTEL_SDK_DISABLED", "true"}},
       "",
       0,
       0},
      {"neither", {.endpoint = url}, {{"OTEL_SDK_DISABLED", "yes"}}, url, 0.01, 1},
      {"not disabled", {.endpoint = url}, {{"OTEL_SDK_DISABLED", "false"}}, url, 0.01, 0},
      {"percent", {.endpoint = url, .sample = "5%"}, {}, url, 0.05, 0},
      {"a ratio", {.endpoint = url, .sample = "1"}, {}, url, 1, 0},
      {"the variable's", {.endpoint = url}, {{"OTEL_TRACES_SAMPLER_ARG", "0.25"}}, url, 0.25, 0},
      {"the flag's, not the variable's",
       {.endpoint = url, .sample = "0"},
       {{"OTEL_TRACES_SAMPLER_ARG", "0.25"}},
       url,
       0,
       0},
      {"a variable that is wrong is no reason not to run",
       {.endpoint = url},
       {{"OTEL_TRACES_SAMPLER_ARG", "most"}},
       url,
       0.01,
       1},
      {"nor is an endpoint of the replicas'",
       {},
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"}},
       "",
       0,
       1},
      {"nor one for gRPC",
       {},
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", url}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}},
       "",
       0,
       1},
  };
  for (const auto& [why, asked, variables, endpoint, sample, warnings] : cases) {
    SCOPED_TRACE(why);
    const auto chosen = choose(asked, environment(variables));
    ASSERT_TRUE(chosen) << chosen.error().what;
    EXPECT_EQ(chosen->warnings.size(), warnings);
    ASSERT_EQ(chosen->settings.has_value(), !endpoint.empty());
    if (endpoint.empty()) continue;
    EXPECT_EQ(to_string(chosen->settings->endpoint), endpoint);
    EXPECT_DOUBLE_EQ(chosen->settings->sample, sample);
  }
}

TEST(Settings, TheEnvironmentSaysWhatIsSent) {
  struct Case {
    const char* why;
    Variables variables;
    std::string sample_flag;
    const char* sent;  // traces, logs, metrics; empty: nothing at all
    double sample;
    const char* warning = "";
  };
  const auto sampler = [](const char* name) { return Variables{{"OTEL_TRACES_SAMPLER", name}}; };
  const Case cases[] = {
      {"all", {}, "", "tlm", 0.01},
      {"no spans, whatever a caller says", sampler("always_off"), "", "lm", 0},
      {"a caller's spans alone", sampler("parentbased_always_off"), "", "tlm", 0},
      {"a span of each request", sampler("parentbased_always_on"), "", "tlm", 1},
      {"the caller is heeded all the same", sampler("always_on"), "", "tlm", 1,
       "OTEL_TRACES_SAMPLER: taken as parentbased_always_on: "},
      {"a ratio",
       {{"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.2"}},
       "",
       "tlm",
       0.2},
      {"of each request",
       {{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.2"}},
       "",
       "tlm",
       0.2,
       "OTEL_TRACES_SAMPLER: taken as parentbased_traceidratio: "},
      {"a ratio that nobody said is 1", sampler("parentbased_traceidratio"), "", "tlm", 1},
      {"so is one that is none",
       {{"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "most"}},
       "",
       "tlm",
       1,
       "OTEL_TRACES_SAMPLER_ARG: "},
      {"one that has no ratio",
       {{"OTEL_TRACES_SAMPLER", "parentbased_always_on"}, {"OTEL_TRACES_SAMPLER_ARG", "0.2"}},
       "",
       "tlm",
       1},
      {"another's",
       {{"OTEL_TRACES_SAMPLER", "jaeger_remote"}, {"OTEL_TRACES_SAMPLER_ARG", "endpoint=http://a"}},
       "",
       "tlm",
       0.01,
       "OTEL_TRACES_SAMPLER: found \"jaeger_remote\", expected "},
      {"the flag's, not the sampler's", sampler("always_off"), "0.5", "tlm", 0.5},
      {"nor the exporter's", {{"OTEL_TRACES_EXPORTER", "none"}}, "0.5", "tlm", 0.5},
      {"no traces", {{"OTEL_TRACES_EXPORTER", "none"}}, "", "lm", 0.01},
      {"no logs", {{"OTEL_LOGS_EXPORTER", "none"}}, "", "tm", 0.01},
      {"no metrics", {{"OTEL_METRICS_EXPORTER", "none"}}, "", "tl", 0.01},
      {"nothing",
       {{"OTEL_TRACES_EXPORTER", "none"},
        {"OTEL_LOGS_EXPORTER", "none"},
        {"OTEL_METRICS_EXPORTER", "none"}},
       "",
       "",
       0},
      {"as it is", {{"OTEL_LOGS_EXPORTER", "otlp"}}, "", "tlm", 0.01},
      {"another exporter",
       {{"OTEL_METRICS_EXPORTER", "prometheus"}},
       "",
       "tlm",
       0.01,
       "OTEL_METRICS_EXPORTER: found \"prometheus\", expected otlp or none; not taken"},
      {"collectors of their own",
       {{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://b"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b"}},
       "",
       "tlm",
       0.01,
       "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: all kinds go to one"},
      {"headers of their own",
       {{"OTEL_EXPORTER_OTLP_LOGS_HEADERS", "key=a-secret"}},
       "",
       "tlm",
       0.01,
       "OTEL_EXPORTER_OTLP_LOGS_HEADERS: all kinds are sent alike (OTEL_EXPORTER_OTLP_HEADERS)"},
      {"a certificate for a collector that asks",
       {{"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key.pem"}},
       "",
       "tlm",
       0.01,
       "OTEL_EXPORTER_OTLP_CLIENT_KEY: a collector is shown no certificate"},
  };
  for (const auto& [why, variables, flag, sent, sample, warning] : cases) {
    SCOPED_TRACE(why);
    auto all = variables;
    all["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://a";
    const auto chosen = choose({.sample = flag}, environment(all));
    ASSERT_TRUE(chosen) << chosen.error().what;
    ASSERT_EQ(chosen->warnings.size(), *warning ? 1u : 0u);
    if (*warning) {
      EXPECT_THAT(chosen->warnings[0], HasSubstr(warning));
    }
    ASSERT_EQ(chosen->settings.has_value(), *sent != 0);
    if (!chosen->settings) continue;
    const auto& got = *chosen->settings;
    EXPECT_EQ(std::string(got.traces ? "t" : "") + (got.logs ? "l" : "") + (got.metrics ? "m" : ""),
              sent);
    EXPECT_DOUBLE_EQ(got.sample, sample);
  }
}

TEST(Settings, AnEndpointOfOneKindIsNotHeededAndThatIsSaid) {
  const Variables one{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b:4318/v1/traces"}};
  const auto chosen = choose({}, environment(one));
  ASSERT_TRUE(chosen);
  EXPECT_FALSE(chosen->settings);
  EXPECT_THAT(chosen->warnings, ElementsAre(HasSubstr("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ")));
  const auto with_flag = choose({.endpoint = "http://a"}, environment(one));
  ASSERT_TRUE(with_flag && with_flag->settings);
  EXPECT_THAT(with_flag->warnings, IsEmpty()) << "the flag says where to";
}

TEST(Settings, AFlagThatIsWrongIsRefusedWithoutAWordOfWhatIsSecret) {
  struct Case {
    const char* why;
    Asked asked;
    const char* says;
  };
  const std::string url = "http://a:4318";
  const Case cases[] = {
      {"no URL", {.endpoint = "a:4318"}, "--otlp-endpoint: "},
      {"over 1", {.endpoint = url, .sample = "2"}, "--otlp-sample: "},
      {"not a number", {.endpoint = url, .sample = "nan"}, "--otlp-sample: "},
      {"below 0", {.endpoint = url, .sample = "-1%"}, "--otlp-sample: "},
      {"percent of nothing", {.endpoint = url, .sample = "%"}, "--otlp-sample: "},
      {"no value", {.endpoint = url, .headers = {"s3cret"}}, "expected NAME=VALUE"},
      {"no name", {.endpoint = url, .headers = {"=s3cret"}}, "is no header's name"},
      {"a name that is none", {.endpoint = url, .headers = {"a b=s3cret"}}, "\"a b\" is no header"},
      {"a value that ends the line",
       {.endpoint = url, .headers = {"a=s3cret\r\nb: c"}},
       "the value of a is no header's"},
      {"a value too long",
       {.endpoint = url, .headers = {"a=s3cret" + std::string(9000, 'x')}},
       "the value of a is no header's"},
      {"a sample of nothing", {.sample = "1%"}, "--otlp-endpoint URL"},
  };
  for (const auto& [why, asked, says] : cases) {
    SCOPED_TRACE(why);
    const auto chosen = choose(asked, environment({}));
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().code, Code::invalid);
    EXPECT_THAT(chosen.error().what, HasSubstr(says));
    EXPECT_THAT(chosen.error().what, Not(HasSubstr("s3cret")));
  }
}

TEST(Settings, HeadersAndAttributesAreLists) {
  const auto chosen =
      choose({.endpoint = "http://a", .headers = {"Authorization=Bearer x=y", "c=flag"}},
             environment({{"OTEL_EXPORTER_OTLP_HEADERS", "b=1%2C2, c = old ,,d=%zz"},
                          {"OTEL_RESOURCE_ATTRIBUTES", "service.name=x,team=caf%C3%A9"},
                          {"OTEL_SERVICE_NAME", "edge"},
                          {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
                          {"OTEL_METRIC_EXPORT_INTERVAL", "60000"},
                          {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"}}));
  ASSERT_TRUE(chosen && chosen->settings);
  EXPECT_THAT(chosen->warnings, IsEmpty());
  EXPECT_THAT(chosen->settings->headers,
              ElementsAre(Pair("b", "1,2"), Pair("c", "flag"), Pair("d", "%zz"),
                          Pair("Authorization", "Bearer x=y")));
  EXPECT_THAT(chosen->settings->resource,
              ElementsAre(Pair("service.name", "edge"), Pair("team", "café")));
  EXPECT_EQ(chosen->settings->timeout, 2500ms);
  EXPECT_EQ(chosen->settings->metrics_every, 60s);
  EXPECT_EQ(chosen->settings->certificate, "/ca.pem");
}

TEST(Settings, AListThatIsWrongIsNotTakenAndNotShown) {
  for (const char* headers : {"s3cret", "=s3cret", "a=s3cret%0d%0ab", "a b=s3cret"}) {
    SCOPED_TRACE(headers);
    const auto chosen =
        choose({.endpoint = "http://a"}, environment({{"OTEL_EXPORTER_OTLP_HEADERS", headers}}));
    ASSERT_TRUE(chosen && chosen->settings);
    EXPECT_THAT(chosen->settings->headers, IsEmpty());
    ASSERT_EQ(chosen->warnings.size(), 1u);
    EXPECT_THAT(chosen->warnings[0], HasSubstr("OTEL_EXPORTER_OTLP_HEADERS: "));
    EXPECT_THAT(chosen->warnings[0], Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace headroom::otlp
