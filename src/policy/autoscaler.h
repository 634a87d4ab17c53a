#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/units.h"
#include "policy/keda.h"

/// What the user asks for: one kind, Autoscaler (headroom.dev/v1alpha1). Each struct is a
/// level of the document; members are named as the document's fields (in snake_case). What
/// they mean, their defaults and their bounds are said once, in policy/fields.h, from which
/// the reader, the writer, the JSON Schema and the reference page are made.
namespace headroom::policy {

struct Header {
  std::string name;
  std::string value;

  bool operator==(const Header&) const = default;
};

struct HttpGet {
  std::string path = "/";
  std::string host;       // empty: the replica's own address
  std::int32_t port = 0;  // 0: the replica's port (or socket)
  std::vector<Header> http_headers;

  bool operator==(const HttpGet&) const = default;
};

struct TcpSocket {
  std::int32_t port = 0;  // 0: the replica's port (or socket)

  bool operator==(const TcpSocket&) const = default;
};

struct Exec {
  std::vector<std::string> command;

  bool operator==(const Exec&) const = default;
};

/// Kubernetes' Probe; exactly one of http_get, tcp_socket, exec is set.
struct Probe {
  std::optional<HttpGet> http_get;
  std::optional<TcpSocket> tcp_socket;
  std::optional<Exec> exec;
  Millis initial_delay = 0s;
  Millis period = 10s;
  Millis timeout = 1s;
  std::int32_t success_threshold = 1;
  std::int32_t failure_threshold = 3;

  bool operator==(const Probe&) const = default;
};

struct Requests {
  Quantity cpu = {1000};                           // cores
  Quantity memory = {256LL * 1024 * 1024 * 1000};  // bytes

  bool operator==(const Requests&) const = default;
};

struct Resources {
  Requests requests;

  bool operator==(const Resources&) const = default;
};

/// Where the lines go that replicas write to stdout and stderr.
struct Output {
  enum class To { inherit, files, none };  // inherit: to Headroom's stderr, prefixed
  To to = To::inherit;
  std::string
      directory;  // files: <directory>/<autoscaler>-<replica>.log; empty: beside the journal
  std::int64_t max_bytes = 10 << 20;  // rotate at this size
  std::int32_t max_files = 3;         // keep this many beside the current one

  bool operator==(const Output&) const = default;
};

struct Process {
  std::vector<std::string> command;
  std::string working_directory;
  std::map<std::string, std::string> env;
  std::optional<Probe> startup_probe;
  std::optional<Probe> readiness_probe;  // none: ready when the port accepts a connection
  std::optional<Probe> liveness_probe;
  Millis termination_grace_period = 30s;
  Millis start_timeout = 60s;  // not ready by then: reported, stopped, started again with back-off
  Resources resources;
  Output output;

  bool operator==(const Process&) const = default;
};

/// An object with a scale subresource.
struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string name;

  bool operator==(const ObjectReference&) const = default;
};

/// What is scaled: processes of this machine or, where scale_target_ref is set, an object in
/// Kubernetes (and then `process` means nothing).
struct Target {
  Process process;
  std::optional<ObjectReference> scale_target_ref;

  bool operator==(const Target&) const = default;
};

/// Bounds of what waits while no replica is ready (docs/gateway.md).
struct Hold {
  std::int32_t max_requests = 1024;
  std::int64_t max_bytes = 64 << 20;
  Millis timeout = 60s;
  std::vector<std::string> no_wake;  // path prefixes that get 503 at zero and start nothing

  bool operator==(const Hold&) const = default;
};

struct Timeouts {
  Millis head = 10s;            // request head complete, from its first byte
  Millis body_idle = 60s;       // no byte of a request body
  Millis connect = 1s;          // to a replica
  Millis response_head = 60s;   // from the replica
  Millis response_idle = 300s;  // no byte of a response body from the replica
  Millis send_idle = 60s;       // the client takes no byte
  Millis idle = 75s;            // keep-alive, client side
  Millis upstream_idle = 4s;    // keep-alive, replica side
  Millis tunnel_idle = 3600s;   // after an upgrade
  Millis request = 0s;          // the whole request; 0: off

  bool operator==(const Timeouts&) const = default;
};

struct Limits {
  std::int32_t request_line = 8 << 10;
  std::int32_t head = 32 << 10;
  std::int32_t fields = 128;
  std::int64_t body = 0;         // bytes; 0: none
  std::int32_t connections = 0;  // 0: 80 % of the descriptors

  bool operator==(const Limits&) const = default;
};

struct Retries {
  std::int32_t attempts = 2;
  std::int32_t budget_percent = 20;  // of the last 10 s' requests
  std::int32_t budget_minimum = 3;   // per second

  bool operator==(const Retries&) const = default;
};

struct Gateway {
  std::string listen = ":8080";
  bool unix_sockets = false;  // true where the command names $(SOCKET); set by the reader
  std::vector<std::string> trusted_proxies;  // CIDR
  bool forwarded = false;                    // write Forwarded (RFC 7239)
  bool half_close = false;                   // a client's FIN only means no more requests
  Millis drain = 30s;  // open requests of a draining replica may take this long
  Hold hold;
  Timeouts timeouts;
  Limits limits;
  Retries retries;

  bool operator==(const Gateway&) const = default;
};

