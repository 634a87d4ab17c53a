#include <algorithm>

#include <arpa/inet.h>

#include "gateway/http1_syntax.h"

namespace headroom::gateway::http1 {
namespace {

constexpr std::size_t kLongestHost = 255;  // a DNS name's most

/// RFC 3986's unreserved and sub-delims.
bool is_name_byte(char c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
         std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

bool is_ipv6(std::string_view text) {
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof copy) return false;
  std::copy(text.begin(), text.end(), copy);
  in6_addr address;
  return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, copy, &address) == 1;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) return false;
  }
  return text.size() <= 5;
}

/// uri-host [ ":" port ] of an http URI: a host is there, no user is.
bool is_authority(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return false;
    text.remove_prefix(end + 1);
    return text.empty() || (text.front() == ':' && is_port(text.substr(1)));
  }
  const std::string_view host = text.substr(0, text.find(':'));
  if (host.empty() || host.size() > kLongestHost) return false;
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (is_name_byte(host[i])) continue;
    if (host[i] != '%' || host.size() - i < 3 || !is_hex(host[i + 1]) || !is_hex(host[i + 2])) {
      return false;
    }
    i += 2;
  }
  return host.size() == text.size() || is_port(text.substr(host.size() + 1));
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS";
}

/// Whether a Via's value has `id` as one of its received-by: the second word of an element.
bool passed_by(std::string_view value, std::string_view id) {
  List list(value);
  for (std::string_view element; list.next(element);) {
    const std::size_t space = element.find_first_of(" \t");
    if (space == std::string_view::npos) continue;
    const std::string_view by = trim(element.substr(space));
    if (equal_ignoring_case(by.substr(0, by.find_first_of(" \t(")), id)) return true;
  }
  return false;
}

/// One head on its way from `in` to `out`.
class RequestReader {
 public:
  RequestReader(std::string_view in, const Limits& limits, const Peer& peer, Request& request,
                std::span<char> out)
      : at_(in.data()),
        end_(in.data() + in.size()),
        begin_(in.data()),
        limits_(limits),
        peer_(peer),
        request_(request),
        writer_(out) {}

  Outcome read() {
    if (const Outcome outcome = request_line(); stopped(outcome)) return outcome;
    if (const Outcome outcome = fields(); stopped(outcome)) return outcome;
    return finish();
  }
  std::size_t written() const { return writer_.size(); }

 private:
  Outcome empty_line();
  Outcome request_line();
  Outcome version(const char*& at, const char* stop, int& major);
  Outcome target(std::string_view target, const char* line_end);
  Outcome absolute(std::string_view target, std::size_t scheme);
  Outcome fields();
  Outcome field(const Line& line, Name name);
  Outcome host(const Line& line);
  Outcome content_length(const Line& line);
  Outcome transfer_encoding(const Line& line);
  Outcome expect(const Line& line);
  Outcome upgrade(const Line& line);
  Outcome forwarded(const Line& line, Name name);
  Outcome finish();
  void add_upgrade();
  void add_forwarding();
  void add_forwarded();

  const char* at_;
  const char* end_;
  const char* const begin_;
  const Limits& limits_;
  const Peer& peer_;
  Request& request_;
  Writer writer_;
  Options options_;
  std::string_view authority_;  // of an absolute-form target: it takes Host's place
  std::string_view upgrade_;    // the value of the first Upgrade
  std::size_t fields_begin_ = 0;
  std::size_t for_end_ = 0;  // in the output: where a trusted X-Forwarded-For ended
  bool has_host_ = false, has_length_ = false, has_coding_ = false;
  bool has_for_ = false, has_proto_ = false, has_forwarded_host_ = false, has_real_ip_ = false;
};

// RFC 9112 §2.2: one empty line before a request is skipped (old clients end a body with it).
Outcome RequestReader::empty_line() {
  if (at_ == end_) return kMore;
  if (*at_ != '\r') return kGoOn;
  if (end_ - at_ < 2) return kMore;
  if (at_[1] != '\n') return refuse(400, "bare-cr");
  at_ += 2;
  return at_ == end_ ? kMore : kGoOn;
}

