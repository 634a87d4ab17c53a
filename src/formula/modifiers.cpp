#include "formula/modifiers.h"

#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::formula {
namespace {

auto refuse(std::string what) { return fail({Code::invalid, std::move(what)}); }

}  // namespace

std::optional<Quantity> to_thousandths(double value) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  const double thousandths = value * 1000;
  // Written so that NaN fails, too.
  if (!(thousandths >= -kTwoTo63 && thousandths < kTwoTo63)) return std::nullopt;
  return Quantity{static_cast<std::int64_t>(thousandths)};
}

Result<Modifiers> Modifiers::load(const ModifiersText& text, std::span<const std::string> names,
                                  Circumstances when) {
  if (text.formula.empty()) return refuse("formula: found nothing, expected a formula");
  if (text.target.empty()) return refuse("target: found nothing, expected a number above 0");
  auto formula = Formula::compile(text.formula, names);
  if (!formula) return refuse("formula: " + formula.error().what);
  when.rehearsal = true;
  const auto rehearsal = formula->run(std::vector<Value>(names.size(), -1.0), when);
  // What is no number is let through, as upstream lets it: it fails when it is run.
  if (!rehearsal && rehearsal.error().why == Failure::Why::run) {
    return refuse(fmt::format("formula: {} (in the trial run with -1 for every trigger)",
                              rehearsal.error().what));
  }
  Modifiers modifiers(std::move(*formula));
  const auto target = read_go_float(text.target);
  if (!target || !std::isfinite(*target) || *target <= 0) {
    return refuse(
        fmt::format("target: found \"{}\", expected a number above 0", printable(text.target, 40)));
  }
  modifiers.target_ = *target;
  if (!text.activation_target.empty()) {
    const auto activation = read_go_float(text.activation_target);
    if (!activation || !std::isfinite(*activation)) {
      return refuse(fmt::format("activationTarget: found \"{}\", expected a number",
                                printable(text.activation_target, 40)));
    }
    modifiers.activation_target_ = *activation;
  }
  modifiers.by_value_ = text.metric_type == "Value";
  if (!modifiers.by_value_ && !text.metric_type.empty() && text.metric_type != "AverageValue") {
    return refuse(fmt::format("metricType: found \"{}\", expected AverageValue or Value",
                              printable(text.metric_type, 40)));
  }
  return modifiers;
}

Quantity Modifiers::target_milli() const {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return to_thousandths(target_).value_or(Quantity{kMost});
}

tl::expected<Composite, Failure> Modifiers::composite(std::span<const Value> values,
                                                      std::optional<std::int32_t> fallback_replicas,
                                                      Circumstances when) const {
  const auto result = formula_.run(values, when);
  if (!result) return tl::unexpected(result.error());
  Composite composite;
  double value = result->value_or(0);
  if (!*result) {
    if (!fallback_replicas) {
      return tl::unexpected(
          Failure{Failure::Why::nil, "the formula gives nil, and there is no fallback"});
    }
    composite.from_fallback = true;
    value = static_cast<double>(*fallback_replicas) * target_;
  }
  const auto thousandths = to_thousandths(value);
  if (!thousandths) {
    return tl::unexpected(
        Failure{Failure::Why::not_finite,
                fmt::format("the formula gives {}, expected a number below 9.2e15", value)});
  }
  composite.value = *thousandths;
  return composite;
}

}  // namespace headroom::formula
