#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "journal/journal.h"
#include "server/doors.h"
#include "server/guard.h"
#include "server/message.h"
#include "server/target_parts.h"

namespace headroom::server {

/// Answers requests: docs/api.md says what each does. Lives on the thread of its io_context, and
/// reads the journal there; what the loop has to do is posted to it.
class Api {
 public:
  using Done = std::function<void(Answer)>;
  /// How long the loop may take for something before the client is told that it does not answer.
  static constexpr Millis kPatience = 5s;

  struct Settings {
    std::string version;
    Guard guard;
  };
  Api(std::shared_ptr<boost::asio::io_context> io, const Doors& doors, Settings settings);

  /// Calls `done` once, at once or later, on the io_context's thread; not at all where that ends.
  void answer(const Request& request, Door door, const Done& done);

  /// Requests from now on need this one.
  void set_token(std::string token) { settings_.guard.set_token(std::move(token)); }

  /// For the stream, too.
  const control::Board& board() const { return doors_.board; }
  std::string everything() const;  // what GET /api/v1/autoscalers answers
  /// At most 500, oldest first. Errors: the journal's.
  Result<std::vector<journal::Event>> events_after(std::int64_t id);
  Result<std::int64_t> newest_event();

 private:
  /// What a request asks of a route.
  struct Call {
    const Request& request;
    std::vector<std::string> names;            // what stands where the route has {}
    std::map<std::string, std::string> query;  // only parameters that the route knows
  };
  struct Route;
  static const std::vector<Route>& routes();
  void dispatch(const Request& request, Door door, const Done& done);
  void run(const Route& route, const Call& call, const Done& done);

  void healthz(const Call& call, const Done& done);
  void readyz(const Call& call, const Done& done);
  void show_metrics(const Call& call, const Done& done);
  void list(const Call& call, const Done& done);
  void one(const Call& call, const Done& done);
  void decisions(const Call& call, const Done& done);
  void decision(const Call& call, const Done& done);
  void events(const Call& call, const Done& done);
  void history(const Call& call, const Done& done);
  void output(const Call& call, const Done& done);
  void stream(const Call& call, const Done& done);
  void scale(const Call& call, const Done& done);
  void pause(const Call& call, const Done& done);
  void resume(const Call& call, const Done& done);
  void log_level(const Call& call, const Done& done);
  void set_log_level(const Call& call, const Done& done);

  /// Has `work` done by the loop and its result handed to `then`: nullopt where the loop did not
  /// come to it within `patience`.
  template <class T>
  void on_loop(Millis patience, std::function<T()> work,
               std::function<void(std::optional<T>)> then);
  void hold(const std::string& name, std::optional<Replicas> replicas, std::optional<Millis> time,
            const Done& done);
  void change(const std::string& name, std::function<Result<void>()> work, const Done& done);
  void show_changed(const std::string& name, const std::optional<Result<void>>& did,
                    const Done& done) const;
  Result<void> with_journal(const std::function<Result<void>(const journal::Journal&)>& work);
  /// Answers with what `read` makes of the journal, or that it cannot be read.
  void from_journal(const std::function<Result<Answer>(const journal::Journal&)>& read,
                    const Done& done);

  std::shared_ptr<boost::asio::io_context> io_;
  Doors doors_;
  Settings settings_;
  std::optional<journal::Journal> journal_;
};

}  // namespace headroom::server
