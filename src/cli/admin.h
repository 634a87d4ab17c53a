#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.h"

namespace headroom::cli {

/// A running Headroom, asked over the socket beside its journal (docs/api.md).
class Admin {
 public:
  static constexpr std::chrono::seconds kPatience{10};

  /// Of `journal` where that is said; else the one that runs the autoscaler, or, without a name,
  /// the only one there is. Errors: unavailable (none answers: says what to do), invalid (several
  /// do: names them).
  static Result<Admin> find(const std::string& journal, const std::string& name);

  struct Asked;
  /// All that run, those of the newest journals first, and what they say: their state, or why they
  /// do not say it (one that hangs, another user's).
  static std::vector<Asked> ask_all();

  /// What runs there.
  Result<boost::json::value> state(std::chrono::seconds patience = kPatience) const {
    return ask("GET", "/api/v1/autoscalers", "", patience);
  }

  /// The answer's JSON. Errors: unavailable (no answer within `patience`), or what the other end
  /// says is wrong: invalid (400), conflict (409), unavailable (all other).
  Result<boost::json::value> get(const std::string& path) const { return ask("GET", path, ""); }
  Result<boost::json::value> ask(std::string_view method, const std::string& path,
                                 const std::string& body,
                                 std::chrono::seconds patience = kPatience) const;

  const std::string& journal() const { return journal_; }

 private:
  explicit Admin(std::string journal) : journal_(std::move(journal)) {}
  bool is_served() const;

  std::string journal_;
};

struct Admin::Asked {
  Admin admin;
  Result<boost::json::value> state;
};

/// What stands at a JSON pointer ("/load/rate"): "" or nothing where it is absent or null.
std::string text_at(const boost::json::value& value, std::string_view pointer);
bool true_at(const boost::json::value& value, std::string_view pointer);
std::optional<double> number_at(const boost::json::value& value, std::string_view pointer);
/// The elements of an array there.
std::vector<boost::json::value> list_at(const boost::json::value& value, std::string_view pointer);

/// For a path: a name is any text.
std::string escaped(std::string_view text);

}  // namespace headroom::cli
