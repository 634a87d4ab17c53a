#include <fmt/format.h>

#include "policy/hpa_shape.h"
#include "policy/yaml_text.h"

namespace headroom::policy::hpa {
namespace {

/// Writes what is there, each struct by its Shape.
class Writer {
 public:
  void operator()(std::string_view name, const std::string& text) {
    if (!text.empty()) put(name, yaml_text(text));
  }
  void operator()(std::string_view name, std::int32_t number) { put(name, std::to_string(number)); }
  void operator()(std::string_view name, Quantity quantity) {
    // Digits alone would be a number, which is right for a quantity, too; quotes are usual.
    put(name, fmt::format("\"{}\"", to_string(quantity)));
  }
  void operator()(std::string_view name, const std::map<std::string, std::string>& texts) {
    if (texts.empty()) return;
    lines_.push_back(fmt::format("{}:", name));
    for (const auto& [key, value] : texts) {
      lines_.push_back(fmt::format("  {}: {}", yaml_text(key), yaml_text(value)));
    }
  }
  void operator()(std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    lines_.push_back(fmt::format("{}:", name));
    for (const auto& text : texts) lines_.push_back("  - " + yaml_text(text));
  }
  template <class T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) (*this)(name, *value);
  }
  template <class T>
  void operator()(std::string_view name, const std::optional<std::vector<T>>& values) {
    if (values && values->empty()) return put(name, "[]");
    if (values) (*this)(name, *values);
  }
  template <class T>
  void operator()(std::string_view name, const std::vector<T>& values) {
    if (values.empty()) return;
    lines_.push_back(fmt::format("{}:", name));
    for (const auto& value : values) append(lines_, indented(written(value), "  - ", "    "));
  }
  template <class T>
  void operator()(std::string_view name, const T& value) {
    const auto inside = written(value);
    lines_.push_back(fmt::format("{}:{}", name, inside.empty() ? " {}" : ""));
    append(lines_, indented(inside, "  ", "  "));
  }

  Lines lines() && { return std::move(lines_); }

 private:
  void put(std::string_view name, std::string_view value) {
    lines_.push_back(fmt::format("{}: {}", name, value));
  }
  template <class T>
  static Lines written(const T& value) {
    Writer writer;
    Shape<T>::visit(writer, value);
    return std::move(writer).lines();
  }

  Lines lines_;
};

}  // namespace

std::string write(const HorizontalPodAutoscaler& hpa) {
  Writer metadata;
  metadata("name", hpa.name);
  metadata("namespace", hpa.namespace_);
  metadata("labels", hpa.labels);
  metadata("annotations", hpa.annotations);
  Lines lines = {"apiVersion: autoscaling/v2", "kind: HorizontalPodAutoscaler", "metadata:"};
  append(lines, indented(std::move(metadata).lines(), "  ", "  "));
  Writer spec;
  spec("spec", hpa.spec);
  append(lines, std::move(spec).lines());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace headroom::policy::hpa
