#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "policy/autoscaler.h"
#include "policy/forms.h"

/// The one definition of the document's fields: for each struct of policy/autoscaler.h a
/// function that names its fields to a visitor, in the order in which people write them. The
/// reader, the writer, the JSON Schema and the reference page are such visitors. To add a field,
/// add the member there and a line here.
///
/// A visitor has
///   field(name, &T::member, kind, about)  a value
///   level(name, about, inner)             a level of the document that is none of T: `inner` is
///                                         called with a visitor for the fields inside
///   fixed(name, value, about, later)      a field that says the same in every document; `later`
///                                         are the other values that versions to come will know
///   later(name)                           a field that versions to come will know
///   one_of(name, &T::member, about, choice…)  a word, and a level for each of its values, of which
///                                         just the one that it names has to be there
namespace headroom::policy {

inline constexpr std::string_view kApiVersion = "headroom.dev/v1alpha1";
inline constexpr std::string_view kKind = "Autoscaler";

struct About {
  std::string_view meaning;
  bool required = false;
  std::string_view otherwise = {};  // what holds where it is left out, if that is no value
};

// Kinds of values, with their bounds (inclusive).

struct Whole {  // a whole number
  std::int64_t min = 0, max = std::numeric_limits<std::int32_t>::max();
};
struct Bytes {  // a whole number of bytes, written as a quantity: 64Mi
  std::int64_t min = 0, max = 0;
};
struct Real {
  double min = 0, max = 0;
};
struct Seconds {  // a duration as Kubernetes writes it: a whole number of seconds
  std::int64_t min = 0, max = 0;
};
struct Duration {  // a duration as 1m30s
  Millis min{}, max{};
};
struct Amount {  // a quantity
  Quantity min, max;
};
struct Flag {};  // true or false
struct Text {
  const Form& form;
};
struct Word {};  // one of kWords<the member's type>
struct Texts {   // a list of texts
  const Form& form;
  std::size_t min = 0, max = 0;
};
struct Variables {  // NAME: text
  std::size_t max = 0;
};
struct Pairs {  // any name: text
  std::size_t max = 0;
};
struct Level {};  // a struct with fields of its own
struct Levels {   // a list of those
  std::size_t min = 0, max = 0;
};

/// How an enum's values are written, in their order.
template <class E>
inline constexpr std::array<std::string_view, 0> kWords = {};
template <>
inline constexpr std::array<std::string_view, 3> kWords<Output::To> = {"inherit", "files", "none"};
template <>
inline constexpr std::array<std::string_view, 2> kWords<Concurrency::Metric> = {"concurrency",
                                                                                "rps"};
template <>
inline constexpr std::array<std::string_view, 2> kWords<Concurrency::Aggregation> = {
    "linear", "weighted-exponential"};
template <>
inline constexpr std::array<std::string_view, 3> kWords<MetricTarget::Type> = {
    "Utilization", "Value", "AverageValue"};
template <>
inline constexpr std::array<std::string_view, 2> kWords<ScalingPolicy::Type> = {"Pods", "Percent"};
template <>
inline constexpr std::array<std::string_view, 3> kWords<ScalingRules::Select> = {"Max", "Min",
                                                                                 "Disabled"};

template <>
inline constexpr std::array<std::string_view, 5> kWords<Metric::Type> = {
    "Resource", "ContainerResource", "Pods", "Object", "External"};
template <>
inline constexpr std::array<std::string_view, 4> kWords<Selector::Requirement::Operator> = {
    "In", "NotIn", "Exists", "DoesNotExist"};
template <>
inline constexpr std::array<std::string_view, 3> kWords<Trigger::MetricType> = {
    "AverageValue", "Value", "Utilization"};
template <>
inline constexpr std::array<std::string_view, 5> kWords<Fallback::Behavior> = {
    "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower",
    "scalingModifiers"};

/// One level that one_of() knows: `fields` is called with a visitor for what is inside. They stand
/// in the order of the enum's values.
template <class Inner>
struct Choice {
  std::string_view name;
  std::string_view meaning;
  Inner fields;
};
template <class Inner>
constexpr Choice<Inner> choice(std::string_view name, std::string_view meaning, Inner fields) {
  return {name, meaning, fields};
}

template <class T>
struct Fields;  // static void visit(auto& v), for each struct

inline constexpr std::int64_t kKibi = 1024, kMebi = 1024 * kKibi, kGibi = 1024 * kMebi;
inline constexpr std::int32_t kMostReplicas = 10'000;
inline constexpr Millis kLongest = std::chrono::hours{24};
inline constexpr Quantity kMostCores = {100'000 * 1000LL};
inline constexpr Quantity kMostMemory = {1024 * kGibi * 1000};
inline constexpr Quantity kMostValue = {9'000'000'000'000'000'000};

template <>
struct Fields<Header> {
  static void visit(auto& v) {
    v.field("name", &Header::name, Text{form::kHeaderName}, About{"Name of the header.", true});
    v.field("value", &Header::value, Text{form::kHeaderValue}, About{"Its value.", true});
  }
};

template <>
struct Fields<HttpGet> {
  static void visit(auto& v) {
    v.field("path", &HttpGet::path, Text{form::kPath}, About{"Path that is asked for."});
    v.field("host", &HttpGet::host, Text{form::kHost},
            About{"Where to connect to.", false, "the replica's own address"});
    v.field("port", &HttpGet::port, Whole{0, 65535},
            About{"Port to connect to; 0 is the replica's own port or socket."});
    v.fixed("scheme", "HTTP", About{"The protocol."}, {"HTTPS"});
    v.field("httpHeaders", &HttpGet::http_headers, Levels{0, 100}, About{"Headers to send along."});
  }
};

template <>
struct Fields<TcpSocket> {
  static void visit(auto& v) {
    v.field("port", &TcpSocket::port, Whole{0, 65535},
            About{"Port to connect to; 0 is the replica's own port or socket."});
  }
};

template <>
struct Fields<Exec> {
  static void visit(auto& v) {
    v.field("command", &Exec::command, Texts{form::kAny, 1, 1000},
            About{"Program and arguments, without a shell; it succeeds with exit status 0.", true});
  }
};

template <>
struct Fields<Probe> {
  static void visit(auto& v) {
    v.field("httpGet", &Probe::http_get, Level{},
            About{"An HTTP request; an answer from 200 to 399 is a success."});
    v.field("tcpSocket", &Probe::tcp_socket, Level{},
            About{"A connection; a success where it is accepted."});
    v.field("exec", &Probe::exec, Level{}, About{"A command, run beside the replica."});
    v.later("grpc");
    v.field("initialDelaySeconds", &Probe::initial_delay, Seconds{0, 86'400},
            About{"Wait this long after the start before the first probe."});
    v.field("periodSeconds", &Probe::period, Seconds{1, 86'400}, About{"Probe this often."});
    v.field("timeoutSeconds", &Probe::timeout, Seconds{1, 86'400},
            About{"No answer by then is a failure."});
    v.field("successThreshold", &Probe::success_threshold, Whole{1, 1000},
            About{"So many successes in a row make it good; 1 for liveness and startup."});
    v.field("failureThreshold", &Probe::failure_threshold, Whole{1, 100'000},
            About{"So many failures in a row make it bad."});
    v.later("terminationGracePeriodSeconds");
  }
};

template <>
struct Fields<Requests> {
  static void visit(auto& v) {
    v.field("cpu", &Requests::cpu, Amount{{1}, kMostCores},
            About{"Cores that a replica is meant to use; cpu utilization is in percent of it."});
    v.field("memory", &Requests::memory, Amount{{1000}, kMostMemory},
            About{"Bytes that a replica is meant to use; memory utilization is in percent of it."});
  }
};

template <>
struct Fields<Resources> {
  static void visit(auto& v) {
    v.field("requests", &Resources::requests, Level{}, About{"What 100 % utilization is."});
    v.later("limits");
  }
};

template <>
struct Fields<Output> {
  static void visit(auto& v) {
    v.field("to", &Output::to, Word{},
            About{"inherit: to Headroom's standard error, each line with the replica's name; "
                  "files: a file per replica; none: nowhere."});
    v.field("directory", &Output::directory, Text{form::kAny},
            About{"Folder of the files <autoscaler>-<replica>.log.", false, "beside the journal"});
    v.field("maxBytes", &Output::max_bytes, Bytes{4 * kKibi, 64 * kGibi},
            About{"A file of this size is put aside and a new one begun."});
    v.field("maxFiles", &Output::max_files, Whole{0, 1000},
            About{"So many files put aside are kept."});
  }
};

template <>
struct Fields<Process> {
  static void visit(auto& v) {
    v.field("command", &Process::command, Texts{form::kAny, 1, 1000},
            About{"Program and arguments, without a shell. $(PORT) is the port of the replica, "
                  "$(SOCKET) the path of its Unix socket.",
                  true});
    v.field("workingDirectory", &Process::working_directory, Text{form::kAny},
            About{"Folder in which it runs.", false, "where Headroom runs"});
    v.field("env", &Process::env, Variables{1000},
            About{"Variables of its environment, beside Headroom's own and PORT or SOCKET."});
    v.field("startupProbe", &Process::startup_probe, Level{},
            About{"The other probes wait until this one succeeds.", false, "none"});
    v.field("readinessProbe", &Process::readiness_probe, Level{},
            About{"A replica gets traffic while this one succeeds.", false,
                  "ready when it accepts a connection"});
    v.field("livenessProbe", &Process::liveness_probe, Level{},
            About{"A replica is restarted when this one fails.", false, "none"});
    v.field("terminationGracePeriodSeconds", &Process::termination_grace_period, Seconds{0, 86'400},
            About{"From SIGTERM to SIGKILL."});
    v.field("startTimeout", &Process::start_timeout, Duration{1s, kLongest},
            About{"A replica that is not ready by then is stopped and started again, with "
                  "back-off."});
    v.field("resources", &Process::resources, Level{}, About{"What a replica needs."});
    v.field("output", &Process::output, Level{}, About{"Where the lines go that replicas write."});
  }
};

template <>
struct Fields<ObjectReference> {
  static void visit(auto& v) {
    v.field("apiVersion", &ObjectReference::api_version, Text{form::kAny},
            About{"Its group and version: apps/v1.", false, "none"});
    v.field("kind", &ObjectReference::kind, Text{form::kSome},
            About{"Its kind: Deployment.", true});
    v.field("name", &ObjectReference::name, Text{form::kSome}, About{"Its name.", true});
  }
};

template <>
struct Fields<Target> {
  static void visit(auto& v) {
    v.field("process", &Target::process, Level{},
            About{"A command, run 0 to maxReplicas times on this machine. Exactly one of this and "
                  "scaleTargetRef.",
                  false, "none"});
    v.field("scaleTargetRef", &Target::scale_target_ref, Level{},
            About{"An object of Kubernetes with a scale subresource.", false, "none"});
  }
};

template <>
struct Fields<Hold> {
  static void visit(auto& v) {
    v.field("maxRequests", &Hold::max_requests, Whole{0, 1'000'000},
            About{"So many requests wait while no replica is ready; more get 503."});
    v.field("maxBytes", &Hold::max_bytes, Bytes{0, 16 * kGibi},
            About{"So many bytes of them are kept."});
    v.field("timeout", &Hold::timeout, Duration{1ms, kLongest},
            About{"A request waits this long, then gets 503."});
    v.field("noWake", &Hold::no_wake, Texts{form::kPath, 0, 1000},
            About{"Paths beginning with one of these get 503 at zero replicas and start none."});
  }
};

template <>
struct Fields<Timeouts> {
  static void visit(auto& v) {
    v.field("head", &Timeouts::head, Duration{1ms, kLongest},
            About{"From the first byte of a request's head to its last."});
    v.field("bodyIdle", &Timeouts::body_idle, Duration{1ms, kLongest},
            About{"Without a byte of the request's body."});
    v.field("connect", &Timeouts::connect, Duration{1ms, kLongest},
            About{"For a connection to a replica."});
    v.field("responseHead", &Timeouts::response_head, Duration{1ms, kLongest},
            About{"From the request's last byte to the head of the replica's answer."});
    v.field("responseIdle", &Timeouts::response_idle, Duration{1ms, kLongest},
            About{"Without a byte of the answer's body."});
    v.field("sendIdle", &Timeouts::send_idle, Duration{1ms, kLongest},
            About{"The client takes no byte of the answer."});
    v.field("idle", &Timeouts::idle, Duration{1ms, kLongest},
            About{"A client's connection without a request."});
    v.field("upstreamIdle", &Timeouts::upstream_idle, Duration{1ms, kLongest},
            About{"A replica's connection without a request; keep it below the server's own."});
    v.field("tunnelIdle", &Timeouts::tunnel_idle, Duration{1ms, kLongest},
            About{"Without a byte either way, after an upgrade (WebSocket)."});
    v.field("request", &Timeouts::request, Duration{0s, kLongest},
            About{"The whole request; 0s: no limit."});
  }
};

template <>
struct Fields<Limits> {
  static void visit(auto& v) {
    v.field("requestLine", &Limits::request_line, Bytes{64, 128 * kKibi},
            About{"Bytes of the request line."});
    v.field("head", &Limits::head, Bytes{64, 128 * kKibi}, About{"Bytes of the whole head."});
    v.field("fields", &Limits::fields, Whole{1, 10'000}, About{"Header fields of a request."});
    v.field("body", &Limits::body, Bytes{0, 1024 * 1024 * kGibi},
            About{"Bytes of a request's body; 0: no limit."});
    v.field("connections", &Limits::connections, Whole{0, 10'000'000},
            About{"Open connections of clients; 0: 80 % of the file descriptors allowed."});
  }
};

template <>
struct Fields<Retries> {
  static void visit(auto& v) {
    v.field("attempts", &Retries::attempts, Whole{0, 10},
            About{"A request is tried again so often on another replica, where that is safe."});
    v.field("budgetPercent", &Retries::budget_percent, Whole{0, 100},
            About{"Retries in percent of the requests of the last 10 s."});
    v.field("budgetMinimum", &Retries::budget_minimum, Whole{0, 100'000},
            About{"So many retries a second are always allowed."});
  }
};

template <>
struct Fields<Gateway> {
  static void visit(auto& v) {
    v.field("listen", &Gateway::listen, Text{form::kListen},
            About{"Where clients connect to: :8080, localhost:8080, [::1]:8080 or unix:/path."});
    v.field("trustedProxies", &Gateway::trusted_proxies, Texts{form::kCidr, 0, 1000},
            About{"Networks whose X-Forwarded-* headers are believed."});
    v.field("forwarded", &Gateway::forwarded, Flag{},
            About{"Write Forwarded (RFC 7239) beside X-Forwarded-*."});
    v.field("halfClose", &Gateway::half_close, Flag{},
            About{"A client that closes its sending side still gets its answers."});
    v.field("drain", &Gateway::drain, Duration{0s, kLongest},
            About{"The open requests of a replica that is to stop may take this long."});
    v.field("hold", &Gateway::hold, Level{},
            About{"Bounds of what waits while no replica is ready."});
    v.field("timeouts", &Gateway::timeouts, Level{}, About{"How long to wait for what."});
    v.field("limits", &Gateway::limits, Level{}, About{"How much of what is taken."});
    v.field("retries", &Gateway::retries, Level{}, About{"When a request is tried again."});
    v.later("tls");
  }
};

template <>
struct Fields<Concurrency> {
  static void visit(auto& v) {
    v.field("metric", &Concurrency::metric, Word{},
            About{"Requests at once, or requests per second."});
    v.field("target", &Concurrency::target, Real{0.01, 1e9},
            About{"So much of it per replica, before targetUtilizationPercentage.", false,
                  "100, or 200 for rps"});
    v.field("targetUtilizationPercentage", &Concurrency::target_utilization_percentage,
            Real{1, 100}, About{"Percentage of the target that is aimed at."});
    v.field("containerConcurrency", &Concurrency::container_concurrency, Whole{0, 1000},
            About{"The gateway gives a replica at most so many requests at once; 0: no limit."});
    v.field("window", &Concurrency::window, Duration{6s, 1h}, About{"Stable window."});
    v.field("panicWindowPercentage", &Concurrency::panic_window_percentage, Real{1, 100},
            About{"Panic window, in percent of the stable one."});
    v.field("panicThresholdPercentage", &Concurrency::panic_threshold_percentage, Real{110, 1000},
            About{"Panic begins where the panic window asks for this many percent of the ready "
                  "replicas."});
    v.field("initialScale", &Concurrency::initial_scale, Whole{0, kMostReplicas},
            About{"Begins with at least so many, until so many were ready once; 0: off."});
    v.field("activationScale", &Concurrency::activation_scale, Whole{0, kMostReplicas},
            About{"At least so many replicas under any load; from 2, 0: off."});
    v.field("scaleDownDelay", &Concurrency::scale_down_delay, Duration{0s, 1h},
            About{"Fewer replicas only when fewer were enough for this long."});
    v.field("targetBurstCapacity", &Concurrency::target_burst_capacity, Real{0, 1e9},
            About{"While awake, keeps enough replicas to take so much more of the metric at once, "
                  "beyond the load; 0: off."});
    v.field("scaleToZeroPodRetentionPeriod", &Concurrency::scale_to_zero_pod_retention_period,
            Duration{0s, 1h},
            About{"The last replica is kept so long after a window without a request, where that "
                  "is longer than cooldownPeriod."});
    v.field("maxScaleUpRate", &Concurrency::max_scale_up_rate, Real{1.001, 1e6},
            About{"At most this many times the ready replicas in one step."});
    v.field("maxScaleDownRate", &Concurrency::max_scale_down_rate, Real{1.001, 1e6},
            About{"At least the ready replicas divided by this, rounded down, in one step."});
    v.field("metricAggregationAlgorithm", &Concurrency::metric_aggregation_algorithm, Word{},
            About{"How the seconds of a window are averaged."});
  }
};

template <>
struct Fields<Objective> {
  static void visit(auto& v) {
    v.field("latency", &Objective::latency, Duration{1ms, 1h},
            About{"From a request's arrival to the last byte of its answer at most this; in steps "
                  "of 6 %, so that a request just below it may count as above.",
                  true});
    v.field("percentile", &Objective::percentile, Real{0.001, 99.999},
            About{"So many percent of the requests."});
  }
};

template <>
struct Fields<MetricTarget> {
  static void visit(auto& v) {
    v.field(
        "type", &MetricTarget::type, Word{},
        About{"In percent of the request, as a value in all, or as a value per replica.", true});
    v.field("averageUtilization", &MetricTarget::average_utilization, Whole{1},
            About{"For Utilization: percent of the replicas' requests.", false, "none"});
    v.field("value", &MetricTarget::value, Amount{{1}, kMostValue},
            About{"For Value: all in all.", false, "none"});
    v.field("averageValue", &MetricTarget::average_value, Amount{{1}, kMostValue},
            About{"For AverageValue: cores, bytes or whatever is measured, per replica.", false,
                  "none"});
  }
};

template <>
struct Fields<Selector::Requirement> {
  static void visit(auto& v) {
    using Requirement = Selector::Requirement;
    v.field("key", &Requirement::key, Text{form::kSome}, About{"The label.", true});
    v.field("operator", &Requirement::op, Word{}, About{"What must hold of it.", true});
    v.field("values", &Requirement::values, Texts{form::kAny, 0, 1000},
            About{"For In and NotIn: its values."});
  }
};

template <>
struct Fields<Selector> {
  static void visit(auto& v) {
    v.field("matchLabels", &Selector::match_labels, Pairs{1000},
            About{"Labels that a series must have."});
    v.field("matchExpressions", &Selector::match_expressions, Levels{0, 1000},
            About{"What must hold of its labels."});
  }
};

template <>
struct Fields<Metric> {
  static void visit(auto& v) {
    const auto target = [](auto& inner) {
      inner.field("target", &Metric::target, Level{}, About{"What is aimed at.", true});
    };
    const auto identifier = [](auto& inner) {
      inner.level("metric", About{"Which metric.", true}, [](auto& metric) {
        metric.field("name", &Metric::name, Text{form::kSome}, About{"Its name.", true});
        metric.field("selector", &Metric::selector, Level{},
                     About{"Which of its series count.", false, "all"});
      });
    };
    const About resource{"Which resource; of a process cpu or memory.", true};
    v.one_of(
        "type", &Metric::type, About{"What kind of metric.", true},
        choice("resource", "For Resource: what a replica uses of cpu or memory.",
               [=](auto& inner) {
                 inner.field("name", &Metric::name, Text{form::kSome}, resource);
                 target(inner);
               }),
        choice("containerResource", "For ContainerResource: what one container of it uses.",
               [=](auto& inner) {
                 inner.field("name", &Metric::name, Text{form::kSome}, resource);
                 inner.field("container", &Metric::container, Text{form::kSome},
                             About{"Which container.", true});
                 target(inner);
               }),
        choice("pods", "For Pods: what each replica says of itself.",
               [=](auto& inner) {
                 identifier(inner);
                 target(inner);
               }),
        choice("object", "For Object: one number that describes an object.",
               [=](auto& inner) {
                 inner.field("describedObject", &Metric::described_object, Level{},
                             About{"Which object.", true});
                 identifier(inner);
                 target(inner);
               }),
        choice("external", "For External: a number from outside of the cluster.", [=](auto& inner) {
          identifier(inner);
          target(inner);
        }));
  }
};

template <>
struct Fields<ScalingPolicy> {
  static void visit(auto& v) {
    v.field("type", &ScalingPolicy::type, Word{}, About{"Replicas, or percent of them.", true});
    v.field("value", &ScalingPolicy::value, Whole{1}, About{"How many.", true});
    v.field("periodSeconds", &ScalingPolicy::period, Seconds{1, 1800},
            About{"In how long at most.", true});
  }
};

template <>
struct Fields<ScalingRules> {
  static void visit(auto& v) {
    v.field(
        "stabilizationWindowSeconds", &ScalingRules::stabilization_window, Seconds{0, 3600},
        About{"Keep to the gentlest recommendation of so many seconds.", false, "0 up, 300 down"});
    v.field("selectPolicy", &ScalingRules::select_policy, Word{},
            About{"The policy that allows the largest change, the smallest, or no change at all."});
    v.field("policies", &ScalingRules::policies, Levels{1, 100},
            About{"How fast the number may change.", false,
                  "up: 4 pods or 100 % in 15 s; down: 100 % in 15 s"});
    v.field("tolerance", &ScalingRules::tolerance, Real{0, 1000},
            About{"A metric this near to its target (0.1: 10 %) changes nothing.", false, "0.1"});
  }
};

template <>
struct Fields<Behavior> {
  static void visit(auto& v) {
    v.field("scaleUp", &Behavior::scale_up, Level{}, About{"Rules for going up.", false, "HPA's"});
    v.field("scaleDown", &Behavior::scale_down, Level{},
            About{"Rules for going down.", false, "HPA's"});
  }
};

template <>
struct Fields<Trigger::AuthenticationRef> {
  static void visit(auto& v) {
    using Reference = Trigger::AuthenticationRef;
    v.field("name", &Reference::name, Text{form::kSome}, About{"Its name.", true});
    v.field("kind", &Reference::kind, Text{form::kAny},
            About{"TriggerAuthentication or ClusterTriggerAuthentication.", false,
                  "TriggerAuthentication"});
  }
};

template <>
struct Fields<Trigger> {
  static void visit(auto& v) {
    v.field("type", &Trigger::type, Text{form::kSome}, About{"The source: kafka.", true});
    v.field("name", &Trigger::name, Text{form::kAny}, About{"For formulas.", false, "none"});
    v.field("metadata", &Trigger::metadata, Pairs{1000},
            About{"The source's parameters, as KEDA names them."});
    v.field("metricType", &Trigger::metric_type, Word{}, About{"How the target is meant."});
    v.field("useCachedMetrics", &Trigger::use_cached_metrics, Flag{},
            About{"Ask the source once per pollingInterval only."});
    v.field("authenticationRef", &Trigger::authentication_ref, Level{},
            About{"What to authenticate with.", false, "none"});
  }
};

template <>
struct Fields<Fallback> {
  static void visit(auto& v) {
    v.field("failureThreshold", &Fallback::failure_threshold, Whole{0},
            About{"A source has failed more often than this in a row.", true});
    v.field("replicas", &Fallback::replicas, Whole{0, kMostReplicas},
            About{"So many replicas hold then.", true});
    v.field("behavior", &Fallback::behavior, Word{},
            About{"Whether these, or the current ones, or the more or fewer of the two."});
  }
};

template <>
struct Fields<ScalingModifiers> {
  static void visit(auto& v) {
    v.field("formula", &ScalingModifiers::formula, Text{form::kAny},
            About{"Makes one number of the triggers' values, by their names.", false, "none"});
    v.field("target", &ScalingModifiers::target, Text{form::kAny},
            About{"What that number is held against.", false, "none"});
    v.field("activationTarget", &ScalingModifiers::activation_target, Text{form::kAny},
            About{"Above this it wakes from zero.", false, "0"});
    v.field("metricType", &ScalingModifiers::metric_type, Word{},
            About{"Whether the target is per replica."});
  }
};

template <>
struct Fields<Pause> {
  static void visit(auto& v) {
    v.field("paused", &Pause::paused, Flag{}, About{"Change nothing."});
    v.field("replicas", &Pause::replicas, Whole{0, kMostReplicas},
            About{"Go to so many and change nothing then.", false, "none"});
    v.field("scaleIn", &Pause::scale_in, Flag{}, About{"Never fewer."});
    v.field("scaleOut", &Pause::scale_out, Flag{}, About{"Never more."});
  }
};

template <>
struct Fields<ControllerSettings> {
  static void visit(auto& v) {
    v.field("tolerance", &ControllerSettings::tolerance, Real{0, 1000},
            About{"A metric this near to its target (0.1: 10 %) changes nothing."});
    v.field("downscaleStabilization", &ControllerSettings::downscale_stabilization,
            Duration{0s, kLongest}, About{"The window down where behavior says none."});
    v.field("cpuInitializationPeriod", &ControllerSettings::cpu_initialization_period,
            Duration{0s, kLongest}, About{"A pod's cpu may be its start's for so long."});
    v.field("initialReadinessDelay", &ControllerSettings::initial_readiness_delay,
            Duration{0s, kLongest}, About{"So long after its start a pod is not ready yet."});
    v.field("scaleToZero", &ControllerSettings::scale_to_zero, Flag{},
            About{"HPA's gate HPAScaleToZero: Object and External metrics may go to zero."});
  }
};

template <>
struct Fields<Autoscaler> {
  static void visit(auto& v) {
    v.fixed("apiVersion", kApiVersion, About{"Version of this kind.", true}, {});
    v.fixed("kind", kKind, About{"The kind.", true}, {});
    v.level("metadata", About{"What it is called.", true}, [](auto& inner) {
      inner.field("name", &Autoscaler::name, Text{form::kDnsLabel},
                  About{"Its name, once in all files: a DNS label.", true});
      inner.field("namespace", &Autoscaler::namespace_, Text{form::kDnsLabel},
                  About{"Where it is in Kubernetes.", false, "none"});
    });
    v.level("spec", About{"What is asked for.", true}, [](auto& inner) {
      inner.field("target", &Autoscaler::target, Level{}, About{"What is scaled.", true});
      inner.field(
          "gateway", &Autoscaler::gateway, Level{},
          About{"Takes the requests, holds them at zero and balances them.", false, "none"});
      inner.field(
          "minReplicas", &Autoscaler::min_replicas, Whole{0, kMostReplicas},
          About{"Never fewer than this; 0 needs something that wakes: a gateway, a trigger, "
                "or an Object or External metric."});
      inner.field("idleReplicas", &Autoscaler::idle_replicas, Whole{0, kMostReplicas},
                  About{"So many while no trigger is active; fewer than minReplicas.", false,
                        "none: minReplicas"});
      inner.field("maxReplicas", &Autoscaler::max_replicas, Whole{0, kMostReplicas},
                  About{"Never more than this; 0 (with minReplicas 0) holds it at zero.", true});
      inner.field("cooldownPeriod", &Autoscaler::cooldown_period, Duration{0s, 30 * kLongest},
                  About{"To zero this long after the last activity."});
      inner.field("initialCooldownPeriod", &Autoscaler::initial_cooldown_period,
                  Duration{0s, 30 * kLongest}, About{"Not to zero for so long after the start."});
      inner.field("objective", &Autoscaler::objective, Level{},
                  About{"What the dashboard, /metrics and the alerts hold latency against. It asks "
                        "for no replicas: their number comes from the other fields.",
                        false, "none"});
      inner.field("concurrency", &Autoscaler::concurrency, Level{},
                  About{"Scale by the requests that the gateway sees, as Knative's KPA does.",
                        false, "with a gateway and no metrics: the defaults below"});
      inner.field("metrics", &Autoscaler::metrics, Levels{0, 100},
                  About{"Scale by these, as HPA v2 does.", false,
                        "without a gateway and triggers: cpu at 80 % utilization"});
      inner.field("behavior", &Autoscaler::behavior, Level{},
                  About{"How fast the number may change, as in HPA v2.", false, "HPA's"});
      inner.field("controller", &Autoscaler::controller, Level{},
                  About{"What are flags of HPA's controller elsewhere."});
      inner.field("triggers", &Autoscaler::triggers, Levels{0, 100},
                  About{"Scale by event sources, as KEDA does."});
      inner.field("pollingInterval", &Autoscaler::polling_interval, Duration{1s, 30 * kLongest},
                  About{"The triggers' sources are asked this often."});
      inner.field("fallback", &Autoscaler::fallback, Level{},
                  About{"What holds while a source fails.", false, "none"});
      inner.field("scalingModifiers", &Autoscaler::scaling_modifiers, Level{},
                  About{"One number in place of the triggers' own.", false, "none"});
      inner.field("pause", &Autoscaler::pause, Level{}, About{"Hold it still."});
      inner.field("forceActivation", &Autoscaler::force_activation, Flag{},
                  About{"Active, whatever the triggers say."});
      for (const char* name : {"forecast", "scaleTargetRef"}) inner.later(name);
    });
  }
};

}  // namespace headroom::policy
