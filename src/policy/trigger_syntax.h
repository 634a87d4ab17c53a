#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How the texts of KEDA's documents are read: as Go's standard library and the libraries that
/// KEDA uses read them. Linear in the text; nothing is looked up outside.
/// Source: KEDA, pkg/scalers/scalersconfig; Go, strconv, encoding/json, time;
/// k8s.io/apimachinery/pkg/labels.
namespace headroom::policy {

/// Go's strconv.ParseBool: 1 t T TRUE true True 0 f F FALSE false False.
std::optional<bool> go_bool(std::string_view text);

/// Go's strconv.ParseInt in base 10: a sign, digits, nothing else.
std::optional<std::int64_t> go_integer(std::string_view text);

/// A JSON number: "05", ".5" and "1_000" are none. Beyond a double: none.
std::optional<double> json_number(std::string_view text);

/// A JSON number that fits 64 bits and has neither a fraction nor an exponent.
std::optional<std::int64_t> json_integer(std::string_view text);

/// Go's time.ParseDuration: "1m30s", "-1.5h", "0". In nanoseconds; what does not fit: none.
std::optional<std::int64_t> go_signed_duration(std::string_view text);

/// The same, or a whole number of milliseconds; negatives: none.
std::optional<std::int64_t> go_duration(std::string_view text);

/// Without the blanks at both ends.
std::string_view trimmed(std::string_view text);

/// The pieces between the separators, trimmed; at least one.
std::vector<std::string_view> pieces(std::string_view text, char separator);

/// What is wrong with a label selector ("app in (a,b),tier!=x"), or nothing.
std::optional<std::string> wrong_with_selector(std::string_view text);

}  // namespace headroom::policy
