#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "server/doors.h"

/// The admin server: docs/api.md says what it answers. It has a thread and an io_context of its
/// own, so that nothing here holds up the control loop or the gateway.
namespace headroom::server {

struct Options {
  std::string address = "127.0.0.1:7780";  // TCP; "none": no such door
  /// The address, or admin.sock, being taken is an error; else it is said, and done without.
  bool required = false;
  // These files are read again when they change, and by reread().
  std::string token_file;          // empty: there is no token
  std::string certificate, key;    // PEM files, both or neither: HTTPS
  std::vector<std::string> hosts;  // names in `Host` beside localhost and the IP addresses
  std::string version;             // to say
};

/// Bounded: 256 connections over TCP and 64 over the Unix socket (for one beyond these the one that
/// has been idle longest is closed, or else it itself), 64 of them streams; what is read as in
/// RequestReader; answers that clients have not taken, 64 MiB.
class Server {
 public:
  /// Sockets that listen, by door; empty where there is none.
  struct Sockets {
    Fd local, tcp;
  };

  /// Opens the doors: admin.sock beside the journal, and the TCP address; or goes on with sockets
  /// that listen already. Who comes waits until answer().
  /// Errors: invalid (a wrong option; an address that others reach without a token), conflict (a
  /// door is taken and `required`), unavailable.
  static Result<std::unique_ptr<Server>> start(const Options& options, const Doors& doors,
                                               Sockets sockets = {});
  void answer();
  /// Cuts what is open. Takes no longer than the answer under way.
  ~Server();

  /// Other descriptors of its sockets, for a successor.
  Sockets sockets() const;
  /// A successor has them: at the end of this their file stays.
  void let_go();
  /// Reads the token and the certificate again, soon, on the server's thread. What is bad is said
  /// in the log, and what was goes on. Another token ends the streams that were let in by the old.
  void reread();

  /// The TCP address in use (with the port that the kernel chose for ":0").
  const std::optional<Address>& listening() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  static Result<std::unique_ptr<Server>> open(const Options& options, const Doors& doors,
                                              Sockets sockets);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headroom::server
