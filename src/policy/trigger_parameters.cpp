#include "policy/trigger_parameters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "policy/names.h"
#include "policy/schedule.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy {
namespace {

enum class Kind { text, texts, pairs, flag, whole, real, duration };

struct Parameter {
  std::string_view names;  // alternatives, with a ';' between
  Kind kind = Kind::text;
  std::string_view from = "m";  // m: metadata, e: environment, a: authentication; in their order
  bool required = false;
  std::string_view otherwise = {};  // the default
  std::string_view words = {};      // what it may be, with a ';' between; empty: anything
};

/// A trigger's parameters as they are given.
class Values {
 public:
  Values(std::span<const std::span<const Parameter>> parameters, const Metadata& metadata,
         bool authenticated)
      : parameters_(parameters), metadata_(metadata), authenticated_(authenticated) {}

  const Parameter* parameter(std::string_view name) const {
    for (const auto& group : parameters_) {
      for (const auto& known : group) {
        const auto names = pieces(known.names, ';');
        if (std::ranges::find(names, name) != names.end()) return &known;
      }
    }
    return nullptr;
  }

  /// As written, or the default; empty: not there.
  std::string_view text(std::string_view name) const {
    const Parameter* known = parameter(name);
    return known == nullptr ? std::string_view{} : text(*known);
  }
  std::string_view text(const Parameter& known) const {
    if (const auto written = this->written(known); !written.empty()) return written;
    return known.otherwise;
  }
  std::string_view written(const Parameter& known) const {
    if (known.from.find('m') == known.from.npos) return {};
    for (const auto name : pieces(known.names, ';')) {
      if (const auto value = entry(name); !value.empty()) return value;
    }
    return {};
  }

  /// Whether it may come from where this document does not show it.
  bool elsewhere(const Parameter& known) const {
    if (authenticated_ && known.from.find('a') != known.from.npos) return true;
    if (known.from.find('e') == known.from.npos) return false;
    return std::ranges::any_of(pieces(known.names, ';'), [this](std::string_view name) {
      return !entry(std::string(name) + "FromEnv").empty();
    });
  }
  bool has(std::string_view name) const {
    const Parameter* known = parameter(name);
    check(known != nullptr, "a type's checks name its own parameters");
    return !text(*known).empty() || elsewhere(*known);
  }
  bool flag(std::string_view name) const { return go_bool(text(name)).value_or(false); }
  double number(std::string_view name) const { return json_number(text(name)).value_or(0); }

 private:
  std::string_view entry(std::string_view name) const {
    const auto found = metadata_.find(std::string(name));
    return found == metadata_.end() ? std::string_view{} : trimmed(found->second);
  }

  std::span<const std::span<const Parameter>> parameters_;
  const Metadata& metadata_;
  bool authenticated_;
};

struct Source {
  Values values;
  TriggerContext context;
  std::vector<ParameterProblem>& problems;

