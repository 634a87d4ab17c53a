#include "load/answer.h"

#include <algorithm>
#include <charconv>

#include <strings.h>

namespace headroom::bench {
namespace {

constexpr std::size_t kMaxHead = 64 << 10;
constexpr std::size_t kMaxLine = 4 << 10;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool read_number(std::string_view text, int base, std::uint64_t& value) {
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  return error == std::errc{} && end == last && value <= INT64_MAX;
}

}  // namespace

void Answer::start() {
  begun_ = chunked_ = has_length_ = false;
  in_head_ = keep_alive_ = true;
  status_ = 0;
  body_ = Body::none;
  left_ = 0;
  partial_.clear();
  replica_.clear();
  proxy_status_.clear();
}

Answer::Progress Answer::read(std::string_view bytes) {
  if (bytes.empty()) return Progress::more;
  begun_ = true;
  if (!in_head_) return read_body(bytes);
  std::string joined;
  if (!partial_.empty()) {
    joined = std::move(partial_) + std::string(bytes);
    partial_.clear();
    bytes = joined;
  }
  while (in_head_) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == bytes.npos) {
      if (bytes.size() > kMaxHead) return Progress::bad;
      partial_ = bytes;
      return Progress::more;
    }
    if (!read_head(bytes.substr(0, end + 2))) return Progress::bad;
    bytes.remove_prefix(end + 4);
    in_head_ = status_ < 200;  // an interim answer is not the answer
  }
  return read_body(bytes);
}

bool Answer::read_head(std::string_view head) {
  if (head.size() < 14 || !head.starts_with("HTTP/1.") || head[8] != ' ') return false;
  std::uint64_t status = 0;
  if (!read_number(head.substr(9, 3), 10, status) || status < 100 || status > 599) return false;
  status_ = static_cast<int>(status);
  keep_alive_ = head[7] != '0';
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto colon = head.find(':');
    if (colon >= end || colon == 0) return false;
    if (!read_field(head.substr(0, colon), trim(head.substr(colon + 1, end - colon - 1)))) {
      return false;
    }
    head.remove_prefix(end + 2);
  }
  if (chunked_ && has_length_) return false;
  const bool bodiless = status_ < 200 || status_ == 204 || status_ == 304;
  body_ = bodiless      ? Body::none
          : chunked_    ? Body::size
          : has_length_ ? Body::length
                        : Body::until_close;
  return true;
}

bool Answer::read_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 14:
      if (!same(name, "content-length")) return true;
      if (has_length_) return false;
      has_length_ = true;
      return read_number(value, 10, left_);
    case 17:
      if (!same(name, "transfer-encoding")) return true;
      chunked_ = same(value, "chunked");
      return chunked_;
    case 10:
      if (same(name, "connection") && same(value, "close")) keep_alive_ = false;
      return true;
    case 9:
      if (same(name, "x-replica")) replica_ = value.substr(0, 64);
      return true;
    case 12:
      if (same(name, "proxy-status")) proxy_status_ = value.substr(0, 120);
      return true;
    default:
      return true;
  }
}

Answer::Progress Answer::read_body(std::string_view bytes) {
  for (;;) {
    switch (body_) {
      case Body::none:
        return bytes.empty() ? Progress::done : Progress::bad;
      case Body::until_close:
        return Progress::more;
      case Body::length:
        if (bytes.size() > left_) return Progress::bad;
        left_ -= bytes.size();
        return left_ == 0 ? Progress::done : Progress::more;
      case Body::data: {
        const auto taken = std::min<std::uint64_t>(left_, bytes.size());
        bytes.remove_prefix(taken);
        left_ -= taken;
        if (left_ > 0) return Progress::more;
        body_ = Body::data_end;
        break;
      }
      case Body::size:
      case Body::data_end:
      case Body::trailers: {
        const auto end = bytes.find('\n');
        partial_ += bytes.substr(0, end == bytes.npos ? end : end + 1);
        if (partial_.size() > kMaxLine) return Progress::bad;
        if (end == bytes.npos) return Progress::more;
        bytes.remove_prefix(end + 1);
        if (!partial_.ends_with("\r\n")) return Progress::bad;
        const std::string line = std::move(partial_);
        partial_.clear();
        if (!read_chunk_line(std::string_view(line).substr(0, line.size() - 2))) {
          return Progress::bad;
        }
        break;
      }
    }
  }
}

bool Answer::read_chunk_line(std::string_view line) {
  if (body_ == Body::data_end) {
    body_ = Body::size;
    return line.empty();
  }
  if (body_ == Body::trailers) {
    if (line.empty()) body_ = Body::none;
    return true;
  }
  if (!read_number(trim(line.substr(0, line.find(';'))), 16, left_)) return false;
  body_ = left_ == 0 ? Body::trailers : Body::data;
  return true;
}

}  // namespace headroom::bench
