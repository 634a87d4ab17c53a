#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headroom::bench {

/// Reads one HTTP/1.1 answer, in whatever pieces it arrives; keeps what the tally wants to know.
class Answer {
 public:
  enum class Progress { more, done, bad };

  void start();
  /// All of `bytes` must belong to this answer: requests are not pipelined, so a byte too many
  /// is `bad`.
  Progress read(std::string_view bytes);
  /// The connection was closed in order: done where that ends the answer, else bad.
  Progress closed() const { return body_ == Body::until_close ? Progress::done : Progress::bad; }

  bool begun() const { return begun_; }
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  const std::string& replica() const { return replica_; }            // X-Replica
  const std::string& proxy_status() const { return proxy_status_; }  // Proxy-Status

 private:
  enum class Body { none, length, until_close, size, data, data_end, trailers };

  Progress read_body(std::string_view bytes);
  bool read_head(std::string_view head);
  bool read_field(std::string_view name, std::string_view value);
  bool read_chunk_line(std::string_view line);

  bool begun_ = false;
  bool in_head_ = true;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool has_length_ = false;
  int status_ = 0;
  Body body_ = Body::none;
  std::uint64_t left_ = 0;
  std::string partial_;  // of the head, or of a chunk's line
  std::string replica_;
  std::string proxy_status_;
};

}  // namespace headroom::bench
