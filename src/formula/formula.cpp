#include "formula/formula.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "formula/checker.h"
#include "formula/machine.h"
#include "formula/optimiser.h"
#include "formula/parser.h"

namespace headroom::formula {
namespace {

struct Wrapped {
  std::string text;
  std::size_t before;  // bytes put before the formula
};

/// KEDA's castToFloatIfNecessary, to the letter: a comment at the end swallows the parenthesis.
Wrapped wrap(std::string_view formula) {
  constexpr std::string_view kLet = "let _kedaCompositeResult = ";
  if (formula.find("??") != std::string_view::npos) {
    if (formula.starts_with(kLet)) return {std::string(formula), 0};
    return {fmt::format("{}({}); _kedaCompositeResult == nil ? nil : float(_kedaCompositeResult)",
                        kLet, formula),
            kLet.size() + 1};
  }
  constexpr std::string_view kFloat = "float(";
  if (formula.starts_with(kFloat)) return {std::string(formula), 0};
  return {fmt::format("{}{})", kFloat, formula), kFloat.size()};
}

/// Line and column of byte `at` in `text`, both from 1, in characters.
std::string place(std::string_view text, std::size_t at) {
  int line = 1;
  int column = 1;
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((c & 0xc0) != 0x80) {
      ++column;
    }
  }
  return fmt::format("{}:{}", line, column);
}

/// `at` counts in what the formula was wrapped in; the wrapping itself is its nearest end.
std::string located(std::string_view formula, std::size_t before, std::size_t at,
                    std::string_view what) {
  const std::size_t inside = std::min(at - std::min(at, before), formula.size());
  return fmt::format("{}: {}", place(formula, inside), what);
}

}  // namespace

struct Formula::Program {
  std::string formula;
  std::size_t before = 0;
  std::vector<std::string> names;
  Tree tree;
};

Result<Formula> Formula::compile(std::string_view text, std::span<const std::string> names) {
  if (text.size() > kMaxText) {
    return fail({Code::invalid,
                 fmt::format("1:1: found {} bytes, expected at most {}", text.size(), kMaxText)});
  }
  const Wrapped wrapped = wrap(text);
  auto program = std::make_shared<Program>();
  program->formula = text;
  program->before = wrapped.before;
  program->names.assign(names.begin(), names.end());
  auto trouble = parse(wrapped.text, names, program->tree);
  if (!trouble) trouble = formula::check(program->tree, program->names);
  if (!trouble) trouble = optimise(program->tree);
  if (trouble) {
    return fail({Code::invalid, located(text, wrapped.before, trouble->at, trouble->what)});
  }
  return Formula(std::move(program));
}

tl::expected<Value, Failure> Formula::run(std::span<const Value> values, Circumstances when) const {
  headroom::check(values.size() == program_->names.size(), "one value for each variable");
  Workspace space(values, when);
  Machine machine(program_->tree, space);
  Datum result;
  if (!machine.run(result)) {
    return tl::unexpected(Failure{
        Failure::Why::run, located(program_->formula, program_->before, machine.at(), space.why)});
  }
  if (is_nil(result)) return Value{};
  if (const auto* number = std::get_if<double>(&result)) return Value{*number};
  return tl::unexpected(
      Failure{Failure::Why::not_float,
              fmt::format("1:1: gives {}, expected a number: float(…) around all of it",
                          kind_name(result))});
}

}  // namespace headroom::formula
