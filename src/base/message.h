#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace headroom {

/// What one process tells another over a SOCK_SEQPACKET socket, descriptors with it.
struct Message {
  std::string text;
  std::vector<Fd> fds;
};

constexpr std::size_t kLongestMessage = 128 << 10;
constexpr std::size_t kMostDescriptors = 8;  // of a message

/// False where it does not take it (errno says why). Blocks as the socket does.
bool send_message(int socket, const std::string& text, const std::vector<int>& fds = {});
/// nullopt at the other's end, an error (errno), or a message longer than the longest. What it
/// brings is closed on exec.
std::optional<Message> receive_message(int socket);

}  // namespace headroom
