#include "policy/changes.h"

#include <fmt/format.h>

#include "policy/describe.h"
#include "policy/fields.h"

namespace headroom::policy {
namespace {

template <class T>
class Comparer {
 public:
  Comparer(const T& before, const T& after, std::string path, std::vector<std::string>& found)
      : before_(before), after_(after), path_(std::move(path)), found_(found) {}

  template <class M, class Kind>
  void field(std::string_view name, M T::*member, const Kind& kind, const About&) {
    if (before_.*member == after_.*member) return;
    compare(path_ + std::string(name), before_.*member, after_.*member, kind);
  }
  template <class Inner>
  void level(std::string_view, const About&, const Inner& inner) {
    inner(*this);  // nobody says spec.maxReplicas
  }
  void fixed(std::string_view, std::string_view, const About&,
             std::initializer_list<std::string_view>) {}
  void later(std::string_view) {}

 private:
  template <class M, class Kind>
  void compare(const std::string& name, const std::optional<M>& before,
               const std::optional<M>& after, const Kind& kind) {
    if (before && after) return compare(name, *before, *after, kind);
    found_.push_back(fmt::format("{} {}", name, after ? "added" : "removed"));
  }

  template <class M, class Kind>
  void compare(const std::string& name, const M& before, const M& after, const Kind& kind) {
    if constexpr (std::is_same_v<Kind, Level>) {
      Comparer<M> deeper(before, after, name + ".", found_);
      Fields<M>::visit(deeper);
    } else if constexpr (!std::is_same_v<Kind, Text> && requires { spelled(before, kind); }) {
      found_.push_back(
          fmt::format("{} {} → {}", name, spelled(before, kind), spelled(after, kind)));
    } else {
      found_.push_back(name + " changed");
    }
  }

  const T& before_;
  const T& after_;
  std::string path_;
  std::vector<std::string>& found_;
};

}  // namespace

std::vector<std::string> changes(const Autoscaler& before, const Autoscaler& after) {
  std::vector<std::string> found;
  Comparer<Autoscaler> comparer(before, after, "", found);
  Fields<Autoscaler>::visit(comparer);
  return found;
}

}  // namespace headroom::policy
