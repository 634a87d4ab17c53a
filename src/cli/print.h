#pragma once

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

/// What decide's writer made (`json`: one value), as `output` wants it: json leaves it as it is.
/// Errors: invalid where it is over the 16 MiB of decide::parse_json.
Result<std::string> data_text(const std::string& output, std::string json);

using Row = std::vector<std::string>;
/// Columns of the width of their widest cell, two spaces apart; the last one as it is.
std::string table(const Row& heads, const std::vector<Row>& rows);

/// Columns on a terminal, one for each character.
std::size_t width(std::string_view text);
/// Cut to that width, with "…" where cut.
std::string fitted(std::string_view text, std::size_t columns);

/// "12ms", "41s", "3m12s", "5h03m", "2d4h".
std::string age(double milliseconds);
/// "310", "1.2k", "3.4M"; "-" where unknown is the caller's.
std::string amount(double value);
/// "36.2M", "1.1G": of bytes.
std::string memory(double bytes);

/// Whether stdout is a terminal, and colours are wanted (NO_COLOR is not set).
bool on_terminal();
bool colours();

}  // namespace headroom::cli
