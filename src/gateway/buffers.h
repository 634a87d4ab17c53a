#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace headroom::gateway {

/// A leased block of bytes; [begin, end) holds what is in it. Returned by Buffers::give.
struct Buffer {
  char* data = nullptr;
  std::uint32_t capacity = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  std::uint32_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  std::uint32_t room() const { return capacity - end; }
  std::string_view view() const { return {data + begin, size()}; }
  void clear() { begin = end = 0; }
};

/// Blocks of 2 KiB to 512 KiB, kept for reuse within bounds. One thread's.
class Buffers {
 public:
  static constexpr std::size_t kLeast = 2 << 10, kMost = 512 << 10;

  Buffers() = default;
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;
  ~Buffers() {
    for (auto& kept : kept_) {
      for (char* block : kept) std::free(block);
    }
  }

  /// Makes room for `more` bytes after `end`, moving what is in it if need be.
  void reserve(Buffer& buffer, std::size_t more) {
    if (buffer.data != nullptr && buffer.room() >= more) return;
    const std::size_t held = buffer.size();
    if (buffer.data != nullptr && buffer.capacity >= held + more) {
      std::memmove(buffer.data, buffer.data + buffer.begin, held);
    } else {
      Buffer larger = take(held + more);
      if (buffer.data != nullptr) std::memcpy(larger.data, buffer.data + buffer.begin, held);
      give(buffer);
      buffer = larger;
    }
    buffer.begin = 0;
    buffer.end = static_cast<std::uint32_t>(held);
  }

  void append(Buffer& buffer, std::string_view bytes) {
    reserve(buffer, bytes.size());
    std::memcpy(buffer.data + buffer.end, bytes.data(), bytes.size());
    buffer.end += static_cast<std::uint32_t>(bytes.size());
  }

  void give(Buffer& buffer) {
    if (buffer.data == nullptr) return;
    auto& kept = kept_[class_of(buffer.capacity)];
    leased_ -= buffer.capacity;
    // Kept blocks are bounded per class: a burst of slow clients is not remembered for ever.
    if (kept.size() * buffer.capacity < (1 << 20)) {
      kept.push_back(buffer.data);
    } else {
      std::free(buffer.data);
    }
    buffer = {};
  }

  /// Bytes that are leased now.
  std::size_t leased() const { return leased_; }

 private:
  static std::size_t class_of(std::size_t size) {
    const auto capacity = std::bit_ceil(std::max(size, kLeast));
    return static_cast<std::size_t>(std::countr_zero(capacity)) - 11;
  }

  Buffer take(std::size_t size) {
    check(size <= kMost, "a gateway buffer over its bound");
    const auto at = class_of(size);
    Buffer buffer;
    buffer.capacity = static_cast<std::uint32_t>(kLeast << at);
    leased_ += buffer.capacity;
    if (kept_[at].empty()) {
      buffer.data = static_cast<char*>(std::malloc(buffer.capacity));
      check(buffer.data != nullptr, "out of memory");
    } else {
      buffer.data = kept_[at].back();
      kept_[at].pop_back();
    }
    return buffer;
  }

  std::array<std::vector<char*>, 9> kept_;
  std::size_t leased_ = 0;
};

}  // namespace headroom::gateway
