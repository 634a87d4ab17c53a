#include <cerrno>

#include <fmt/format.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr std::size_t kReadMore = 8 << 10;        // of a head that came in parts
constexpr std::uint16_t kFreeRescans = 8;         // then only where an empty line has come
constexpr std::uint32_t kLingerBytes = 64 << 10;  // RFC 9112 §9.6: read on, but not for ever
constexpr Micros kLingerTime = 1s;
constexpr std::size_t kMostBuffered = 128 << 20;  // of one thread's leftovers

const char* phrase(int code) {
  switch (code) {
    case 400:
      return "Bad Request";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 508:
      return "Loop Detected";
    default:
      return "Error";
  }
}

bool holds_empty_line(std::string_view text) {
  return ::memmem(text.data(), text.size(), "\n\r\n", 3) != nullptr ||
         ::memmem(text.data(), text.size(), "\n\n", 2) != nullptr;
}

}  // namespace

void Worker::on_client(Client& client) {
  using State = Client::State;
  auto* const exchange = client.exchange;
  if (client.broken && client.state != State::lingering) {
    if (exchange != nullptr) return fail(*exchange, Failure::client_abort);
    return close(client);
  }
  switch (client.state) {
    case State::idle:
    case State::head:
      return next_request(client);
    case State::busy:
      // C7: a FIN before the answer's end means that nobody waits for it any more.
      if (client.hangup && !exchange->tunnel && !client.service->settings->half_close) {
        return fail(*exchange, Failure::client_abort);
      }
      pump(*exchange);
      return;
    case State::flushing:
      if (!flush(client)) return close(client);
      if (!client.out.empty()) return;
      return client.close_after ? linger(client) : become_idle(client);
    case State::lingering:
      return discard(client);
  }
}

/// Reads a head if one is there, and begins its exchange.
void Worker::next_request(Client& client) {
  std::string_view input;
  if (!receive_head(client, input)) return;
  const auto& settings = *client.service->settings;
  const http1::Limits limits{static_cast<std::size_t>(settings.limits.request_line),
                             static_cast<std::size_t>(settings.limits.head),
                             static_cast<std::size_t>(settings.limits.fields)};
  const auto seen = input.substr(0, limits.head + limits.request_line + 4);
  const http1::Peer peer{client.peer(), "http", client.trusted, settings.forwarded, common_.via};
  http1::Request request;
  Buffer head;
  buffers_.reserve(head, seen.size() + limits.fields + 1024 + 2 * client.address_size);
  std::size_t written = 0;
  auto outcome =
      http1::read_request(seen, limits, peer, request, {head.data, head.capacity}, written);
  if (outcome.status == http1::Status::more && seen.size() < input.size()) {
    outcome = {http1::Status::refused, 431, "head-too-large"};
  }
  const bool kept = !client.in.empty();
  if (outcome.status != http1::Status::complete) {
    buffers_.give(head);
    if (outcome.status == http1::Status::refused) return refuse(client, outcome);
    if (buffers_.leased() > kMostBuffered)
      return refuse(client, {http1::Status::refused, 503, "no-buffers"});
    if (!kept) buffers_.append(client.in, input);
    client.scan = false;
    if (client.state == Client::State::idle) {
      client.state = Client::State::head;
      client.idle.unlink();
      client.rescans = 0;
      set_deadline(client, now_ + settings.timeouts.head);
    }
    if (client.readable) enqueue(client);
    return;
  }
  head.end = static_cast<std::uint32_t>(written);
  if (kept) {
    client.in.begin += static_cast<std::uint32_t>(request.head_size);
    return begin(client, request, head, {});
  }
  begin(client, request, head, input.substr(request.head_size));
}

/// Gives what there is of the next head: false where there is nothing new to look at.
bool Worker::receive_head(Client& client, std::string_view& input) {
  if (client.scan && !client.in.empty()) {
    client.scan = false;
    input = client.in.view();
    return true;
  }
  if (!client.readable) return false;
  const bool scratch = client.in.empty();
  if (!scratch) buffers_.reserve(client.in, kReadMore);
  char* const to = scratch ? in_.get() : client.in.data + client.in.end;
  const std::size_t room = scratch ? kScratch : kReadMore;
  const auto got = ::recv(client.fd, to, room, 0);
  if (got <= 0) {
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      client.readable = errno == EINTR;
      if (!client.readable && client.state == Client::State::idle && client.service->ends_idle()) {
        linger(client);
      }
      return false;
    }
    close(client);  // its end, between requests or in the middle of a head
    return false;
  }
  const auto size = static_cast<std::size_t>(got);
  if (size < room && !client.hangup) client.readable = false;
  if (scratch) {
    input = {in_.get(), size};
    return true;
  }
  const auto before = client.in.size();
  client.in.end += static_cast<std::uint32_t>(size);
  input = client.in.view();
  // A head that drips in is not read again for each byte of it.
  if (++client.rescans > kFreeRescans &&
      input.size() < static_cast<std::size_t>(client.service->settings->limits.head) &&
      !holds_empty_line(input.substr(before > 3 ? before - 3 : 0))) {
    if (client.readable) enqueue(client);
    return false;
  }
  return true;
}

