#include "server/api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "control/clock.h"
#include "server/api_parts.h"
#include "server/assets.h"
#include "server/fields.h"
#include "server/metrics.h"
#include "server/views.h"

namespace headroom::server {
namespace {

std::optional<Answer> unknown_parameter(const std::map<std::string, std::string>& query,
                                        const std::vector<std::string_view>& known) {
  for (const auto& [name, value] : query) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return refusal(400, known.empty() ? fmt::format("{}: it takes no parameters", printable(name))
                                      : fmt::format("{}: no such parameter, expected one of {}",
                                                    printable(name), fmt::join(known, ", ")));
  }
  return std::nullopt;
}

}  // namespace

/// GET answers HEAD, too. In `path` {} stands for any one part.
struct Api::Route {
  std::string_view method;
  std::vector<std::string_view> path;
  Guard::Need need;
  std::vector<std::string_view> parameters;
  void (Api::*run)(const Call&, const Done&);
  bool changes() const { return need == Guard::Need::change; }

  bool leads(const std::vector<std::string>& to) const {
    return std::ranges::equal(path, to, [](std::string_view part, const std::string& found) {
      return part == "{}" ? !found.empty() : part == found;
    });
  }
};

const std::vector<Api::Route>& Api::routes() {
  using Need = Guard::Need;
  static const std::vector<Route> kRoutes = {
      {"GET", {"healthz"}, Need::nothing, {}, &Api::healthz},
      {"GET", {"readyz"}, Need::read, {}, &Api::readyz},
      {"GET", {"metrics"}, Need::read, {}, &Api::show_metrics},
      {"GET", {"api", "v1", "autoscalers"}, Need::read, {}, &Api::list},
      {"GET", {"api", "v1", "autoscalers", "{}"}, Need::read, {}, &Api::one},
      {"GET",
       {"api", "v1", "autoscalers", "{}", "history"},
       Need::read,
       {"since", "until"},
       &Api::history},
      {"GET",
       {"api", "v1", "autoscalers", "{}", "replicas", "{}", "output"},
       Need::read,
       {"after"},
       &Api::output},
      {"GET",
       {"api", "v1", "decisions"},
       Need::read,
       {"autoscaler", "since", "until", "rescales", "limit"},
       &Api::decisions},
      {"GET", {"api", "v1", "decisions", "{}"}, Need::read, {}, &Api::decision},
      {"GET",
       {"api", "v1", "events"},
       Need::read,
       {"autoscaler", "since", "until", "after", "limit"},
       &Api::events},
      {"GET", {"api", "v1", "stream"}, Need::read, {"after"}, &Api::stream},
      {"POST", {"api", "v1", "autoscalers", "{}", "scale"}, Need::change, {}, &Api::scale},
      {"POST", {"api", "v1", "autoscalers", "{}", "pause"}, Need::change, {}, &Api::pause},
      {"POST", {"api", "v1", "autoscalers", "{}", "resume"}, Need::change, {}, &Api::resume},
      {"GET", {"api", "v1", "log"}, Need::read, {}, &Api::log_level},
      {"PUT", {"api", "v1", "log"}, Need::change, {}, &Api::set_log_level},
  };
  return kRoutes;
}

Api::Api(std::shared_ptr<boost::asio::io_context> io, const Doors& doors, Settings settings)
    : io_(std::move(io)), doors_(doors), settings_(std::move(settings)) {}

void Api::answer(const Request& request, Door door, const Done& done) {
  // Our own failures, such as no memory, end one request and not the process. They may come from
  // within `done`.
  const Done once = [done, told = std::make_shared<bool>(false)](Answer answer) {
    if (!std::exchange(*told, true)) done(std::move(answer));
  };
  try {
    dispatch(request, door, once);
  } catch (const std::exception& e) {
    log::error("admin: {} {}: {}", request.method, printable(request.target), e.what());
    once(refusal(500, "it failed; the log says why"));
  }
}

