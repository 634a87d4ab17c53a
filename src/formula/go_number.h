#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers as Go reads, writes and computes them.
namespace headroom::formula {

/// Go's strconv.ParseFloat: decimal, 0x1p3, 1_0, NaN, +Inf. nullopt: not a number, or beyond a
/// double (which Go refuses); what is too small is 0.
std::optional<double> read_go_float(std::string_view text);

/// Go's strconv.ParseInt in base 10, with a sign: nullopt where it is not an integer of 64 bits.
std::optional<std::int64_t> read_go_integer(std::string_view text);

/// Go's time.ParseDuration: "1h30m", "-1.5s", "100ms", "0". In nanoseconds.
std::optional<std::int64_t> read_duration(std::string_view text);

/// Go's %v: the shortest digits that read back, 1e+06 from a million on.
std::string go_spelling(double value);

/// Go's math.Pow, whose successive squarings differ from C's pow in the last digits.
double go_power(double base, double exponent);

/// Go's int(x) on amd64: toward zero; NaN and what does not fit give the most negative integer.
std::int64_t cut_to_integer(double value);

// Go's integers wrap around.
std::int64_t wrapping_add(std::int64_t a, std::int64_t b);
std::int64_t wrapping_subtract(std::int64_t a, std::int64_t b);
std::int64_t wrapping_multiply(std::int64_t a, std::int64_t b);

}  // namespace headroom::formula