  void wrong(std::string_view name, std::string_view expected) {
    const auto found = values.text(name);
    problems.push_back(
        {std::string(name),
         found.empty() ? fmt::format("found nothing, expected {}", expected)
                       : fmt::format("found \"{}\", expected {}", printable(found, 60), expected)});
  }
};

// The parameters, in KEDA's order.

constexpr std::array kAuthentication = {
    Parameter{"authModes;authMode", Kind::texts, "ma", false, "",
              "apiKey;basic;tls;bearer;custom;oauth"},
    Parameter{"bearerToken;token", Kind::text, "a"},
    Parameter{"username", Kind::text, "a"},
    Parameter{"password", Kind::text, "a"},
    Parameter{"cert", Kind::text, "a"},
    Parameter{"key", Kind::text, "a"},
    Parameter{"ca", Kind::text, "a"},
    Parameter{"oauthTokenURI", Kind::text, "a"},
    Parameter{"clientID", Kind::text, "a"},
    Parameter{"clientSecret", Kind::text, "a"},
    Parameter{"scopes;scope", Kind::texts, "a"},
    Parameter{"endpointParams", Kind::text, "a"},
    Parameter{"customAuthHeader", Kind::text, "a"},
    Parameter{"customAuthValue", Kind::text, "a"},
    Parameter{"apiKey", Kind::text, "ma"},
    Parameter{"method", Kind::text, "ma", false, "header", "header;query"},
    Parameter{"keyParamName", Kind::text, "ma"},
};

constexpr std::array kResource = {
    Parameter{"value", Kind::text, "m", true},
    Parameter{"containerName"},
};

constexpr std::array kCron = {
    Parameter{"start", Kind::text, "m", true},
    Parameter{"end", Kind::text, "m", true},
    Parameter{"timezone", Kind::text, "m", true},
    Parameter{"desiredReplicas", Kind::whole, "m", true},
};

constexpr std::array kKafka = {
    Parameter{"bootstrapServers", Kind::texts, "me", true},
    Parameter{"consumerGroup", Kind::text, "me", true},
    Parameter{"topic", Kind::text, "me"},
    Parameter{"partitionLimitation"},
    Parameter{"lagThreshold", Kind::whole, "m", false, "10"},
    Parameter{"activationLagThreshold", Kind::whole, "m", false, "0"},
    Parameter{"offsetResetPolicy", Kind::text, "m", false, "latest", "latest;earliest"},
    Parameter{"allowIdleConsumers", Kind::flag, "m", false, "false"},
    Parameter{"excludePersistentLag", Kind::flag, "m", false, "false"},
    Parameter{"scaleToZeroOnInvalidOffset", Kind::flag, "m", false, "false"},
    Parameter{"limitToPartitionsWithLag", Kind::flag, "m", false, "false"},
    Parameter{"ensureEvenDistributionOfPartitions", Kind::flag, "m", false, "false"},
    Parameter{"fullMetadata", Kind::flag, "m", false, "true"},
    Parameter{"version"},
    Parameter{"tls", Kind::text, "ma", false, "disable", "enable;disable"},
    Parameter{"unsafeSsl", Kind::flag, "m", false, "false"},
    Parameter{"ca", Kind::text, "a"},
    Parameter{"cert", Kind::text, "a"},
    Parameter{"key", Kind::text, "a"},
    Parameter{"keyPassword", Kind::text, "a"},
    Parameter{"sasl", Kind::text, "ma", false, "",
              "none;plaintext;scram_sha256;scram_sha512;oauthbearer;gssapi"},
    Parameter{"username", Kind::text, "a"},
    Parameter{"password", Kind::text, "a"},
    Parameter{"saslTokenProvider", Kind::text, "ma", false, "", "bearer;aws_msk_iam"},
    Parameter{"scopes", Kind::text, "a"},
    Parameter{"oauthTokenEndpointUri", Kind::text, "a"},
    Parameter{"oauthExtensions", Kind::text, "a"},
    Parameter{"keytab", Kind::text, "a"},
    Parameter{"realm", Kind::text, "a"},
    Parameter{"kerberosConfig", Kind::text, "a"},
    Parameter{"kerberosServiceName", Kind::text, "a"},
    Parameter{"kerberosDisableFAST", Kind::flag, "a", false, "false"},
    Parameter{"awsRegion"},
};

constexpr std::string_view kModes =
    "QueueLength;MessageRate;DeliverGetRate;PublishedToDeliveredRatio;ExpectedQueueConsumptionTime";
constexpr std::array kRabbitmq = {
    Parameter{"queueName", Kind::text, "m", true},
    Parameter{"mode"},
    Parameter{"queueLength", Kind::real},
    Parameter{"value", Kind::real},
    Parameter{"activationValue", Kind::real},
    Parameter{"host", Kind::text, "mae", true},
    Parameter{"protocol", Kind::text, "ma", false, "auto", "auto;http;amqp"},
    Parameter{"vhostName", Kind::text, "ma"},
    Parameter{"useRegex", Kind::flag},
    Parameter{"excludeUnacknowledged", Kind::flag},
    Parameter{"pageSize", Kind::whole, "m", false, "100"},
    Parameter{"operation", Kind::text, "m", false, "sum"},
    Parameter{"timeout", Kind::duration},
    Parameter{"username", Kind::text, "ae"},
    Parameter{"password", Kind::text, "ae"},
    Parameter{"ca", Kind::text, "a"},
    Parameter{"cert", Kind::text, "a"},
    Parameter{"key", Kind::text, "a"},
    Parameter{"keyPassword", Kind::text, "a"},
    Parameter{"tls", Kind::text, "a", false, "disable", "enable;disable"},
    Parameter{"unsafeSsl", Kind::flag},
    Parameter{"workloadIdentityResource", Kind::text, "a"},
    Parameter{"oauthTokenURI", Kind::text, "a"},
    Parameter{"clientID", Kind::text, "a"},
    Parameter{"clientSecret", Kind::text, "a"},
    Parameter{"scopes;scope", Kind::texts, "a"},
    Parameter{"endpointParams", Kind::text, "a"},
};

constexpr std::array kRedisConnection = {
    Parameter{"address;addresses", Kind::texts, "mae"},
    Parameter{"username", Kind::text, "mea"},
    Parameter{"password", Kind::text, "mea"},
    Parameter{"sentinelUsername", Kind::text, "mae"},
    Parameter{"sentinelPassword", Kind::text, "mae"},
    Parameter{"sentinelMaster", Kind::text, "mae"},
    Parameter{"host;hosts", Kind::texts, "mea"},
    Parameter{"port;ports", Kind::texts, "mea"},
    Parameter{"unsafeSsl", Kind::flag, "m", false, "false"},
    Parameter{"cert;Cert", Kind::text, "a"},
    Parameter{"key", Kind::text, "a"},
    Parameter{"keyPassword", Kind::text, "a"},
    Parameter{"ca", Kind::text, "a"},
    Parameter{"databaseIndex", Kind::whole},
    Parameter{"enableTLS", Kind::flag},
    Parameter{"tls", Kind::text, "a", false, "", "enable;disable"},
};
constexpr std::array kRedisList = {
    Parameter{"listLength", Kind::whole, "m", false, "5"},
    Parameter{"activationListLength", Kind::whole},
    Parameter{"listName", Kind::text, "m", true},
};
constexpr std::array kRedisStream = {
    Parameter{"pendingEntriesCount", Kind::whole, "m", false, "5"},
    Parameter{"streamLength", Kind::whole, "m", false, "5"},
    Parameter{"lagCount", Kind::whole},
    Parameter{"stream", Kind::text, "m", true},
    Parameter{"consumerGroup"},
    Parameter{"activationLagCount", Kind::whole, "m", false, "0"},
};

constexpr std::array kPostgresql = {
    Parameter{"targetQueryValue", Kind::real}, Parameter{"activationTargetQueryValue", Kind::real},
    Parameter{"connection", Kind::text, "ae"}, Parameter{"query", Kind::text, "m", true},
    Parameter{"host", Kind::text, "am"},       Parameter{"port", Kind::text, "am"},
    Parameter{"userName", Kind::text, "am"},   Parameter{"dbName", Kind::text, "am"},
    Parameter{"sslmode", Kind::text, "am"},    Parameter{"password", Kind::text, "ae"},
};

constexpr std::array kPrometheus = {
    Parameter{"serverAddress", Kind::text, "m", true},
    Parameter{"query", Kind::text, "m", true},
    Parameter{"queryParameters", Kind::pairs},
    Parameter{"threshold", Kind::real, "m", true},
    Parameter{"activationThreshold", Kind::real},
    Parameter{"namespace"},
    Parameter{"customHeaders", Kind::pairs},
    Parameter{"ignoreNullValues", Kind::flag, "m", false, "true"},
    Parameter{"unsafeSsl", Kind::flag},
    Parameter{"awsRegion", Kind::text, "ma"},
    Parameter{"timeout", Kind::duration},
    Parameter{"identityOwner"},
};

constexpr std::array kNatsJetstream = {
    Parameter{"account", Kind::text, "am"},
    Parameter{"accountID", Kind::text, "am"},
    Parameter{"stream", Kind::text, "m", true},
    Parameter{"consumer", Kind::text, "m", true},
    Parameter{"lagThreshold", Kind::whole, "m", false, "10"},
    Parameter{"activationLagThreshold", Kind::whole, "m", false, "0"},
    Parameter{"useHttps", Kind::flag, "m", false, "false"},
    Parameter{"natsServerMonitoringEndpoint", Kind::text, "am", true},
};

constexpr std::array kMetricsApi = {
    Parameter{"targetValue", Kind::real},
    Parameter{"activationTargetValue", Kind::real, "m", false, "0"},
    Parameter{"url", Kind::text, "m", true},
    Parameter{"format", Kind::text, "m", false, "json", "prometheus;json;xml;yaml"},
    Parameter{"valueLocation", Kind::text, "m", true},
    Parameter{"unsafeSsl", Kind::flag, "m", false, "false"},
    Parameter{"aggregateFromKubeServiceEndpoints", Kind::flag, "m", false, "false"},
    Parameter{"aggregationType", Kind::text, "m", false, "average", "average;sum;max;min"},
    Parameter{"timeout", Kind::duration},
};

constexpr std::array kWorkload = {
    Parameter{"podSelector", Kind::text, "m", true},
    Parameter{"value", Kind::real, "m", false, "0"},
    Parameter{"activationValue", Kind::real, "m", false, "0"},
    Parameter{"groupByNode", Kind::flag, "m", false, "false"},
};

constexpr std::array kExternal = {
    Parameter{"scalerAddress", Kind::text, "m", true},
    Parameter{"enableTLS", Kind::flag},
    Parameter{"unsafeSsl", Kind::flag},
    Parameter{"caCert", Kind::text, "a"},
    Parameter{"tlsClientCert", Kind::text, "a"},
    Parameter{"tlsClientKey", Kind::text, "a"},
};

// What parameters must be together.

void check_cron(Source& source) {
  auto& values = source.values;
  for (const std::string_view name : {"start", "end"}) {
    const auto text = values.text(name);
    if (text.empty()) continue;  // said already
    if (const auto schedule = read_schedule(text); !schedule) {
      source.problems.push_back({std::string(name), schedule.error().what});
    }
  }
  if (!values.text("start").empty() && values.text("start") == values.text("end")) {
    source.wrong("end", "another schedule than start");
  }
  if (json_integer(values.text("desiredReplicas")) == 0) {
    source.wrong("desiredReplicas", "a whole number that is not 0");
  }
}

/// "1,2,4-6"
bool is_partitions(std::string_view text) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return std::ranges::all_of(pieces(text, ','), [](std::string_view piece) {
    const auto ends = pieces(piece, '-');
    return ends.size() <= 2 && std::ranges::all_of(ends, [](std::string_view end) {
             const auto number = go_integer(end);
             return number && *number <= kMost;
           });
  });
}