void Api::dispatch(const Request& request, Door door, const Done& done) {
  const auto target = read_target(request.target);
  if (!target) return done(refusal(400, target.error().what));
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const Route* route = nullptr;
  std::string allow;
  for (const auto& each : routes()) {
    if (!each.leads(target->path)) continue;
    allow += fmt::format("{}{}{}", allow.empty() ? "" : ", ", each.method,
                         each.method == "GET" ? ", HEAD" : "");
    if (each.method == method) route = &each;
  }
  const Asset* asset = target->path.size() == 1 ? find_asset(target->path.front()) : nullptr;
  if (asset != nullptr) allow = "GET, HEAD";
  const auto need = route != nullptr   ? route->need
                    : asset != nullptr ? Guard::Need::nothing
                                       : Guard::Need::read;
  if (auto refused = settings_.guard.refuse(request, door, need)) {
    return done(std::move(*refused));
  }
  if (asset != nullptr && method == "GET") {
    auto wrong = unknown_parameter(target->query, {});
    return done(wrong ? std::move(*wrong) : serve(*asset, request));
  }
  if (route == nullptr && !allow.empty()) {
    auto answer = refusal(405, fmt::format("expected {}", allow));
    answer.fields.emplace_back("Allow", allow);
    return done(std::move(answer));
  }
  if (route == nullptr) return done(refusal(404, "there is nothing there: see /openapi.json"));

  Call call{request, {}, target->query};
  for (std::size_t i = 0; i < route->path.size(); ++i) {
    if (route->path[i] == "{}") call.names.push_back(target->path[i]);
  }
  run(*route, call, done);
}

void Api::run(const Route& route, const Call& call, const Done& done) {
  if (auto wrong = unknown_parameter(call.query, route.parameters)) return done(std::move(*wrong));
  const auto& request = call.request;
  if (route.changes()) {
    // What a form of another's page can send has another type than this.
    if (media_type(request.content_type) != "application/json") {
      return done(refusal(415, "expected Content-Type: application/json"));
    }
  } else if (!request.body.empty()) {
    return done(refusal(400, "it takes no body"));
  }
  (this->*route.run)(call, done);
}

Result<void> Api::with_journal(const std::function<Result<void>(const journal::Journal&)>& work) {
  if (!journal_) {
    auto opened = journal::Journal::open(doors_.journal, journal::Journal::Mode::read);
    if (!opened) return fail(opened.error());
    journal_.emplace(std::move(*opened));
  }
  auto done = work(*journal_);
  if (!done) journal_.reset();  // opened anew by the next one
  return done;
}

void Api::from_journal(const std::function<Result<Answer>(const journal::Journal&)>& read,
                       const Done& done) {
  Answer answer;
  const auto did = with_journal([&](const journal::Journal& journal) -> Result<void> {
    auto made = read(journal);
    if (!made) return fail(made.error());
    answer = std::move(*made);
    return {};
  });
  done(did ? std::move(answer) : refusal(503, did.error().what));
}

Result<std::vector<journal::Event>> Api::events_after(std::int64_t id) {
  std::vector<journal::Event> found;
  auto done = with_journal([&](const journal::Journal& journal) -> Result<void> {
    auto events = journal.events({.after = id, .limit = 500});
    if (!events) return fail(events.error());
    found = std::move(*events);
    return {};
  });
  if (!done) return fail(done.error());
  return found;
}

Result<std::int64_t> Api::newest_event() {
  std::int64_t newest = 0;
  auto done = with_journal([&](const journal::Journal& journal) -> Result<void> {
    auto events = journal.events({.limit = 1});
    if (!events) return fail(events.error());
    if (!events->empty()) newest = events->front().id;
    return {};
  });
  if (!done) return fail(done.error());
  return newest;
}

std::string Api::everything() const {
  const auto& board = doors_.board;
  return autoscalers_json({settings_.version, control::unix_millis(), board.refused()},
                          board.all());
}

void Api::healthz(const Call&, const Done& done) {
  done({.type = "text/plain; charset=utf-8", .body = "ok\n"});
}

void Api::readyz(const Call&, const Done& done) {
  std::vector<std::string> reasons;
  if (doors_.board.stopping()) reasons.emplace_back("stopping: no new requests are taken");
  if (const auto late = doors_.board.late(); late > 0) {
    reasons.push_back(fmt::format("journal: {} {} to be written; the log says why", late,
                                  late == 1 ? "decision waits" : "decisions wait"));
  }
  if (auto read = newest_event(); !read) reasons.push_back(read.error().what);
  if (doors_.board.all().empty()) reasons.push_back("no autoscaler runs");
  on_loop<bool>(
      1s, [] { return true; },
      [reasons, done](std::optional<bool> answered) mutable {
        if (!answered) reasons.push_back("the control loop has not answered for 1 s");
        done({.status = reasons.empty() ? 200 : 503, .body = ready_json(reasons)});
      });
}

void Api::show_metrics(const Call& call, const Done& done) {
  const auto format = format_of(call.request.accept);
  done({.type = content_type(format),
        .body = metrics(doors_.board, settings_.version, format, doors_.metrics),
        .fields = {{"Vary", "Accept"}}});
}

}  // namespace headroom::server
