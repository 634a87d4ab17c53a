#include "decide/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace headroom::decide {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostText = 16 << 20;
constexpr std::size_t kMostDepth = 16;

/// Builds the value as Boost's own parser does, but for doubles: Boost 1.81 reads them off by a
/// last bit at times, and a memory that comes back changed is a decision that comes out changed.
/// And but for a name that an object has twice: of that Boost keeps the last, others the first.
class ExactHandler {
 public:
  static constexpr std::size_t max_object_size = kMostText;
  static constexpr std::size_t max_array_size = kMostText;
  static constexpr std::size_t max_key_size = kMostText;
  static constexpr std::size_t max_string_size = kMostText;
  using Code = json::error_code;

  explicit ExactHandler(json::storage_ptr memory) { stack_.reset(std::move(memory)); }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return open_.emplace_back(), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_object_end(std::size_t n, Code&) {
    open_.pop_back();
    return stack_.push_object(n), true;
  }
  bool on_array_end(std::size_t n, Code&) { return stack_.push_array(n), true; }
  bool on_key_part(json::string_view s, std::size_t, Code&) {
    return name_ += s, stack_.push_chars(s), true;
  }
  bool on_key(json::string_view s, std::size_t, Code& error) {
    name_ += s;
    if (!open_.back().insert(name_).second) {
      twice_ = name_;
      error = json::error::syntax;
      return false;
    }
    name_.clear();
    return stack_.push_key(s), true;
  }
  bool on_string_part(json::string_view s, std::size_t, Code&) {
    return stack_.push_chars(s), true;
  }
  bool on_string(json::string_view s, std::size_t, Code&) { return stack_.push_string(s), true; }
  bool on_int64(std::int64_t value, json::string_view, Code&) {
    return stack_.push_int64(value), true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, Code&) {
    return stack_.push_uint64(value), true;
  }
  bool on_double(double value, json::string_view s, Code&) {
    double exact = value;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), exact);
    return stack_.push_double(error == std::errc{} ? exact : value), true;
  }
  bool on_bool(bool value, Code&) { return stack_.push_bool(value), true; }
  bool on_null(Code&) { return stack_.push_null(), true; }
  // What leaves no trace: a number that the text's end cuts off, and comments, which there are
  // none.
  struct Passed {
    bool operator()(json::string_view, Code&) const { return true; }
  };
  Passed on_number_part, on_comment_part, on_comment;

  json::value release() { return stack_.release(); }
  /// The name that an object has twice, which is an error.
  const std::optional<std::string>& twice() const { return twice_; }

 private:
  json::value_stack stack_;
  std::string name_;                         // as far as it was read
  std::vector<std::set<std::string>> open_;  // the names of the objects that we are in
  std::optional<std::string> twice_;
};

/// How many bytes the UTF-8 character at the front takes; 0 where it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool outside = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
  return overlong || outside ? 0 : length;
}

std::string shortened(const json::value& value) {
  std::string text = json::serialize(value);
  constexpr std::size_t kMost = 60;
  if (text.size() <= kMost) return text;
  std::size_t cut = kMost;
  while ((static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return text.substr(0, cut) + "…";
}

}  // namespace

void JsonWriter::write(double value) {
  if (std::isnan(value)) return text("NaN");
  if (std::isinf(value)) return text(value > 0 ? "Infinity" : "-Infinity");
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out_.append(buffer.data(), result.ptr);
}

void JsonWriter::text(std::string_view value) {
  out_ += '"';
  while (!value.empty()) {
    const std::size_t length = utf8_length(value);
    const char c = value.front();
    if (length == 0) {
      out_ += "\xEF\xBF\xBD";  // U+FFFD: what a source answered need not be text
    } else if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out_ += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out_ += value.substr(0, length);
    }
    value.remove_prefix(std::max<std::size_t>(1, length));
  }
  out_ += '"';
}

Result<json::value> parse_json(std::string_view text) {
  if (text.size() > kMostText) {
    return fail({Code::invalid,
                 fmt::format("{} bytes of JSON, expected at most {}", text.size(), kMostText)});
  }
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::basic_parser<ExactHandler> parser(options, json::storage_ptr{});
  json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (const auto& twice = parser.handler().twice()) {
    return fail({Code::invalid, fmt::format("{}: given twice", printable(*twice))});
  }
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error) {
    return fail({Code::invalid, fmt::format("not JSON: {} after {} bytes", error.message(), read)});
  }
  return parser.handler().release();
}

void JsonReader::refuse(const std::string& what) {
  error_ = Error{Code::invalid, path_ + ": " + what};
}

void JsonReader::require(bool holds, std::string_view what) {
  if (!error_ && !holds) refuse(std::string(what));
}

void JsonReader::expected(const std::string& what) {
  refuse("found " + shortened(*at_) + ", expected " + what);
}

void JsonReader::refuse_unknown() { refuse("unknown field among " + shortened(*at_)); }

void JsonReader::read(bool& value) {
  const bool* const found = at_->if_bool();
  if (found == nullptr) return expected("true or false");
  value = *found;
}

void JsonReader::read(double& value) {
  if (const double* const found = at_->if_double()) {
    value = *found;
  } else if (const auto* const whole = at_->if_int64()) {
    value = static_cast<double>(*whole);
  } else if (const auto* const large = at_->if_uint64()) {
    value = static_cast<double>(*large);
  } else if (const auto* const word = at_->if_string(); word != nullptr && *word == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (word != nullptr && *word == "Infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (word != nullptr && *word == "-Infinity") {
    value = -std::numeric_limits<double>::infinity();
  } else {
    expected("a number");
  }
}

void JsonReader::read(std::string& value) {
  const auto* const found = at_->if_string();
  if (found == nullptr) return expected("a string");
  value.assign(found->data(), found->size());
}

void JsonReader::read(std::uint64_t& value) {
  if (const auto* const found = at_->if_uint64()) {
    value = *found;
  } else if (const auto* const small = at_->if_int64(); small != nullptr && *small >= 0) {
    value = static_cast<std::uint64_t>(*small);
  } else {
    expected("a whole number of at least 0");
  }
}

void JsonReader::read(Quantity& value) {
  const auto* const found = at_->if_int64();
  if (found == nullptr) return expected("a whole number of 64 bits");
  value.milli = *found;
}

std::int64_t JsonReader::integer(std::int64_t least, std::int64_t most) {
  const auto* const found = at_->if_int64();
  if (found != nullptr && *found >= least && *found <= most) return *found;
  expected(fmt::format("a whole number from {} to {}", least, most));
  return 0;
}

}  // namespace headroom::decide