void check_kafka(Source& source) {
  auto& values = source.values;
  if (const auto lag = json_integer(values.text("lagThreshold")); lag && *lag <= 0) {
    source.wrong("lagThreshold", "a whole number above 0");
  }
  if (const auto lag = json_integer(values.text("activationLagThreshold")); lag && *lag < 0) {
    source.wrong("activationLagThreshold", "a whole number, at least 0");
  }
  const auto partitions = values.text("partitionLimitation");
  if (!partitions.empty() && !is_partitions(partitions)) {
    source.wrong("partitionLimitation", "partitions such as 1,2,4-6");
  }
  const bool limit = values.flag("limitToPartitionsWithLag");
  const bool even = values.flag("ensureEvenDistributionOfPartitions");
  if (limit && values.flag("allowIdleConsumers")) {
    source.wrong("limitToPartitionsWithLag", "not this beside allowIdleConsumers");
  }
  if (limit && even) {
    source.wrong("limitToPartitionsWithLag", "not this beside ensureEvenDistributionOfPartitions");
  }
  if (!values.has("topic") && (limit || even || !values.flag("fullMetadata"))) {
    source.wrong("topic",
                 "a topic, as limitToPartitionsWithLag, ensureEvenDistributionOfPartitions or "
                 "fullMetadata: false ask for one");
  }
}

