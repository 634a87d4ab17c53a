#include <array>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "decide/json.h"
#include "server/api.h"
#include "server/api_parts.h"
#include "server/limits.h"
#include "server/views.h"

namespace headroom::server {
namespace {

Error wrong(std::string what) { return {Code::invalid, std::move(what), {}}; }

/// The object that a body is, with fields of these names only.
template <std::size_t N>
Result<boost::json::object> read_object(std::string_view text,
                                        const std::array<std::string_view, N>& names) {
  auto parsed = decide::parse_json(text);
  if (!parsed) return fail(wrong("the body: " + parsed.error().what));
  auto* const object = parsed->if_object();
  if (object == nullptr) return fail(wrong("the body: expected an object"));
  for (const auto& field : *object) {
    const std::string_view name(field.key().data(), field.key().size());
    if (std::ranges::find(names, name) == names.end()) {
      return fail(wrong(fmt::format("the body: unknown field \"{}\", expected {}", printable(name),
                                    fmt::join(names, ", "))));
    }
  }
  return std::move(*object);
}

/// nullopt: it is not there. Errors: it is, and is no whole number from `least` to `most`.
Result<std::optional<std::int64_t>> whole(const boost::json::object& object,
                                          const WholeNumber& expected) {
  const auto* const value = object.if_contains({expected.name.data(), expected.name.size()});
  if (value == nullptr) return std::optional<std::int64_t>();
  const auto* const number = value->if_int64();
  if (number != nullptr && *number >= expected.least && *number <= expected.most) {
    return std::optional(*number);
  }
  return fail(wrong(fmt::format("{}: expected a whole number from {} to {}", expected.name,
                                expected.least, expected.most)));
}

/// What scale and pause say. Without a body it is empty.
struct Hold {
  std::optional<Replicas> replicas;
  std::optional<Millis> time;
};
template <std::size_t N>
Result<Hold> read_hold(std::string_view body, const std::array<std::string_view, N>& names) {
  const auto object = read_object(body.empty() ? "{}" : body, names);
  if (!object) return fail(object.error());
  const auto replicas = whole(*object, {"replicas", 0, kMostReplicas});
  if (!replicas) return fail(replicas.error());
  const auto time = whole(*object, {"forMs", 1, kLongestHold.count()});
  if (!time) return fail(time.error());
  Hold hold;
  if (*replicas) hold.replicas = Replicas{static_cast<std::int32_t>(**replicas)};
  if (*time) hold.time = Millis(**time);
  return hold;
}

struct Level {
  std::string_view word;
  log::Level level;
};
constexpr Level kLevels[] = {{"debug", log::Level::debug},
                             {"info", log::Level::info},
                             {"warn", log::Level::warn},
                             {"error", log::Level::error}};

int status_of(Code code) {
  switch (code) {
    case Code::invalid:
      return 400;
    case Code::unavailable:
      return 404;
    case Code::conflict:
      return 409;
  }
  return 500;
}

}  // namespace

void Api::change(const std::string& name, std::function<Result<void>()> work, const Done& done) {
  on_loop<Result<void>>(
      kPatience, std::move(work),
      [this, name, done](std::optional<Result<void>> did) { show_changed(name, did, done); });
}

void Api::show_changed(const std::string& name, const std::optional<Result<void>>& did,
                       const Done& done) const {
  if (!did) return done(refusal(503, "the control loop does not answer"));
  if (!*did) return done(refusal(status_of(did->error().code), did->error().what));
  const auto seen = doors_.board.find(name);
  // It may have left meanwhile.
  if (!seen) return done(refusal(404, fmt::format("no autoscaler \"{}\"", printable(name))));
  done({.body = autoscaler_json(*seen)});
}

void Api::scale(const Call& call, const Done& done) {
  const auto wanted =
      read_hold(call.request.body, std::array<std::string_view, 2>{"replicas", "forMs"});
  if (!wanted) return done(refusal(400, wanted.error().what));
  if (!wanted->replicas) return done(refusal(400, "replicas: missing"));
  hold(call.names[0], wanted->replicas, wanted->time, done);
}

void Api::pause(const Call& call, const Done& done) {
  const auto wanted = read_hold(call.request.body, std::array<std::string_view, 1>{"forMs"});
  if (!wanted) return done(refusal(400, wanted.error().what));
  hold(call.names[0], std::nullopt, wanted->time, done);
}

void Api::hold(const std::string& name, std::optional<Replicas> replicas,
               std::optional<Millis> time, const Done& done) {
  change(
      name, [hold = doors_.hold, name, replicas, time] { return hold(name, replicas, time); },
      done);
}

void Api::resume(const Call& call, const Done& done) {
  const auto nothing = read_hold(call.request.body, std::array<std::string_view, 0>{});
  if (!nothing) return done(refusal(400, nothing.error().what));
  const auto& name = call.names[0];
  change(
      name, [release = doors_.release, name] { return release(name); }, done);
}

void Api::log_level(const Call&, const Done& done) {
  const auto* const now = std::ranges::find(kLevels, log::level(), &Level::level);
  done({.body = fmt::format("{{\"level\":\"{}\"}}\n", now->word)});
}

void Api::set_log_level(const Call& call, const Done& done) {
  const auto object = read_object(call.request.body, std::array<std::string_view, 1>{"level"});
  if (!object) return done(refusal(400, object.error().what));
  const auto* const value = object->if_contains("level");
  const auto* const word = value != nullptr ? value->if_string() : nullptr;
  for (const auto& [name, level] : kLevels) {
    if (word == nullptr || std::string_view(word->data(), word->size()) != name) continue;
    log::info("admin: log lines from {} on", name);
    log::set_level(level);
    return done({.body = fmt::format("{{\"level\":\"{}\"}}\n", name)});
  }
  done(refusal(400, "level: expected one of debug, info, warn, error"));
}

}  // namespace headroom::server
