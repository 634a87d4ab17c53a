#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <tl/expected.hpp>

#include "base/result.h"
#include "base/time.h"
#include "base/units.h"
#include "decide/observation.h"

/// Plain data as JSON and back. A struct says its fields once, in a function
/// `describe(io, value)`; JsonWriter and JsonReader are the two kinds of io.
namespace headroom::decide {

/// The words of an enumeration, in the order of its values; specialised beside describe().
template <class E>
struct Words;

/// Appends JSON. Doubles come back exactly; those that are no numbers are words.
class JsonWriter {
 public:
  template <class T>
  void field(std::string_view name, const T& value) {
    separate();
    text(name);
    out_ += ':';
    write(value);
  }
  template <class T>
  void later_field(std::string_view name, const T& value) {
    field(name, value);
  }
  template <class T>
  void write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      text(Words<T>::kWords[static_cast<std::size_t>(value)]);
    } else {
      open('{');
      describe(*this, value);
      close('}');
    }
  }
  void write(bool value) { out_ += value ? "true" : "false"; }
  void write(double value);
  void write(const std::string& value) { text(value); }
  void write(std::int64_t value) { out_ += std::to_string(value); }
  void write(std::uint64_t value) { out_ += std::to_string(value); }
  void write(std::int32_t value) { out_ += std::to_string(value); }
  void write(Millis value) { out_ += std::to_string(value.count()); }
  void write(Instant value) { write(value.time_since_epoch()); }
  void write(Replicas value) { write(value.count); }
  void write(Quantity value) { write(value.milli); }
  template <class T>
  void write(const std::optional<T>& value) {
    if (value) return write(*value);
    out_ += "null";
  }
  template <class T>
  void write(const tl::expected<T, Absent>& value) {
    if (value) return write(*value);
    write(value.error());
  }
  template <class T>
  void write(const std::vector<T>& values) {
    open('[');
    for (const auto& value : values) {
      separate();
      write(value);
    }
    close(']');
  }
  std::string take() { return std::move(out_); }

 private:
  void text(std::string_view value);
  void open(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }

  std::string out_;
  bool first_ = true;
};

/// Parses with every double as it was written. Bounded: 16 MiB of text, 16 levels.
/// Errors: invalid; a name that an object has twice is one, too.
Result<boost::json::value> parse_json(std::string_view text);

/// Reads strictly: a field that is missing, unknown, of another type or out of its range is an
/// error that names its path. After the first error nothing is read any more.
class JsonReader {
 public:
  /// Times and counts stay inside what adds up without overflow, and inside a JSON number.
  static constexpr std::int64_t kFurthest = std::int64_t{1} << 53;

  JsonReader(const boost::json::value& root, std::string_view name) : at_(&root), path_(name) {}

  const std::optional<Error>& error() const { return error_; }
  /// A check that the described struct makes of itself.
  void require(bool holds, std::string_view what);

  template <class T>
  void field(std::string_view name, T& value) {
    if (error_) return;
    const auto* const object = at_->if_object();
    const auto* const found = object->if_contains({name.data(), name.size()});
    if (found == nullptr) return refuse("missing field \"" + std::string(name) + "\"");
    ++fields_;
    within("." + std::string(name), *found, [&] { read(value); });
  }
  /// One that an earlier Headroom did not write: then it stays as it is.
  template <class T>
  void later_field(std::string_view name, T& value) {
    if (at_->as_object().contains({name.data(), name.size()})) field(name, value);
  }
  template <class T>
  void read(T& value) {
    if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(word(Words<T>::kWords));
    } else {
      const auto* const object = at_->if_object();
      if (object == nullptr) return expected("an object");
      fields_ = 0;
      describe(*this, value);
      if (!error_ && fields_ != object->size()) refuse_unknown();
    }
  }
  void read(bool& value);
  void read(double& value);
  void read(std::string& value);
  void read(std::int64_t& value) { value = integer(-kFurthest, kFurthest); }
  void read(std::uint64_t& value);
  void read(std::int32_t& value) {
    value = static_cast<std::int32_t>(integer(-kMost32 - 1, kMost32));
  }
  void read(Millis& value) { value = Millis(integer(-kFurthest, kFurthest)); }
  void read(Instant& value) { value = Instant(Millis(integer(-kFurthest, kFurthest))); }
  void read(Replicas& value) { value = {static_cast<std::int32_t>(integer(0, kMost32))}; }
  void read(Quantity& value);
  template <class T>
  void read(std::optional<T>& value) {
    value.reset();
    if (at_->is_null()) return;
    read(value.emplace());
  }
  template <class T>
  void read(tl::expected<T, Absent>& value) {
    const auto* const object = at_->if_object();
    if (object != nullptr && object->contains("absent")) {
      Absent absent;
      read(absent);
      value = tl::unexpected<Absent>(std::move(absent));
      return;
    }
    value = T{};
    read(*value);
  }
  template <class T>
  void read(std::vector<T>& values) {
    const auto* const array = at_->if_array();
    if (array == nullptr) return expected("an array");
    values.clear();
    values.resize(array->size());
    for (std::size_t i = 0; i < array->size() && !error_; ++i) {
      within("[" + std::to_string(i) + "]", (*array)[i], [&] { read(values[i]); });
    }
  }

 private:
  static constexpr std::int64_t kMost32 = (std::int64_t{1} << 31) - 1;

  template <class Inside>
  void within(const std::string& step, const boost::json::value& value, const Inside& inside) {
    const auto* const outside = at_;
    const auto length = path_.size();
    const auto fields = fields_;
    at_ = &value;
    path_ += step;
    inside();
    at_ = outside;
    path_.resize(length);
    fields_ = fields;
  }
  template <std::size_t N>
  std::size_t word(const std::array<std::string_view, N>& words) {
    const auto* const text = at_->if_string();
    for (std::size_t i = 0; text != nullptr && i < N; ++i) {
      if (std::string_view(text->data(), text->size()) == words[i]) return i;
    }
    std::string all;
    for (const auto& each : words) all += (all.empty() ? "" : ", ") + std::string(each);
    expected("one of " + all);
    return 0;
  }
  std::int64_t integer(std::int64_t least, std::int64_t most);
  void refuse(const std::string& what);
  void expected(const std::string& what);
  void refuse_unknown();

  const boost::json::value* at_;
  std::string path_;
  std::size_t fields_ = 0;  // of the object being read, how many were asked for
  std::optional<Error> error_;
};

}  // namespace headroom::decide