/// amqp or http; empty: it depends on what comes from elsewhere.
std::string_view rabbitmq_protocol(const Values& values) {
  const auto protocol = values.text("protocol");
  if (protocol != "auto") return protocol;
  const auto host = values.text("host");
  const auto scheme = host.substr(0, host.find("://"));
  if (scheme == "amqp" || scheme == "amqps") return "amqp";
  if (scheme == "http" || scheme == "https") return "http";
  return {};
}

void check_rabbitmq_value(Source& source, std::string_view protocol) {
  auto& values = source.values;
  const double length = values.number("queueLength"), value = values.number("value");
  const auto mode = values.text("mode");
  if (length == 0 && mode.empty() && value == 0) return;  // 20 messages
  if (length != 0 && (!mode.empty() || value != 0)) {
    return source.wrong("queueLength", "mode and value alone");
  }
  if (length != 0) return;
  const auto modes = pieces(kModes, ';');
  if (std::ranges::find(modes, mode) == modes.end()) {
    return source.wrong("mode", fmt::format("one of {}", fmt::join(modes, ", ")));
  }
  if (value == 0) return source.wrong("value", "a number that is not 0");
  if (protocol != "amqp") return;
  if (mode != modes[0]) source.wrong("mode", "QueueLength, as the others need protocol: http");
  if (go_duration(values.text("timeout")).value_or(0) != 0) {
    source.wrong("timeout", "none, as it needs protocol: http");
  }
}

