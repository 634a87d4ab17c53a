#include "cli/handover.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include "base/message.h"

namespace headroom::cli {
namespace {

namespace json = boost::json;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using target::HandedReplica;

constexpr Millis kMessagePatience = 10s;
constexpr Millis kWithoutEnd{-1};
constexpr std::size_t kPiece = 64 << 10;  // of a document
constexpr std::string_view kHello = "hello 1 ";

Error broken(const char* what) {
  return {Code::unavailable, fmt::format("the hand-over broke off: {}", what), {}};
}

std::int64_t count(steady_clock::time_point at) {
  return std::chrono::duration_cast<nanoseconds>(at.time_since_epoch()).count();
}
steady_clock::time_point time_point(const json::value& ns) {
  return steady_clock::time_point(nanoseconds(ns.to_number<std::int64_t>()));
}

std::string text_of(const control::HandedScaler& scaler) {
  const auto& process = scaler.process;
  return "scaler " + json::serialize(json::value{
                         {"last_id", process.last_id},
                         {"cgroups", process.cgroups.kind},
                         {"parents", json::value_from(process.cgroups.parents)},
                         {"home", json::value_from(process.cgroups.home)},
                         {"directory", process.directory.path},
                         {"sockets", process.directory.sockets},
                         {"lock", static_cast<bool>(process.directory.lock)},
                         {"listens", static_cast<bool>(scaler.listener)},
                     });
}

std::string text_of(const HandedReplica& replica) {
  const auto& output = replica.output;
  json::object all{
      {"id", replica.id},
      {"pid", replica.pid},
      {"ready", replica.ready},
      {"stale", replica.stale},
      {"started", count(replica.started)},
      {"since", count(replica.state_since)},
      {"startup", replica.startup ? json::value(replica.startup->count()) : json::value()},
      {"restarts", replica.restarts},
      {"port", replica.port},
      {"socket", replica.socket},
      {"cpu", replica.cpu_before.count()},
      {"cgroups", json::value_from(replica.cgroups)},
      {"written", output.written},
      {"life", output.of_this_life},
      {"out", static_cast<bool>(output.out)},
      {"err", static_cast<bool>(output.err)},
  };
  const auto known = "replica " + json::serialize(all);
  all["lines"] = json::value_from(output.lines);
  all["begun_out"] = output.begun_out;
  all["begun_err"] = output.begun_err;
  auto text = "replica " + json::serialize(all);
  // Its last words are for people; where escaping makes too much of them, it goes without.
  return text.size() <= kLongestMessage ? text : known;
}

void add(std::vector<int>& fds, const Fd& fd) {
  if (fd) fds.push_back(fd.get());
}

bool send(int socket, const control::HandedScaler& scaler) {
  for (std::string_view rest = scaler.document; !rest.empty();) {
    const auto piece = rest.substr(0, kPiece);
    if (!send_message(socket, fmt::format("document {}", piece), kMessagePatience)) return false;
    rest.remove_prefix(piece.size());
  }
  std::vector<int> fds;
  add(fds, scaler.process.directory.lock);
  add(fds, scaler.listener);
  if (!send_message(socket, text_of(scaler), kMessagePatience, fds)) return false;
  for (const auto& replica : scaler.process.replicas) {
    std::vector<int> its{replica.pidfd.get()};
    add(its, replica.output.out);
    add(its, replica.output.err);
    if (!send_message(socket, text_of(replica), kMessagePatience, its)) return false;
  }
  return true;
}

bool send_passed(int socket, const std::vector<Fd>& all) {
  for (std::size_t n = 0; n < all.size(); n += kMostDescriptors) {
    std::vector<int> some;
    for (auto i = n; i < std::min(n + kMostDescriptors, all.size()); ++i) add(some, all[i]);
    if (!send_message(socket, "passed {}", kMessagePatience, some)) return false;
  }
  return true;
}

/// The descriptors of a message, in the order in which they were put there.
class Descriptors {
 public:
  explicit Descriptors(Message& message) : fds_(message.fds) {}
  /// Throws where there are fewer than were announced.
  Fd next(bool there = true) { return there ? std::move(fds_.at(next_++)) : Fd(); }

