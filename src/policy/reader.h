#pragma once

#include <unordered_set>

#include "policy/autoscaler.h"
#include "policy/forms.h"
#include "policy/substitution.h"
#include "policy/tree.h"

namespace headroom::policy {

/// What is scaled by where there is neither `concurrency` nor `metrics` nor a gateway: HPA v2's.
inline const Metric kDefaultMetric = {.name = "cpu", .target = {.average_utilization = 80}};

/// What is asked for where the document says nothing: Knative's defaults behind a gateway, HPA
/// v2's without one.
void fill_in(Autoscaler& autoscaler);

/// Reads one document into an Autoscaler and says everything that is wrong with it.
class Reader {
 public:
  Reader(Problems& problems, Substitution& substitution)
      : problems_(problems), substitution_(substitution) {}

  /// What could be read, as it is written: nothing is filled in.
  Autoscaler read_document(const Node& document);

 private:
  template <class T>
  class Struct;
  struct Scalar {
    std::string text;
    bool is_text = false;  // in quotes, and so no number
    std::string found;     // for people
  };

  std::optional<Scalar> scalar(const std::string& name, const Node& node);
  void wrong(const std::string& name, const Node& node, std::string_view found,
             std::string_view expected);

  std::optional<std::string> text(const std::string& name, const Node& node, const Form& form);
  template <class Number, class Kind>
  void number(const std::string& name, const Node& node, Number& to, const Kind& kind);

  template <class M, class Kind>
  void value(const std::string& name, const Node& node, std::optional<M>& to, const Kind& kind);
  template <class M, class Kind>
  void value(const std::string& name, const Node& node, M& to, const Kind& kind);
  template <class T>
  void level(const Node& node, T& to);
  /// Whether it is one, of so many; else that is said.
  bool is_list(const std::string& name, const Node& node, std::size_t min, std::size_t max);
  bool is_map_of(const std::string& name, const Node& node, std::size_t max, std::string_view of);
  template <class T>
  void levels(const std::string& name, const Node& node, std::vector<T>& to, std::size_t min,
              std::size_t max);
  void texts(const std::string& name, const Node& node, std::vector<std::string>& to,
             const Form& form, std::size_t min, std::size_t max);
  void variables(const std::string& name, const Node& node, std::map<std::string, std::string>& to,
                 std::size_t max);
  void pairs(const std::string& name, const Node& node, std::map<std::string, std::string>& to,
             std::size_t max);

  // What fields must be together. Called with the map that a struct was read from.
  template <class T>
  void check(const Node&, const T&) {}
  void check(const Node& node, const Probe& probe);
  void check(const Node& node, const Exec& exec);
  void check(const Node& node, const Process& process);
  void check(const Node& node, const Limits& limits);
  void check(const Node& node, const Concurrency& concurrency);
  void check(const Node& node, const MetricTarget& target);
  void check(const Node& node, const Metric& metric);
  void check(const Node& node, const Target& target);
  void check(const Node& node, const ScalingModifiers& modifiers);
  void check(const Node& node, const Autoscaler& autoscaler);
  void check_without_gateway(const Node& node, const Autoscaler& autoscaler);
  void check_kind_of_target(const Node& node, const Autoscaler& autoscaler);

  /// The node at the end of a path of names, or as far as it goes.
  const Node& at(const Node& node, std::initializer_list<std::string_view> path) const;
  /// Whether a problem was said with just this value, so that no other needs to be.
  bool bad(const Node& node) const { return bad_.contains(&node); }

  Problems& problems_;
  Substitution& substitution_;
  std::unordered_set<const Node*> bad_;
  bool for_replica_ = false;  // inside target.process
};

}  // namespace headroom::policy
