#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/message.h"

namespace headroom::server {

/// Who may do what: see docs/api.md. Over the Unix socket everybody who may open it.
class Guard {
 public:
  /// `token`: empty where there is none. `hosts`: more names than localhost and the IP addresses.
  Guard(std::string token, std::vector<std::string> hosts);

  /// From now on another one.
  void set_token(std::string token) { token_ = std::move(token); }

  enum class Need {
    nothing,  // no secret, and it changes nothing: the dashboard's files, that the process answers
    read,
    change,
  };
  /// The refusal; nullopt: go on.
  std::optional<Answer> refuse(const Request& request, Door door, Need need) const;

 private:
  bool known_host(std::string_view host) const;
  bool has_token(std::string_view authorization) const;

  std::string token_;
  std::vector<std::string> hosts_;
};

/// The first line of the file. Errors: invalid (not readable, fewer than 16 characters, or some
/// that a header cannot carry).
Result<std::string> read_token(const std::string& file);

}  // namespace headroom::server
