#pragma once

#include <optional>
#include <string_view>

#include "policy/tree.h"

/// What a scalar without a tag is to the YAML that Kubernetes' tools read (1.1, as
/// sigs.k8s.io/yaml has it), and so to the API server.
namespace headroom::policy {

enum class Scalar { text, whole, real, flag };

/// Of a node that is no scalar: text.
Scalar scalar_of(const Node& node);

/// Its whole number, 1e3 and 30.0 included; none where it is another value, or beyond 64 bits.
std::optional<double> whole_of(const Node& node);

/// true, yes, on, y and their counterparts: all small, all large, or the first large.
std::optional<bool> flag_of(const Node& node);

}  // namespace headroom::policy