void check_rabbitmq(Source& source) {
  auto& values = source.values;
  const auto protocol = rabbitmq_protocol(values);
  if (protocol.empty() && !values.text("host").empty()) {
    source.wrong("host", "an address with amqp://, amqps://, http:// or https://");
  }
  if (const auto size = json_integer(values.text("pageSize")); size && *size < 1) {
    source.wrong("pageSize", "a whole number above 0");
  }
  if (protocol == "amqp") {
    for (const std::string_view name : {"useRegex", "excludeUnacknowledged"}) {
      if (values.flag(name)) source.wrong(name, "false, as true needs protocol: http");
    }
  }
  check_rabbitmq_value(source, protocol);
}

void check_redis(Source& source) {
  auto& values = source.values;
  const auto hosts = values.text("hosts"), ports = values.text("ports");
  if (!hosts.empty() && !ports.empty() && pieces(hosts, ',').size() != pieces(ports, ',').size()) {
    return source.wrong("ports", "as many ports as hosts");
  }
  if (!values.has("address") && !(values.has("hosts") && values.has("ports"))) {
    source.wrong("address", "address, or host and port");
  }
}

void check_postgresql(Source& source) {
  auto& values = source.values;
  if (!values.has("connection")) {
    for (const std::string_view name : {"host", "port", "userName", "dbName", "sslmode"}) {
      if (!values.has(name)) source.wrong(name, "it, or a connection");
    }
  }
  if (values.number("targetQueryValue") == 0 && !source.context.under_modifiers) {
    source.wrong("targetQueryValue", "a number that is not 0");
  }
}

void check_nats_jetstream(Source& source) {
  if (!source.values.has("account") && !source.values.has("accountID")) {
    source.wrong("account", "account or accountID");
  }
}

void check_metrics_api(Source& source) {
  if (source.values.number("targetValue") == 0 && !source.context.under_modifiers) {
    source.wrong("targetValue", "a number that is not 0");
  }
}

void check_workload(Source& source) {
  const auto selector = source.values.text("podSelector");
  if (!selector.empty()) {
    if (const auto wrong = wrong_with_selector(selector)) {
      source.problems.push_back({"podSelector", *wrong});
    }
  }
  if (!(source.values.number("value") > 0) && !source.context.under_modifiers) {
    source.wrong("value", "a number above 0");
  }
}

/// What each mode of the shared block cannot do without.
void check_authentication(Source& source) {
  auto& values = source.values;
  const auto modes = pieces(values.text("authModes"), ',');
  const auto has = [&modes](std::string_view mode) {
    return std::ranges::find(modes, mode) != modes.end();
  };
  if (has("bearer") + has("basic") + has("oauth") > 1) {
    source.wrong("authModes", "at most one of bearer, basic and oauth");
  }
  struct Need {
    std::string_view mode, name;
  };
  constexpr std::array kNeeds = {Need{"bearer", "bearerToken"},
                                 Need{"basic", "username"},
                                 Need{"tls", "cert"},
                                 Need{"tls", "key"},
                                 Need{"oauth", "oauthTokenURI"},
                                 Need{"oauth", "clientID"},
                                 Need{"custom", "customAuthHeader"},
                                 Need{"custom", "customAuthValue"},
                                 Need{"apiKey", "apiKey"}};
  for (const auto& [mode, name] : kNeeds) {
    if (!has(mode) || values.has(name)) continue;
    source.problems.push_back(
        {"authModes",
         fmt::format("found {} without {}, expected it from an authenticationRef", mode, name)});
  }
}

// The types.

using Groups = std::array<std::span<const Parameter>, 2>;

struct Type {
  std::string_view name;
  Groups parameters;
  void (*check)(Source&) = nullptr;
  std::string_view activation = {};
  bool whole = false;  // its target is a whole number
};

constexpr Groups kResourceGroups = {kResource};
constexpr Groups kRedisGroups = {kRedisConnection, kRedisList};
constexpr Groups kStreamGroups = {kRedisConnection, kRedisStream};

