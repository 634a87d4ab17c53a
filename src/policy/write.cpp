#include <type_traits>

#include <fmt/format.h>

#include "policy/describe.h"
#include "policy/fields.h"
#include "policy/read.h"
#include "policy/reader.h"
#include "policy/substitution.h"
#include "policy/yaml_text.h"

namespace headroom::policy {
namespace {

/// Writes the fields of T that differ from its default.
template <class T>
class Writer {
 public:
  Writer(const T& from, bool for_replica) : from_(from), for_replica_(for_replica) {}

  template <class M, class Kind>
  void field(std::string_view name, M T::*member, const Kind& kind, const About& about) {
    static const T kDefault{};
    if (about.required || from_.*member != kDefault.*member) put(name, from_.*member, kind);
  }
  template <class Inner>
  void level(std::string_view name, const About&, const Inner& inner) {
    Writer deeper(from_, for_replica_);
    inner(deeper);
    put_level(name, deeper.lines_);
  }
  void fixed(std::string_view name, std::string_view only, const About& about,
             std::initializer_list<std::string_view>) {
    if (about.required) lines_.push_back(fmt::format("{}: {}", name, only));
  }
  void later(std::string_view) {}
  template <class E, class... Inner>
  void one_of(std::string_view name, E T::*member, const About& about,
              const Choice<Inner>&... choices) {
    field(name, member, Word{}, about);
    std::size_t index = 0;
    const auto put_chosen = [&](const auto& each) {
      if (index++ == static_cast<std::size_t>(from_.*member)) level(each.name, {}, each.fields);
    };
    (put_chosen(choices), ...);
  }

  Lines lines() && { return std::move(lines_); }

 private:
  std::string text(std::string_view value) const { return yaml_text(escaped(value, for_replica_)); }

  void put_level(std::string_view name, const Lines& inside) {
    lines_.push_back(fmt::format("{}:{}", name, inside.empty() ? " {}" : ""));
    append(lines_, indented(inside, "  ", "  "));
  }

  template <class M>
  Lines written(const M& value) const {
    Writer<M> writer(value, for_replica_ || std::is_same_v<M, Process>);
    Fields<M>::visit(writer);
    return std::move(writer).lines();
  }

  template <class M, class Kind>
  void put(std::string_view name, const std::optional<M>& value, const Kind& kind) {
    put(name, value.value(), kind);  // none is the default
  }

  template <class M, class Kind>
  void put(std::string_view name, const M& value, const Kind& kind) {
    if constexpr (std::is_same_v<Kind, Level>) {
      put_level(name, written(value));
    } else if constexpr (std::is_same_v<Kind, Levels>) {
      lines_.push_back(fmt::format("{}:", name));  // none is the default
      for (const auto& item : value) append(lines_, indented(written(item), "  - ", "    "));
    } else if constexpr (std::is_same_v<Kind, Texts>) {
      put_list(name, value);
    } else if constexpr (std::is_same_v<Kind, Variables> || std::is_same_v<Kind, Pairs>) {
      Lines inside;
      for (const auto& [variable, what] : value) {
        inside.push_back(fmt::format("{}: {}", yaml_text(variable), text(what)));
      }
      put_level(name, inside);
    } else if constexpr (std::is_same_v<Kind, Text>) {
      lines_.push_back(fmt::format("{}: {}", name, text(value)));
    } else {
      lines_.push_back(fmt::format("{}: {}", name, spelled(value, kind)));
    }
  }

  void put_list(std::string_view name, const std::vector<std::string>& values) {
    constexpr std::size_t kWidth = 80;
    std::string line;
    for (const auto& value : values) line += (line.empty() ? "" : ", ") + text(value);
    if (name.size() + line.size() < kWidth) {
      lines_.push_back(fmt::format("{}: [{}]", name, line));
      return;
    }
    lines_.push_back(fmt::format("{}:", name));
    for (const auto& value : values) lines_.push_back("  - " + text(value));
  }

  const T& from_;
  bool for_replica_;
  Lines lines_;
};

}  // namespace

std::string write_document(const Autoscaler& autoscaler) {
  Autoscaler said = autoscaler;
  // What the reader would fill in need not be said.
  if (said.gateway && said.metrics.empty() && said.triggers.empty() &&
      said.concurrency == Concurrency{}) {
    said.concurrency.reset();
  }
  if (!said.gateway && said.triggers.empty() && said.metrics == std::vector{kDefaultMetric}) {
    said.metrics.clear();
  }
  Writer<Autoscaler> writer(said, false);
  Fields<Autoscaler>::visit(writer);
  return fmt::format("{}\n", fmt::join(std::move(writer).lines(), "\n"));
}

}  // namespace headroom::policy
