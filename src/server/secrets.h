#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "server/wire.h"

namespace headroom::server {

/// The token and the certificate, from files that are read again while the server runs. Nothing of
/// what they hold is ever said: errors and the log name files, and what is wrong with them.
class Secrets {
 public:
  struct Files {
    std::string token;             // empty: there is no token
    std::string certificate, key;  // both or neither
  };
  /// Errors: invalid (read_token(), Tls::load(); one of the two that belong together is missing).
  static Result<Secrets> load(const Files& files);

  const std::string& token() const { return token_; }  // empty: there is none
  Tls* tls() { return tls_ ? &*tls_ : nullptr; }       // null: there is none

  /// What is new of them.
  struct Changed {
    bool token = false, tls = false;
  };
  /// Reads the files again where they are others than at the last time. What is bad is said in the
  /// log, once, and what was goes on; so does what does not lie in a file (a pipe has been read).
  /// Connections that are open keep their certificate.
  Changed reread();

 private:
  bool reread_token();
  bool reread_tls();

  Files files_;
  std::string token_;
  std::optional<Tls> tls_;
  std::string token_print_, tls_print_;  // of what was read last, good or bad
};

}  // namespace headroom::server