constexpr std::array kTypes = {
    Type{"cpu", kResourceGroups},
    Type{"cron", {kCron}, check_cron, {}, true},
    Type{"external", {kExternal}},
    Type{"external-push", {kExternal}},
    Type{"kafka", {kKafka}, check_kafka, "activationLagThreshold", true},
    Type{"kubernetes-workload", {kWorkload}, check_workload, "activationValue"},
    Type{"memory", kResourceGroups},
    Type{"metrics-api", {kMetricsApi, kAuthentication}, check_metrics_api, "activationTargetValue"},
    Type{"nats-jetstream", {kNatsJetstream}, check_nats_jetstream, "activationLagThreshold", true},
    Type{"postgresql", {kPostgresql}, check_postgresql, "activationTargetQueryValue"},
    Type{"prometheus", {kPrometheus, kAuthentication}, nullptr, "activationThreshold"},
    Type{"rabbitmq", {kRabbitmq}, check_rabbitmq, "activationValue"},
    Type{"redis", kRedisGroups, check_redis, "activationListLength", true},
    Type{"redis-cluster", kRedisGroups, check_redis, "activationListLength", true},
    Type{"redis-cluster-streams", kStreamGroups, check_redis, "activationLagCount", true},
    Type{"redis-sentinel", kRedisGroups, check_redis, "activationListLength", true},
    Type{"redis-sentinel-streams", kStreamGroups, check_redis, "activationLagCount", true},
    Type{"redis-streams", kStreamGroups, check_redis, "activationLagCount", true},
};

/// KEDA's others.
constexpr std::string_view kUnsupported[] = {"activemq",
                                             "apache-kafka",
                                             "arangodb",
                                             "artemis-queue",
                                             "aws-cloudwatch",
                                             "aws-dynamodb",
                                             "aws-dynamodb-streams",
                                             "aws-kinesis-stream",
                                             "aws-sqs-queue",
                                             "azure-app-insights",
                                             "azure-blob",
                                             "azure-data-explorer",
                                             "azure-eventhub",
                                             "azure-log-analytics",
                                             "azure-monitor",
                                             "azure-pipelines",
                                             "azure-queue",
                                             "azure-servicebus",
                                             "beanstalkd",
                                             "cassandra",
                                             "clickhouse",
                                             "couchdb",
                                             "datadog",
                                             "dynatrace",
                                             "elastic-forecast",
                                             "elasticsearch",
                                             "etcd",
                                             "forgejo-runner",
                                             "gcp-cloudtasks",
                                             "gcp-pubsub",
                                             "gcp-spanner",
                                             "gcp-stackdriver",
                                             "gcp-storage",
                                             "github-runner",
                                             "graphite",
                                             "huawei-cloudeye",
                                             "ibmmq",
                                             "influxdb",
                                             "kubernetes-resource",
                                             "liiklus",
                                             "loki",
                                             "mongodb",
                                             "mssql",
                                             "mysql",
                                             "new-relic",
                                             "nsq",
                                             "opensearch",
                                             "openstack-metric",
                                             "openstack-swift",
                                             "predictkube",
                                             "pulsar",
                                             "selenium-grid",
                                             "solace-direct-messaging",
                                             "solace-event-queue",
                                             "solarwinds",
                                             "solr",
                                             "splunk",
                                             "splunk-observability",
                                             "sumologic",
                                             "temporal"};

const Type* type_of(std::string_view name) {
  const auto known = std::ranges::find(kTypes, name, &Type::name);
  return known == kTypes.end() ? nullptr : &*known;
}

bool is_pair(std::string_view text) { return std::ranges::count(text, '=') == 1; }

/// What a value of this kind must be, or "" where it is.
std::string_view misfit(Kind kind, std::string_view text) {
  if (kind == Kind::pairs) {
    return std::ranges::all_of(pieces(text, ','), is_pair) ? "" : "pairs such as a=1,b=2";
  }
  if (kind == Kind::flag) return go_bool(text) ? "" : "true or false";
  if (kind == Kind::whole) return json_integer(text) ? "" : "a whole number";
  if (kind == Kind::real) return json_number(text) ? "" : "a number";
  if (kind != Kind::duration) return {};
  return go_duration(text) ? "" : "a duration such as 1m30s, or milliseconds";
}

