#include <cerrno>

#include <fmt/format.h>
#include <sys/socket.h>

#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr std::uint32_t kRepeatable = 64 << 10;  // B4: a body up to this can be sent once more
constexpr std::size_t kTurn = 64 << 10;          // bytes a direction may move before it yields
constexpr std::uint8_t kInterimAnswers = 32;
constexpr Micros kRateWindow = 30s;  // body progress: at least 512 B/s over this
constexpr std::uint64_t kLeastRate = 512;

bool starts_with_any(std::string_view target, const std::vector<std::string>& prefixes) {
  for (const auto& prefix : prefixes) {
    if (target.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

Exchange& Worker::take_exchange() {
  if (free_exchanges_.empty()) {
    exchanges_.push_back(std::make_unique<Exchange>());
    return *exchanges_.back();
  }
  auto* const exchange = free_exchanges_.back();
  free_exchanges_.pop_back();
  return *exchange;
}

/// The request has arrived: an exchange for it, as yet nowhere.
Exchange& Worker::open(Client& client, const http1::Request& request, const Buffer& head) {
  auto& service = *client.service;
  auto& exchange = take_exchange();
  exchange.service = &service;
  exchange.client = &client;
  exchange.request = head;
  exchange.sent = 0;
  exchange.repeatable = true;
  exchange.idempotent = request.idempotent;
  exchange.head = request.head;
  exchange.upgrade = request.upgrade;
  exchange.keep_alive = request.keep_alive;
  exchange.minor = request.minor;
  exchange.body = request.framing;
  exchange.body_left = request.framing == http1::Framing::length ? request.length : 0;
  exchange.body_done = request.framing == http1::Framing::none ||
                       (request.framing == http1::Framing::length && request.length == 0);
  exchange.body_taken = 0;
  exchange.expecting = request.expect_continue && !exchange.body_done;
  if (request.framing == http1::Framing::chunked) exchange.body_chunks = http1::Chunks{};
  exchange.answering = exchange.answered = exchange.fresh = exchange.tunnel = false;
  exchange.client_done = exchange.upstream_done = false;
  exchange.interim = exchange.retries = 0;
  exchange.arrived = now_;
  exchange.hold_deadline = exchange.until_hold = exchange.until_expect = kNever;
  exchange.until_body = exchange.until_rate = exchange.until_sent = kNever;
  const auto whole = service.settings->timeouts.request;
  exchange.until_whole = whole > 0ms ? now_ + whole : kNever;
  client.exchange = &exchange;
  client.state = Client::State::busy;
  client.idle.unlink();
  bump<std::uint64_t>(service.counters.arrived);
  service.counters.in_flight.change(1, now_);
  service.budget.request(now_);
  exchange.sampled = tracer_ != nullptr && sample(exchange, request);
  set_deadline(client, exchange.until_whole);
  return exchange;
}

/// A whole head is here; `rest` came behind it.
void Worker::begin(Client& client, const http1::Request& request, Buffer head,
                   std::string_view rest) {
  auto& service = *client.service;
  const auto& settings = *service.settings;
  const bool http10 = request.minor == 0;
  const auto most = static_cast<std::uint64_t>(settings.limits.body);
  const Answer too_large{413, "http_request_error", "body-too-large"};
  const Answer asleep{503, "destination_unavailable", "no_wake", true};
  const bool over = most > 0 && request.framing == http1::Framing::length && request.length > most;
  if (over ||
      (service.candidates.empty() && starts_with_any(request.target, settings.hold.no_wake))) {
    buffers_.give(head);
    bump<std::uint64_t>(service.counters.rejected);
    return answer(client, over ? too_large : asleep, false, request.head, http10);
  }

  auto& exchange = open(client, request, head);
  if (client.hangup && !settings.half_close) return fail(exchange, Failure::client_abort);
  if (!rest.empty() && !exchange.body_done && !exchange.expecting) {
    std::size_t used = 0;
    if (!take_body(exchange, rest, used)) return;
    rest.remove_prefix(used);
  }
  if (!rest.empty()) buffers_.append(client.in, rest);
  if (client.in.empty()) buffers_.give(client.in);

  // Who waits already goes first.
  LocalReplica* replica = nullptr;
  if (service.shared->hold.count.load() == 0) replica = choose(service, nullptr);
  if (replica != nullptr) {
    exchange.slot = replica->shared;
    return assign(exchange, *replica);
  }
  if (!hold(exchange, false)) {
    return reply_and_end(exchange, Failure::hold_full,
                         {503, "destination_unavailable", "hold_full", true});
  }
  if (!exchange.body_done) pump(exchange);
}

/// Moves what can be moved, both ways. False where the exchange has ended.
bool Worker::pump(Exchange& exchange) {
  if (exchange.tunnel) return pump_tunnel(exchange);
  bool yielded = false;
  if (!send_request(exchange, yielded)) return false;
  if (exchange.upstream != nullptr && exchange.upstream->connected) {
    if (!read_answer(exchange, yielded)) return false;
    if (exchange.tunnel) return pump_tunnel(exchange);
  }
  if (yielded) enqueue(*exchange.client);
  return true;
}

/// The request's way: client → `request` → replica.
bool Worker::send_request(Exchange& exchange, bool& yielded) {
  auto& request = exchange.request;
  std::size_t moved = 0;
  for (;;) {
    auto* const upstream = exchange.upstream;
    if (upstream != nullptr && upstream->connected && exchange.sent < request.end) {
      if (!upstream->writable) break;
      const auto sent = ::send(upstream->fd, request.data + exchange.sent,
                               request.end - exchange.sent, MSG_NOSIGNAL);
      if (sent < 0) {
        upstream->writable = false;
        if (errno == EAGAIN) {
          wait_writable(*upstream);
        } else if (errno == EINTR) {
          upstream->writable = true;
          continue;
        } else {
          upstream->readable = true;  // it may have answered before it closed: read_answer() sees
        }
        break;
      }
      exchange.sent += static_cast<std::uint32_t>(sent);
      moved += static_cast<std::size_t>(sent);
      if (exchange.sent < request.end) {
        upstream->writable = false;
        set_deadline(*upstream, now_ + exchange.service->settings->timeouts.response_head);
        wait_writable(*upstream);
        break;
      }
      if (request.end > kRepeatable) exchange.repeatable = false;
      if (!exchange.repeatable) {
        request.clear();
        exchange.sent = 0;
      }
      await_answer(exchange);
    }
    if (exchange.body_done || exchange.expecting) break;
    if (upstream != nullptr ? exchange.sent < request.end : !may_hold_more(exchange)) break;
    if (moved >= kTurn) {
      yielded = true;
      break;
    }
    const auto before = exchange.body_taken;
    if (!read_body(exchange)) return false;
    if (exchange.body_taken == before && !exchange.body_done) break;
  }
  return true;
}

/// Z2: of a request that waits, the head and a bounded part of the body is taken.
bool Worker::may_hold_more(Exchange& exchange) {
  auto& bytes = exchange.service->shared->hold.bytes;
  if (exchange.waiting) {
    const auto more = static_cast<std::int64_t>(exchange.request.size()) - exchange.hold_bytes;
    bytes.fetch_add(more);
    exchange.hold_bytes += more;
  }
  return exchange.request.size() < kRepeatable &&
         bytes.load() < exchange.service->settings->hold.max_bytes;
}

/// Takes some of the client's body, from what was read with the head or from the socket. False
/// where the exchange has ended.
bool Worker::read_body(Exchange& exchange) {
  auto& client = *exchange.client;
  std::size_t used = 0;
  if (!client.in.empty()) {
    if (!take_body(exchange, client.in.view(), used)) return false;
    client.in.begin += static_cast<std::uint32_t>(used);
    if (client.in.empty()) buffers_.give(client.in);
  } else if (client.readable) {
    const auto room = exchange.body == http1::Framing::length
                          ? std::min<std::uint64_t>(kScratch, exchange.body_left)
                          : kScratch;
    const auto got = ::recv(client.fd, in_.get(), room, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      client.readable = errno == EINTR;
      return true;
    }
    if (got <= 0) {
      fail(exchange, Failure::client_abort);
      return false;
    }
    const auto size = static_cast<std::size_t>(got);
    if (size < room && !client.hangup) client.readable = false;
    if (!take_body(exchange, {in_.get(), size}, used)) return false;
    if (used < size) buffers_.append(client.in, {in_.get() + used, size - used});
  }
  if (exchange.body_done) {
    exchange.until_body = exchange.until_rate = kNever;
    plan_deadline(exchange);
  } else if (used > 0 || exchange.until_body == kNever) {
    exchange.until_body = now_ + exchange.service->settings->timeouts.body_idle;
    if (exchange.until_rate == kNever) {
      exchange.until_rate = now_ + kRateWindow;
      exchange.rate_from = exchange.body_taken;
    }
    plan_deadline(exchange);
  }
  return true;
}

/// Writes body bytes anew into `request`. False where the exchange has ended.
bool Worker::take_body(Exchange& exchange, std::string_view input, std::size_t& used) {
  if (exchange.body == http1::Framing::length) {
    used = static_cast<std::size_t>(std::min<std::uint64_t>(exchange.body_left, input.size()));
    buffers_.append(exchange.request, input.substr(0, used));
    exchange.body_left -= used;
    exchange.body_done = exchange.body_left == 0;
    exchange.body_taken += used;
    return true;
  }
  while (used < input.size() && !exchange.body_done) {
    buffers_.reserve(exchange.request, std::min<std::size_t>(input.size() - used, kScratch) + 128);
    auto& to = exchange.request;
    const auto step = exchange.body_chunks.feed(input.substr(used), {to.data + to.end, to.room()});
    if (step.error != nullptr) {
      reply_and_end(exchange, Failure::bad_request, {400, "http_request_error", step.error});
      return false;
    }
    to.end += static_cast<std::uint32_t>(step.written);
    used += step.consumed;
    exchange.body_taken += step.consumed;
    exchange.body_done = step.done;
  }
  const auto most = static_cast<std::uint64_t>(exchange.service->settings->limits.body);
  if (most == 0 || exchange.body_taken <= most) return true;
  reply_and_end(exchange, Failure::bad_request, {413, "http_request_error", "body-too-large"});
  return false;
}

/// The answer's way: replica → client. Nothing is read while the client does not take.
bool Worker::read_answer(Exchange& exchange, bool& yielded) {
  auto& client = *exchange.client;
  std::size_t moved = 0;
  for (;;) {
    if (!client.out.empty()) {
      const auto before = client.out.size();
      if (!flush(client)) {
        fail(exchange, Failure::client_abort);
        return false;
      }
      if (!client.out.empty()) {
        if (client.out.size() < before || exchange.until_sent == kNever) {
          exchange.until_sent = now_ + exchange.service->settings->timeouts.send_idle;
          plan_deadline(exchange);
        }
        return true;
      }
      exchange.until_sent = kNever;
      plan_deadline(exchange);
    }
    if (exchange.answered) {
      finish(exchange);
      return false;
    }
    auto& upstream = *exchange.upstream;
    if (!upstream.readable) return true;
    if (moved >= kTurn) {
      yielded = true;
      return true;
    }
    const auto got = ::recv(upstream.fd, in_.get(), kScratch, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      upstream.readable = false;
      return true;
    }
    if (got < 0) {
      upstream_failed(exchange,
                      exchange.answering ? Failure::reset_in_body : Failure::reset_before_head);
      return false;
    }
    if (got == 0) {
      if (!answer_ended(exchange)) return false;
      continue;
    }
    const auto size = static_cast<std::size_t>(got);
    moved += size;
    if (size < kScratch && !upstream.hangup) upstream.readable = false;
    if (!respond(exchange, {in_.get(), size})) return false;
    if (exchange.tunnel) return true;
    // Where nothing is to come there is no deadline to move on.
    if (!exchange.answered) await_answer(exchange);
  }
}

/// Passes on what the replica sent. False where the exchange has ended.
bool Worker::respond(Exchange& exchange, std::string_view input) {
  std::size_t written = 0;
  if (!exchange.answering) {
    if (!exchange.response.empty()) {
      buffers_.append(exchange.response, input);
      input = exchange.response.view();
    }
    if (!respond_head(exchange, input, written)) return false;
    if (exchange.tunnel) return true;
    if (!exchange.answering) {
      if (written == 0) return true;
      if (send_to(*exchange.client, {out_.get(), written})) return true;
      fail(exchange, Failure::client_abort);
      return false;
    }
  }
  const bool going = respond_body(exchange, input, written);
  if (going) buffers_.give(exchange.response);
  return going;
}

/// Reads heads until the final one; `input` is then what follows it, `written` what `out_` holds.
bool Worker::respond_head(Exchange& exchange, std::string_view& input, std::size_t& written) {
  const http1::Asked asked{exchange.head, exchange.upgrade, exchange.minor,
                           exchange.keep_alive && exchange.body_done && !exchange.service->closing};
  for (;;) {
    auto& answer = exchange.answer;
    std::size_t size = 0;
    const auto outcome = http1::read_response(input, asked, date(), answer,
                                              {out_.get() + written, 4 * kScratch - written}, size);
    if (outcome.status == http1::Status::refused ||
        (answer.interim && outcome.status == http1::Status::complete &&
         ++exchange.interim > kInterimAnswers)) {
      upstream_failed(exchange, Failure::bad_response);
      return false;
    }
    if (outcome.status == http1::Status::more) {
      if (exchange.response.empty()) {
        buffers_.append(exchange.response, input);
      } else {
        exchange.response.begin = exchange.response.end - static_cast<std::uint32_t>(input.size());
      }
      return true;
    }
    input.remove_prefix(answer.head_size);
    if (answer.interim) {
      if (exchange.minor > 0) written += size;
      if (answer.code == 100 && exchange.expecting) {
        exchange.expecting = false;
        exchange.until_expect = kNever;
        plan_deadline(exchange);
        enqueue(*exchange.client);
      }
      if (input.empty()) {
        buffers_.give(exchange.response);
        return true;
      }
      continue;
    }
    written += size;
    exchange.answering = true;
    if (exchange.until_expect != kNever) {
      exchange.until_expect = kNever;  // it said no: the body is not wanted
      plan_deadline(exchange);
    }
    exchange.answer_left = answer.framing == http1::Framing::length ? answer.length : 0;
    bump<std::uint64_t>(exchange.service->counters.codes[answer.code / 100]);
    succeeded(*exchange.slot);
    if (answer.code == 101) {
      exchange.repeatable = false;
      if (!send_to(*exchange.client, {out_.get(), written}) || !send_to(*exchange.client, input)) {
        fail(exchange, Failure::client_abort);
        return false;
      }
      buffers_.give(exchange.response);
      return open_tunnel(exchange);
    }
    if (answer.framing == http1::Framing::chunked) {
      exchange.answer_chunks =
          http1::Chunks{answer.out_framing == http1::Framing::chunked ? http1::Chunks::Write::chunks
                                                                      : http1::Chunks::Write::data};
    }
    return true;
  }
}

/// Writes chunks anew behind `written` bytes of `out_`; what does not fit there is sent.
bool Worker::respond_chunks(Exchange& exchange, std::string_view input, std::size_t& written) {
  constexpr std::size_t kRoom = 4 * kScratch;
  while (!input.empty() && !exchange.answered) {
    const auto step = exchange.answer_chunks.feed(input, {out_.get() + written, kRoom - written});
    if (step.error != nullptr) {
      upstream_failed(exchange, Failure::bad_response);
      return false;
    }
    written += step.written;
    input.remove_prefix(step.consumed);
    exchange.answered = step.done;
    if (kRoom - written >= 128) continue;
    if (!send_to(*exchange.client, {out_.get(), written})) {
      fail(exchange, Failure::client_abort);
      return false;
    }
    written = 0;
  }
  if (!input.empty()) exchange.answer.upstream_keep_alive = false;
  return true;
}

/// Passes body bytes on, behind `written` bytes of head in `out_`, in one send.
bool Worker::respond_body(Exchange& exchange, std::string_view input, std::size_t written) {
  auto& answer = exchange.answer;
  std::string_view out;
  switch (answer.framing) {
    case http1::Framing::none:
    case http1::Framing::length: {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(exchange.answer_left, input.size()));
      exchange.answer_left -= size;
      exchange.answered = exchange.answer_left == 0;
      if (size < input.size()) answer.upstream_keep_alive = false;  // bytes nobody asked for
      if (written > 0) {
        std::memcpy(out_.get() + written, input.data(), size);
        out = {out_.get(), written + size};
      } else {
        out = input.substr(0, size);
      }
      break;
    }
    case http1::Framing::chunked:
      if (!respond_chunks(exchange, input, written)) return false;
      out = {out_.get(), written};
      break;
    case http1::Framing::close: {
      const bool chunked = answer.out_framing == http1::Framing::chunked;
      if (chunked && !input.empty()) {
        const auto end = fmt::format_to_n(out_.get() + written, 20, "{:x}\r\n", input.size());
        written += end.size;
      }
      std::memcpy(out_.get() + written, input.data(), input.size());
      written += input.size();
      if (chunked && !input.empty()) {
        std::memcpy(out_.get() + written, "\r\n", 2);
        written += 2;
      }
      out = {out_.get(), written};
      break;
    }
  }
  if (out.empty() || send_to(*exchange.client, out)) return true;
  fail(exchange, Failure::client_abort);
  return false;
}

/// The replica's end of its connection: the answer's end where it is framed so, else a failure.
bool Worker::answer_ended(Exchange& exchange) {
  if (!exchange.answering || exchange.answer.framing != http1::Framing::close) {
    upstream_failed(exchange,
                    exchange.answering ? Failure::reset_in_body : Failure::reset_before_head);
    return false;
  }
  exchange.answered = true;
  exchange.answer.upstream_keep_alive = false;
  if (exchange.answer.out_framing != http1::Framing::chunked) return true;
  if (send_to(*exchange.client, "0\r\n\r\n")) return true;
  fail(exchange, Failure::client_abort);
  return false;
}

/// The last byte is in the kernel.
void Worker::finish(Exchange& exchange) {
  auto& client = *exchange.client;
  auto& counters = exchange.service->counters;
  bump<std::uint64_t>(counters.completed);
  counters.duration.record(steady_now() - exchange.arrived);
  if (exchange.sampled) trace(exchange, exchange.answer.code, Failure::kCount);
  const bool whole = exchange.body_done && exchange.sent >= exchange.request.end;
  const bool reuse = exchange.answer.client_keep_alive && whole;
  end(exchange, exchange.answer.upstream_keep_alive && whole);
  return reuse ? become_idle(client) : linger(client);
}

/// Counts it as failed and cuts the client off.
void Worker::fail(Exchange& exchange, Failure failure) {
  auto& client = *exchange.client;
  // A tunnel was counted as completed when it opened.
  if (!exchange.tunnel) {
    bump<std::uint64_t>(exchange.service->counters.failed[static_cast<std::size_t>(failure)]);
  }
  if (exchange.sampled) {
    trace(exchange, exchange.answering ? exchange.answer.code : 0,
          exchange.tunnel ? Failure::kCount : failure);
  }
  // Where the end of the connection is the end of the answer, only a reset can say otherwise.
  if (exchange.answering && !exchange.tunnel &&
      exchange.answer.out_framing == http1::Framing::close) {
    const struct linger reset { 1, 0 };
    ::setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  end(exchange, false);
  close(client);
}

/// Counts it as failed and says so, where the answer has not begun; else cuts the client off.
void Worker::reply_and_end(Exchange& exchange, Failure failure, const Answer& what) {
  if (exchange.answering || !exchange.client->out.empty()) return fail(exchange, failure);
  auto& client = *exchange.client;
  const bool keep_alive =
      exchange.keep_alive && exchange.body_done && failure != Failure::bad_request;
  const bool head = exchange.head;
  const bool http10 = exchange.minor == 0;
  bump<std::uint64_t>(exchange.service->counters.failed[static_cast<std::size_t>(failure)]);
  if (exchange.sampled) trace(exchange, what.code, failure);
  end(exchange, false);
  answer(client, what, keep_alive, head, http10);
}

/// Gives back all that the exchange holds; the client has none any more.
void Worker::end(Exchange& exchange, bool keep_upstream) {
  unhold(exchange);
  auto& service = *exchange.service;
  service.counters.in_flight.change(-1, now_);
  if (exchange.tunnel) {
    bump<std::int64_t>(service.counters.tunnels, -1);
    exchange.slot->tunnels.fetch_sub(1);
    exchange.tunnel = false;
  }
  if (auto* const upstream = std::exchange(exchange.upstream, nullptr)) {
    upstream->exchange = nullptr;
    if (keep_upstream) {
      keep(*upstream, exchange);
    } else {
      close(*upstream);
    }
  }
  buffers_.give(exchange.request);
  buffers_.give(exchange.response);
  exchange.client->exchange = nullptr;
  exchange.client = nullptr;
  ++exchange.generation;
  free_exchanges_.push_back(&exchange);
  leave(exchange);
}

/// The client's timer runs to the first of the exchange's deadlines.
void Worker::plan_deadline(Exchange& exchange) {
  set_deadline(*exchange.client,
               std::min({exchange.until_hold, exchange.until_expect, exchange.until_body,
                         exchange.until_rate, exchange.until_sent, exchange.until_whole}));
}

void Worker::on_exchange_deadline(Exchange& exchange) {
  const auto passed = [this](Time until) { return until <= now_; };
  if (passed(exchange.until_hold)) {
    return reply_and_end(exchange, Failure::hold_timeout,
                         {503, "destination_unavailable", "hold_timeout", true});
  }
  if (passed(exchange.until_whole)) {
    return reply_and_end(exchange, Failure::request_timeout,
                         {504, "http_response_timeout", "request_timeout"});
  }
  if (exchange.tunnel || passed(exchange.until_sent)) return fail(exchange, Failure::client_idle);
  const bool slow =
      passed(exchange.until_rate) && exchange.body_taken - exchange.rate_from <
                                         kLeastRate * static_cast<std::uint64_t>(kRateWindow / 1s);
  // A body that waits for the replica is not the client's to hurry.
  const bool held_back = exchange.sent < exchange.request.end || !exchange.client->in.empty();
  if ((passed(exchange.until_body) || slow) && !held_back && !exchange.answering) {
    return reply_and_end(exchange, Failure::client_idle,
                         {408, "http_request_error", "body-timeout"});
  }
  if (passed(exchange.until_body)) {
    exchange.until_body = now_ + exchange.service->settings->timeouts.body_idle;
  }
  if (passed(exchange.until_rate)) {
    exchange.until_rate = now_ + kRateWindow;
    exchange.rate_from = exchange.body_taken;
  }
  const bool go_on = passed(exchange.until_expect);
  if (go_on) {
    exchange.expecting = false;
    exchange.until_expect = kNever;
  }
  plan_deadline(exchange);
  if (go_on) pump(exchange);
}

}  // namespace headroom::gateway
