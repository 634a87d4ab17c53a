#include <algorithm>
#include <charconv>

#include "gateway/http1_syntax.h"

namespace headroom::gateway::http1 {
namespace {

constexpr std::size_t kMostHead = 64 << 10;
constexpr std::size_t kMostFields = 256;

constexpr Outcome bad(const char* reason) { return refuse(502, reason); }

/// The seconds of "timeout=5, max=100"; 0 where there are none.
std::uint32_t read_timeout(std::string_view value) {
  constexpr std::string_view kTimeout = "timeout=";
  List list(value);
  for (std::string_view parameter; list.next(parameter);) {
    if (!equal_ignoring_case(parameter.substr(0, kTimeout.size()), kTimeout)) continue;
    const std::string_view digits = parameter.substr(kTimeout.size());
    std::uint32_t seconds = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (error == std::errc() && end == digits.data() + digits.size()) return seconds;
  }
  return 0;
}

class ResponseReader {
 public:
  ResponseReader(std::string_view in, const Asked& asked, std::string_view date, Response& response,
                 std::span<char> out)
      : begin_(in.data()),
        at_(in.data()),
        stop_(in.data() + std::min(in.size(), kMostHead)),
        cut_(in.size() >= kMostHead ? bad("head-too-large") : kMore),
        asked_(asked),
        date_(date),
        response_(response),
        writer_(out) {}

  Outcome read() {
    if (const Outcome outcome = status_line(); stopped(outcome)) return outcome;
    if (const Outcome outcome = fields(); stopped(outcome)) return outcome;
    return finish();
  }
  std::size_t written() const { return writer_.size(); }

 private:
  Outcome status_line();
  Outcome code();
  Outcome fields();
  Outcome field(const Line& line, Name name);
  Outcome content_length(const Line& line);
  Outcome transfer_encoding(const Line& line);
  Outcome finish();
  void frame();
  void add_connection(bool upgrade);

  bool has_no_content() const { return response_.code < 200 || response_.code == 204; }

