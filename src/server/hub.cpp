#include "server/hub.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/views.h"

namespace headroom::server {
namespace {

constexpr Millis kLook = 100ms;
constexpr Millis kStatusEvery = 1s;
constexpr Millis kEventsEvery = 500ms;
constexpr std::size_t kLag = 256 << 10;  // bytes that wait: no more old events until it has them

/// A field's value is one line; in JSON a newline only stands between two things.
std::string one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

}  // namespace

void Hub::prune() {
  std::erase_if(clients_, [](const Client& client) { return client.to.expired(); });
}

bool Hub::full() {
  prune();
  return clients_.size() >= kMost;
}

Hub::Standing Hub::standing() const {
  Standing standing;
  for (const auto& status : api_.board().all()) {
    standing.emplace_back(status->name, counts_of(*status));
  }
  return standing;
}

std::string Hub::status() const {
  return fmt::format("event: status\ndata: {}\n\n", one_line(api_.everything()));
}

void Hub::add(std::weak_ptr<Subscriber> subscriber, std::optional<std::int64_t> after) {
  Client client{std::move(subscriber), after};
  if (const auto newest = api_.newest_event(); newest) {
    // An id of another journal's future would hide what comes.
    client.told = std::min(after.value_or(*newest), *newest);
  }
  // The first message says where it stands: who is cut before an event comes goes on from there.
  // So no later status takes its place.
  const auto id = client.told ? fmt::format("id: {}\n", *client.told) : "";
  const auto to = client.to.lock();
  clients_.push_back(std::move(client));
  if (to) to->push(std::make_shared<const std::string>(id + status()));
  if (looking_) return;
  told_ = standing();
  status_at_ = std::chrono::steady_clock::now();
  look_soon();
}

void Hub::token_changed() {
  for (const auto& client : clients_) {
    if (const auto to = client.to.lock()) to->token_changed();
  }
}

void Hub::look_soon() {
  looking_ = true;
  timer_.expires_after(kLook);
  timer_.async_wait([this](boost::system::error_code error) {
    looking_ = false;
    if (error) return;
    prune();
    if (clients_.empty()) return;
    look();
    look_soon();
  });
}

void Hub::look() {
  const auto now = std::chrono::steady_clock::now();
  auto standing = this->standing();
  const bool changed = standing != told_;
  if (changed || now - status_at_ >= kStatusEvery) {
    told_ = std::move(standing);
    status_at_ = now;
    const auto message = std::make_shared<const std::string>(status());
    for (const auto& client : clients_) {
      if (const auto to = client.to.lock()) to->push_status(message);
    }
  }
  if (changed || now - events_at_ >= kEventsEvery) {
    events_at_ = now;
    tell_events();
  }
}

void Hub::tell_events() {
  const auto newest = api_.newest_event();
  if (!newest) return;  // /readyz says so; those who wait are told when it can be read again
  for (auto& client : clients_) {
    if (!client.told) client.told = *newest;
    const auto to = client.to.lock();
    if (!to || *client.told >= *newest || to->queued() > kLag) continue;
    const auto events = api_.events_after(*client.told);
    if (!events) return;
    std::string text;
    for (const auto& event : *events) {
      text +=
          fmt::format("id: {}\nevent: event\ndata: {}\n\n", event.id, one_line(event_json(event)));
      client.told = event.id;
    }
    if (!text.empty()) to->push(std::make_shared<const std::string>(std::move(text)));
  }
}

}  // namespace headroom::server
