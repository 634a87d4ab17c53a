#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "policy/fields.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

using Json = boost::json::value;

/// A member of an object; nullptr where there is none.
const Json* find(const Json& object, std::string_view name) {
  return object.as_object().if_contains(name);
}

/// Goes along the definition and the schema at once: each field has to be in both.
template <class T>
struct Compare {
  const Json& schema;
  std::size_t& seen;
  std::size_t here = 0;

  const Json* property(std::string_view name, const About& about) {
    ++seen;
    ++here;
    const Json* properties = find(schema, "properties");
    const Json* found = properties == nullptr ? nullptr : find(*properties, name);
    EXPECT_NE(found, nullptr) << name;
    if (found == nullptr) return nullptr;
    EXPECT_NE(find(*found, "description"), nullptr) << name;
    bool required = false;
    if (const Json* list = find(schema, "required")) {
      for (const auto& item : list->as_array()) {
        required = required || item.as_string() == name;
      }
    }
    EXPECT_EQ(required, about.required) << name;
    return found;
  }

  template <class M, class Kind>
  void field(std::string_view name, M T::*, const Kind& kind, const About& about) {
    const Json* found = property(name, about);
    if (found == nullptr) return;
    if constexpr (std::is_same_v<Kind, Level>) {
      deeper(*found, static_cast<M*>(nullptr));
    } else if constexpr (std::is_same_v<Kind, Levels>) {
      ASSERT_NE(find(*found, "items"), nullptr) << name;
      deeper(*find(*found, "items"), static_cast<M*>(nullptr));
    } else {
      (void)kind;
      EXPECT_TRUE(find(*found, "anyOf") || find(*found, "type")) << name;
    }
  }
  template <class Inner>
  void level(std::string_view name, const About& about, const Inner& inner) {
    const Json* found = property(name, about);
    if (found == nullptr) return;
    Compare inside{*found, seen};
    inner(inside);
    inside.finish();
  }
  void fixed(std::string_view name, std::string_view only, const About& about,
             std::initializer_list<std::string_view>) {
    const Json* found = property(name, about);
    if (found == nullptr) return;
    ASSERT_NE(find(*found, "const"), nullptr) << name;
    EXPECT_EQ(find(*found, "const")->as_string(), only);
  }
  void later(std::string_view) {}
  template <class E, class... Inner>
  void one_of(std::string_view name, E T::*member, const About& about,
              const Choice<Inner>&... choices) {
    field(name, member, Word{}, about);
    (level(choices.name, {choices.meaning}, choices.fields), ...);
    ASSERT_NE(find(schema, "oneOf"), nullptr);
    EXPECT_EQ(find(schema, "oneOf")->as_array().size(), sizeof...(choices));
  }

  void finish() const {
    ASSERT_NE(find(schema, "properties"), nullptr);
    EXPECT_EQ(find(schema, "properties")->as_object().size(), here) << "and nothing else";
    ASSERT_NE(find(schema, "additionalProperties"), nullptr);
    EXPECT_EQ(*find(schema, "additionalProperties"), false);
  }

 private:
  template <class M>
  void deeper(const Json& inside, std::optional<M>*) {
    deeper(inside, static_cast<M*>(nullptr));
  }
  template <class M>
  void deeper(const Json& inside, std::vector<M>*) {
    deeper(inside, static_cast<M*>(nullptr));
  }
  template <class M>
  void deeper(const Json& inside, M*) {
    Compare<M> compare{inside, seen};
    Fields<M>::visit(compare);
    compare.finish();
  }
};

TEST(Schema, IsJsonAndListsEveryField) {
  const Json schema = boost::json::parse(json_schema());
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  std::size_t seen = 0;
  Compare<Autoscaler> compare{schema, seen};
  Fields<Autoscaler>::visit(compare);
  compare.finish();
  EXPECT_GT(seen, 100U) << "levels that stand in several places are counted each time";
}

TEST(Schema, SaysDefaultsWordsAndBounds) {
  const Json schema = boost::json::parse(json_schema());
  const auto at = [&schema](std::string_view path) {
    return schema.at_pointer("/properties/spec/properties/" + std::string(path));
  };
  EXPECT_EQ(at("minReplicas/default"), 1);
  EXPECT_EQ(at("minReplicas/anyOf/0/maximum"), 10'000);
  EXPECT_EQ(at("concurrency/properties/metric/anyOf/0/enum/1"), "rps");
  EXPECT_EQ(at("concurrency/properties/window/default"), "1m");
  EXPECT_EQ(find(at("maxReplicas"), "default"), nullptr) << "required";
}

/// Collects the names of all fields.
struct Names {
  std::vector<std::string> names;
  template <class T, class M, class Kind>
  void field(std::string_view name, M T::*, const Kind&, const About&) {
    names.emplace_back(name);
    if constexpr (std::is_same_v<Kind, Level> || std::is_same_v<Kind, Levels>)
      deeper(static_cast<M*>(nullptr));
  }
  template <class Inner>
  void level(std::string_view name, const About&, const Inner& inner) {
    names.emplace_back(name);
    inner(*this);
  }
  void fixed(std::string_view name, std::string_view, const About&,
             std::initializer_list<std::string_view>) {
    names.emplace_back(name);
  }
  void later(std::string_view) {}
  template <class T, class E, class... Inner>
  void one_of(std::string_view name, E T::*, const About&, const Choice<Inner>&... choices) {
    names.emplace_back(name);
    (level(choices.name, {choices.meaning}, choices.fields), ...);
  }

 private:
  template <class M>
  void deeper(std::optional<M>*) {
    Fields<M>::visit(*this);
  }
  template <class M>
  void deeper(std::vector<M>*) {
    Fields<M>::visit(*this);
  }
  template <class M>
  void deeper(M*) {
    Fields<M>::visit(*this);
  }
};

TEST(ReferencePage, HasARowForEveryField) {
  const auto page = reference_page();
  Names all;
  Fields<Autoscaler>::visit(all);
  ASSERT_GT(all.names.size(), 100U);
  for (const auto& name : all.names) {
    EXPECT_NE(page.find("| `" + name + "` |"), std::string::npos) << name;
  }
  EXPECT_EQ(page.find("\n\n\n"), std::string::npos);
  EXPECT_TRUE(page.ends_with("|\n")) << page.substr(page.size() - 100);
}

}  // namespace
}  // namespace headroom::policy
