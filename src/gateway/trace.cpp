#include "gateway/trace.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/check.h"
#include "gateway/http1_syntax.h"

namespace headroom::gateway {
namespace {

constexpr std::string_view kField = "traceparent";
constexpr std::string_view kState = "tracestate";

/// -1: not a digit of lower-case hexadecimal.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    to[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

char* write_hex(std::span<const std::uint8_t> from, char* to) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const auto byte : from) {
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 15];
  }
  return to;
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](auto byte) { return byte == 0; });
}

void put(std::uint64_t number, std::uint8_t* to) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
}

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text(2 * bytes.size(), '0');
  write_hex(bytes, text.data());
  return text;
}

std::optional<TraceContext> parse_traceparent(std::string_view value) {
  if (value.size() < kTraceparentSize) return std::nullopt;
  std::uint8_t version = 0, flags = 0;
  TraceContext context;
  if (value[2] != '-' || value[35] != '-' || value[52] != '-' ||
      !read_hex(value.substr(0, 2), {&version, 1}) ||
      !read_hex(value.substr(3, 32), context.trace) ||
      !read_hex(value.substr(36, 16), context.span) ||
      !read_hex(value.substr(53, 2), {&flags, 1})) {
    return std::nullopt;
  }
  const bool longer = value.size() > kTraceparentSize;
  if (version == 0xff || (longer && (version == 0 || value[kTraceparentSize] != '-'))) {
    return std::nullopt;
  }
  if (all_zero(context.trace) || all_zero(context.span)) return std::nullopt;
  context.flags = flags;
  return context;
}

void write_traceparent(const TraceContext& context, std::span<char, kTraceparentSize> to) {
  char* at = std::copy_n("00-", 3, to.data());
  at = write_hex(context.trace, at);
  *at++ = '-';
  at = write_hex(context.span, at);
  *at++ = '-';
  write_hex({&context.flags, 1}, at);
}

std::size_t put_traceparent(std::span<char> head, std::size_t size, const TraceContext& context,
                            bool keep_state) {
  check(head.size() >= size + kTraceparentField && size >= 4, "room for a traceparent");
  char* const begin = head.data();
  const char* const end = begin + size - 2;  // before the empty line
  char* to = begin;
  for (const char* at = begin; at != end;) {
    const auto* const newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    const char* const next = newline == nullptr ? end : newline + 1;
    const std::string_view line(at, static_cast<std::size_t>(next - at));
    const auto named = [line](std::string_view name) {
      return line.size() > name.size() && line[name.size()] == ':' &&
             http1::equal_ignoring_case(line.substr(0, name.size()), name);
    };
    if (!named(kField) && (keep_state || !named(kState))) {
      std::memmove(to, at, line.size());
      to += line.size();
    }
    at = next;
  }
  to = std::ranges::copy(kField, to).out;
  to = std::copy_n(": ", 2, to);
  write_traceparent(context, std::span<char, kTraceparentSize>(to, kTraceparentSize));
  to = std::copy_n("\r\n\r\n", 4, to + kTraceparentSize);
  return static_cast<std::size_t>(to - begin);
}

void SpanRing::put(const Span& span) {
  const auto at = written_.load(std::memory_order_relaxed);
  if (at - read_.load(std::memory_order_acquire) >= kSize) {
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  spans_[at % kSize] = span;
  written_.store(at + 1, std::memory_order_release);
}

void SpanRing::take(std::vector<Span>& into, std::size_t most) {
  const auto from = read_.load(std::memory_order_relaxed);
  const auto to = std::min<std::uint64_t>(written_.load(std::memory_order_acquire), from + most);
  into.reserve(into.size() + (to - from));  // or none has left
  for (auto at = from; at < to; ++at) into.push_back(spans_[at % kSize]);
  read_.store(to, std::memory_order_release);
}

Tracer::Tracer(double ratio, std::uint64_t seed)
    : below_(static_cast<std::uint64_t>(std::clamp(ratio, 0.0, 1.0) * std::ldexp(1.0, 63))),
      state_(seed) {}

/// SplitMix64: quick, and its numbers are spread evenly. Nothing has to be secret here.
std::uint64_t Tracer::draw() {
  state_ += 0x9e3779b97f4a7c15;
  auto mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return mixed != 0 ? mixed : 1;
}

bool Tracer::begin(std::string_view traceparent, Span& span) {
  auto& context = span.context;
  if (const auto caller = traceparent.empty() ? std::nullopt : parse_traceparent(traceparent)) {
    if (!caller->sampled()) return false;
    context = *caller;
    context.flags &= 3;  // sampled, and whether the id is random: 00 and its successor know these
    span.parent = caller->span;
  } else {
    const auto low = draw();
    if (low >> 1 >= below_) return false;
    put(draw(), context.trace.data());
    put(low, context.trace.data() + 8);
    context.flags = 1;
    span.parent = {};
  }
  put(draw(), context.span.data());
  return true;
}

Tracer& Tracing::add() {
  std::random_device random;
  const std::lock_guard lock(mutex_);
  return tracers_.emplace_back(ratio_, std::uint64_t{random()} << 32 | random());
}

void Tracing::take(std::vector<Span>& into, std::size_t most_each) {
  const std::lock_guard lock(mutex_);
  for (auto& tracer : tracers_) tracer.ring.take(into, most_each);
}

std::uint64_t Tracing::dropped() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& tracer : tracers_) sum += tracer.ring.dropped();
  return sum;
}

}  // namespace headroom::gateway
