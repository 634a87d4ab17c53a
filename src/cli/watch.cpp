#include "cli/watch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/screen.h"

namespace headroom::cli {
namespace {

constexpr std::size_t kEventsShown = 100, kMostNews = 1000;

std::vector<journal::Event> events_of(const boost::json::value& answer) {
  std::vector<journal::Event> events;
  for (const auto& each : list_at(answer, "/events")) {
    auto& event = events.emplace_back();
    event.id = static_cast<std::int64_t>(number_at(each, "/id").value_or(0));
    event.unix_ms = static_cast<std::int64_t>(number_at(each, "/unixMs").value_or(0));
    event.autoscaler = text_at(each, "/autoscaler");
    event.text = text_at(each, "/text");
  }
  return events;
}

}  // namespace

Result<std::vector<Admin::Asked>> Watch::ask() {
  if (journal_.empty()) {
    auto all = Admin::ask_all();
    // The newest journal is now this one's, now that one's: in an order that stays.
    std::ranges::sort(all, {}, [](const auto& asked) { return asked.admin.journal(); });
    return all;
  }
  if (!only_) {
    const auto admin = Admin::find(journal_, "");
    if (!admin) return fail(admin.error());
    only_ = *admin;
  }
  return std::vector{Admin::Asked{*only_, only_->state()}};
}

Result<Seen> Watch::look(Events events) {
  const auto all = ask();
  if (!all) return fail(all.error());
  Seen seen;
  answered_ = false;
  for (const auto& asked : *all) take(asked, events, seen);
  if (!answered_ || (!name_.empty() && seen.autoscalers.empty())) return fail(nothing());
  found_ = true;
  std::ranges::stable_sort(seen.autoscalers, {},
                           [](const auto& each) { return text_at(each, "/name"); });
  std::ranges::sort(seen.events, {},
                    [](const auto& each) { return std::pair(each.unix_ms, each.id); });
  return seen;
}

void Watch::take(const Admin::Asked& asked, Events events, Seen& seen) {
  const auto& [admin, state] = asked;
  if (!state) return seen.warnings.push_back(state.error().what);
  answered_ = true;
  if (auto why = refused_document(*state); !why.empty()) seen.warnings.push_back(std::move(why));
  for (auto& each : list_at(*state, "/autoscalers")) {
    if (name_.empty() || text_at(each, "/name") == name_) seen.autoscalers.push_back(each);
  }
  auto& newest = newest_[admin.journal()];
  auto path = events == Events::last ? fmt::format("/api/v1/events?limit={}", kEventsShown)
                                     : fmt::format("/api/v1/events?limit={}&since={}&after={}",
                                                   kMostNews, since_unix_ms_, newest);
  if (!name_.empty()) path += "&autoscaler=" + escaped(name_);
  const auto answer = admin.get(path);
  if (!answer) return;  // it ends just now: the next look says so
  for (auto& event : events_of(*answer)) {
    newest = std::max(newest, event.id);
    seen.events.push_back(std::move(event));
  }
}

/// Why there is nothing to see.
Error Watch::nothing() const {
  if (found_) {
    if (!name_.empty() && answered_) {
      return {Code::unavailable, fmt::format("\"{}\" does not run any more", name_), {}};
    }
    if (journal_.empty()) return {Code::unavailable, "Headroom has ended: none runs any more", {}};
    return {Code::unavailable, fmt::format("the Headroom of {} has ended", journal_), {}};
  }
  const auto admin = Admin::find(journal_, name_);
  if (!admin) return admin.error();
  return {Code::unavailable, fmt::format("no autoscaler \"{}\" runs there", name_), {}};
}

}  // namespace headroom::cli
