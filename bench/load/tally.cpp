#include "load/tally.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::bench {
namespace {

constexpr std::array<double, 5> kQuantiles = {0.5, 0.9, 0.99, 0.999, 0.9999};
constexpr std::array<const char*, 5> kQuantileNames = {"p50", "p90", "p99", "p99.9", "p99.99"};

std::string readable(double micros) {
  if (micros < 1000) return fmt::format("{:.0f}us", micros);
  if (micros < 1e6) return fmt::format("{:.2f}ms", micros / 1e3);
  return fmt::format("{:.2f}s", micros / 1e6);
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string json_times(const Latencies& times) {
  std::string out = "{";
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
    out += fmt::format("\"{}\": {:.0f}, ", kQuantileNames[i], times.quantile_micros(kQuantiles[i]));
  }
  return out + fmt::format("\"mean\": {:.2f}, \"max\": {:.0f}}}", times.mean_micros(),
                           times.max_micros());
}

std::string json_counts(const Tally::Counts& counts) {
  std::string out = fmt::format("{{\"offered\": {}, \"sent\": {}, \"answered\": {}, \"status\": {{",
                                counts.offered, counts.sent, counts.answered);
  const char* comma = "";
  for (std::size_t status = 0; status < counts.status.size(); ++status) {
    if (counts.status[status] == 0) continue;
    out += fmt::format("{}\"{}\": {}", comma, status, counts.status[status]);
    comma = ", ";
  }
  out += "}, \"failed\": {";
  comma = "";
  for (std::size_t i = 0; i < counts.failed.size(); ++i) {
    out += fmt::format("{}\"{}\": {}", comma, name(static_cast<Failure>(i)), counts.failed[i]);
    comma = ", ";
  }
  return out + "}}";
}

}  // namespace

const char* name(Failure failure) {
  switch (failure) {
    case Failure::refused:
      return "refused";
    case Failure::reset_before_answer:
      return "reset_before_answer";
    case Failure::reset_in_answer:
      return "reset_in_answer";
    case Failure::short_answer:
      return "short_answer";
    case Failure::timeout:
      return "timeout";
    case Failure::not_sent:
      return "not_sent";
    case Failure::bad_answer:
      return "bad_answer";
    case Failure::kCount:
      break;
  }
  return "";
}

void Latencies::record(Nanos time) {
  const Nanos micros = std::max<Nanos>(time / 1000, 0);
  if (micros < static_cast<Nanos>(kFine)) ++fine_[static_cast<std::size_t>(micros)];
  coarse_.record(std::chrono::microseconds{micros});
  ++total_;
  sum_ += static_cast<double>(time) / 1000;
  max_ = std::max(max_, static_cast<double>(micros));
}

double Latencies::quantile_micros(double q) const {
  if (total_ == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total_)));
  std::uint64_t below = 0;
  for (std::size_t micros = 0; micros < kFine; ++micros) {
    below += fine_[micros];
    if (below >= rank) return static_cast<double>(micros);
  }
  return std::min(static_cast<double>(coarse_.counts().quantile(q).count()), max_);
}

std::uint64_t Tally::Counts::errors() const {
  return std::accumulate(status.begin() + 400, status.end(), std::uint64_t{0});
}

std::uint64_t Tally::Counts::failures() const {
  return std::accumulate(failed.begin(), failed.end(), std::uint64_t{0});
}

Tally::Counts& Tally::Counts::operator+=(const Counts& other) {
  offered += other.offered;
  sent += other.sent;
  answered += other.answered;
  for (std::size_t i = 0; i < status.size(); ++i) status[i] += other.status[i];
  for (std::size_t i = 0; i < failed.size(); ++i) failed[i] += other.failed[i];
  return *this;
}

Tally::Counts Tally::total() const {
  Counts sum = counts_[0];
  return sum += counts_[1];
}

bool Tally::clean() const {
  const Counts sum = total();
  return sum.failures() == 0 && sum.errors() == 0;
}

Tally::Slot& Tally::slot(Nanos now) {
  const auto at = static_cast<std::size_t>(std::max<Nanos>(now, 0) / kSlot);
  if (timeline_.size() <= at) timeline_.resize(at + 1);
  return timeline_[at];
}

void Tally::sent(bool idempotent, Nanos now) {
  ++of(idempotent).sent;
  ++slot(now).sent;
}

void Tally::failed(bool idempotent, Failure failure, Nanos now) {
  ++of(idempotent).failed[static_cast<std::size_t>(failure)];
  ++slot(now).failed;
}

void Tally::answered(const Outcome& outcome, Nanos now) {
  Counts& counts = of(outcome.idempotent);
  ++counts.answered;
  ++counts.status[static_cast<std::size_t>(outcome.status)];
  latency_.record(outcome.latency);
  service_.record(outcome.service);
  seen(outcome.replica, now);
  if (outcome.status < 400) {
    ++slot(now).answered;
    return;
  }
  ++slot(now).failed;
  std::string key = fmt::format("{} {}", outcome.status, outcome.proxy_status);
  if (errors_.size() >= kMaxNames && !errors_.contains(key)) key = "others";
  ++errors_[key];
}

