#include "formula/datum.h"

#include <array>

namespace headroom::formula {

Datum make_text(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

std::string_view kind_name(const Datum& datum) {
  constexpr std::array<std::string_view, std::variant_size_v<Datum>> kNames = {
      "nil", "a bool", "an integer", "a number", "a string", "a list", "a duration", "a time"};
  return kNames[datum.index()];
}

}  // namespace headroom::formula
