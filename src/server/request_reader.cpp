#include "server/request_reader.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "server/fields.h"
#include "server/target_parts.h"

namespace headroom::server {
namespace {

namespace http = boost::beast::http;

constexpr unsigned kHttp11 = 11;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

}  // namespace

struct RequestReader::Parser : http::request_parser<http::string_body> {
  Parser() {
    header_limit(static_cast<std::uint32_t>(kMostHead));
    body_limit(kMostBody);
  }
  std::size_t fields() const {
    const auto& all = get().base();
    return static_cast<std::size_t>(std::distance(all.begin(), all.end()));
  }
  /// The parser joins a line to the one before it where it begins with a blank (RFC 9112, 5.2);
  /// others see a field without a value.
  bool folds(std::string_view text) {
    return std::ranges::any_of(
        text, [this](char c) { return std::exchange(last, c) == '\n' && (c == ' ' || c == '\t'); });
  }
  bool begun = false;
  char last = '\0';             // of the head, so far
  std::size_t head = 0;         // bytes of it
  std::size_t head_fields = 0;  // when it was whole: those of a trailer are put to them
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;

bool RequestReader::begun() const { return parser_->begun || !rest_.empty(); }

RequestReader::State RequestReader::refuse(int status, std::string_view what) {
  refused_ = refusal(status, what);
  refused_.close = true;
  return State::refused;
}

RequestReader::State RequestReader::feed(std::string_view bytes) {
  rest_.append(bytes);
  while (!parser_->is_done()) {
    if (rest_.empty()) return State::more;
    boost::beast::error_code error;
    const bool in_head = !parser_->is_header_done();
    const auto used = parser_->put(boost::asio::buffer(rest_), error);
    parser_->begun = parser_->begun || used > 0;
    if (in_head && parser_->folds(std::string_view(rest_).substr(0, used))) {
      return refuse(400, "a line of the head goes on in the next");
    }
    rest_.erase(0, used);
    if (error == http::error::body_limit) return refuse(413, "a body of more than 64 KiB");
    // The parser's own limit is on what it has not taken of a head.
    if (in_head) parser_->head += used;
    if (in_head && parser_->head + (parser_->is_header_done() ? 0 : rest_.size()) > kMostHead) {
      return refuse(431, "a head of more than 16 KiB");
    }
    // Before its body, which may not come, or be another request.
    if (in_head && parser_->is_header_done()) {
      parser_->head_fields = parser_->fields();
      if (check_head() == State::refused) return State::refused;
    }
    if (error == http::error::need_more) {
      // Nothing it can use grows without bound: a head by its limit, a chunk's own head by ours.
      if (rest_.size() > kMostHead) return refuse(431, "a head of more than 16 KiB");
      return State::more;
    }
    if (error == http::error::header_limit) return refuse(431, "a head of more than 16 KiB");
    if (error) return refuse(400, fmt::format("no HTTP request: {}", error.message()));
    if (used == 0) return State::more;
  }
  // They would be taken for the head's: a Host that nobody in front has seen.
  if (parser_->fields() > parser_->head_fields) return refuse(400, "fields behind the body");
  return State::whole;
}

/// What two readers could take for two different things is nobody's request.
RequestReader::State RequestReader::check_head() {
  const auto& head = parser_->get().base();
  if (head.count(http::field::expect) > 0) {
    return refuse(417, "Expect: send the body at once, it is small");
  }
  if (const auto encodings = head.count(http::field::transfer_encoding); encodings > 0) {
    if (head.count(http::field::content_length) > 0) {
      return refuse(400, "both Content-Length and Transfer-Encoding");
    }
    // Of another one the parser takes no body: that would be read as the next request.
    if (encodings > 1 || parser_->get().version() != kHttp11 ||
        !boost::beast::iequals(head[http::field::transfer_encoding], "chunked")) {
      return refuse(400, "Transfer-Encoding: expected chunked, once, and HTTP/1.1");
    }
  }
  if (!std::ranges::all_of(head[http::field::content_length], is_digit)) {
    return refuse(400, "Content-Length: expected one number");
  }
  if (head.count(http::field::host) != 1) return refuse(400, "expected one Host");
  // RFC 9112 has the target's host in force, where it has one: the two are the same, or a proxy
  // that goes by the one lets in what the other would not.
  if (const auto absolute = read_absolute(text(head.target()));
      absolute && (absolute->authority.empty() ||
                   lower(absolute->authority) != lower(text(head[http::field::host])))) {
    return refuse(400, "expected the target's host to be Host's");
  }
  for (const auto field : {http::field::authorization, http::field::origin,
                           http::field::content_type, http::field::content_length}) {
    if (head.count(field) > 1) {
      return refuse(400, fmt::format("more than one {}", text(http::to_string(field))));
    }
  }
  return State::more;
}

Request RequestReader::take() {
  auto message = parser_->release();
  const auto value = [&message](auto field) { return text(message[field]); };
  auto target = text(message.target());
  if (auto absolute = read_absolute(target)) target = std::move(absolute->rest);
  Request request{.method = text(message.method_string()),
                  .target = std::move(target),
                  .host = value(http::field::host),
                  .origin = value(http::field::origin),
                  .fetch_site = value("Sec-Fetch-Site"),
                  .authorization = value(http::field::authorization),
                  .content_type = value(http::field::content_type),
                  .accept = value(http::field::accept),
                  .accept_encoding = value(http::field::accept_encoding),
                  .if_none_match = value(http::field::if_none_match),
                  .last_event_id = value("Last-Event-ID"),
                  .body = std::move(message.body()),
                  // To an HTTP/1.0 client it would have to be said, and none of ours needs it.
                  .keep_alive = message.version() == kHttp11 && message.keep_alive()};
  parser_ = std::make_unique<Parser>();
  return request;
}

}  // namespace headroom::server
