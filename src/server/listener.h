#pragma once

#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"

namespace headroom::server {

/// Listens on a TCP address. Errors: conflict (it is taken), unavailable.
Result<Fd> listen_on(const Address& address);

/// Whether nobody but this machine reaches the address.
bool is_loopback(const Address& address);

/// The Unix socket `admin.sock` in a folder, for its owner only (mode 0600). Its end removes the
/// file, if it still is ours.
class LocalListener {
 public:
  static constexpr const char* kName = "admin.sock";

  /// A socket that a dead process left is replaced. The folder's path may be longer than what the
  /// address of a socket holds. Errors: conflict (somebody answers there), unavailable.
  static Result<LocalListener> open(const std::string& folder);
  /// A predecessor's, which listens there.
  static Result<LocalListener> adopt(const std::string& folder, Fd socket);
  LocalListener(LocalListener&&) noexcept = default;
  LocalListener& operator=(LocalListener&&) = delete;
  ~LocalListener();

  const Fd& socket() const { return socket_; }
  int fd() const { return socket_.get(); }
  /// A successor has it: the file stays.
  void let_go() { inode_ = 0; }
  const std::string& path() const { return path_; }

 private:
  LocalListener() = default;

  std::string path_;
  Fd folder_, socket_;
  unsigned long inode_ = 0;
};

}  // namespace headroom::server