void Worker::refuse(Client& client, const http1::Outcome& outcome) {
  bump<std::uint64_t>(client.service->counters.rejected);
  const bool ours = outcome.code == 503;
  answer(client,
         {outcome.code, ours ? "http_request_denied" : "http_request_error", outcome.reason, ours},
         false, false, false);
}

/// An answer of the gateway's own; the exchange, if there was one, has ended.
void Worker::answer(Client& client, const Answer& what, bool keep_alive, bool head, bool http10) {
  const auto body = fmt::format("{} {}: {}\n", what.code, phrase(what.code), what.details);
  keep_alive = keep_alive && !client.service->closing;
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
      "Proxy-Status: headroom; error={}; details=\"{}\"\r\n",
      what.code, phrase(what.code), date(), body.size(), what.error, what.details);
  if (what.code == 405) text += "Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n";
  if (what.retry_after) {
    const auto wait =
        std::chrono::ceil<std::chrono::seconds>(client.service->settings->hold.retry_after);
    text += fmt::format("Retry-After: {}\r\n", std::max<std::int64_t>(1, wait.count()));
  }
  if (!keep_alive) {
    text += "Connection: close\r\n";
  } else if (http10) {
    text += "Connection: keep-alive\r\n";
  }
  text += "\r\n";
  if (!head) text += body;
  bump<std::uint64_t>(client.service->counters.codes[what.code / 100]);
  client.idle.unlink();
  if (!send_to(client, text)) return close(client);
  if (!client.out.empty()) {
    client.state = Client::State::flushing;
    client.close_after = !keep_alive;
    return set_deadline(client, now_ + client.service->settings->timeouts.send_idle);
  }
  return keep_alive ? become_idle(client) : linger(client);
}

/// Sends, and keeps what the kernel does not take. False where the client is gone.
bool Worker::send_to(Client& client, std::string_view bytes) {
  if (client.out.empty() && client.writable) {
    const auto sent = ::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (!bytes.empty()) client.writable = false;
  }
  if (!bytes.empty()) buffers_.append(client.out, bytes);
  return true;
}

/// Sends what was kept. False where the client is gone.
bool Worker::flush(Client& client) {
  if (client.out.empty() || !client.writable) return true;
  const auto bytes = client.out.view();
  const auto sent = ::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (sent > 0) client.out.begin += static_cast<std::uint32_t>(sent);
  if (client.out.empty()) {
    buffers_.give(client.out);
  } else {
    client.writable = false;
  }
  return true;
}

void Worker::become_idle(Client& client) {
  client.state = Client::State::idle;
  client.scan = true;
  idle_clients_.push_back(client.idle);
  set_deadline(client, now_ + client.service->settings->timeouts.idle);
  if (client.service->ends_idle()) client.readable = true;  // to see whether there is one more
  if (client.readable || !client.in.empty()) enqueue(client);
}

/// C2: no more from us; what the client still sends is thrown away for a while, because closing
/// on unread input would reset the connection under the answer it is reading.
void Worker::linger(Client& client) {
  client.idle.unlink();
  buffers_.give(client.in);
  client.state = Client::State::lingering;
  ::shutdown(client.fd, SHUT_WR);
  set_deadline(client, now_ + kLingerTime);
  discard(client);
}

void Worker::discard(Client& client) {
  while (client.readable) {
    const auto got = ::recv(client.fd, in_.get(), kScratch, 0);
    if (got < 0 && errno == EAGAIN) {
      client.readable = false;
      return;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return close(client);
    client.discarded += static_cast<std::uint32_t>(got);
    if (client.discarded > kLingerBytes) return close(client);
  }
}

void Worker::close(Client& client) {
  if (client.closed) return;
  client.closed = true;
  wheel_.cancel(client.timer);
  client.idle.unlink();
  client.open.unlink();
  buffers_.give(client.in);
  buffers_.give(client.out);
  ::close(client.fd);
  clients_.fetch_sub(1, std::memory_order_relaxed);
  common_.connections.fetch_sub(1, std::memory_order_relaxed);
  bump<std::int64_t>(client.service->counters.clients, -1);
  dead_.push_back(&client);
}

void Worker::on_client_deadline(Client& client) {
  using State = Client::State;
  switch (client.state) {
    case State::idle:
      if (client.readable || !client.in.empty()) return enqueue(client);
      return client.service->closing ? linger(client) : close(client);
    case State::head:
      bump<std::uint64_t>(client.service->counters.rejected);
      return answer(client, {408, "http_request_error", "head-timeout"}, false, false, false);
    case State::busy:
      return on_exchange_deadline(*client.exchange);
    case State::flushing:
    case State::lingering:
      return close(client);
  }
}

}  // namespace headroom::gateway