void Tally::seen(std::string_view replica, Nanos now) {
  if (replica.empty()) return;
  auto found = replica_index_.find(replica);
  if (found == replica_index_.end()) {
    if (replicas_.size() >= kMaxNames) return;
    found = replica_index_.emplace(replica, replicas_.size()).first;
    replicas_.push_back({.id = std::string(replica), .first = now});
  }
  Replica& known = replicas_[found->second];
  ++known.answers;
  if (std::exchange(known.slot, now / kSlot) != now / kSlot) ++slot(now).replicas;
}

void Tally::print(std::FILE* to, double seconds, bool replicas) const {
  const Counts sum = total();
  fmt::print(to, "{} requests in {:.1f} s, {:.0f}/s; {} answered, {} failed\n", sum.offered,
             seconds, static_cast<double>(sum.answered) / std::max(seconds, 1e-9), sum.answered,
             sum.failures() + sum.errors());
  for (const bool idempotent : {true, false}) {
    const Counts& counts = counts_[idempotent ? 0 : 1];
    if (counts.offered == 0) continue;
    fmt::print(to, "  {:<5} {:>9} offered", idempotent ? "GET" : "POST", counts.offered);
    for (std::size_t status = 0; status < counts.status.size(); ++status) {
      if (counts.status[status]) fmt::print(to, "  {} x {}", counts.status[status], status);
    }
    for (std::size_t i = 0; i < counts.failed.size(); ++i) {
      if (counts.failed[i] == 0) continue;
      fmt::print(to, "  {} x {}", counts.failed[i], name(static_cast<Failure>(i)));
    }
    fmt::print(to, "\n");
  }
  for (const auto& [what, count] : errors_) {
    fmt::print(to, "  {:>9} x {}\n", count, printable(what));
  }
  for (const auto& [title, times] :
       {std::pair{"latency, from when due", &latency_}, {"latency, from when sent", &service_}}) {
    fmt::print(to, "  {}:", title);
    for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
      fmt::print(to, "  {} {}", kQuantileNames[i], readable(times->quantile_micros(kQuantiles[i])));
    }
    fmt::print(to, "  max {}\n", readable(times->max_micros()));
  }
  fmt::print(to, "  {} connections opened, {} closed by the server while idle\n", connections_,
             closed_idle_);
  if (!replicas) return;
  for (const Replica& replica : replicas_) {
    fmt::print(to, "  replica {:<8} first seen at {:>7.3f} s, {} answers\n", printable(replica.id),
               static_cast<double>(replica.first) / 1e9, replica.answers);
  }
}

void Tally::print_json(std::FILE* to, double seconds) const {
  const Counts sum = total();
  fmt::print(to, "{{\n  \"seconds\": {:.3f}, \"rate\": {:.1f}, \"failures\": {},\n", seconds,
             static_cast<double>(sum.answered) / std::max(seconds, 1e-9),
             sum.failures() + sum.errors());
  fmt::print(to, "  \"total\": {},\n  \"idempotent\": {},\n  \"not_idempotent\": {},\n",
             json_counts(sum), json_counts(counts_[0]), json_counts(counts_[1]));
  fmt::print(to, "  \"errors\": {{");
  const char* comma = "";
  for (const auto& [what, count] : errors_) {
    fmt::print(to, "{}{}: {}", std::exchange(comma, ", "), json_text(what), count);
  }
  fmt::print(to, "}},\n  \"latency_us\": {},\n  \"service_us\": {},\n", json_times(latency_),
             json_times(service_));
  fmt::print(to, "  \"connections\": {}, \"closed_idle\": {},\n  \"replicas\": [", connections_,
             closed_idle_);
  comma = "";
  for (const Replica& replica : replicas_) {
    fmt::print(to, "{}{{\"id\": {}, \"first_seen_ms\": {:.3f}, \"answers\": {}}}",
               std::exchange(comma, ", "), json_text(replica.id),
               static_cast<double>(replica.first) / 1e6, replica.answers);
  }
  fmt::print(to, "]\n}}\n");
}

bool Tally::write_timeline(const std::string& path) const {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (!file) return false;
  fmt::print(file, "ms,sent,answered,failed,replicas\n");
  for (std::size_t i = 0; i < timeline_.size(); ++i) {
    const Slot& slot = timeline_[i];
    fmt::print(file, "{},{},{},{},{}\n", i * 100, slot.sent, slot.answered, slot.failed,
               slot.replicas);
  }
  const bool good = !std::ferror(file);
  return std::fclose(file) == 0 && good;
}

}  // namespace headroom::bench
