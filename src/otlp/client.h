#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/settings.h"

namespace headroom::otlp {

struct Reply {
  int status = 0;
  std::optional<Millis> retry_after;
  std::string body;  // at most kMostAnswer bytes
};

/// Posts to one collector, over a connection that it keeps. One thread's; each call returns
/// within its time, whatever the collector or the lookup of its name does.
class Client {
 public:
  /// Errors: invalid (the certificate file), unavailable.
  static Result<Client> make(const Settings& settings, const std::string& version);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Called every 50 ms or so while the collector is waited for; false: waiting is given up.
  using Meanwhile = std::function<bool()>;
  /// POST <endpoint's path><path>, `body` as JSON. Any status is a reply. Errors: unavailable:
  /// nobody answers, or not in Settings::timeout, or what answers is not what the certificate
  /// says, or speaks no HTTP.
  Result<Reply> post(std::string_view path, const std::string& body, const Meanwhile& meanwhile);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headroom::otlp