  const char* const begin_;
  const char* at_;
  const char* const stop_;
  const Outcome cut_;
  const Asked& asked_;
  const std::string_view date_;
  Response& response_;
  Writer writer_;
  Options options_;
  std::string_view upgrade_;
  std::size_t fields_begin_ = 0;
  std::uint8_t minor_ = 1;  // the replica's
  bool has_date_ = false, has_length_ = false, has_coding_ = false;
};

Outcome ResponseReader::status_line() {
  for (const char expected : std::string_view("HTTP/1.")) {
    if (at_ == stop_) return cut_;
    if (*at_++ != expected) return bad("bad-version");
  }
  if (at_ == stop_) return cut_;
  if (!is_digit(*at_)) return bad("bad-version");
  minor_ = *at_++ == '0' ? 0 : 1;
  if (at_ == stop_) return cut_;
  if (*at_++ != ' ') return bad("bad-status-line");
  const char* const code_begin = at_;
  if (const Outcome outcome = code(); stopped(outcome)) return outcome;

  const char* const end = find_control(at_, stop_);
  if (end == stop_) return cut_;
  if (end != at_ && *at_ != ' ') return bad("bad-status-line");
  if (*end != '\r') return bad(*end == '\n' ? "bare-lf" : "control-in-reason");
  if (end + 1 == stop_) return cut_;
  if (end[1] != '\n') return bad("bare-cr");
  // RFC 9112 §4 wants the space also before an empty reason.
  writer_.put("HTTP/1.1 ");
  writer_.put({code_begin, static_cast<std::size_t>(end - code_begin)});
  writer_.put(end == at_ ? " \r\n" : "\r\n");
  at_ = end + 2;
  fields_begin_ = writer_.size();
  return kGoOn;
}

Outcome ResponseReader::code() {
  for (int i = 0; i < 3; ++i, ++at_) {
    if (at_ == stop_) return cut_;
    if (!is_digit(*at_)) return bad("bad-status");
    response_.code = static_cast<std::uint16_t>(response_.code * 10 + (*at_ - '0'));
  }
  if (response_.code < 100 || response_.code > 599) return bad("bad-status");
  if (response_.code == 101 && !asked_.upgrade) return bad("unasked-upgrade");
  response_.interim = response_.code < 200 && response_.code != 101;
  return kGoOn;
}

Outcome ResponseReader::fields() {
  Line line;
  for (std::size_t count = 0;; ++count) {
    switch (scan_field(at_, stop_, line)) {
      case Found::more:
        return cut_;
      case Found::bad:
        return bad(line.fault);
      case Found::end:
        at_ = line.next;
        response_.head_size = static_cast<std::size_t>(at_ - begin_);
        return kGoOn;
      case Found::field:
        break;
    }
    if (count == kMostFields) return bad("too-many-fields");
    at_ = line.next;
    const Name name = classify(line.name);
    if (name == Name::other) {
      writer_.keep(line);
    } else if (const Outcome outcome = field(line, name); stopped(outcome)) {
      return outcome;
    }
  }
}

Outcome ResponseReader::field(const Line& line, Name name) {
  switch (name) {
    case Name::content_length:
      return content_length(line);
    case Name::transfer_encoding:
      return transfer_encoding(line);
    case Name::connection: {
      const char* fault = "";
      return options_.read(line.value, false, fault) ? kGoOn : bad(fault);
    }
    case Name::keep_alive:
      response_.keep_alive_timeout = read_timeout(line.value);
      return kGoOn;
    case Name::upgrade:
      if (upgrade_.empty()) upgrade_ = line.value;
      return kGoOn;
    case Name::proxy_authenticate:
    case Name::proxy_authorization:
    case Name::proxy_connection:
    case Name::te:
      return kGoOn;
    case Name::date:
      has_date_ = true;
      break;
    default:
      break;
  }
  writer_.keep(line);
  return kGoOn;
}

Outcome ResponseReader::content_length(const Line& line) {
  if (has_length_) return bad("two-content-lengths");
  if (has_coding_) return bad("length-and-coding");
  has_length_ = true;
  if (!read_length(line.value, response_.length)) return bad("bad-content-length");
  if (has_no_content()) return kGoOn;  // RFC 9110 §8.6 forbids it there, and servers send it
  if (line.value.front() != '0' || line.value.size() == 1) {
    writer_.keep(line);
    return kGoOn;
  }
  writer_.flush();
  writer_.put("Content-Length: ");
  writer_.put_number(response_.length);
  writer_.put("\r\n");
  return kGoOn;
}

Outcome ResponseReader::transfer_encoding(const Line& line) {
  if (has_coding_) return bad("two-transfer-encodings");
  if (has_length_) return bad("length-and-coding");
  if (minor_ == 0) return bad("coding-in-1.0");
  has_coding_ = true;
  return read_coding(line.value) == Coding::chunked ? kGoOn : bad("bad-transfer-encoding");
}

void ResponseReader::frame() {
  const bool bodiless = asked_.head || has_no_content() || response_.code == 304;
  if (bodiless) {
    response_.framing = response_.out_framing = Framing::none;
    response_.length = 0;
  } else if (has_length_) {
    response_.framing = response_.out_framing = Framing::length;
  } else {
    response_.framing = has_coding_ ? Framing::chunked : Framing::close;
    response_.out_framing = asked_.minor == 0 ? Framing::close : Framing::chunked;
  }
  response_.upstream_keep_alive = !options_.close && (minor_ == 1 || options_.keep_alive) &&
                                  response_.framing != Framing::close && response_.code != 101;
  if (!response_.upstream_keep_alive) response_.keep_alive_timeout = 0;
  response_.client_keep_alive =
      asked_.keep_alive && response_.out_framing != Framing::close && response_.code != 101;
}

Outcome ResponseReader::finish() {
  writer_.flush();
  if (writer_.full()) return bad("head-too-large");
  if (options_.count != 0) writer_.strip(fields_begin_, options_);
  frame();
  if (!response_.interim) {
    if (!has_date_ && !date_.empty() && response_.code != 101) {
      writer_.put("Date: ");
      writer_.put(date_);
      writer_.put("\r\n");
    }
    if (response_.out_framing == Framing::chunked) writer_.put("Transfer-Encoding: chunked\r\n");
    // RFC 9110 §15.5.22: 426 says to what.
    const bool upgrade = (response_.code == 101 || response_.code == 426) && !upgrade_.empty() &&
                         writer_.put_upgrade(upgrade_);
    if (response_.code == 101 && !upgrade) return bad("upgrade-to-nothing");
    add_connection(upgrade);
  }
  writer_.put("\r\n");
  return writer_.full() ? bad("head-too-large") : kGoOn;
}

void ResponseReader::add_connection(bool upgrade) {
  if (response_.code == 101) {
    writer_.put("Connection: upgrade\r\n");
    return;
  }
  const std::string_view persistence = !response_.client_keep_alive ? "close"
                                       : asked_.minor == 0          ? "keep-alive"
                                                                    : "";
  if (persistence.empty() && !upgrade) return;
  writer_.put("Connection: ");
  if (upgrade) writer_.put(persistence.empty() ? "upgrade" : "upgrade, ");
  writer_.put(persistence);
  writer_.put("\r\n");
}

}  // namespace

Outcome read_response(std::string_view in, const Asked& asked, std::string_view date,
                      Response& response, std::span<char> out, std::size_t& written) {
  response = Response{};
  ResponseReader reader(in, asked, date, response, out);
  const Outcome outcome = reader.read();
  written = reader.written();
  return outcome;
}

}  // namespace headroom::gateway::http1
