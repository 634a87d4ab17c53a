#include "server/wire.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include "server/message.h"

namespace headroom::server {
namespace {

namespace asio = boost::asio;

class Plain : public Wire {
 public:
  explicit Plain(Socket socket) : socket_(std::move(socket)) {}
  void handshake(Then then) override {
    asio::post(socket_.get_executor(), [then = std::move(then)] { then({}, 0); });
  }
  void read(asio::mutable_buffer into, Then then) override {
    socket_.async_read_some(into, std::move(then));
  }
  void write(asio::const_buffer bytes, Then then) override {
    asio::async_write(socket_, bytes, std::move(then));
  }
  void end_sending(Then then) override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    asio::post(socket_.get_executor(), [then = std::move(then)] { then({}, 0); });
  }
  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  void bound_sending(int bytes) override {
    boost::system::error_code ignored;
    socket_.set_option(Socket::send_buffer_size(bytes), ignored);
  }

 private:
  Socket socket_;
};

class Encrypted : public Wire {
 public:
  Encrypted(Socket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}
  void handshake(Then then) override {
    stream_.async_handshake(
        asio::ssl::stream_base::server,
        [this, then = std::move(then)](boost::system::error_code error) mutable {
          if (error.category() != asio::error::get_ssl_category() ||
              ERR_GET_REASON(static_cast<unsigned long>(error.value())) != SSL_R_HTTP_REQUEST) {
            return then(error, 0);
          }
          const auto answer = in_the_clear();
          asio::async_write(
              stream_.next_layer(), asio::buffer(*answer),
              [answer, then = std::move(then), error](auto, auto) { then(error, 0); });
        });
  }
  void read(asio::mutable_buffer into, Then then) override {
    if (ended_) return stream_.next_layer().async_read_some(into, std::move(then));
    stream_.async_read_some(into, std::move(then));
  }
  void write(asio::const_buffer bytes, Then then) override {
    asio::async_write(stream_, bytes, std::move(then));
  }
  void end_sending(Then then) override {
    ended_ = true;
    // Says so inside the encryption, and waits for the other side to say so.
    stream_.async_shutdown([this, then = std::move(then)](boost::system::error_code) {
      boost::system::error_code ignored;
      stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
      then({}, 0);
    });
  }
  void close() override {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }
  void bound_sending(int bytes) override {
    boost::system::error_code ignored;
    stream_.next_layer().set_option(Socket::send_buffer_size(bytes), ignored);
  }

 private:
  static std::shared_ptr<const std::string> in_the_clear() {
    const auto answer = refusal(400, "this is HTTPS");
    return std::make_shared<const std::string>(head_of(answer, answer.body.size(), true) +
                                               answer.body);
  }

  asio::ssl::stream<Socket> stream_;
  bool ended_ = false;
};

}  // namespace

struct Tls::Context {
  asio::ssl::context context{asio::ssl::context::tls_server};
};

Tls::Tls(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Tls::Tls(Tls&&) noexcept = default;
Tls& Tls::operator=(Tls&&) noexcept = default;
Tls::~Tls() = default;

Result<Tls> Tls::load(const Files& files) {
  using Ssl = asio::ssl::context;
  try {
    auto made = std::make_unique<Context>();
    auto& context = made->context;
    context.set_options(Ssl::default_workarounds | Ssl::no_sslv2 | Ssl::no_sslv3 | Ssl::no_tlsv1 |
                        Ssl::no_tlsv1_1);
    // Else OpenSSL asks for it at the terminal, and waits.
    context.set_password_callback([](std::size_t, Ssl::password_purpose) { return ""; });
    boost::system::error_code error;
    context.use_certificate_chain_file(files.certificate, error);
    if (error) {
      return fail({Code::invalid, fmt::format("{}: no certificate in PEM: {}", files.certificate,
                                              error.message())});
    }
    context.use_private_key_file(files.key, Ssl::pem, error);
    if (error) {
      return fail({Code::invalid, fmt::format("{}: no private key in PEM of {}: {}", files.key,
                                              files.certificate, error.message())});
    }
    return Tls(std::move(made));
  } catch (const std::exception& e) {
    return fail({Code::unavailable, fmt::format("TLS: {}", e.what())});
  }
}

std::unique_ptr<Wire> Wire::plain(Socket socket) {
  return std::make_unique<Plain>(std::move(socket));
}

std::unique_ptr<Wire> Wire::encrypted(Socket socket, Tls& tls) {
  return std::make_unique<Encrypted>(std::move(socket), tls.context_->context);
}

}  // namespace headroom::server
