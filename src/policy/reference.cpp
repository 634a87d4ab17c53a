#include <map>
#include <type_traits>
#include <typeindex>

#include <fmt/format.h>

#include "policy/describe.h"
#include "policy/fields.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

/// What the sections of the page share: which struct has been described where.
struct Page {
  std::string text;
  std::map<std::type_index, std::string> described;
};

std::string type_of(const Whole&) { return "whole number"; }
std::string type_of(const Bytes&) { return "quantity (bytes)"; }
std::string type_of(const Real&) { return "number"; }
std::string type_of(const Seconds&) { return "seconds"; }
std::string type_of(const Duration&) { return "duration"; }
std::string type_of(const Amount&) { return "quantity"; }
std::string type_of(const Flag&) { return "true or false"; }
std::string type_of(const Text&) { return "text"; }
std::string type_of(const Texts&) { return "list of texts"; }
std::string type_of(const Variables&) { return "texts by name"; }
std::string type_of(const Pairs&) { return "texts by name"; }
std::string type_of(const Word&) { return "word"; }
std::string type_of(const Level&) { return "fields"; }
std::string type_of(const Levels&) { return "list of fields"; }

template <class M, class Kind>
std::string bounds_of(const Kind& kind) {
  if constexpr (std::is_same_v<Kind, Texts>) {
    return fmt::format("{} to {}, each {}", kind.min, kind.max, kind.form.expected);
  } else if constexpr (std::is_same_v<Kind, Levels>) {
    return fmt::format("{} to {}", kind.min, kind.max);
  } else if constexpr (std::is_same_v<Kind, Seconds> || std::is_same_v<Kind, Whole> ||
                       std::is_same_v<Kind, Real>) {
    return fmt::format("{} to {}", kind.min, kind.max);
  } else if constexpr (std::is_same_v<Kind, Duration> || std::is_same_v<Kind, Amount>) {
    return fmt::format("{} to {}", to_string(kind.min), to_string(kind.max));
  } else if constexpr (std::is_same_v<Kind, Level> || std::is_same_v<Kind, Flag>) {
    return "";
  } else if constexpr (std::is_same_v<Kind, Text>) {
    return &kind.form == &form::kAny ? "" : expected(kind);
  } else if constexpr (std::is_same_v<Kind, Variables> || std::is_same_v<Kind, Pairs>) {
    return fmt::format("at most {}", kind.max);
  } else {
    return expected_of<M>(kind);
  }
}

/// The section of T, or of one level of it, and after it those of what is inside.
template <class T>
class Section {
 public:
  Section(Page& page, std::string path) : page_(page), path_(std::move(path)) {}

  template <class M, class Kind>
  void field(std::string_view name, M T::*member, const Kind& kind, const About& about) {
    static const T kDefault{};
    const auto standard = spelled_default(kDefault.*member, kind);
    row(name, type_of(kind), standard, bounds_of<M>(kind), about);
    if constexpr (std::is_same_v<Kind, Level> || std::is_same_v<Kind, Levels>) {
      const auto path = deeper(name) + (std::is_same_v<Kind, Levels> ? "[]" : "");
      const auto [first, is_new] = page_.described.emplace(typeid(held<M>), path);
      if (!is_new) {
        below_ += fmt::format("### {}\n\nThe same fields as `{}`.\n\n", path, first->second);
        return;
      }
      Section<held<M>> section(page_, path);
      Fields<held<M>>::visit(section);
      below_ += std::move(section).text();
    }
  }
  template <class Inner>
  void level(std::string_view name, const About& about, const Inner& inner) {
    row(name, "fields", "", "", about);
    Section section(page_, deeper(name));
    inner(section);
    below_ += std::move(section).text();
  }
  void fixed(std::string_view name, std::string_view only, const About& about,
             std::initializer_list<std::string_view>) {
    row(name, "word", about.required ? "" : only, fmt::format("`{}`", only), about);
  }
  void later(std::string_view) {}
  template <class E, class... Inner>
  void one_of(std::string_view name, E T::*member, const About& about,
              const Choice<Inner>&... choices) {
    field(name, member, Word{}, about);
    (level(choices.name, {choices.meaning, false, "none"}, choices.fields), ...);
  }

  std::string text() && {
    const auto title = path_.empty() ? "" : fmt::format("### {}\n\n", path_);
    return title + "| Field | Type | Default | Bounds | Meaning |\n|---|---|---|---|---|\n" +
           rows_ + "\n" + below_;
  }

 private:
  std::string deeper(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  }
  void row(std::string_view name, std::string_view type, std::string_view standard,
           std::string_view bounds, const About& about) {
    std::string otherwise = about.required ? "**required**" : std::string(about.otherwise);
    if (otherwise.empty() && !standard.empty()) otherwise = fmt::format("`{}`", standard);
    rows_ +=
        fmt::format("| `{}` | {} | {} | {} | {} |\n", name, type, otherwise, bounds, about.meaning);
  }

  Page& page_;
  std::string path_;
  std::string rows_, below_;
};

constexpr std::string_view kHead = R"(# Reference: Autoscaler

What an `Autoscaler` document may say, made from the same definition as the reader
(`src/policy/fields.h`). A file may hold several documents, with `---` between them, in YAML
or JSON.

- *duration*: `300ms`, `5s`, `1m30s`, `2h`, `1d`, or a bare number of seconds.
- *quantity*: as in Kubernetes: `250m`, `2`, `1.5`, `512Mi`.
- `$(NAME)` anywhere in a value is taken from Headroom's environment when the file is read.
  `$$(NAME)` is a literal `$(NAME)`. Inside `spec.target.process` each replica gets its own
  `$(PORT)` and `$(SOCKET)`.

)";

}  // namespace

std::string reference_page() {
  Page page;
  Section<Autoscaler> section(page, "");
  Fields<Autoscaler>::visit(section);
  auto text = std::string(kHead) + std::move(section).text();
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace headroom::policy
