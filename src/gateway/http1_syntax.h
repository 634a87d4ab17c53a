#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/text.h"
#include "gateway/http1.h"

/// What the readers of requests, responses and chunks share: the tables, the scan of one field
/// line, the names that mean something to a gateway, and the writer of the new head. Internal.
namespace headroom::gateway::http1 {

constexpr Outcome kGoOn{Status::complete, 0, ""};
constexpr Outcome kMore{Status::more, 0, ""};
constexpr Outcome refuse(int code, const char* reason) {
  return {Status::refused, static_cast<std::uint16_t>(code), reason};
}
inline bool stopped(const Outcome& outcome) { return outcome.status != Status::complete; }

// --- bytes -----------------------------------------------------------------------------------

constexpr std::uint8_t kUnderscore = 2;  // a token's byte that CGI takes for a hyphen

/// 0: no byte of a token (RFC 9110 §5.6.2).
constexpr std::array<std::uint8_t, 256> kToken = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = 1;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = 1;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = 1;
  for (const char c : std::string_view("!#$%&'*+-.^`|~")) table[static_cast<unsigned char>(c)] = 1;
  table[std::size_t{'_'}] = kUnderscore;
  return table;
}();

inline std::uint8_t token_class(char c) { return kToken[static_cast<unsigned char>(c)]; }
inline bool is_space(char c) { return c == ' ' || c == '\t'; }
/// A byte that no field value may have: controls but HTAB.
inline bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}
/// A byte that no request target may have: controls, space, '#', non-ASCII.
inline bool ends_target(char c) { return c <= ' ' || c == 0x7f || c == '#'; }

inline bool is_token(std::string_view text) {
  for (const char c : text) {
    if (token_class(c) == 0) return false;
  }
  return !text.empty();
}

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// The first control byte from `at` on, or `stop`.
inline const char* find_control(const char* at, const char* stop) {
#if defined(__SSE2__)
  const __m128i low = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
  for (; stop - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, low), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), control),
                                     _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at != stop && !is_control(*at)) ++at;
  return at;
}

/// The first byte from `at` on that ends a request target, or `stop`.
inline const char* find_target_end(const char* at, const char* stop) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(' '), hash = _mm_set1_epi8('#'), del = _mm_set1_epi8(0x7f);
  for (; stop - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // The comparison is signed: bytes from 0x80 on count as below the space.
    const __m128i good = _mm_cmpgt_epi8(bytes, space);
    const __m128i bad = _mm_or_si128(_mm_cmpeq_epi8(bytes, hash), _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(_mm_andnot_si128(bad, good)) ^ 0xffff;
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at != stop && static_cast<unsigned char>(*at) < 0x80 && !ends_target(*at)) ++at;
  return at;
}

template <class Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Whether `text`, of the literal's length, is the literal but for case. The literal may have
/// lower-case letters, digits and '-', the text no control bytes: then setting the bit 0x20 maps
/// upper to lower case and nothing else onto the literal.
template <std::size_t N>
bool same(const char* text, const char (&lower)[N]) {
  constexpr std::size_t kSize = N - 1;
  if constexpr (kSize >= 8) {
    constexpr std::uint64_t kCase = 0x2020202020202020;
    for (std::size_t i = 0; i + 8 <= kSize; i += 8) {
      if ((load<std::uint64_t>(text + i) | kCase) != load<std::uint64_t>(lower + i)) return false;
    }
    return (load<std::uint64_t>(text + kSize - 8) | kCase) ==
           load<std::uint64_t>(lower + kSize - 8);
  } else if constexpr (kSize >= 4) {
    constexpr std::uint32_t kCase = 0x20202020;
    return (load<std::uint32_t>(text) | kCase) == load<std::uint32_t>(lower) &&
           (load<std::uint32_t>(text + kSize - 4) | kCase) ==
               load<std::uint32_t>(lower + kSize - 4);
  } else {
    for (std::size_t i = 0; i < kSize; ++i) {
      if ((text[i] | 0x20) != lower[i]) return false;
    }
    return true;
  }
}

template <std::size_t N>
bool is(std::string_view text, const char (&lower)[N]) {
  return text.size() == N - 1 && same(text.data(), lower);
}

/// The same for any two texts.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// --- names -----------------------------------------------------------------------------------

/// The fields that mean something to a gateway.
enum class Name : std::uint8_t {
  other,
  connection,
  content_length,
  date,
  expect,
  forwarded,
  host,
  keep_alive,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  te,
  transfer_encoding,
  upgrade,
  via,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_real_ip,
};

inline Name classify(std::string_view name) {
  const char* at = name.data();
  switch (name.size()) {
    case 2:
      return same(at, "te") ? Name::te : Name::other;
    case 3:
      return same(at, "via") ? Name::via : Name::other;
    case 4:
      return same(at, "host") ? Name::host : same(at, "date") ? Name::date : Name::other;
    case 6:
      return same(at, "expect") ? Name::expect : Name::other;
    case 7:
      return same(at, "upgrade") ? Name::upgrade : Name::other;
    case 9:
      return same(at, "forwarded")   ? Name::forwarded
             : same(at, "x-real-ip") ? Name::x_real_ip
                                     : Name::other;
    case 10:
      return same(at, "connection")   ? Name::connection
             : same(at, "keep-alive") ? Name::keep_alive
                                      : Name::other;
    case 14:
      return same(at, "content-length") ? Name::content_length : Name::other;
    case 15:
      return same(at, "x-forwarded-for") ? Name::x_forwarded_for : Name::other;
    case 16:
      return same(at, "x-forwarded-host")   ? Name::x_forwarded_host
             : same(at, "proxy-connection") ? Name::proxy_connection
                                            : Name::other;
    case 17:
      return same(at, "transfer-encoding")   ? Name::transfer_encoding
             : same(at, "x-forwarded-proto") ? Name::x_forwarded_proto
                                             : Name::other;
    case 18:
      return same(at, "proxy-authenticate") ? Name::proxy_authenticate : Name::other;
    case 19:
      return same(at, "proxy-authorization") ? Name::proxy_authorization : Name::other;
    default:
      return Name::other;
  }
}

