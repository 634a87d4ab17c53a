#include "otlp/client.h"

#include <array>
#include <chrono>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "otlp/answer.h"
#include "otlp/lookup.h"

namespace headroom::otlp {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Request = http::request<http::span_body<const char>>;
using Parser = http::response_parser<http::string_body>;

constexpr Millis kSlice = 50ms;
constexpr std::uint32_t kMostHead = 32 << 10;
constexpr int kMostInterim = 16;  // answers that only announce another
constexpr int kSwitching = 101;   // announces none

bool is_address(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

bool is_interim(int status) { return status / 100 == 1 && status != kSwitching; }

std::vector<tcp::endpoint> endpoints_of(const std::vector<Address>& addresses) {
  std::vector<tcp::endpoint> endpoints;
  for (const auto& address : addresses) {
    tcp::endpoint endpoint;
    endpoint.resize(address.length);
    std::memcpy(endpoint.data(), address.get(), address.length);
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

}  // namespace

struct Client::Impl {
  using Encrypted = asio::ssl::stream<tcp::socket&>;

  Impl(Settings from, std::string agent_name)
      : settings(std::move(from)), agent(std::move(agent_name)) {}

  Settings settings;
  std::string agent;
  std::string host_field;
  asio::ssl::context context{asio::ssl::context::tls_client};
  asio::io_context io{1};
  tcp::socket socket{io};
  std::optional<Encrypted> encrypted;
  boost::beast::flat_buffer buffer;
  Lookup lookup;

  // Of the call under way.
  Clock::time_point deadline;
  const Meanwhile* meanwhile = nullptr;
  std::optional<Parser> answer;
  bool heard = false;  // a byte of an answer, at least

  error_code prepare();
  Result<Reply> post(std::string_view path, const std::string& body);
  Result<void> connect();
  error_code handshake();
  error_code exchange(Request& request);
  template <class Stream>
  error_code read_answer(Stream& stream);
  void close();
  template <class Start>
  error_code run(const Start& start);
};

error_code Client::Impl::prepare() {
  using Ssl = asio::ssl::context;
  error_code error;
  context.set_options(Ssl::default_workarounds | Ssl::no_sslv2 | Ssl::no_sslv3 | Ssl::no_tlsv1 |
                      Ssl::no_tlsv1_1);
  context.set_verify_mode(asio::ssl::verify_peer, error);
  if (error) return error;
  if (settings.certificate.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(settings.certificate, error);
  }
  return error;
}

/// Runs what `start` begins until it is done, its time is over, or nobody wants to wait for it.
template <class Start>
error_code Client::Impl::run(const Start& start) {
  bool done = false, late = false;
  error_code result;
  io.restart();
  start([&done, &result](error_code error, auto&&...) {
    done = true;
    result = error;
  });
  auto looked = Clock::now();
  while (!done) {
    io.run_one_for(kSlice);
    const auto now = Clock::now();
    if (late || now - looked < kSlice) continue;
    looked = now;
    if ((*meanwhile)() && now < deadline) continue;
    late = true;  // what is under way ends with an error, soon
    error_code ignored;
    socket.close(ignored);
  }
  if (late) return asio::error::timed_out;
  return result;
}

void Client::Impl::close() {
  error_code ignored;
  socket.close(ignored);
  encrypted.reset();
  buffer.clear();
}

error_code Client::Impl::handshake() {
  auto& stream = encrypted.emplace(socket, context);
  const auto& host = settings.endpoint.host;
  error_code error;
  stream.set_verify_callback(asio::ssl::host_name_verification(host), error);
  if (error) return error;
  if (!is_address(host)) {  // by this name a server chooses its certificate
    ::SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(host.c_str()));
  }
  return run([&](auto then) { stream.async_handshake(asio::ssl::stream_base::client, then); });
}

Result<void> Client::Impl::connect() {
  const auto& endpoint = settings.endpoint;
  const auto addresses = lookup.find(endpoint.host, endpoint.port, deadline, *meanwhile);
  if (!addresses) return fail(addresses.error());
  const auto endpoints = endpoints_of(*addresses);
  auto error = run(
      [&](auto then) { asio::async_connect(socket, endpoints.begin(), endpoints.end(), then); });
  if (!error) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (endpoint.tls) error = handshake();
  }
  if (!error) return {};
  close();
  return fail({Code::unavailable, error.message(), {}});
}

/// The final one into `answer`: before it there may be others (100 Continue, 103 Early Hints).
template <class Stream>
error_code Client::Impl::read_answer(Stream& stream) {
  for (int i = 0; i <= kMostInterim; ++i) {
    answer.emplace();
    answer->header_limit(kMostHead);
    answer->body_limit(kMostAnswer);
    const auto error = run([&](auto then) { http::async_read(stream, buffer, *answer, then); });
    heard = heard || answer->got_some();
    if (error || !is_interim(answer->get().result_int())) return error;
  }
  return http::error::bad_status;
}

error_code Client::Impl::exchange(Request& request) {
  heard = false;
  answer.reset();
  const auto over = [&](auto& stream) {
    auto error = run([&](auto then) { http::async_write(stream, request, then); });
    return error ? error : read_answer(stream);
  };
  return encrypted ? over(*encrypted) : over(socket);
}

Result<Reply> Client::Impl::post(std::string_view path, const std::string& body) {
  Request request(http::verb::post, settings.endpoint.path + std::string(path), 11);
  request.set(http::field::host, host_field);
  request.set(http::field::user_agent, agent);
  request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : settings.headers) request.set(name, value);
  request.body() = {body.data(), body.size()};
  request.prepare_payload();
  for (;;) {
    const bool kept = socket.is_open();
    if (!kept) {
      if (auto connected = connect(); !connected) return fail(connected.error());
    }
    const auto error = exchange(request);
    if (error) {
      close();
      // One that was kept may have been closed meanwhile: that is no word about the collector.
      if (kept && !heard && error != asio::error::timed_out) continue;
    }
    // Of an answer that is cut short or too long the status is here all the same.
    const int status = answer && answer->is_header_done() ? answer->get().result_int() : 0;
    if (status == 0 || is_interim(status)) return fail({Code::unavailable, error.message(), {}});
    const auto& got = answer->get();
    Reply reply{status, {}, got.body()};
    const auto after = got[http::field::retry_after];
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    reply.retry_after = read_retry_after({after.data(), after.size()}, now);
    // After a 101 no HTTP follows.
    if (error || !got.keep_alive() || buffer.size() > 0 || status == kSwitching) close();
    return reply;
  }
}

