#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "base/result.h"

namespace headroom::server {

using Socket = boost::asio::generic::stream_protocol::socket;

/// A certificate and its key, for HTTPS (TLS 1.2 and 1.3).
class Tls {
 public:
  struct Files {
    std::string certificate, key;  // PEM; the certificate with its chain
  };
  /// Errors: invalid (not readable, not PEM, a key that wants a password, or another
  /// certificate's), naming the file.
  static Result<Tls> load(const Files& files);
  Tls(Tls&&) noexcept;
  Tls& operator=(Tls&&) noexcept;
  ~Tls();

 private:
  friend class Wire;
  struct Context;
  explicit Tls(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

/// A connection's bytes, plain or encrypted. One read and one write at a time.
class Wire {
 public:
  using Then = std::function<void(boost::system::error_code, std::size_t)>;
  static std::unique_ptr<Wire> plain(Socket socket);
  static std::unique_ptr<Wire> encrypted(Socket socket, Tls& tls);
  virtual ~Wire() = default;

  /// Who speaks HTTP where TLS is expected is told so; it fails all the same.
  virtual void handshake(Then then) = 0;
  virtual void read(boost::asio::mutable_buffer into, Then then) = 0;  // some
  virtual void write(boost::asio::const_buffer bytes, Then then) = 0;  // all
  /// The other side sees the end of what was written. From then on what is read is for nobody.
  virtual void end_sending(Then then) = 0;
  /// What is under way ends with an error.
  virtual void close() = 0;
  /// The kernel keeps at most about so much that the other side has not taken.
  virtual void bound_sending(int bytes) = 0;
};

}  // namespace headroom::server
