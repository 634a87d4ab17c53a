#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// HTTP/1 messages as bytes: pure, no socket, no allocation, no clock. A head is read in one
/// pass and written anew in the same pass, so received framing is never forwarded (RFC 9112;
/// the rules F1–F7, H1–H5 of the gateway's specification in docs/gateway.md).
namespace headroom::gateway::http1 {

enum class Framing : std::uint8_t {
  none,     // no body
  length,   // Content-Length
  chunked,  // Transfer-Encoding: chunked
  close,    // responses only: until the connection ends
};

struct Limits {
  std::size_t request_line = 8 << 10;
  std::size_t head = 32 << 10;
  std::size_t fields = 128;
};

/// How a head that was read so far stands.
enum class Status : std::uint8_t { complete, more, refused };
struct Outcome {
  Status status = Status::more;
  // Where refused: the answer's status (400, 405, 414, 417, 431, 501, 505, 508; responses: 502)
  // and a fixed word for counting and Proxy-Status, "bad-host".
  std::uint16_t code = 0;
  const char* reason = "";
};

/// What is known of the connection that a request came by.
struct Peer {
  std::string_view address;  // the client's IP, textual
  std::string_view scheme = "http";
  bool trusted = false;    // its X-Forwarded-* are kept (For is appended to)
  bool forwarded = false;  // write Forwarded (RFC 7239)
  std::string_view via;    // this instance's id, "headroom-1f3a": in a received Via: 508
};

/// A request's head. The views point into the input.
struct Request {
  std::string_view method;
  // Origin-form, as it goes out. (It points into `out` where an absolute-form had no path.)
  std::string_view target;
  std::string_view host;
  std::string_view traceparent;  // as it came; of several, no valid one
  std::uint64_t length = 0;      // Framing::length
  std::size_t head_size = 0;     // bytes of input that the head took, leading empty line included
  std::uint8_t minor = 1;        // 0 or 1
  Framing framing = Framing::none;
  bool keep_alive = true;        // what the client asked for
  bool expect_continue = false;  // and there is a body
  bool upgrade = false;          // a 1.1 request with Connection: upgrade and one that isn't h2c
  bool head = false;             // the method is HEAD
  bool idempotent = false;       // RFC 9110 §9.2.2
};

/// Reads the head at the front of `in` and writes the one for the replica to `out`.
/// `out` must hold in.size() + limits.fields + 1024 + 2 × peer.address bytes (what doesn't fit is
/// refused with 431); `written` is what was used.
/// `request` and `written` mean something only where the outcome is complete.
/// Bound: linear in `in`; at most limits.head + limits.request_line bytes are looked at.
Outcome read_request(std::string_view in, const Limits& limits, const Peer& peer, Request& request,
                     std::span<char> out, std::size_t& written);

/// What a response answers.
struct Asked {
  bool head = false;       // the method was HEAD
  bool upgrade = false;    // 101 is allowed
  std::uint8_t minor = 1;  // the client's version
  bool keep_alive = true;  // the client may keep its connection (asked for it, and we want it)
};

struct Response {
  std::uint16_t code = 0;
  std::uint64_t length = 0;
  std::size_t head_size = 0;
  Framing framing = Framing::none;       // as the replica frames it
  Framing out_framing = Framing::none;   // as the client gets it: for 1.1 close becomes chunked
  bool interim = false;                  // 1xx but 101
  bool upstream_keep_alive = true;       // the replica's connection may be used again
  bool client_keep_alive = true;         // the client's may; not where only its end ends the body
  std::uint32_t keep_alive_timeout = 0;  // seconds of the replica's "Keep-Alive: timeout=", 0: none
};

/// The same for a response. `date` is "Thu, 01 Jan 1970 00:00:00 GMT", added where lacking.
/// Refused: always 502 (F6). The head is bounded by 64 KiB and 256 fields.
/// `out` must hold in.size() + 512 bytes.
Outcome read_response(std::string_view in, const Asked& asked, std::string_view date,
                      Response& response, std::span<char> out, std::size_t& written);

/// A body in chunks, read and written anew (F3, F5). Keeps its state between calls.
class Chunks {
 public:
  enum class Write : std::uint8_t {
    chunks,  // data as chunks of our own, trailers filtered, final chunk
    data,    // the data alone (to a 1.0 client)
  };
  explicit Chunks(Write write = Write::chunks) : write_(write) {}

  struct Step {
    std::size_t consumed = 0;     // of `in`
    std::size_t written = 0;      // to `out`
    bool done = false;            // the body is complete; the rest of `in` is the next message
    const char* error = nullptr;  // a fixed word: the message is bad and can't go on
  };
  /// Takes what it can. Stops where `out` is full (call again with room), `in` is used up, the
  /// body is done, or an error is found. Progress is certain where `out` holds 64 bytes or more
  /// and `in` is not empty. Trailers: at most `Limits` of a head; extensions: at most 4 KiB.
  Step feed(std::string_view in, std::span<char> out);

 private:
  struct Flow;  // one call's input and output
  bool size_byte(char c, Flow& flow);
  bool extension_byte(char c);
  bool trailer_byte(char c, Flow& flow);
  bool trailer_name_byte(char c, Flow& flow);
  bool trailer_value_byte(char c, Flow& flow);
  bool end_size_line(Flow& flow);
  bool data(Flow& flow);
  bool fail(const char* error);
  bool write(std::string_view text, Flow& flow);

  Write write_;
  std::uint8_t state_ = 0;
  std::uint8_t digits_ = 0;            // of the size being read
  std::uint8_t name_size_ = 0;         // of the trailer's name being read
  std::uint8_t fields_ = 0;            // trailers so far
  bool dropped_ = false;               // the trailer being read is
  std::uint16_t extension_bytes_ = 0;  // of the message
  std::uint32_t trailer_bytes_ = 0;
  std::uint32_t spaces_ = 0;  // whitespace inside a trailer's value, not yet written
  std::uint64_t size_ = 0;    // of the chunk being read; then what is left of it
  const char* error_ = nullptr;
  char name_[20] = {};  // as far as it can still be one that is dropped
};

}  // namespace headroom::gateway::http1
