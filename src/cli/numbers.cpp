#include "cli/numbers.h"

#include <charconv>
#include <string>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::cli {

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  const auto complaint = [least, most](const std::string& text) -> std::string {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && at == end && number >= least && number <= most) return "";
    return fmt::format("found \"{}\", expected a whole number from {} to {}", printable(text),
                       least, most);
  };
  return {complaint, ""};
}

}  // namespace headroom::cli