void check_parameter(const Parameter& parameter, Source& source) {
  const auto name = pieces(parameter.names, ';').front();
  const auto text = source.values.text(parameter);
  if (text.empty()) {
    if (parameter.required && !source.values.elsewhere(parameter)) source.wrong(name, "a value");
    return;
  }
  if (!parameter.words.empty()) {
    const auto words = pieces(parameter.words, ';');
    const auto is_word = [&words](std::string_view piece) {
      return std::ranges::find(words, piece) != words.end();
    };
    if (!std::ranges::all_of(pieces(text, ','), is_word)) {
      source.wrong(name, fmt::format("one of {}", fmt::join(words, ", ")));
      return;
    }
  }
  if (const auto expected = misfit(parameter.kind, text); !expected.empty()) {
    source.wrong(name, expected);
  }
}

void check_resource(const Metadata& metadata, std::string_view metric_type, Source& source) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (const auto old = metadata.find("type");
      old != metadata.end() && !trimmed(old->second).empty()) {
    source.problems.push_back({"type", "found it, expected the trigger's metricType in its place"});
  }
  const auto value = source.values.text("value");
  if (metric_type == "Utilization") {
    const auto percent = go_integer(value);
    if (!value.empty() && (!percent || *percent > kMost || *percent < -kMost - 1)) {
      source.wrong("value", "a whole number of percent");
    }
  } else if (metric_type == "AverageValue") {
    if (!value.empty() && !parse_quantity(value)) source.wrong("value", "a quantity such as 500m");
  } else {
    source.problems.push_back(
        {"", metric_type.empty() ? "found none, expected Utilization or AverageValue"
                                 : fmt::format("found \"{}\", expected Utilization or AverageValue",
                                               printable(metric_type, 60))});
  }
}

/// The names of metrics may not hold these.
std::string normalised(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return std::string_view("/.:%()").find(c) != std::string_view::npos; },
      '-');
  return text;
}

/// Go's url.QueryEscape.
std::string url_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_alphanumeric(c) || std::string_view("-_.~").find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string schedule_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case ' ':
        break;
      case '*':
        out += 'x';
        break;
      case '/':
        out += "Sl";
        break;
      case '?':
        out += "Qm";
        break;
      case ',':
        out += "Cm";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string metric_name(std::string_view type, const Values& values, std::string_view namespace_) {
  const auto text = [&values](std::string_view name) { return values.text(name); };
  if (type == "cron") {
    return fmt::format("cron-{}-{}-{}", text("timezone"), schedule_name(text("start")),
                       schedule_name(text("end")));
  }
  if (type == "kafka") {
    if (!text("topic").empty()) return fmt::format("kafka-{}", text("topic"));
    return fmt::format("kafka-{}-topics", text("consumerGroup"));
  }
  if (type == "rabbitmq") return fmt::format("rabbitmq-{}", url_escaped(text("queueName")));
  if (type.ends_with("streams")) return fmt::format("redis-streams-{}", text("stream"));
  if (type.starts_with("redis")) return fmt::format("redis-{}", text("listName"));
  if (type == "nats-jetstream") return fmt::format("nats-jetstream-{}", text("stream"));
  if (type == "metrics-api") return fmt::format("metric-api-{}", text("valueLocation"));
  if (type == "kubernetes-workload") return fmt::format("workload-{}", namespace_);
  return std::string(type);  // prometheus, postgresql
}

std::string_view target_name(std::string_view type, const Values& values) {
  if (type == "kafka" || type == "nats-jetstream") return "lagThreshold";
  if (type.ends_with("streams")) {
    if (values.text("consumerGroup").empty()) return "streamLength";
    return values.number("lagCount") != 0 ? "lagCount" : "pendingEntriesCount";
  }
  if (type.starts_with("redis")) return "listLength";
  if (type == "rabbitmq") return values.number("queueLength") != 0 ? "queueLength" : "value";
  if (type == "postgresql") return "targetQueryValue";
  if (type == "prometheus") return "threshold";
  if (type == "metrics-api") return "targetValue";
  return "value";  // kubernetes-workload
}

double target_value(std::string_view type, const Values& values) {
  constexpr double kRabbitmqMessages = 20;
  if (type == "cron") return 1;
  const double target = values.number(target_name(type, values));
  const bool nothing_said = target == 0 && values.text("mode").empty();
  return type == "rabbitmq" && nothing_said ? kRabbitmqMessages : target;
}

}  // namespace