Outcome RequestReader::request_line() {
  if (const Outcome outcome = empty_line(); stopped(outcome)) return outcome;
  const auto left = static_cast<std::size_t>(end_ - at_);
  const char* const stop = at_ + std::min(left, limits_.request_line + 2);
  const Outcome cut =
      left >= limits_.request_line + 2 ? refuse(414, "request-line-too-long") : kMore;

  const char* const begin = at_;
  const char* at = at_;
  while (at != stop && token_class(*at) != 0) ++at;
  if (at == stop) return cut;
  if (*at != ' ' || at == begin) return refuse(400, "bad-method");
  request_.method = {begin, static_cast<std::size_t>(at - begin)};

  const char* const target_begin = ++at;
  at = find_target_end(at, stop);
  if (at == stop) return cut;
  if (*at != ' ' || at == target_begin) return refuse(400, "bad-target");
  const std::string_view target_text(target_begin, static_cast<std::size_t>(at - target_begin));

  int major = 1;
  if (const Outcome outcome = version(++at, stop, major); stopped(outcome)) {
    return outcome.status == Status::more ? cut : outcome;
  }
  if (major != 1) return refuse(505, "unsupported-version");
  at_ = at;
  if (request_.method == "CONNECT") return refuse(501, "connect");
  if (request_.method == "TRACE") return refuse(405, "trace");
  request_.head = request_.method == "HEAD";
  request_.idempotent = is_idempotent(request_.method);
  return target(target_text, at);
}

// Byte by byte where it isn't what nearly all send: a bad one is refused as soon as it shows.
Outcome RequestReader::version(const char*& at, const char* stop, int& major) {
  if (stop - at >= 10 && std::memcmp(at, "HTTP/1.1\r\n", 10) == 0) [[likely]] {
    at += 10;
    return kGoOn;
  }
  char minor = '1';
  for (const char expected : std::string_view("HTTP/0.0\r\n")) {
    if (at == stop) return kMore;
    const char c = *at++;
    if (expected == '0') {
      if (!is_digit(c)) return refuse(400, "bad-version");
      if (at[-2] == '/') major = c - '0';
      minor = c;
    } else if (c != expected) {
      return refuse(400, c == '\n' ? "bare-lf" : "bad-version");
    }
  }
  request_.minor = minor == '0' ? 0 : 1;
  return kGoOn;
}

Outcome RequestReader::target(std::string_view target, const char* line_end) {
  const bool options = request_.method == "OPTIONS";
  const bool asterisk = options && target == "*";
  if (target.front() == '/' || asterisk) {
    request_.target = target;
    if (std::memcmp(line_end - 3, "1\r\n", 3) == 0) {
      writer_.start_run(request_.method.data(), line_end);
    } else {
      writer_.put({request_.method.data(), static_cast<std::size_t>(target.data() + target.size() -
                                                                    request_.method.data())});
      writer_.put(" HTTP/1.1\r\n");
    }
    fields_begin_ = request_.method.size() + target.size() + sizeof "  HTTP/1.1\r\n" - 1;
    return kGoOn;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      return absolute(target, scheme.size());
    }
  }
  return refuse(400, "bad-target");
}

Outcome RequestReader::absolute(std::string_view target, std::size_t scheme) {
  const std::string_view rest = target.substr(scheme);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  authority_ = rest.substr(0, end);
  const std::string_view path = rest.substr(end);
  if (!is_authority(authority_)) return refuse(400, "bad-target");
  request_.host = authority_;

  writer_.put(request_.method);
  writer_.put(" ");
  const std::size_t begin = writer_.size();
  // RFC 9112 §3.2.4: OPTIONS without path or query asks about the server as a whole.
  if (path.empty()) writer_.put(request_.method == "OPTIONS" ? "*" : "/");
  if (path.starts_with('?')) writer_.put("/");
  writer_.put(path);
  request_.target = path.starts_with('/') ? path : writer_.written().substr(begin);
  writer_.put(" HTTP/1.1\r\n");
  fields_begin_ = writer_.size();
  return kGoOn;
}

