#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/message.h"

namespace headroom::server {

/// Reads requests from the bytes of a connection, one after the other. Bounded: a head of 16 KiB,
/// a body of 64 KiB. A body has a length or is in chunks, without fields behind them. What is no
/// request, is ambiguous or is too long is refused; then the connection is to be closed.
class RequestReader {
 public:
  static constexpr std::size_t kMostHead = 16 << 10;
  static constexpr std::size_t kMostBody = 64 << 10;

  RequestReader();
  ~RequestReader();

  enum class State { more, whole, refused };
  /// Adds what came in (may be empty, to go on with what was left) and reads as far as it can.
  State feed(std::string_view bytes);
  /// Of State::whole: the request; the next one begins.
  Request take();
  /// Of State::refused.
  const Answer& refused() const { return refused_; }
  /// Something of a request has come that is not whole.
  bool begun() const;

 private:
  struct Parser;
  State refuse(int status, std::string_view what);
  State check_head();  // more: go on

  std::unique_ptr<Parser> parser_;
  std::string rest_;  // not read yet
  Answer refused_;
};

}  // namespace headroom::server
