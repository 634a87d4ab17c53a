#include "cli/print.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"
#include "decide/json.h"
#include "policy/yaml_text.h"

namespace headroom::cli {
namespace {

/// Boost writes 14.2 as 1.42E1.
std::string scalar(const boost::json::value& value) {
  const auto* real = value.if_double();
  return real != nullptr && std::isfinite(*real) ? fmt::format("{}", *real)
                                                 : boost::json::serialize(value);
}

void write_json(const boost::json::value& value, std::size_t indent, std::string& out) {
  const std::string inner(indent + 2, ' ');
  const std::string outer(indent, ' ');
  const auto each = [&](char open, char close, const auto& container, const auto& write) {
    out += open;
    const char* between = "\n";
    for (const auto& element : container) {
      out += between + inner;
      write(element);
      between = ",\n";
    }
    out += container.empty() ? std::string(1, close) : "\n" + outer + close;
  };
  if (const auto* object = value.if_object()) {
    each('{', '}', *object, [&](const auto& member) {
      out += boost::json::serialize(boost::json::string(member.key())) + ": ";
      write_json(member.value(), indent + 2, out);
    });
  } else if (const auto* array = value.if_array()) {
    each('[', ']', *array, [&](const auto& item) { write_json(item, indent + 2, out); });
  } else {
    out += scalar(value);
  }
}

policy::Lines yaml_lines(const boost::json::value& value);

bool nests(const boost::json::value& value) {
  const auto* object = value.if_object();
  const auto* array = value.if_array();
  return (object != nullptr && !object->empty()) || (array != nullptr && !array->empty());
}

policy::Lines yaml_lines(const boost::json::value& value) {
  policy::Lines lines;
  if (!nests(value)) {
    const auto* text = value.if_string();
    return {text != nullptr ? policy::yaml_text(*text) : scalar(value)};
  }
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      const auto key = policy::yaml_text(member.key()) + ":";
      const auto inner = yaml_lines(member.value());
      if (nests(member.value())) {
        lines.push_back(key);
        policy::append(lines, policy::indented(inner, "  ", "  "));
      } else {
        policy::append(lines, policy::indented(inner, key + " ", "  "));
      }
    }
    return lines;
  }
  for (const auto& item : value.as_array()) {
    policy::append(lines, policy::indented(yaml_lines(item), "- ", "  "));
  }
  return lines;
}

}  // namespace

void add_output_flag(CLI::App& verb, std::string& to) {
  verb.add_option("-o,--output", to, "table, json or yaml; default table")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->type_name("FORMAT");
}

std::string to_json_text(const boost::json::value& value) {
  std::string out;
  write_json(value, 0, out);
  return out + "\n";
}

std::string to_yaml_text(const boost::json::value& value) {
  return fmt::format("{}\n", fmt::join(yaml_lines(value), "\n"));
}

bool print_data(const std::string& output, const boost::json::value& value) {
  if (output == "table") return false;
  fmt::print("{}", output == "json" ? to_json_text(value) : to_yaml_text(value));
  return true;
}

void print_stream(const std::string& output, const boost::json::array& values) {
  for (const auto& value : values) {
    fmt::print("{}{}\n", output == "yaml" ? "--- " : "", boost::json::serialize(value));
  }
}

void flush() {
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category());
}

Result<std::string> data_text(const std::string& output, std::string json) {
  if (output == "json") return json;
  const auto value = decide::parse_json(json);
  if (!value) return fail(value.error());
  return to_yaml_text(*value);
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (width(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t end = 0;
  for (std::size_t taken = 1; taken < columns; ++taken) {
    end += std::max<std::size_t>(1, character_bytes(text.substr(end)));
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string padded(std::string_view text, std::size_t columns) {
  std::string out(text);
  out.append(columns - std::min(columns, width(text)), ' ');
  return out;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  const std::string margin(std::min(indent, columns / 2), ' ');
  std::vector<std::string> lines;
  for (std::size_t room = columns; width(text) > room; room = columns - margin.size()) {
    std::size_t end = 0;  // of what fits
    for (std::size_t taken = 0; taken < room; ++taken) {
      end += std::max<std::size_t>(1, character_bytes(text.substr(end)));
    }
    const auto space = text.rfind(' ', end);
    const bool between = space != std::string_view::npos && space > 0;
    if (between) end = space;
    lines.push_back((lines.empty() ? "" : margin) + std::string(text.substr(0, end)));
    text.remove_prefix(between ? end + 1 : end);
  }
  lines.push_back((lines.empty() ? "" : margin) + std::string(text));
  return lines;
}

Widths widths_of(const std::vector<Row>& rows, Widths least) {
  for (const auto& row : rows) {
    least.resize(std::max(least.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) least[i] = std::max(least[i], width(row[i]));
  }
  return least;
}

std::string in_columns(const Row& row, const Widths& widths) {
  std::string line;
  for (std::size_t i = 0; i + 1 < row.size(); ++i) line += padded(row[i], widths[i]) + "  ";
  return row.empty() ? line : line + row.back();
}

std::string table(const std::vector<Row>& rows) {
  const auto widths = widths_of(rows);
  std::string out;
  for (const auto& row : rows) out += in_columns(row, widths) + "\n";
  return out;
}

std::string table(const Row& heads, std::vector<Row> rows) {
  rows.insert(rows.begin(), heads);
  return table(rows);
}

std::string time_of_day(std::int64_t unix_millis) {
  const auto time = local_time(unix_millis);
  return time.substr(time.find(' ') + 1);
}

std::string age(double milliseconds) {
  const auto ms = static_cast<std::int64_t>(std::max(0.0, milliseconds));
  const auto s = ms / 1000;
  if (s < 1) return fmt::format("{}ms", ms);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{}h", s / 86'400, s / 3600 % 24);
}

std::string amount(double value) {
  if (value >= 999'950) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 1000) return fmt::format("{:.1f}k", value / 1e3);
  if (value >= 100 || value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.1f}", value);
}

std::string latency(double milliseconds) {
  if (milliseconds < 999.5) return amount(milliseconds) + "ms";
  if (milliseconds < 59'950) return fmt::format("{:.1f}s", milliseconds / 1000);
  return age(milliseconds);
}

std::string memory(double bytes) {
  constexpr double kMega = 1024.0 * 1024.0;
  if (bytes >= 1024 * kMega) return fmt::format("{:.1f} GiB", bytes / kMega / 1024);
  return fmt::format("{:.1f} MiB", bytes / kMega);
}

bool on_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool on_screen() {
  const char* term = std::getenv("TERM");
  const std::string_view kind = term == nullptr ? "" : term;
  return on_terminal() && !kind.empty() && kind != "dumb";
}

bool colours() {
  const char* none = std::getenv("NO_COLOR");
  return on_screen() && (none == nullptr || *none == '\0');
}

}  // namespace headroom::cli