Outcome RequestReader::fields() {
  // The limit counts from the request line on, whether or not an empty line was skipped.
  const char* const head = request_.method.data();
  const auto left = static_cast<std::size_t>(end_ - head);
  const char* const stop = head + std::min(left, limits_.head);
  const Outcome cut = left >= limits_.head ? refuse(431, "head-too-large") : kMore;
  if (at_ > stop) return cut;
  Line line;
  for (std::size_t count = 0;; ++count) {
    switch (scan_field(at_, stop, line)) {
      case Found::more:
        return cut;
      case Found::bad:
        return refuse(400, line.fault);
      case Found::end:
        at_ = line.next;
        request_.head_size = static_cast<std::size_t>(at_ - begin_);
        return kGoOn;
      case Found::field:
        break;
    }
    if (count == limits_.fields) return refuse(431, "too-many-fields");
    at_ = line.next;
    const Name name = classify(line.name);
    if (name == Name::other) {
      if (is(line.name, "traceparent")) {
        request_.traceparent = request_.traceparent.empty() ? line.value : "several";
      }
      if (!line.underscore || !is_disguised(line.name)) writer_.keep(line);
    } else if (const Outcome outcome = field(line, name); stopped(outcome)) {
      return outcome;
    }
  }
}

Outcome RequestReader::field(const Line& line, Name name) {
  switch (name) {
    case Name::host:
      return host(line);
    case Name::content_length:
      return content_length(line);
    case Name::transfer_encoding:
      return transfer_encoding(line);
    case Name::expect:
      return expect(line);
    case Name::upgrade:
      return upgrade(line);
    case Name::connection: {
      const char* fault = "";
      return options_.read(line.value, true, fault) ? kGoOn : refuse(400, fault);
    }
    case Name::via:
      if (!peer_.via.empty() && passed_by(line.value, peer_.via)) return refuse(508, "loop");
      writer_.keep(line);
      return kGoOn;
    case Name::forwarded:
    case Name::x_forwarded_for:
    case Name::x_forwarded_host:
    case Name::x_forwarded_proto:
    case Name::x_real_ip:
      return forwarded(line, name);
    case Name::keep_alive:
    case Name::proxy_authenticate:
    case Name::proxy_authorization:
    case Name::proxy_connection:
    case Name::te:
      return kGoOn;  // said to this hop alone
    case Name::date:
    case Name::other:
      break;
  }
  writer_.keep(line);
  return kGoOn;
}

Outcome RequestReader::host(const Line& line) {
  if (has_host_) return refuse(400, "two-hosts");
  has_host_ = true;
  // RFC 9112 §3.2: empty where the client knows no authority, as we write it for 1.0 clients.
  if (!line.value.empty() && !is_authority(line.value)) return refuse(400, "bad-host");
  if (authority_.empty()) {
    request_.host = line.value;
    writer_.keep(line);
  } else {  // RFC 9112 §3.2.2: the target's authority wins
    writer_.rewrite({.name = line.name, .value = authority_});
  }
  return kGoOn;
}

Outcome RequestReader::content_length(const Line& line) {
  if (has_length_) return refuse(400, "two-content-lengths");
  if (has_coding_) return refuse(400, "length-and-coding");
  has_length_ = true;
  if (!read_length(line.value, request_.length)) return refuse(400, "bad-content-length");
  request_.framing = Framing::length;
  if (line.value.front() != '0' || line.value.size() == 1) {
    writer_.keep(line);
    return kGoOn;
  }
  writer_.flush();
  writer_.put("Content-Length: ");
  writer_.put_number(request_.length);
  writer_.put("\r\n");
  return kGoOn;
}

Outcome RequestReader::transfer_encoding(const Line& line) {
  if (has_coding_) return refuse(400, "two-transfer-encodings");
  if (has_length_) return refuse(400, "length-and-coding");
  // A 1.0 sender doesn't know chunks: some relay in between passed on what it didn't understand.
  if (request_.minor == 0) return refuse(400, "coding-in-1.0");
  has_coding_ = true;
  switch (read_coding(line.value)) {
    case Coding::bad:
      return refuse(400, "bad-transfer-encoding");
    case Coding::unsupported:
      return refuse(501, "unsupported-coding");
    case Coding::chunked:
      break;
  }
  request_.framing = Framing::chunked;
  writer_.rewrite({.name = "Transfer-Encoding", .value = "chunked"});
  return kGoOn;
}

Outcome RequestReader::expect(const Line& line) {
  if (!is(line.value, "100-continue")) return refuse(417, "bad-expectation");
  if (request_.minor == 0) return kGoOn;  // RFC 9110 §10.1.1: a 1.0 client's is ignored
  request_.expect_continue = true;
  writer_.keep(line);
  return kGoOn;
}

