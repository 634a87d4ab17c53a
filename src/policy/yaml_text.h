#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headroom::policy {

/// Lines of a YAML document.
using Lines = std::vector<std::string>;

/// `text` as a scalar that any YAML reader takes for this very text: bare where that is safe,
/// else in quotes.
std::string yaml_text(std::string_view text);

/// The lines after `first` on the first and `rest` on each other.
Lines indented(const Lines& lines, std::string_view first, std::string_view rest);

void append(Lines& lines, const Lines& more);

}  // namespace headroom::policy
