#include "otlp/lookup.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>

namespace headroom::otlp {
namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr Millis kLookSlice = 50ms;

Result<std::vector<Address>> ask(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  if (error != 0) {
    return fail({Code::unavailable, fmt::format("{}: {}", host, ::gai_strerror(error)), {}});
  }
  std::vector<Address> addresses;
  for (auto* each = found; each != nullptr && addresses.size() < kMostAddresses;
       each = each->ai_next) {
    Address address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct Lookup::Question {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<std::vector<Address>>> answer;
};

Result<std::vector<Address>> Lookup::find(const std::string& host, const std::string& port,
                                          std::chrono::steady_clock::time_point deadline,
                                          const std::function<bool()>& meanwhile) {
  if (!open_) {
    open_ = std::make_shared<Question>();
    try {
      // It may outlive us, and touches nothing but the question.
      std::thread([question = open_, host, port] {
        auto answer = ask(host, port);
        const std::lock_guard lock(question->mutex);
        question->answer = std::move(answer);
        question->changed.notify_all();
      }).detach();
    } catch (const std::system_error& e) {
      open_.reset();
      return fail({Code::unavailable, fmt::format("{}: {}", host, e.what()), {}});
    }
  }
  for (;;) {
    {
      std::unique_lock lock(open_->mutex);
      open_->changed.wait_for(lock, kLookSlice, [this] { return open_->answer.has_value(); });
      if (open_->answer) break;
    }
    if (std::chrono::steady_clock::now() >= deadline || !meanwhile()) {
      return fail(
          {Code::unavailable, fmt::format("{}: its name is still being looked up", host), {}});
    }
  }
  const auto question = std::exchange(open_, nullptr);
  return std::move(*question->answer);
}

}  // namespace headroom::otlp
