#include "gateway/http1_syntax.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace headroom::gateway::http1 {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view known) { return equal_ignoring_case(name, known); });
}

// Naming one of these in Connection would make the gateway take it off the request: the replica
// would frame, route, trust or trace the request differently than we did.
constexpr std::array<std::string_view, 5> kNeverNamed = {
    "authorization", "cookie", "proxy-authorization", "traceparent", "tracestate"};

bool may_not_be_named(std::string_view name, bool of_request) {
  switch (classify(name)) {
    case Name::content_length:
    case Name::transfer_encoding:
    case Name::host:
      return true;
    case Name::expect:
    case Name::forwarded:
    case Name::via:
    case Name::x_forwarded_for:
    case Name::x_forwarded_host:
    case Name::x_forwarded_proto:
    case Name::x_real_ip:
      return of_request;
    default:
      return of_request && one_of(name, kNeverNamed);
  }
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool is_disguised(std::string_view name) {
  std::array<char, kLongestBarred> plain{};
  if (name.size() > plain.size()) return false;
  std::replace_copy(name.begin(), name.end(), plain.begin(), '_', '-');
  return classify({plain.data(), name.size()}) != Name::other;
}

bool is_barred_from_trailers(std::string_view name) {
  constexpr std::array<std::string_view, 25> kBarred = {"age",
                                                        "authorization",
                                                        "cache-control",
                                                        "content-encoding",
                                                        "content-range",
                                                        "content-type",
                                                        "cookie",
                                                        "expires",
                                                        "if-match",
                                                        "if-range",
                                                        "if-modified-since",
                                                        "if-none-match",
                                                        "location",
                                                        "max-forwards",
                                                        "if-unmodified-since",
                                                        "pragma",
                                                        "range",
                                                        "retry-after",
                                                        "set-cookie",
                                                        "trailer",
                                                        "traceparent",
                                                        "tracestate",
                                                        "vary",
                                                        "warning",
                                                        "www-authenticate"};
  static_assert(std::ranges::all_of(
      kBarred, [](std::string_view barred) { return barred.size() <= kLongestBarred; }));
  return classify(name) != Name::other || is_disguised(name) || one_of(name, kBarred);
}

Found no_field(const char* at, const char* stopped_at, const char* stop, Line& line) {
  const char c = *stopped_at;
  if (stopped_at == at && c == '\r') {
    if (at + 1 == stop) return Found::more;
    if (at[1] == '\n') {
      line.next = at + 2;
      return Found::end;
    }
    line.fault = "bare-cr";
  } else if (c == '\n') {
    line.fault = "bare-lf";
  } else if (is_space(c)) {
    line.fault = stopped_at == at ? "folded-field" : "space-before-colon";
  } else {
    line.fault = c == '\r' ? "no-colon" : "bad-field-name";
  }
  return Found::bad;
}

bool List::next(std::string_view& element) {
  while (!rest_.empty()) {
    const std::size_t comma = rest_.find(',');
    element = trim(rest_.substr(0, comma));
    rest_.remove_prefix(comma == std::string_view::npos ? rest_.size() : comma + 1);
    if (!element.empty()) return true;
  }
  return false;
}

bool read_length(std::string_view value, std::uint64_t& length) {
  // from_chars takes no sign for unsigned numbers, but stops at what is no digit.
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  return error == std::errc() && end == value.data() + value.size() &&
         length <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Coding read_coding(std::string_view value) {
  if (is(value, "chunked")) return Coding::chunked;
  std::size_t codings = 0;
  bool chunked = false;
  List list(value);
  for (std::string_view coding; list.next(coding); ++codings) {
    // Nothing may follow "chunked", itself included: where the body ends would be anyone's guess.
    if (chunked || !is_token(coding)) return Coding::bad;
    chunked = is(coding, "chunked");
  }
  const bool padded = chunked && codings == 1;  // ", chunked"
  return codings == 0 || padded ? Coding::bad : Coding::unsupported;
}

bool Options::read(std::string_view value, bool of_request, const char*& fault) {
  List list(value);
  for (std::string_view option; list.next(option);) {
    if (!is_token(option)) {
      fault = "bad-connection";
      return false;
    }
    if (may_not_be_named(option, of_request)) {
      fault = "connection-names-end-to-end-field";
      return false;
    }
    if (is(option, "close")) {
      close = true;
      continue;
    }
    const Name name = classify(option);
    if (name == Name::keep_alive) keep_alive = true;
    if (name == Name::upgrade) upgrade = true;
    if (name != Name::other) continue;  // removed anyway, or (Date) not ours to lose
    if (count == named.size()) {
      fault = "too-many-connection-options";
      return false;
    }
    named[count++] = option;
  }
  return true;
}

void Writer::put_number(std::uint64_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  put({digits, static_cast<std::size_t>(end - digits)});
}

void Writer::insert(std::size_t position, std::string_view text) {
  if (static_cast<std::size_t>(end_ - at_) < text.size()) {
    full_ = true;
    return;
  }
  char* place = begin_ + position;
  std::memmove(place + text.size(), place, static_cast<std::size_t>(at_ - place));
  std::memcpy(place, text.data(), text.size());
  at_ += text.size();
}

void Writer::strip(std::size_t position, const Options& options) {
  char* to = begin_ + position;
  for (const char* from = to; from != at_;) {
    const auto left = static_cast<std::size_t>(at_ - from);
    const auto* colon = static_cast<const char*>(std::memchr(from, ':', left));
    const auto* end = static_cast<const char*>(std::memchr(from, '\n', left)) + 1;
    const std::string_view name(from, static_cast<std::size_t>(colon - from));
    const auto* last = options.named.begin() + options.count;
    const bool named = std::any_of(options.named.begin(), last, [name](std::string_view option) {
      return equal_ignoring_case(option, name);
    });
    if (!named) {
      std::memmove(to, from, static_cast<std::size_t>(end - from));
      to += end - from;
    }
    from = end;
  }
  at_ = to;
}

bool Writer::put_upgrade(std::string_view value) {
  std::string_view before = "Upgrade: ";
  List list(value);
  for (std::string_view protocol; list.next(protocol);) {
    const std::string_view name = protocol.substr(0, protocol.find('/'));
    const bool versioned = name.size() != protocol.size();
    if (!is_token(name) || (versioned && !is_token(protocol.substr(name.size() + 1)))) continue;
    if (equal_ignoring_case(name, "h2c")) continue;
    put(before);
    put(protocol);
    before = ",";  // no space: never longer than what was received
  }
  if (before != ",") return false;
  put("\r\n");
  return true;
}

}  // namespace headroom::gateway::http1