// An offer, which may be ignored: so are all after the first field, and those of 1.0 clients.
Outcome RequestReader::upgrade(const Line& line) {
  if (upgrade_.empty() && request_.minor == 1) upgrade_ = line.value;
  return kGoOn;
}

Outcome RequestReader::forwarded(const Line& line, Name name) {
  if (!peer_.trusted || line.value.empty()) return kGoOn;
  if (name == Name::x_forwarded_for) {
    has_for_ = true;
    writer_.rewrite(line);
    for_end_ = writer_.size() - 2;
    return kGoOn;
  }
  if (name == Name::x_forwarded_host) has_forwarded_host_ = true;
  if (name == Name::x_forwarded_proto) has_proto_ = true;
  if (name == Name::x_real_ip) has_real_ip_ = true;
  writer_.keep(line);
  return kGoOn;
}

Outcome RequestReader::finish() {
  if (!has_host_ && request_.minor == 1) return refuse(400, "no-host");
  writer_.flush();
  if (writer_.full()) return refuse(431, "head-too-large");
  if (for_end_ != 0 && !peer_.address.empty()) {
    writer_.insert(for_end_, peer_.address);
    writer_.insert(for_end_, ", ");
  }
  if (options_.count != 0) writer_.strip(fields_begin_, options_);
  request_.keep_alive = !options_.close && (request_.minor == 1 || options_.keep_alive);
  if (request_.framing == Framing::none ||
      (request_.framing == Framing::length && request_.length == 0)) {
    request_.expect_continue = false;  // nothing is held back
  }
  if (!has_host_) {  // what goes out is 1.1, which demands one, if need be an empty one
    writer_.rewrite({.name = "Host", .value = authority_});
  }
  if (options_.upgrade && !upgrade_.empty()) add_upgrade();
  add_forwarding();
  writer_.put(request_.minor == 1 ? "Via: 1.1 " : "Via: 1.0 ");
  writer_.put(peer_.via.empty() ? std::string_view("headroom") : peer_.via);
  writer_.put("\r\n\r\n");
  return writer_.full() ? refuse(431, "head-too-large") : kGoOn;
}

void RequestReader::add_upgrade() {
  if (!writer_.put_upgrade(upgrade_)) return;
  writer_.put("Connection: upgrade\r\n");
  request_.upgrade = true;
}

void RequestReader::add_forwarding() {
  if (!peer_.address.empty()) {
    if (!has_for_) {
      writer_.put("X-Forwarded-For: ");
      writer_.put(peer_.address);
      writer_.put("\r\n");
    }
    // With a trusted X-Forwarded-For the peer is a proxy: its address is not the client's.
    if (!has_real_ip_ && !has_for_) {
      writer_.put("X-Real-IP: ");
      writer_.put(peer_.address);
      writer_.put("\r\n");
    }
  }
  if (!has_proto_) {
    writer_.put("X-Forwarded-Proto: ");
    writer_.put(peer_.scheme);
    writer_.put("\r\n");
  }
  if (!has_forwarded_host_ && !request_.host.empty()) {
    writer_.put("X-Forwarded-Host: ");
    writer_.put(request_.host);
    writer_.put("\r\n");
  }
  if (peer_.forwarded) add_forwarded();
}

void RequestReader::add_forwarded() {
  writer_.put("Forwarded: for=");
  if (is_ipv6(peer_.address)) {
    writer_.put("\"[");
    writer_.put(peer_.address);
    writer_.put("]\"");
  } else {  // what is neither, such as a Unix socket's peer, has no name there
    const bool ipv4 = peer_.address.find_first_not_of("0123456789.") == std::string_view::npos;
    writer_.put(ipv4 && !peer_.address.empty() ? peer_.address : std::string_view("unknown"));
  }
  if (!request_.host.empty()) {
    writer_.put(";host=\"");  // quoted: of what a host may have, a token may not have all
    writer_.put(request_.host);
    writer_.put("\"");
  }
  writer_.put(";proto=");
  writer_.put(peer_.scheme);
  writer_.put("\r\n");
}

}  // namespace

Outcome read_request(std::string_view in, const Limits& limits, const Peer& peer, Request& request,
                     std::span<char> out, std::size_t& written) {
  request = Request{};
  RequestReader reader(in, limits, peer, request, out);
  const Outcome outcome = reader.read();
  written = reader.written();
  return outcome;
}

}  // namespace headroom::gateway::http1
