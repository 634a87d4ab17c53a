#pragma once

#include <cstdint>

#include <CLI/CLI.hpp>

namespace headroom::cli {

/// A flag's or an argument's check: a whole number from `least` to `most`, and words for people
/// where it is none.
CLI::Validator whole_number(std::int64_t least, std::int64_t most = INT32_MAX);

}  // namespace headroom::cli