TriggerSupport support_of(std::string_view type) {
  if (type == "cpu" || type == "memory") return TriggerSupport::resource;
  if (type_of(type) != nullptr) return TriggerSupport::external;
  const bool known = std::ranges::find(kUnsupported, type) != std::end(kUnsupported);
  return known ? TriggerSupport::unsupported : TriggerSupport::unknown;
}

std::string_view nearest_type(std::string_view type) {
  std::vector<std::string_view> names;
  for (const auto& known : kTypes) names.push_back(known.name);
  names.insert(names.end(), std::begin(kUnsupported), std::end(kUnsupported));
  return nearest(type, names);
}

std::vector<ParameterProblem> check_parameters(std::string_view type, const Metadata& metadata,
                                               bool authenticated, std::string_view metric_type,
                                               const TriggerContext& context) {
  std::vector<ParameterProblem> problems;
  const Type* known = type_of(type);
  if (known == nullptr) return problems;
  Source source{Values(known->parameters, metadata, authenticated), context, problems};
  for (const auto& group : known->parameters) {
    for (const auto& parameter : group) check_parameter(parameter, source);
  }
  if (known->check != nullptr) known->check(source);
  if (known->parameters[1].data() == kAuthentication.data()) check_authentication(source);
  if (support_of(type) == TriggerSupport::resource) {
    check_resource(metadata, metric_type, source);
  } else if (metric_type == "Utilization") {
    problems.push_back({"", "found Utilization, expected Value or AverageValue"});
  }
  return problems;
}

std::vector<std::string> unknown_parameters(std::string_view type, const Metadata& metadata) {
  std::vector<std::string> unknown;
  const Type* known = type_of(type);
  // An external scaler gets the metadata as it is.
  if (known == nullptr || known->name.starts_with("external")) return unknown;
  const Values values(known->parameters, metadata, false);
  constexpr std::string_view kSuffix = "FromEnv";
  for (const auto& [name, value] : metadata) {
    std::string_view stem = name;
    if (stem.ends_with(kSuffix)) stem.remove_suffix(kSuffix.size());
    if (values.parameter(stem) == nullptr) unknown.push_back(name);
  }
  return unknown;
}

std::optional<std::string> parameter_of(std::string_view type, const Metadata& metadata,
                                        std::string_view name) {
  const Type* known = type_of(type);
  if (known == nullptr) return std::nullopt;
  const auto text = Values(known->parameters, metadata, false).text(name);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

Result<TriggerTarget> target_of(std::string_view type, const Metadata& metadata, int index,
                                std::string_view namespace_) {
  const Type* known = type_of(type);
  if (known == nullptr || support_of(type) != TriggerSupport::external) {
    return fail({Code::invalid,
                 fmt::format("type: found \"{}\", expected a source that Headroom knows",
                             printable(type, 60)),
                 {}});
  }
  const Values values(known->parameters, metadata, false);
  TriggerTarget target;
  if (type.starts_with("external")) return target;
  target.metric_name =
      fmt::format("s{}-{}", index, normalised(metric_name(type, values, namespace_)));
  const auto named = type == "cron" ? std::string_view{} : target_name(type, values);
  for (const auto name : {named, known->activation}) {
    const auto text = values.text(name);
    if (text.empty() || json_number(text)) continue;
    return fail({Code::invalid,
                 fmt::format("{}: found \"{}\", expected a number", name, printable(text, 60)),
                 {}});
  }
  target.target = target_value(type, values);
  target.quantity = to_quantity(target.target);
  if (known->whole && target.target < 0) {
    // Whole numbers are passed on as they are, even below 0.
    constexpr double kLeast = -9e15;
    target.quantity = {static_cast<std::int64_t>(std::max(target.target, kLeast)) * 1000};
  }
  target.activation = values.number(known->activation);
  return target;
}

Result<TriggerTarget> target_of(const Trigger& trigger, int index, std::string_view namespace_) {
  return target_of(trigger.type, trigger.metadata, index, namespace_);
}

Quantity to_quantity(double value) {
  if (!std::isfinite(value) || value < 0) return {0};
  return parse_quantity(fmt::format("{:.3f}", value)).value_or(Quantity{0});
}

}  // namespace headroom::policy