 private:
  std::vector<Fd>& fds_;
  std::size_t next_ = 0;
};

using Strings = std::vector<std::string>;

std::string text_in(const json::object& from, std::string_view key) {
  const auto* const found = from.if_contains(key);
  return found == nullptr ? "" : std::string(found->as_string());
}

control::HandedScaler read_scaler(const json::object& from, Message& message) {
  Descriptors fds(message);
  control::HandedScaler scaler;
  auto& process = scaler.process;
  process.last_id = from.at("last_id").to_number<std::uint64_t>();
  process.cgroups = {from.at("cgroups").to_number<int>(),
                     json::value_to<Strings>(from.at("parents")),
                     json::value_to<Strings>(from.at("home"))};
  process.directory = {text_in(from, "directory"), text_in(from, "sockets"),
                       fds.next(from.at("lock").as_bool())};
  scaler.listener = fds.next(from.at("listens").as_bool());
  return scaler;
}

HandedReplica read_replica(const json::object& from, Message& message) {
  Descriptors fds(message);
  HandedReplica replica;
  replica.id = from.at("id").to_number<std::uint64_t>();
  replica.pid = from.at("pid").to_number<pid_t>();
  replica.pidfd = fds.next();
  replica.ready = from.at("ready").as_bool();
  replica.stale = from.at("stale").as_bool();
  replica.started = time_point(from.at("started"));
  replica.state_since = time_point(from.at("since"));
  if (const auto& startup = from.at("startup"); !startup.is_null()) {
    replica.startup = Millis(startup.to_number<std::int64_t>());
  }
  replica.restarts = from.at("restarts").to_number<int>();
  replica.port = from.at("port").to_number<std::uint16_t>();
  replica.socket = text_in(from, "socket");
  replica.cpu_before = std::chrono::microseconds(from.at("cpu").to_number<std::int64_t>());
  replica.cgroups = json::value_to<Strings>(from.at("cgroups"));
  auto& output = replica.output;
  output.written = from.at("written").to_number<std::uint64_t>();
  output.out = fds.next(from.at("out").as_bool());
  output.err = fds.next(from.at("err").as_bool());
  if (const auto* const lines = from.if_contains("lines")) {
    output.of_this_life = from.at("life").to_number<std::uint64_t>();
    output.lines = json::value_to<Strings>(*lines);
    output.begun_out = text_in(from, "begun_out");
    output.begun_err = text_in(from, "begun_err");
  }
  return replica;
}

/// A predecessor may not say it.
log::Level read_level(const json::object& rest) {
  const auto* const level = rest.if_contains("level");
  const int number = level == nullptr ? -1 : level->to_number<int>();
  if (number < 0 || number > static_cast<int>(log::Level::error)) return log::level();
  return static_cast<log::Level>(number);
}

/// False at the end. `document`: of the next scaler, so far. Throws for what is none of ours.
bool take(Message& message, std::string& document, Handover& all) {
  const std::string_view text = message.text;
  const auto kind = text.substr(0, text.find(' '));
  const auto rest = text.substr(std::min(kind.size() + 1, text.size()));
  if (kind == "end") return false;
  if (kind == "document") {
    document += rest;
    return true;
  }
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // replicas write what they like
  const auto body = json::parse(rest, {}, options);
  if (kind == "scaler") {
    all.scalers.push_back(read_scaler(body.as_object(), message));
    all.scalers.back().document = std::exchange(document, {});
  } else if (kind == "replica") {
    all.scalers.at(all.scalers.size() - 1)
        .process.replicas.push_back(read_replica(body.as_object(), message));
  } else if (kind == "passed") {
    std::ranges::move(message.fds, std::back_inserter(all.passed));
  } else if (kind == "rest") {
    Descriptors fds(message);
    all.admin.local = fds.next(body.at("local").as_bool());
    all.admin.tcp = fds.next(body.at("tcp").as_bool());
    if (const auto& told = body.at("told"); !told.is_null()) {
      all.told = told.to_number<std::int64_t>();
    }
    all.level = read_level(body.as_object());
  } else {
    throw std::runtime_error("an unknown word");  // what it says may matter
  }
  return true;
}

}  // namespace

Result<void> hand_over(int socket, const Handover& all) {
  for (const auto& scaler : all.scalers) {
    if (!send(socket, scaler)) return fail(broken("the new one takes no more"));
  }
  if (!send_passed(socket, all.passed)) return fail(broken("the new one takes no more"));
  std::vector<int> admin;
  add(admin, all.admin.local);
  add(admin, all.admin.tcp);
  const auto rest =
      json::serialize(json::value{{"local", static_cast<bool>(all.admin.local)},
                                  {"tcp", static_cast<bool>(all.admin.tcp)},
                                  {"told", all.told ? json::value(*all.told) : json::value()},
                                  {"level", static_cast<int>(all.level)}});
  if (!send_message(socket, "rest " + rest, kMessagePatience, admin) ||
      !send_message(socket, "end", kMessagePatience)) {
    return fail(broken("the new one takes no more"));
  }
  const auto answer = receive_message(socket, kMessagePatience);
  if (!answer || answer->text != "taken" || !send_message(socket, "go", kMessagePatience)) {
    return fail(broken("the new one did not start"));
  }
  return {};
}

Result<std::string> read_hello(int socket) {
  const auto hello = receive_message(socket, kMessagePatience);
  if (!hello) return fail(broken("the new one ended before it was ready; the log says why"));
  if (!hello->text.starts_with(kHello)) return fail(broken("the new one speaks otherwise"));
  return hello->text.substr(kHello.size());
}

Result<Handover> take_over(int socket) {
  if (!send_message(socket, fmt::format("{}{}", kHello, HEADROOM_VERSION), kMessagePatience)) {
    return fail(broken("the old one is gone"));
  }
  Handover all;
  std::string document;
  try {
    for (;;) {
      auto message = receive_message(socket, kMessagePatience);
      if (!message) return fail(broken("the old one is silent"));
      if (!take(*message, document, all)) return all;
    }
  } catch (const std::exception& e) {  // Boost.JSON's: another version's words
    return fail(broken(e.what()));
  }
}

Result<void> confirm(int socket) {
  if (!send_message(socket, "taken", kMessagePatience)) return fail(broken("the old one is gone"));
  const auto answer = receive_message(socket, kWithoutEnd);
  if (!answer || answer->text != "go") return fail(broken("the old one goes on itself"));
  return {};
}

void say_over(int socket) { static_cast<void>(send_message(socket, "over", kMessagePatience)); }

bool is_over(int socket) {
  const auto answer = receive_message(socket, 0ms);
  return answer && answer->text == "over";
}

}  // namespace headroom::cli