/// Whether a name is one of the above but for underscores in place of hyphens. CGI, WSGI and
/// their kin read both as one variable, so that "X_Forwarded_For" would pass for ours.
bool is_disguised(std::string_view name);

/// Whether a name may not stand in a trailer: framing, routing, credentials, what says how to
/// read the content (RFC 9110 §6.5.1), and what only this hop is told.
bool is_barred_from_trailers(std::string_view name);
constexpr std::size_t kLongestBarred = 19;  // no longer name is barred

// --- fields ----------------------------------------------------------------------------------

/// One field line of a head.
struct Line {
  std::string_view name, value;  // the value without the whitespace around it
  const char* begin = nullptr;
  const char* next = nullptr;  // after the CRLF
  const char* fault = "";      // where bad: the word for it
  bool canonical = false;      // the bytes are as we would write them
  bool underscore = false;     // in the name
};
enum class Found : std::uint8_t { field, end, more, bad };

/// Says why no field line begins at `at` whose scan for a name ended at `stopped_at`.
Found no_field(const char* at, const char* stopped_at, const char* stop, Line& line);

/// Reads the field line, or the empty line that ends the head, at `at`.
inline Found scan_field(const char* at, const char* stop, Line& line) {
  const char* colon = at;
  unsigned seen = 0;
  for (; colon != stop; ++colon) {
    const unsigned kind = token_class(*colon);
    if (kind == 0) break;
    seen |= kind;
  }
  if (colon == stop) return Found::more;
  if (*colon != ':' || colon == at) [[unlikely]]
    return no_field(at, colon, stop, line);
  const char* value = colon + 1;
  while (value != stop && is_space(*value)) ++value;
  const char* end = find_control(value, stop);
  if (end == stop) return Found::more;
  if (*end != '\r') [[unlikely]] {
    line.fault = *end == '\n' ? "bare-lf" : "control-in-value";
    return Found::bad;
  }
  if (end + 1 == stop) return Found::more;
  if (end[1] != '\n') [[unlikely]] {
    line.fault = "bare-cr";
    return Found::bad;
  }
  const char* last = end;
  while (last != value && is_space(last[-1])) --last;
  line.name = {at, static_cast<std::size_t>(colon - at)};
  line.value = {value, static_cast<std::size_t>(last - value)};
  line.begin = at;
  line.next = end + 2;
  line.underscore = (seen & kUnderscore) != 0;
  line.canonical =
      last == end && (value == last ? value == colon + 1 : value == colon + 2 && colon[1] == ' ');
  return Found::field;
}

/// The elements of a comma-separated list, trimmed, one after the other; empty ones are skipped.
class List {
 public:
  explicit List(std::string_view value) : rest_(value) {}
  bool next(std::string_view& element);

 private:
  std::string_view rest_;
};

/// A Content-Length's value: digits alone, at most 2^63 − 1.
bool read_length(std::string_view value, std::uint64_t& length);

enum class Coding : std::uint8_t { chunked, unsupported, bad };
/// A Transfer-Encoding's value: "chunked" alone, some list of codings, or no such list.
Coding read_coding(std::string_view value);

/// What the Connection fields of a head ask for.
struct Options {
  bool close = false, keep_alive = false, upgrade = false;
  std::size_t count = 0;
  std::array<std::string_view, 16> named;  // fields to remove that are not removed anyway

  /// Takes one field's value. False: the word for what is wrong is in `fault`.
  bool read(std::string_view value, bool of_request, const char*& fault);
};

// --- the new head ----------------------------------------------------------------------------

/// Writes a head into a bounded place. Lines that stay as they are form runs, copied at once.
class Writer {
 public:
  explicit Writer(std::span<char> out)
      : begin_(out.data()), at_(out.data()), end_(out.data() + out.size()) {}

  /// From `line` on the input's bytes are ours (the request line).
  void start_run(const char* begin, const char* end) { run_ = begin, run_end_ = end; }

  void keep(const Line& line) {
    if (!line.canonical) return rewrite(line);
    if (run_end_ != line.begin) {
      flush();
      run_ = line.begin;
    }
    run_end_ = line.next;
  }
  void rewrite(const Line& line) {
    flush();
    put(line.name);
    put(line.value.empty() ? std::string_view(":") : std::string_view(": "));
    put(line.value);
    put("\r\n");
  }
  void flush() {
    if (run_ == run_end_) return;
    put({run_, static_cast<std::size_t>(run_end_ - run_)});
    run_ = run_end_ = nullptr;
  }
  void put(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) [[unlikely]] {
      full_ = true;
      return;
    }
    if (text.empty()) return;  // it may point to nothing, which memcpy may not be given
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put_number(std::uint64_t number);
  /// Puts `text` where `size()` was `position` (flushed).
  void insert(std::size_t position, std::string_view text);
  /// Removes the fields that `options` names, from the first one on at `position` (flushed).
  void strip(std::size_t position, const Options& options);
  /// The Upgrade's protocols but h2c, as a field; false and nothing where none is left.
  bool put_upgrade(std::string_view value);

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view written() const { return {begin_, size()}; }
  bool full() const { return full_; }

 private:
  char* begin_;
  char* at_;
  char* end_;
  const char* run_ = nullptr;
  const char* run_end_ = nullptr;
  bool full_ = false;
};

}  // namespace headroom::gateway::http1
