#include "server/connection.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace headroom::server {
namespace {

constexpr Millis kHandshake = 10s;
constexpr Millis kFirst = 10s;    // until the first request begins
constexpr Millis kIdle = 60s;     // between two requests
constexpr Millis kRequest = 10s;  // from its first byte to its last
constexpr Millis kTake = 60s;     // an answer
constexpr Millis kTakeEvent = 30s;
constexpr Millis kLinger = 2s;
constexpr std::size_t kMostLingered = 4 << 20;
constexpr std::size_t kMostQueued = 4 << 20;  // of a stream, without statuses
constexpr std::size_t kMostOwed = 64 << 20;   // of all clients together
constexpr std::size_t kSmall = 64 << 10;      // owed without being counted against that
constexpr int kKernelQueue = 128 << 10;

}  // namespace

Connection::Connection(boost::asio::io_context& io, std::unique_ptr<Wire> wire, Door door,
                       std::shared_ptr<Common> common)
    : wire_(std::move(wire)), timer_(io), door_(door), common_(std::move(common)) {}

Connection::~Connection() { common_->owed -= out_.size(); }

void Connection::start() {
  within(kHandshake);
  idle_since_ = std::chrono::steady_clock::now();
  wire_->handshake([self = shared_from_this()](boost::system::error_code error, std::size_t) {
    if (error) return self->close();
    self->next();
  });
}

void Connection::within(Millis time) {
  timer_.expires_after(time);
  timer_.async_wait([self = weak_from_this(), mine = ++deadline_](boost::system::error_code) {
    const auto alive = self.lock();
    if (alive && alive->deadline_ == mine) alive->close();
  });
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  ++deadline_;
  timer_.cancel();
  wire_->close();
}

void Connection::next() {
  within(reader_.begun() ? kRequest : asked_ ? kIdle : kFirst);
  idle_since_ = std::chrono::steady_clock::now();
  handle(reader_.feed({}));
}

void Connection::read() {
  wire_->read(boost::asio::buffer(in_),
              [self = shared_from_this()](boost::system::error_code error, std::size_t got) {
                if (error || self->closed_) return self->close();
                if (!self->reader_.begun()) self->within(kRequest);
                self->handle(self->reader_.feed({self->in_.data(), got}));
              });
}

void Connection::handle(RequestReader::State state) {
  if (state == RequestReader::State::more) return read();
  idle_since_.reset();
  asked_ = true;
  if (state == RequestReader::State::refused) return respond(reader_.refused(), {});
  const auto request = reader_.take();
  const How how{.head = request.method == "HEAD", .keep = request.keep_alive};
  within(Api::kPatience * 3);
  common_->api.answer(request, door_, [self = shared_from_this(), how](const Answer& answer) {
    if (!self->closed_) self->respond(answer, how);
  });
}

void Connection::respond(const Answer& answer, How how) {
  if (answer.stream && !how.head) {
    if (common_->hub.full()) {
      return respond(refusal(503, "too many streams are open"), how);
    }
    return begin_stream(answer);
  }
  const auto bytes = answer.bytes();
  if (bytes.size() > kSmall && common_->owed + bytes.size() > kMostOwed) {
    return respond(refusal(503, "too much is being sent: try again"), how);
  }
  const bool close = answer.close || !how.keep;
  const auto length = answer.stream ? std::nullopt : std::optional(bytes.size());
  out_ = head_of(answer, length, close);
  if (!how.head) out_ += bytes;
  common_->owed += out_.size();
  within(kTake);
  wire_->write(boost::asio::buffer(out_),
               [self = shared_from_this(), close](boost::system::error_code error, std::size_t) {
                 self->common_->owed -= self->out_.size();
                 std::string().swap(self->out_);
                 if (error || self->closed_) return self->close();
                 if (close) return self->linger();
                 self->next();
               });
}

/// Says that nothing more comes and takes what is under way: a socket that is closed with bytes
/// unread resets the connection, and the client might never see the answer.
void Connection::linger() {
  within(kLinger);
  idle_since_ = std::chrono::steady_clock::now();
  wire_->end_sending([self = shared_from_this()](boost::system::error_code, std::size_t) {
    if (!self->closed_) self->discard(kMostLingered);
  });
}

void Connection::discard(std::size_t most) {
  wire_->read(boost::asio::buffer(in_),
              [self = shared_from_this(), most](boost::system::error_code error, std::size_t got) {
                if (error || self->closed_ || got > most) return self->close();
                self->discard(most - got);
              });
}

void Connection::begin_stream(const Answer& answer) {
  wire_->bound_sending(kKernelQueue);
  push(
      std::make_shared<const std::string>(head_of(answer, std::nullopt, true) + "retry: 2000\n\n"));
  common_->hub.add(weak_from_this(), answer.stream->after);
  discard(kSmall);  // sees it go
}

void Connection::push(std::shared_ptr<const std::string> message) {
  if (closed_) return;
  // One that does not keep up is let go, and may come back; one message is always taken.
  if (queued_ > 0 && queued_ + message->size() > kMostQueued) return close();
  queued_ += message->size();
  queue({std::move(message)});
}

void Connection::push_status(std::shared_ptr<const std::string> message) {
  if (closed_) return;
  // The first is being sent.
  const auto begin = queue_.empty() ? queue_.begin() : queue_.begin() + 1;
  const auto waiting = std::find_if(begin, queue_.end(), std::mem_fn(&Queued::status));
  if (waiting == queue_.end()) return queue({std::move(message), true});
  // At its place, not behind all that waits: it would never come while there is always something.
  waiting->message = std::move(message);
}

void Connection::queue(Queued queued) {
  queue_.push_back(std::move(queued));
  if (queue_.size() == 1) write_next();
}

void Connection::token_changed() {
  if (!door_.local && !door_.loopback) close();
}

void Connection::write_next() {
  within(kTakeEvent);
  const auto next = queue_.front();
  wire_->write(boost::asio::buffer(*next.message),
               [self = shared_from_this(), next](boost::system::error_code error, std::size_t) {
                 if (error || self->closed_) return self->close();
                 if (!next.status) self->queued_ -= next.message->size();
                 self->queue_.pop_front();
                 if (self->queue_.empty()) return self->within(kTakeEvent);
                 self->write_next();
               });
}

}  // namespace headroom::server
