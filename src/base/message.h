#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/time.h"

namespace headroom {

/// What one process tells another over a SOCK_SEQPACKET socket, descriptors with it.
struct Message {
  std::string text;
  std::vector<Fd> fds;
};

constexpr std::size_t kLongestMessage = 128 << 10;
constexpr std::size_t kMostDescriptors = 8;  // of a message

/// Both wait for at most `patience`, whether the socket blocks or not. False where it is not taken
/// (errno says why).
bool send_message(int socket, const std::string& text, Millis patience,
                  const std::vector<int>& fds = {});
/// nullopt at the other's end, where nothing comes, and for a message that is longer than the
/// longest. What it brings is closed on exec.
std::optional<Message> receive_message(int socket, Millis patience);

}  // namespace headroom
