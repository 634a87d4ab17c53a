#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "policy/describe.h"
#include "policy/fields.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

struct Json;
using Members = std::vector<std::pair<std::string, Json>>;
using Items = std::vector<Json>;

/// Just enough JSON to write: text, numbers and words as they stand, objects and arrays.
struct Json {
  std::variant<std::string, Members, Items> value;
};

/// The texts of the definition have no control characters.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (std::string_view("\"\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out + "\"";
}

Json text(std::string_view value) { return {in_quotes(value)}; }
Json word(std::string_view value) { return {std::string(value)}; }
template <class Number>
Json number(Number value) {
  return {fmt::format("{}", value)};
}

std::string dump(const Json& json, const std::string& indent = "") {
  if (const auto* plain = std::get_if<std::string>(&json.value)) return *plain;
  const auto deeper = indent + "  ";
  std::string out;
  if (const auto* members = std::get_if<Members>(&json.value)) {
    for (const auto& [name, value] : *members) {
      out += fmt::format("{}\n{}{}: {}", out.empty() ? "" : ",", deeper, in_quotes(name),
                         dump(value, deeper));
    }
    return fmt::format("{{{}\n{}}}", out, indent);
  }
  for (const auto& item : std::get<Items>(json.value)) {
    out += fmt::format("{}\n{}{}", out.empty() ? "" : ",", deeper, dump(item, deeper));
  }
  return fmt::format("[{}\n{}]", out, indent);
}

/// Any value may be, or contain, a variable of the environment.
Json or_variable(Members schema) {
  return {Members{
      {"anyOf", {Items{{std::move(schema)}, {Members{{"$ref", text("#/$defs/variable")}}}}}}}};
}

Json words(const std::string_view* list, std::size_t count) {
  Items items;
  for (std::size_t i = 0; i < count; ++i) items.push_back(text(list[i]));
  return {std::move(items)};
}

Json of(const Form& form) {
  Members schema = {{"type", {Items{text("string"), text("number"), text("boolean")}}}};
  if (form.pattern.empty()) return {std::move(schema)};
  schema = {{"type", text("string")}, {"pattern", text(form.pattern)}};
  return or_variable(std::move(schema));
}

Json of(const Whole& kind) {
  return or_variable(
      {{"type", text("integer")}, {"minimum", number(kind.min)}, {"maximum", number(kind.max)}});
}
Json of(const Seconds& kind) {
  return or_variable(
      {{"type", text("integer")}, {"minimum", number(kind.min)}, {"maximum", number(kind.max)}});
}
Json of(const Real& kind) {
  return or_variable(
      {{"type", text("number")}, {"minimum", number(kind.min)}, {"maximum", number(kind.max)}});
}
Json of_quantity() {
  return or_variable(
      {{"type", {Items{text("string"), text("number")}}},
       {"pattern",
        text("^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$")}});
}
Json of(const Bytes&) { return of_quantity(); }
Json of(const Amount&) { return of_quantity(); }
Json of(const Duration&) {
  return or_variable(
      {{"type", {Items{text("string"), text("number")}}},
       {"minimum", number(0)},
       {"pattern",
        text("^(([0-9]+[.]?[0-9]*|[.][0-9]+)(ms|s|m|h|d))+$|^([0-9]+[.]?[0-9]*|[.][0-9]+)$")}});
}
Json of(const Flag&) { return or_variable({{"type", text("boolean")}}); }
Json of(const Text& kind) { return of(kind.form); }
Json of(const Texts& kind) {
  return {Members{{"type", text("array")},
                  {"items", of(kind.form)},
                  {"minItems", number(kind.min)},
                  {"maxItems", number(kind.max)}}};
}
Json of(const Variables& kind) {
  return {Members{{"type", text("object")},
                  {"propertyNames", {Members{{"pattern", text(form::kVariable.pattern)}}}},
                  {"additionalProperties", of(form::kAny)},
                  {"maxProperties", number(kind.max)}}};
}

Json of(const Pairs& kind) {
  return {Members{{"type", text("object")},
                  {"additionalProperties", of(form::kAny)},
                  {"maxProperties", number(kind.max)}}};
}

