#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headroom::otlp {

/// Writes JSON as it comes, into a text of its own: quicker than a tree, which nobody reads.
class Json {
 public:
  Json& begin(char bracket);  // { or [
  Json& end(char bracket);    // } or ]
  Json& key(std::string_view name);
  /// What is no UTF-8 becomes U+FFFD.
  Json& text(std::string_view value);
  Json& whole(std::int64_t value);    // a number
  Json& quoted(std::uint64_t value);  // 64-bit integers are texts in protobuf's JSON
  Json& real(double value);           // must be finite
  Json& raw(std::string_view json);

  std::string take() { return std::move(text_); }

 private:
  void separate();
  std::string text_;
  bool follows_ = false;  // something stands before it
};

}  // namespace headroom::otlp
