#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is CLI11's
class App;
}

/// How answers are printed.
namespace headroom::cli {

/// -o/--output table, json or yaml.
void add_output_flag(CLI::App& verb, std::string& to);

/// `value` as JSON with an indent of 2, or as YAML of the same data; ends with a newline.
std::string to_json_text(const boost::json::value& value);
std::string to_yaml_text(const boost::json::value& value);

/// Prints it where `output` is json or yaml; false: it is table, and the caller's to print.
bool print_data(const std::string& output, const boost::json::value& value);

/// Each on a line of its own, as they come: for what goes on. In YAML each is a document.
void print_stream(const std::string& output, const boost::json::array& values);

/// Sends on what was printed. Throws std::system_error where it cannot be written.
void flush();

/// What decide's writer made (`json`: one value), as `output` wants it: json leaves it as it is.
/// Errors: invalid where it is over the 16 MiB of decide::parse_json.
Result<std::string> data_text(const std::string& output, std::string json);

using Row = std::vector<std::string>;
using Widths = std::vector<std::size_t>;
/// Of each column, that of its widest cell, and no less than `least` has for it.
Widths widths_of(const std::vector<Row>& rows, Widths least = {});
/// A line of such columns, two spaces apart; the last one as it is.
std::string in_columns(const Row& row, const Widths& widths);
/// All of them, each as wide as its widest cell.
std::string table(const std::vector<Row>& rows);
std::string table(const Row& heads, std::vector<Row> rows);

/// Columns on a terminal, one for each character.
std::size_t width(std::string_view text);
/// Cut to that width, with "…" where cut.
std::string fitted(std::string_view text, std::size_t columns);
/// With spaces up to that width.
std::string padded(std::string_view text, std::size_t columns);
/// In lines of that width (at least 1), broken between words where that is possible; those after
/// the first begin with `indent` spaces, or with fewer where half a line is less.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns, std::size_t indent);

/// "14:05:09", local, of milliseconds since 1970.
std::string time_of_day(std::int64_t unix_millis);
/// "12ms", "41s", "3m12s", "5h03m", "2d4h".
std::string age(double milliseconds);
/// "310", "1.2k", "3.4M"; "-" where unknown is the caller's.
std::string amount(double value);
/// "2.1ms", "950ms", "1.0s", "1m05s".
std::string latency(double milliseconds);
/// "36.2 MiB", "1.1 GiB": of bytes.
std::string memory(double bytes);

/// Whether stdout is a terminal; one that can be drawn on (TERM says so: it is not dumb); and
/// colours are wanted there (NO_COLOR is not set).
bool on_terminal();
bool on_screen();
bool colours();

}  // namespace headroom::cli
