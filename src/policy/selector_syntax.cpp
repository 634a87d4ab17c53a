#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/names.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy {
namespace {

bool is_name(std::string_view text) { return text.size() <= 63 && is_label_name(text); }

bool is_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return is_name(text);
  const auto domain = text.substr(0, slash);
  return domain.size() <= 253 && is_dns_subdomain(domain) && is_name(text.substr(slash + 1));
}

/// A recursive descent over "key", "!key", "key op value" and "key in (a,b)", with commas between.
class SelectorReader {
 public:
  explicit SelectorReader(std::string_view text) : text_(text) { next(); }

  bool fits() {
    while (!word_.empty()) {
      if (!requirement()) return false;
      if (word_.empty()) return true;
      if (word_ != ",") return false;
      next();
      if (word_.empty() || (is_symbol(word_[0]) && word_ != "!")) return false;
    }
    return true;
  }

 private:
  static bool is_symbol(char c) {
    return std::string_view("=!(),><").find(c) != std::string_view::npos;
  }

  void next() {
    text_ = trimmed(text_);
    if (text_.empty()) {
      word_ = {};
      return;
    }
    std::size_t size = 1;
    if (is_symbol(text_[0])) {
      const bool two = text_.starts_with("==") || text_.starts_with("!=");
      if (two) size = 2;
    } else {
      const auto inside = [](char c) {
        return !is_symbol(c) && std::string_view(" \t\r\n\v\f").find(c) == std::string_view::npos;
      };
      size = static_cast<std::size_t>(std::ranges::find_if_not(text_, inside) - text_.begin());
    }
    word_ = text_.substr(0, size);
    text_.remove_prefix(size);
  }

  bool at_text() const { return !word_.empty() && !is_symbol(word_[0]); }
  bool at_end() const { return word_.empty() || word_ == ","; }

  bool requirement() {
    const bool absent = word_ == "!";
    if (absent) next();
    if (!at_text() || !is_key(word_)) return false;
    next();
    if (absent || at_end()) return at_end();
    const auto op = word_;
    next();
    if (op == "in" || op == "notin") return values();
    if (op != "=" && op != "==" && op != "!=" && op != ">" && op != "<") return false;
    if (op == ">" || op == "<") {
      const bool whole = at_text() && go_integer(word_) && is_name(word_);
      next();
      return whole;
    }
    if (at_end()) return true;  // "key=": the empty value
    const bool good = at_text() && is_name(word_);
    next();
    return good;
  }

  bool values() {
    if (word_ != "(") return false;
    next();
    if (word_ == ")") return false;  // no value at all
    bool separated = true;
    for (; word_ != ")"; next()) {
      if (word_ == ",") {
        separated = true;
      } else if (!separated || !at_text() || !is_name(word_)) {
        return false;
      } else {
        separated = false;
      }
    }
    next();
    return true;
  }

  std::string_view text_;
  std::string_view word_;
};

}  // namespace

std::optional<std::string> wrong_with_selector(std::string_view text) {
  if (SelectorReader(text).fits()) return std::nullopt;
  return fmt::format("found \"{}\", expected a label selector such as app=web,tier in (a,b)",
                     printable(text, 60));
}

}  // namespace headroom::policy
