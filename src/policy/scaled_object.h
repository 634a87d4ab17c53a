#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/autoscaler.h"
#include "policy/hpa.h"
#include "policy/tree.h"

/// KEDA's ScaledObject (keda.sh/v1alpha1) as the API server holds it: what may be left out is
/// optional or empty, texts are as written, and it need not be valid. The rest of Headroom knows
/// the Autoscaler that a valid one becomes.
/// Source: KEDA v2.21, apis/keda/v1alpha1, controllers/keda.
namespace headroom::policy::keda {

/// maxReplicaCount where it is not set.
constexpr std::int32_t kMostReplicas = 100;

inline constexpr std::string_view kApiVersion = "keda.sh/v1alpha1";
inline constexpr std::string_view kKind = "ScaledObject";

struct ScaleTarget {
  std::string name, api_version, kind, env_source_container_name;
  bool operator==(const ScaleTarget&) const = default;
};

struct Fallback {
  std::int32_t failure_threshold = 0;
  std::int32_t replicas = 0;
  std::string behavior;
  bool operator==(const Fallback&) const = default;
};

struct ScalingModifiers {
  std::string formula, target, activation_target, metric_type;
  bool operator==(const ScalingModifiers&) const = default;
};

struct HpaConfig {
  std::string name;
  std::optional<hpa::Behavior> behavior;
  bool operator==(const HpaConfig&) const = default;
};

struct Trigger {
  std::string type, name, metric_type;
  std::map<std::string, std::string> metadata;
  bool use_cached_metrics = false;
  std::optional<policy::Trigger::AuthenticationRef> authentication_ref;
  bool operator==(const Trigger&) const = default;
};

/// Seconds are whole, as in the document.
struct Spec {
  ScaleTarget scale_target_ref;
  std::optional<std::int32_t> polling_interval, initial_cooldown_period, cooldown_period;
  std::optional<std::int32_t> idle_replica_count, min_replica_count, max_replica_count;
  bool restore_to_original_replica_count = false;
  HpaConfig hpa_config;
  ScalingModifiers scaling_modifiers;
  std::vector<Trigger> triggers;
  std::optional<Fallback> fallback;
  bool operator==(const Spec&) const = default;
};

struct ScaledObject {
  std::string name, namespace_;
  std::map<std::string, std::string> labels, annotations;
  Spec spec;
  bool operator==(const ScaledObject&) const = default;
};

// Reading.

/// Kubernetes takes no number or bool where a text is meant; one machine takes them in a trigger's
/// metadata, with a warning.
enum class Strictness { cluster, one_machine };

/// What is wrong with a field: upstream's type ("FieldValueInvalid") and path
/// ("spec.triggers[0].type"), a sentence for people, and where it stands.
struct FieldError {
  std::string type, path, detail;
  Place place;
};

struct Read {
  ScaledObject object;               // what could be read
  std::vector<FieldError> errors;    // sorted by path and type, each once
  std::vector<FieldError> warnings;  // unknown fields (without a type), numbers for texts
};

/// Reads a document by the rules of KEDA's CRD: unknown fields are dropped, then nulls, then the
/// defaults are set; `status` is passed over. Linear in the document.
Read read(const Node& document, Strictness strictness);

// What KEDA says of an object that has no errors.

struct Container {
  std::string name;
  std::map<std::string, Quantity> requests, limits;  // by resource
};
struct PodSpec {
  std::vector<Container> containers;
  Container pod;  // resources of the pod as a whole; no name
};
struct OtherHpa {
  std::string name, namespace_;
  std::map<std::string, std::string> annotations;
  std::vector<hpa::CrossVersionObjectReference> owners;
  hpa::CrossVersionObjectReference target;
};
struct LimitRange {
  std::string namespace_;
  struct Limit {
    std::string type;
    std::map<std::string, Quantity> default_request, default_limit;
  };
  std::vector<Limit> limits;
};

/// What else is in the cluster, and how the object is written.
struct World {
  bool has_scale = true;          // the /scale of what scaleTargetRef names answers
  std::optional<PodSpec> target;  // its pods, of a Deployment or StatefulSet; none: there is none
  std::vector<ScaledObject> scaled_objects;
  std::vector<OtherHpa> hpas;
  std::vector<LimitRange> limit_ranges;
  bool dry_run = false;
};

/// A check that refuses the object: upstream's name of it, the field that is to blame, and a
/// sentence for people.
struct Refusal {
  std::string check, path, detail;
};

/// Each check of KEDA's webhook that refuses, sorted by name, each once (V2-V8, M6).
std::vector<Refusal> webhook(const ScaledObject& object, const World& world);
/// The same without those that look at the cluster.
std::vector<Refusal> webhook(const ScaledObject& object);

/// Settings without effect: "pollingInterval", "cooldownPeriod" (V9).
std::vector<std::string> idle_settings(const ScaledObject& object);

/// What the reconciler makes of the object, whatever the webhook said (V10). Where it gives up,
/// `check` is one of label, target, replicaCounts, triggers, hpa, hpaRefused, pausedReplicas.
struct Reconciled {
  std::optional<Refusal> gives_up;
  std::optional<hpa::HorizontalPodAutoscaler> hpa;  // before the API server's defaults; none
                                                    // where it gives up or the object is paused
};
Reconciled reconcile(const ScaledObject& object, const World& world);

/// The HPA that KEDA writes (H1-H4).
/// Errors: invalid; a trigger's parameters, its type, or the formula. `where` is empty.
tl::expected<hpa::HorizontalPodAutoscaler, Refusal> to_hpa(const ScaledObject& object);

/// Group and version of a target's apiVersion, and its kind, with their defaults; nothing where the
/// apiVersion is none or the cluster has no such kind.
struct TargetKind {
  std::string api_version, kind;
  bool operator==(const TargetKind&) const = default;
};
std::optional<TargetKind> target_kind(std::string_view api_version, std::string_view kind);

std::string hpa_name(const ScaledObject& object);
bool uses_modifiers(const ScaledObject& object);
/// The target of the modifiers where it is a number above 0, else none.
std::optional<double> modifiers_target(const ScaledObject& object);

/// The object that `autoscaler` was read from, as far as an Autoscaler holds it.
ScaledObject from_autoscaler(const Autoscaler& autoscaler);

/// The document (YAML) that reads back as `object`.
std::string write(const ScaledObject& object);

/// What a valid one asks for. All its triggers stay in `triggers`, in their order, which is a part
/// of the metrics' names; those of type cpu and memory are in `metrics`, too.
/// Left behind: labels, annotations but for the pauses, the HPA's name,
/// restoreToOriginalReplicaCount and envSourceContainerName.
Autoscaler to_autoscaler(const ScaledObject& object);

}  // namespace headroom::policy::keda

namespace headroom::policy {

struct ScaledObjectRead {
  Autoscaler autoscaler;
  std::vector<std::string> warnings;  // "file:line:column: field: what"
};

/// Reads one document of kind ScaledObject and checks it as KEDA would, but for what needs a
/// cluster. `file` is only for the places.
/// Errors: Code::invalid, all that is wrong, at most 20, one a line, each with its place; `where`
/// is the first's. Columns are bytes.
Result<ScaledObjectRead> read_scaled_object(const Node& document, const std::string& file);

/// The same with what is wrong, and what is not as it seems, said to the lists; an empty Autoscaler
/// where anything is wrong.
Autoscaler read_scaled_object(const Node& document, Problems& problems, Problems& warnings);

/// The document that reads back as `autoscaler`, which came from a ScaledObject.
std::string write_scaled_object(const Autoscaler& autoscaler);

}  // namespace headroom::policy
