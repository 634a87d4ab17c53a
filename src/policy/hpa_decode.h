#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/hpa_shape.h"
#include "policy/tree.h"

namespace headroom::policy::hpa {

/// Reads nodes into the structs that have a Shape, as the API server decodes JSON: what is null
/// is left out; what is of another type is a problem; what is unknown is dropped, with a warning.
/// `any_case`: names match in any case, as in the JSON of annotations.
class Decoder {
 public:
  Decoder(Problems& problems, Problems& warnings, bool any_case = false)
      : problems_(problems), warnings_(warnings), any_case_(any_case) {}

  void value(const std::string& path, const Node& node, std::string& to);
  void value(const std::string& path, const Node& node, std::int32_t& to);
  void value(const std::string& path, const Node& node, Quantity& to);
  void value(const std::string& path, const Node& node, std::map<std::string, std::string>& to);

  template <class T>
  void value(const std::string& path, const Node& node, std::optional<T>& to) {
    value(path, node, to.emplace());
  }

  template <class T>
  void value(const std::string& path, const Node& node, std::vector<T>& to) {
    if (node.kind != Node::Kind::sequence) return wrong(path, node, "a list");
    for (const Node* item : node.items) {
      const auto at = path + "[" + std::to_string(to.size()) + "]";
      T& element = to.emplace_back();
      if (item->kind != Node::Kind::null) value(at, *item, element);
    }
  }

  template <class T>
  void value(const std::string& path, const Node& node, T& to) {
    if (node.kind != Node::Kind::map) return wrong(path, node, "fields as name: value");
    Fields fields(*this, path, node);
    Shape<T>::visit(fields, to);
    fields.finish();
  }

  /// The fields of one map, one call each; `ignored` are known and not read.
  class Fields {
   public:
    Fields(Decoder& decoder, const std::string& path, const Node& node)
        : decoder_(decoder), path_(path), node_(node) {}

    template <class M>
    void operator()(std::string_view name, M& to) {
      if (const Node* found = take(name)) decoder_.value(inner(name), *found, to);
    }
    /// The field's value, nullptr where there is none (or null).
    const Node* take(std::string_view name);
    void ignore(std::string_view name) { names_.push_back(name); }
    /// Warns of every field that no call named.
    void finish();

   private:
    std::string inner(std::string_view name) const;
    bool same(std::string_view a, std::string_view b) const;

    Decoder& decoder_;
    const std::string& path_;
    const Node& node_;
    std::vector<std::string_view> names_;
  };

  void wrong(const std::string& path, const Node& node, std::string_view expected);

 private:
  Problems& problems_;
  Problems& warnings_;
  bool any_case_;
};

/// What an autoscaling/v1 `document` says of its metrics and behavior, put into `hpa.spec`.
/// `percentage`: its targetCPUUtilizationPercentage. Annotations that cannot be read are left
/// out with a warning, as the API server leaves them out without one.
void read_v1(const Node& document, std::optional<std::int32_t> percentage, Problems& warnings,
             HorizontalPodAutoscaler& hpa);

inline constexpr std::string_view kMetricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
inline constexpr std::string_view kBehaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";

}  // namespace headroom::policy::hpa