/// The schema of T, or of one level of it.
template <class T>
class Schema {
 public:
  template <class M, class Kind>
  void field(std::string_view name, M T::*member, const Kind& kind, const About& about) {
    static const T kDefault{};
    Members schema = {{"description", text(description(about, kind))}};
    append(schema, schema_of<M>(kind));
    const auto standard = spelled_default(kDefault.*member, kind);
    if (!about.required && !standard.empty())
      schema.emplace_back("default", literal(standard, kind));
    add(name, std::move(schema), about);
  }
  template <class Inner>
  void level(std::string_view name, const About& about, const Inner& inner) {
    Schema deeper;
    inner(deeper);
    Members schema = {{"description", text(about.meaning)}};
    append(schema, std::move(deeper).json());
    add(name, std::move(schema), about);
  }
  void fixed(std::string_view name, std::string_view only, const About& about,
             std::initializer_list<std::string_view>) {
    add(name, {{"description", text(about.meaning)}, {"const", text(only)}}, about);
  }
  void later(std::string_view) {}
  template <class E, class... Inner>
  void one_of(std::string_view name, E T::*member, const About& about,
              const Choice<Inner>&... choices) {
    field(name, member, Word{}, about);
    const auto put = [this](const auto& each) {
      level(each.name, {each.meaning}, each.fields);
      choices_.push_back({Members{{"required", {Items{text(each.name)}}}}});
    };
    (put(choices), ...);
  }

  Json json() && {
    Members schema = {{"type", text("object")},
                      {"properties", {std::move(properties_)}},
                      {"additionalProperties", word("false")}};
    if (!required_.empty()) schema.emplace_back("required", Json{std::move(required_)});
    if (!choices_.empty()) schema.emplace_back("oneOf", Json{std::move(choices_)});
    return {std::move(schema)};
  }

 private:
  template <class Kind>
  static std::string description(const About& about, const Kind&) {
    std::string all{about.meaning};
    if (!about.otherwise.empty()) all += fmt::format(" Default: {}.", about.otherwise);
    return all;
  }

  template <class M, class Kind>
  static Json schema_of(const Kind& kind) {
    if constexpr (std::is_same_v<Kind, Word>) {
      const auto& list = kWords<held<M>>;
      return or_variable({{"enum", words(list.data(), list.size())}});
    } else if constexpr (std::is_same_v<Kind, Level>) {
      Schema<held<M>> deeper;
      Fields<held<M>>::visit(deeper);
      return std::move(deeper).json();
    } else if constexpr (std::is_same_v<Kind, Levels>) {
      return {Members{{"type", text("array")},
                      {"items", schema_of<held<M>>(Level{})},
                      {"minItems", number(kind.min)},
                      {"maxItems", number(kind.max)}}};
    } else {
      return of(kind);
    }
  }

  template <class Kind>
  static Json literal(const std::string& value, const Kind&) {
    constexpr bool kBare = std::is_same_v<Kind, Whole> || std::is_same_v<Kind, Seconds> ||
                           std::is_same_v<Kind, Real> || std::is_same_v<Kind, Flag>;
    return kBare ? word(value) : text(value);
  }

  static void append(Members& schema, Json more) {
    for (auto& member : std::get<Members>(more.value)) schema.push_back(std::move(member));
  }
  void add(std::string_view name, Members schema, const About& about) {
    properties_.emplace_back(name, Json{std::move(schema)});
    if (about.required) required_.push_back(text(name));
  }

  Members properties_;
  Items required_, choices_;
};

}  // namespace

std::string json_schema() {
  Schema<Autoscaler> schema;
  Fields<Autoscaler>::visit(schema);
  Members all = {{"$schema", text("https://json-schema.org/draft/2020-12/schema")},
                 {"$id", text("https://headroom.dev/schemas/v1alpha1/autoscaler.json")},
                 {"title", text(fmt::format("{} {}", kKind, kApiVersion))},
                 {"$defs",
                  {Members{{"variable",
                            {Members{{"description", text("A variable of Headroom's environment.")},
                                     {"type", text("string")},
                                     {"pattern", text("\\$\\([A-Za-z_][A-Za-z0-9_]*\\)")}}}}}}}};
  auto inside = std::move(schema).json();
  for (auto& member : std::get<Members>(inside.value)) all.push_back(std::move(member));
  return dump({std::move(all)}) + "\n";
}

}  // namespace headroom::policy
