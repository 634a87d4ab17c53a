#include <fmt/format.h>

#include "base/text.h"
#include "control/clock.h"
#include "server/api.h"
#include "server/api_parts.h"
#include "server/views.h"

namespace headroom::server {
namespace {

constexpr std::int64_t kLatest = 253'402'300'799'999;  // the last millisecond of the year 9999
constexpr std::int64_t kMostId = std::int64_t{1} << 53;
constexpr std::int64_t kMostRows = 1000;
constexpr std::int64_t kUsualRows = 100;
constexpr std::int64_t kUsualHistory = 3'600'000;  // ms

/// Reads the parameters of a query one by one; the first that is wrong is the error.
class Parameters {
 public:
  explicit Parameters(const std::map<std::string, std::string>& query) : query_(query) {}

  std::optional<std::int64_t> whole(const WholeNumber& expected) {
    const auto found = query_.find(std::string(expected.name));
    if (found == query_.end()) return std::nullopt;
    const auto value = read_whole(expected, found->second);
    if (value) return *value;
    wrong(value.error().what);
    return std::nullopt;
  }
  struct Range {
    std::optional<std::int64_t> since, until;
  };
  Range range() {
    const Range range{whole({"since", 0, kLatest}), whole({"until", 0, kLatest})};
    if (range.since && range.until && *range.since > *range.until) {
      wrong("since: it is after until");
    }
    return range;
  }
  std::size_t limit() {
    return static_cast<std::size_t>(whole({"limit", 1, kMostRows}).value_or(kUsualRows));
  }
  std::string text(const std::string& name) {
    const auto found = query_.find(name);
    if (found == query_.end()) return "";
    if (found->second.empty()) wrong(name + ": it is empty");
    return found->second;
  }
  bool flag(const std::string& name) {
    const auto value = text(name);
    if (value == "true") return true;
    if (!value.empty() && value != "false") {
      wrong(fmt::format("{}: found \"{}\", expected true or false", name, printable(value)));
    }
    return false;
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  void wrong(std::string what) {
    if (!error_) error_ = Error{Code::invalid, std::move(what), {}};
  }

  const std::map<std::string, std::string>& query_;
  std::optional<Error> error_;
};

Answer no_such(std::string_view what, std::string_view name) {
  return refusal(404, fmt::format("no {} \"{}\"", what, printable(name)));
}

}  // namespace

void Api::list(const Call&, const Done& done) { done({.body = everything()}); }

void Api::one(const Call& call, const Done& done) {
  const auto seen = doors_.board.find(call.names[0]);
  if (!seen) return done(no_such("autoscaler", call.names[0]));
  done({.body = autoscaler_json(*seen)});
}

void Api::decisions(const Call& call, const Done& done) {
  Parameters parameters(call.query);
  const auto range = parameters.range();
  const journal::Query query{.autoscaler = parameters.text("autoscaler"),
                             .since_unix_ms = range.since,
                             .until_unix_ms = range.until,
                             .only_rescales = parameters.flag("rescales"),
                             .limit = parameters.limit()};
  if (parameters.error()) return done(refusal(400, parameters.error()->what));
  from_journal(
      [&query](const journal::Journal& journal) -> Result<Answer> {
        const auto found = journal.find(query);
        if (!found) return fail(found.error());
        return Answer{.body = decisions_json(*found)};
      },
      done);
}

void Api::decision(const Call& call, const Done& done) {
  const auto id = read_whole({"id", 0, kMostId}, call.names[0]);
  if (!id) return done(no_such("decision", call.names[0]));
  from_journal(
      [&](const journal::Journal& journal) -> Result<Answer> {
        const auto found = journal.entry(*id);
        if (!found) return fail(found.error());
        if (!*found) return no_such("decision", call.names[0]);
        return Answer{.body = decision_json(**found, true)};
      },
      done);
}

void Api::events(const Call& call, const Done& done) {
  Parameters parameters(call.query);
  const auto range = parameters.range();
  const journal::EventQuery query{.autoscaler = parameters.text("autoscaler"),
                                  .since_unix_ms = range.since,
                                  .until_unix_ms = range.until,
                                  .after = parameters.whole({"after", 0, kMostId}),
                                  .limit = parameters.limit()};
  if (parameters.error()) return done(refusal(400, parameters.error()->what));
  from_journal(
      [&query](const journal::Journal& journal) -> Result<Answer> {
        const auto found = journal.events(query);
        if (!found) return fail(found.error());
        return Answer{.body = events_json(*found)};
      },
      done);
}

void Api::history(const Call& call, const Done& done) {
  Parameters parameters(call.query);
  const auto range = parameters.range();
  if (parameters.error()) return done(refusal(400, parameters.error()->what));
  const auto until =
      range.until.value_or(std::max(control::unix_millis(), range.since.value_or(0)));
  const auto since = range.since.value_or(std::max<std::int64_t>(0, until - kUsualHistory));
  const auto& name = call.names[0];
  from_journal(
      [&](const journal::Journal& journal) -> Result<Answer> {
        const auto history = journal.history(name, since, until);
        if (!history) return fail(history.error());
        // One that is gone has a past, too; one that never was has none.
        if (history->samples.empty() && !doors_.board.find(name)) {
          return no_such("autoscaler", name);
        }
        return Answer{.body = history_json(*history)};
      },
      done);
}

void Api::output(const Call& call, const Done& done) {
  Parameters parameters(call.query);
  const auto after = parameters.whole({"after", 0, kMostId}).value_or(0);
  if (parameters.error()) return done(refusal(400, parameters.error()->what));
  const auto id = read_whole({"id", 0, kMostId}, call.names[1]);
  if (!id) return done(no_such("replica", call.names[1]));
  const auto ask = [written = doors_.written, name = call.names[0],
                    replica = static_cast<target::ReplicaId>(*id),
                    from = static_cast<std::uint64_t>(after)] {
    return written(name, replica, from);
  };
  // Who asks for the last lines has missed none that it knows of.
  const bool tail = !call.query.contains("after");
  on_loop<Result<target::Written>>(
      kPatience, ask, [done, tail](std::optional<Result<target::Written>> found) {
        if (!found) return done(refusal(503, "the control loop does not answer"));
        if (!*found) return done(refusal(404, found->error().what));
        if (tail) (**found).lost = false;
        done({.body = output_json(**found)});
      });
}

void Api::stream(const Call& call, const Done& done) {
  Parameters parameters(call.query);
  Answer answer{.type = "text/event-stream"};
  answer.stream.emplace(Answer::Stream{parameters.whole({"after", 0, kMostId})});
  if (parameters.error()) return done(refusal(400, parameters.error()->what));
  if (const auto& last = call.request.last_event_id; !last.empty()) {
    const auto id = read_whole({"Last-Event-ID", 0, kMostId}, last);
    if (!id) return done(refusal(400, id.error().what));
    answer.stream->after = *id;
  }
  done(std::move(answer));
}

}  // namespace headroom::server