/// Knative's KPA, spelled as its annotations.
struct Concurrency {
  enum class Metric { concurrency, rps };
  enum class Aggregation { linear, weighted_exponential };
  Metric metric = Metric::concurrency;
  std::optional<double> target;  // total per replica; none: 100, rps: 200
  double target_utilization_percentage = 70;
  std::int32_t container_concurrency = 0;  // hard limit per replica, the gateway's; 0: none
  Millis window = 60s;
  double panic_window_percentage = 10;
  double panic_threshold_percentage = 200;
  std::int32_t initial_scale = 0;     // until so many were ready once; 0: off
  std::int32_t activation_scale = 0;  // 0: off
  Millis scale_down_delay = 0s;
  double target_burst_capacity = 0;  // room kept for so much more at once; 0: off
  Millis scale_to_zero_pod_retention_period = 0s;
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  Aggregation metric_aggregation_algorithm = Aggregation::linear;

  bool operator==(const Concurrency&) const = default;
};

/// What latency is held against: that of this percentile of the requests. It scales nothing.
struct Objective {
  Millis latency = 0s;
  double percentile = 99;

  bool operator==(const Objective&) const = default;
};

struct MetricTarget {
  enum class Type { utilization, value, average_value };
  Type type = Type::utilization;
  std::optional<std::int32_t> average_utilization;  // percent of the request
  std::optional<Quantity> value;
  std::optional<Quantity> average_value;

  bool operator==(const MetricTarget&) const = default;
};

/// Which of a metric's series count.
struct Selector {
  struct Requirement {
    enum class Operator { in, not_in, exists, does_not_exist };
    std::string key;
    Operator op = Operator::in;
    std::vector<std::string> values;

    bool operator==(const Requirement&) const = default;
  };
  std::map<std::string, std::string> match_labels;
  std::vector<Requirement> match_expressions;

  bool operator==(const Selector&) const = default;
};

/// HPA v2's MetricSpec.
struct Metric {
  enum class Type { resource, container_resource, pods, object, external };
  Type type = Type::resource;
  std::string name;                                 // of the resource ("cpu") or the metric
  std::string container;                            // ContainerResource
  std::optional<Selector> selector;                 // Pods, Object, External
  std::optional<ObjectReference> described_object;  // Object
  MetricTarget target;

  bool operator==(const Metric&) const = default;
};

struct ScalingPolicy {
  enum class Type { pods, percent };
  Type type = Type::pods;
  std::int32_t value = 0;
  Millis period = 0s;

  bool operator==(const ScalingPolicy&) const = default;
};

struct ScalingRules {
  enum class Select { max, min, disabled };
  std::optional<Millis> stabilization_window;
  Select select_policy = Select::max;
  std::vector<ScalingPolicy> policies;  // empty: the API server's default list
  std::optional<double> tolerance;

  bool operator==(const ScalingRules&) const = default;
};

struct Behavior {
  std::optional<ScalingRules> scale_up;
  std::optional<ScalingRules> scale_down;

  bool operator==(const Behavior&) const = default;
};

/// KEDA's trigger: an event source whose value, held against a target, asks for replicas.
struct Trigger {
  enum class MetricType { average_value, value, utilization };
  struct AuthenticationRef {
    std::string name;
    std::string kind;

    bool operator==(const AuthenticationRef&) const = default;
  };
  std::string type;  // "kafka"
  std::string name;  // for formulas; may be empty
  std::map<std::string, std::string> metadata;
  MetricType metric_type = MetricType::average_value;
  bool use_cached_metrics = false;
  std::optional<AuthenticationRef> authentication_ref;

  bool operator==(const Trigger&) const = default;
};

/// KEDA's scalingModifiers: one number made of the triggers' values, in place of theirs.
struct ScalingModifiers {
  std::string formula;
  std::string target;             // as written, a Go float
  std::string activation_target;  // the same; empty: 0
  Trigger::MetricType metric_type = Trigger::MetricType::average_value;

  bool operator==(const ScalingModifiers&) const = default;
};

/// What HPA users set as flags of its controller, with its defaults.
struct ControllerSettings {
  double tolerance = 0.1;
  Millis downscale_stabilization = 300s;
  Millis cpu_initialization_period = 300s;
  Millis initial_readiness_delay = 30s;
  bool scale_to_zero = false;  // the HPAScaleToZero gate

  bool operator==(const ControllerSettings&) const = default;
};

/// One validated document. Immutable once read.
struct Autoscaler {
  std::string name;
  std::string namespace_;  // of an HPA or a ScaledObject; empty: none
  Target target;
  std::optional<Gateway> gateway;
  Replicas min_replicas = {1};
  Replicas max_replicas = {1};
  Millis cooldown_period = 300s;  // KEDA's: to zero this long after the last activity
  std::optional<Objective> objective;
  std::optional<Concurrency> concurrency;  // neither this nor metrics: Knative's defaults
  std::vector<Metric> metrics;
  std::optional<Behavior> behavior;
  ControllerSettings controller;
  // KEDA's, as in a ScaledObject.
  std::vector<Trigger> triggers;
  Millis polling_interval = 30s;
  Millis initial_cooldown_period = 0s;
  std::optional<Replicas> idle_replicas;
  std::optional<Fallback> fallback;
  std::optional<ScalingModifiers> scaling_modifiers;
  Pause pause;
  bool force_activation = false;  // active whatever the triggers say

  bool operator==(const Autoscaler&) const = default;
};

}  // namespace headroom::policy