Result<Client> Client::make(const Settings& settings, const std::string& version) {
  try {
    auto impl =
        std::make_unique<Impl>(settings, fmt::format("OTel-OTLP-Exporter-Headroom/{}", version));
    const auto& endpoint = settings.endpoint;
    const bool ipv6 = endpoint.host.find(':') != endpoint.host.npos;
    impl->host_field =
        fmt::format("{}{}{}:{}", ipv6 ? "[" : "", endpoint.host, ipv6 ? "]" : "", endpoint.port);
    if (const auto error = impl->prepare(); endpoint.tls && error) {
      return fail({Code::invalid, fmt::format("OTEL_EXPORTER_OTLP_CERTIFICATE: {}: {}",
                                              settings.certificate, error.message())});
    }
    return Client(std::move(impl));
  } catch (const std::exception& e) {
    return fail({Code::unavailable, fmt::format("OTLP: {}", e.what())});
  }
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Reply> Client::post(std::string_view path, const std::string& body,
                           const Meanwhile& meanwhile) {
  impl_->deadline = Clock::now() + impl_->settings.timeout;
  impl_->meanwhile = &meanwhile;
  try {
    return impl_->post(path, body);
  } catch (const std::exception& e) {
    impl_->close();
    return fail({Code::unavailable, e.what(), {}});
  }
}

}  // namespace headroom::otlp
