#include <algorithm>
#include <cstring>

#include "gateway/http1_syntax.h"

namespace headroom::gateway::http1 {
namespace {

enum State : std::uint8_t {
  kSize,       // the chunk's size, from its first digit on
  kExtension,  // up to the line's CR
  kSizeEnd,    // the LF
  kData,
  kDataCr,
  kDataLf,
  kTrailer,  // a trailer's first byte, or the end's CR
  kTrailerName,
  kTrailerSpace,  // between the colon and the value
  kTrailerValue,
  kTrailerEnd,  // the LF
  kEnd,         // the last LF
  kDone,
  kFailed,
};

constexpr std::uint8_t kMostDigits = 16;
constexpr std::uint16_t kMostExtension = 4 << 10;
constexpr std::uint64_t kMostSize = 0x7fffffffffffffff;

/// The digit's value, or -1.
int hex(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

struct Chunks::Flow {
  std::string_view in;
  std::span<char> out;
  std::size_t consumed = 0, written = 0;
};

bool Chunks::fail(const char* error) {
  state_ = kFailed;
  error_ = error;
  return false;
}

/// All of `text`, or nothing and false.
bool Chunks::write(std::string_view text, Flow& flow) {
  if (write_ == Write::data) return true;
  if (flow.out.size() - flow.written < text.size()) return false;
  std::memcpy(flow.out.data() + flow.written, text.data(), text.size());
  flow.written += text.size();
  return true;
}

Chunks::Step Chunks::feed(std::string_view in, std::span<char> out) {
  Flow flow{in, out};
  while (flow.consumed < in.size() && state_ != kDone && state_ != kFailed) {
    if (state_ == kData) {
      if (!data(flow)) break;
      continue;
    }
    const char c = in[flow.consumed];
    if (!(state_ < kTrailer ? size_byte(c, flow) : trailer_byte(c, flow))) break;
    ++flow.consumed;
  }
  return {flow.consumed, flow.written, state_ == kDone, error_};
}

bool Chunks::data(Flow& flow) {
  const std::size_t here = std::min(flow.in.size() - flow.consumed, flow.out.size() - flow.written);
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size_, here));
  if (count == 0) return false;
  std::memcpy(flow.out.data() + flow.written, flow.in.data() + flow.consumed, count);
  flow.consumed += count;
  flow.written += count;
  size_ -= count;
  if (size_ == 0) state_ = kDataCr;
  return true;
}

/// A byte around the data. False: not taken, for lack of room or because it is wrong.
bool Chunks::size_byte(char c, Flow& flow) {
  switch (state_) {
    case kSize: {
      const int digit = hex(c);
      if (digit < 0) {
        if (digits_ == 0 || (c != ';' && c != '\r')) return fail("bad-chunk-size");
        state_ = kExtension;
        return extension_byte(c);
      }
      if (++digits_ > kMostDigits) return fail("bad-chunk-size");
      size_ = size_ << 4 | static_cast<std::uint64_t>(digit);
      return size_ <= kMostSize || fail("bad-chunk-size");
    }
    case kExtension:
      return extension_byte(c);
    case kSizeEnd:
      return c == '\n' ? end_size_line(flow) : fail("bad-chunk-size");
    case kDataCr:
      if (c != '\r') return fail("bad-chunk-end");
      state_ = kDataLf;
      return true;
    default:  // kDataLf
      if (c != '\n') return fail("bad-chunk-end");
      if (!write("\r\n", flow)) return false;
      state_ = kSize;
      return true;
  }
}

bool Chunks::extension_byte(char c) {
  if (c == '\r') {
    state_ = kSizeEnd;
    return true;
  }
  if (is_control(c)) return fail("bad-chunk-extension");
  return ++extension_bytes_ <= kMostExtension || fail("chunk-extensions-too-large");
}

bool Chunks::end_size_line(Flow& flow) {
  char line[kMostDigits + 2];
  char* at = line + sizeof line;
  *--at = '\n';
  *--at = '\r';
  std::uint64_t left = size_;
  do {
    *--at = "0123456789abcdef"[left & 15];
    left >>= 4;
  } while (left != 0);
  if (!write({at, static_cast<std::size_t>(line + sizeof line - at)}, flow)) return false;
  state_ = size_ == 0 ? kTrailer : kData;
  digits_ = 0;
  return true;
}

bool Chunks::trailer_byte(char c, Flow& flow) {
  constexpr Limits kLimits;
  if (trailer_bytes_ == kLimits.head) return fail("trailers-too-large");
  bool taken = false;
  switch (state_) {
    case kTrailer:
      if (c == '\r') {
        state_ = kEnd;
        dropped_ = false;
        taken = true;
        break;
      }
      if (fields_ == kLimits.fields) return fail("too-many-trailers");
      if (token_class(c) == 0) return fail("bad-trailer");
      ++fields_;
      name_size_ = 0;
      spaces_ = 0;
      dropped_ = false;
      state_ = kTrailerName;
      [[fallthrough]];
    case kTrailerName:
      taken = trailer_name_byte(c, flow);
      break;
    case kTrailerSpace:
    case kTrailerValue:
      taken = trailer_value_byte(c, flow);
      break;
    default:  // kTrailerEnd, kEnd
      if (c != '\n') return fail("bad-trailer");
      taken = dropped_ || write("\r\n", flow);
      if (taken) state_ = state_ == kEnd ? kDone : kTrailer;
      break;
  }
  if (taken) ++trailer_bytes_;
  return taken;
}

// The name is held back until it is known whether it may pass: to its end, or longer than any
// that may not.
bool Chunks::trailer_name_byte(char c, Flow& flow) {
  static_assert(sizeof name_ > kLongestBarred && sizeof name_ < 0xff);
  constexpr std::uint8_t kPassed = 0xff;  // the first bytes were written
  if (c == ':') {
    if (name_size_ != kPassed) {
      const std::string_view name(name_, name_size_);
      if (!(dropped_ = is_barred_from_trailers(name)) && !write(name, flow)) return false;
      name_size_ = kPassed;
    }
    if (!dropped_ && !write(":", flow)) return false;
    state_ = kTrailerSpace;
    return true;
  }
  if (token_class(c) == 0) return fail("bad-trailer");
  if (name_size_ == kPassed) return write({&c, 1}, flow);
  if (name_size_ == sizeof name_) {
    if (!write({name_, name_size_}, flow)) return false;
    name_size_ = kPassed;
    return write({&c, 1}, flow);
  }
  name_[name_size_++] = c;
  return true;
}

// Whitespace is held back, as a count, until something follows it; it goes out as spaces.
bool Chunks::trailer_value_byte(char c, Flow& flow) {
  if (c == '\r') {
    state_ = kTrailerEnd;
    return true;
  }
  if (is_control(c)) return fail("bad-trailer");
  if (dropped_) return true;
  if (state_ == kTrailerSpace) {
    if (is_space(c)) return true;
    spaces_ = 1;
    state_ = kTrailerValue;
  } else if (is_space(c)) {
    ++spaces_;
    return true;
  }
  for (; spaces_ != 0; --spaces_) {
    if (!write(" ", flow)) return false;
  }
  return write({&c, 1}, flow);
}

}  // namespace headroom::gateway::http1
