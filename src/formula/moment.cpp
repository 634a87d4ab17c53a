#include "formula/moment.h"

#include <algorithm>
#include <chrono>

namespace headroom::formula {
namespace {

constexpr std::int64_t kDay = 86400;

/// Reads a time's parts from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  bool accept(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<int> digits(std::size_t least, std::size_t most) {
    int value = 0;
    std::size_t count = 0;
    while (count < most && count < text_.size() && text_[count] >= '0' && text_[count] <= '9') {
      value = value * 10 + (text_[count++] - '0');
    }
    if (count < least) return std::nullopt;
    text_.remove_prefix(count);
    return value;
  }

  /// yyyy-mm-dd as days since 1970.
  std::optional<std::int64_t> date() {
    const auto year = digits(4, 4);
    if (!year || !accept('-')) return std::nullopt;
    const auto month = digits(2, 2);
    if (!month || !accept('-')) return std::nullopt;
    const auto day = digits(2, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day whole(std::chrono::year(*year),
                                            std::chrono::month(static_cast<unsigned>(*month)),
                                            std::chrono::day(static_cast<unsigned>(*day)));
    if (!whole.ok()) return std::nullopt;
    return std::chrono::sys_days(whole).time_since_epoch().count();
  }

  /// hh:mm:ss, with a fraction or without.
  std::optional<Time> clock() {
    const auto hour = digits(1, 2);
    if (!hour || *hour > 23 || !accept(':')) return std::nullopt;
    const auto minute = digits(2, 2);
    if (!minute || *minute > 59 || !accept(':')) return std::nullopt;
    const auto second = digits(2, 2);
    if (!second || *second > 59) return std::nullopt;
    Time time{*hour * 3600 + *minute * 60 + *second, 0, 0};
    if (accept('.') || accept(',')) {
      std::int32_t scale = 100'000'000;
      auto digit = digits(1, 1);
      if (!digit) return std::nullopt;
      for (; digit; digit = digits(1, 1), scale /= 10) time.nanos += *digit * scale;
    }
    return time;
  }

  /// Z or +hh:mm, in seconds.
  std::optional<std::int32_t> zone() {
    if (accept('Z')) return 0;
    const bool west = text_.starts_with('-');
    if (!accept('+') && !accept('-')) return std::nullopt;
    const auto hours = digits(2, 2);
    if (!hours || *hours > 24 || !accept(':')) return std::nullopt;
    const auto minutes = digits(2, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    const std::int32_t offset = *hours * 3600 + *minutes * 60;
    return west ? -offset : offset;
  }

 private:
  std::string_view text_;
};

constexpr std::int64_t kYearZero = -719528;  // 0000-01-01 in days since 1970

std::optional<Time> read_clock(std::string_view text) {
  Reader reader(text);
  auto time = reader.clock();
  if (!time || !reader.done()) return std::nullopt;
  time->seconds += kYearZero * kDay;
  return time;
}

}  // namespace

std::optional<Time> read_time(std::string_view text) {
  if (const auto clock = read_clock(text)) return clock;
  Reader reader(text);
  const auto days = reader.date();
  if (!days) return std::nullopt;
  if (reader.done()) return Time{*days * kDay, 0, 0};
  const bool zoned = reader.accept('T');
  if (!zoned && !reader.accept(' ')) return std::nullopt;
  auto time = reader.clock();
  if (!time) return std::nullopt;
  time->seconds += *days * kDay;
  if (zoned) {
    const auto offset = reader.zone();
    if (!offset) return std::nullopt;
    time->offset = *offset;
    time->seconds -= *offset;
  }
  if (!reader.done()) return std::nullopt;
  return time;
}

Time time_of(std::int64_t unix_millis) {
  std::int64_t seconds = unix_millis / 1000;
  std::int64_t rest = unix_millis % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  return {seconds, static_cast<std::int32_t>(rest * 1'000'000), 0};
}

Calendar calendar(const Time& time) {
  using namespace std::chrono;
  // std::chrono's years end at 32767: it is told as its nearest end.
  constexpr std::int64_t kFarthest = 900'000'000'000;
  const sys_seconds local(seconds(std::clamp(time.seconds, -kFarthest, kFarthest) + time.offset));
  const sys_days day = floor<days>(local);
  const year_month_day date(day);
  const hh_mm_ss clock(local - day);
  const sys_days new_year(date.year() / January / 1);
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(weekday(day).c_encoding()),
          static_cast<int>((day - new_year).count()) + 1};
}

}  // namespace headroom::formula
