#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headroom::server {

/// A request that was read whole: at most RequestReader's bounds. What is not sent is empty.
struct Request {
  /// The target as sent, "/api/v1/decisions?limit=3"; of an absolute one what is behind its host,
  /// which is the Host's.
  std::string method, target;
  std::string host, origin, fetch_site, authorization, content_type, accept, accept_encoding,
      if_none_match, last_event_id;
  std::string body;
  bool keep_alive = true;  // the client wants to ask more on this connection
};

/// How a request came in: what it may do depends on it.
struct Door {
  bool local = false;     // over the Unix socket, by who may open it
  bool loopback = false;  // the TCP address is one
};

struct Answer {
  int status = 200;
  std::string_view type = "application/json";
  std::string body;
  std::string_view fixed;  // instead of the body: bytes that live as long as the process
  std::vector<std::pair<std::string_view, std::string>> fields = {};  // more of the head
  std::string_view cache = "no-store";
  bool close = false;  // and no other request on this connection
  /// Instead of an answer with an end: events, those after this id first (none: from now on).
  struct Stream {
    std::optional<std::int64_t> after;
  };
  std::optional<Stream> stream = {};

  std::string_view bytes() const { return fixed.empty() ? std::string_view(body) : fixed; }
};

/// {"error": what}, with the status.
Answer refusal(int status, std::string_view what);

/// The head of an answer, to the empty line; `length`: none where the end is the connection's.
std::string head_of(const Answer& answer, std::optional<std::size_t> length, bool close);

}  // namespace headroom::server
