#include "server/metrics.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "server/fields.h"
#include "server/health.h"
#include "server/process_facts.h"

namespace headroom::server {
namespace {

using control::Status;
using Statuses = std::vector<std::shared_ptr<const Status>>;

/// As Prometheus and OpenMetrics read it.
class Page : public MetricSink {
 public:
  explicit Page(Format format) : format_(format) {}

  void family(std::string_view name, std::string_view type, std::string_view help) override {
    name_ = name;
    suffix_ = type == "counter" ? "_total" : "";
    const bool open = format_ == Format::open_metrics;
    if (type == "info") {
      suffix_ = "_info";
      if (!open) type = "gauge";
    }
    const auto shown = fmt::format("{}{}", name, open ? "" : suffix_);
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", shown, help, shown, type);
  }
  void histogram(std::string_view autoscaler, const Distribution& distribution) override {
    std::int64_t below = 0;
    for (std::size_t i = 0; i < distribution.counts.size(); ++i) {
      below += static_cast<std::int64_t>(distribution.counts[i]);
      const auto bound = i < std::size(kBounds) ? kBounds[i].seconds : "+Inf";
      sample("_bucket", {{"autoscaler", autoscaler}, {"le", bound}}, below);
    }
    sample("_sum", {{"autoscaler", autoscaler}}, distribution.sum);
    sample("_count", {{"autoscaler", autoscaler}}, below);
  }
  std::string take() {
    if (format_ == Format::open_metrics) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  void whole(Labels labels, std::int64_t value) override { sample(suffix_, labels, value); }
  void real(Labels labels, double value) override { sample(suffix_, labels, value); }
  template <class Value>
  void sample(std::string_view suffix, Labels labels, Value value) {
    text_ += fmt::format("{}{}", name_, suffix);
    char between = '{';
    for (const auto& [name, said] : labels) {
      text_ += fmt::format("{}{}=\"{}\"", between, name, escaped(said));
      between = ',';
    }
    if (between == ',') text_ += '}';
    if constexpr (std::is_floating_point_v<Value>) {
      // fmt has "nan" and "inf", which are spelt otherwise here.
      text_ += std::isfinite(value) ? fmt::format(" {}\n", value)
               : std::isnan(value)  ? " NaN\n"
               : value > 0          ? " +Inf\n"
                                    : " -Inf\n";
    } else {
      text_ += fmt::format(" {}\n", value);
    }
  }
  static std::string escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
      if (c == '\n') {
        escaped += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    return escaped;
  }

  Format format_;
  std::string text_, name_;
  std::string_view suffix_;
};

Distribution distribution_of(const Histogram::Counts& counts) {
  Distribution distribution;
  std::uint64_t least = 0;
  std::size_t bound = 0;
  for (std::size_t at = 0; at < Histogram::kBuckets; ++at) {
    const auto upper = Histogram::upper_bound(at);
    while (bound < std::size(kBounds) && upper > kBounds[bound].micros) ++bound;
    distribution.counts[bound] += counts.bucket[at];
    distribution.sum +=
        static_cast<double>(counts.bucket[at]) * static_cast<double>(least + upper) / 2e6;
    least = upper + 1;
  }
  return distribution;
}

/// A family with one sample of each autoscaler.
template <class Value>
void one_each(MetricSink& page, const Statuses& all, std::string_view type, std::string_view name,
              std::string_view help, const Value& value) {
  page.family(name, type, help);
  for (const auto& status : all) page.add({{"autoscaler", status->name}}, value(*status));
}

/// The same of those that have a gateway.
template <class Member>
void of_traffic(MetricSink& page, const Statuses& all, std::string_view type, std::string_view name,
                std::string_view help, Member member) {
  page.family(name, type, help);
  for (const auto& status : all) {
    if (status->traffic) page.add({{"autoscaler", status->name}}, (*status->traffic).*member);
  }
}

double sum_of(const Status& status, decide::Reading control::ReplicaStatus::*reading) {
  double sum = 0;
  for (const auto& replica : status.replicas) {
    const auto& value = replica.*reading;
    if (value) sum += static_cast<double>(value->value.milli) / 1e3;
  }
  return sum;
}

void put_replicas(MetricSink& page, const Statuses& all) {
  page.family("headroom_replicas", "gauge", "Replicas that there are, by state.");
  for (const auto& status : all) {
    const auto counts = counts_of(*status);
    page.add({{"autoscaler", status->name}, {"state", "starting"}}, counts.starting);
    page.add({{"autoscaler", status->name}, {"state", "ready"}}, counts.ready);
    page.add({{"autoscaler", status->name}, {"state", "draining"}}, counts.draining);
    page.add({{"autoscaler", status->name}, {"state", "backing_off"}}, counts.backing_off);
  }
  one_each(page, all, "gauge", "headroom_replicas_wanted", "Replicas that are asked for.",
           [](const Status& status) { return status.decided.replicas.count; });
  one_each(page, all, "gauge", "headroom_replicas_min", "The policy's minReplicas.",
           [](const Status& status) { return status.minimum.count; });
  one_each(page, all, "gauge", "headroom_replicas_max", "The policy's maxReplicas.",
           [](const Status& status) { return status.maximum.count; });
  page.family("headroom_replicas_held", "gauge",
              "Replicas that an operator holds it at; no sample: nobody does.");
  for (const auto& status : all) {
    if (status->hold) page.add({{"autoscaler", status->name}}, status->hold->replicas.count);
  }
  one_each(page, all, "gauge", "headroom_replicas_cpu_cores",
           "CPU that the replicas use, together; those that could not be read add nothing.",
           [](const Status& s) { return sum_of(s, &control::ReplicaStatus::cpu); });
  one_each(page, all, "gauge", "headroom_replicas_memory_bytes",
           "Memory that the replicas use, together; those that could not be read add nothing.",
           [](const Status& s) { return sum_of(s, &control::ReplicaStatus::memory); });
}

void put_load(MetricSink& page, const Statuses& all) {
  page.family("headroom_replica_target", "gauge",
              "Requests at once (of=concurrency) or per second (of=rate) meant for a replica.");
  for (const auto& status : all) {
    if (status->target <= 0) continue;
    page.add({{"autoscaler", status->name}, {"of", status->by_rate ? "rate" : "concurrency"}},
             status->target);
  }
  page.family("headroom_load_concurrency", "gauge",
              "Requests open at once, waiting ones too, on average of the last second.");
  for (const auto& status : all) {
    if (status->seen.load) page.add({{"autoscaler", status->name}}, status->seen.load->concurrency);
  }
  page.family("headroom_load_rate", "gauge", "Requests that arrive per second.");
  for (const auto& status : all) {
    if (status->seen.load) page.add({{"autoscaler", status->name}}, status->seen.load->rate);
  }
}

void put_requests(MetricSink& page, const Statuses& all) {
  page.family("headroom_requests", "counter", "Answers by class of their status code.");
  static constexpr std::string_view kClasses[] = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (const auto& status : all) {
    if (!status->traffic) continue;
    for (std::size_t i = 1; i < std::size(kClasses); ++i) {
      page.add({{"autoscaler", status->name}, {"code", kClasses[i]}}, status->traffic->codes[i]);
    }
  }
  page.family("headroom_request_failures", "counter",
              "Requests that no replica answered, by reason.");
  for (const auto& status : all) {
    if (!status->traffic) continue;
    for (std::size_t i = 0; i < std::size(status->traffic->failed); ++i) {
      page.add({{"autoscaler", status->name},
                {"reason", gateway::name(static_cast<gateway::Failure>(i))}},
               status->traffic->failed[i]);
    }
  }
  using Traffic = gateway::Snapshot;
  struct Counter {
    std::string_view name, help;
    std::uint64_t Traffic::*member;
  };
  static constexpr Counter kCounters[] = {
      {"headroom_requests_arrived", "Requests that arrived.", &Traffic::arrived},
      {"headroom_requests_completed", "Requests that a replica answered.", &Traffic::completed},
      {"headroom_requests_rejected", "Requests refused before they arrived: framing, limits.",
       &Traffic::rejected},
      {"headroom_request_retries", "Requests sent to another replica.", &Traffic::retries},
      {"headroom_request_retries_denied", "Retries that the budget did not allow.",
       &Traffic::retries_denied},
      {"headroom_replica_ejections", "Replicas left out for a time, because they failed.",
       &Traffic::ejections},
      {"headroom_replica_panics", "Times that all were failing, and all were used.",
       &Traffic::panics}};
  for (const auto& [name, help, member] : kCounters) {
    of_traffic(page, all, "counter", name, help, member);
  }
  struct Gauge {
    std::string_view name, help;
    std::int64_t Traffic::*member;
  };
  static constexpr Gauge kGauges[] = {
      {"headroom_requests_waiting", "Requests held for want of a replica.", &Traffic::waiting},
      {"headroom_requests_outstanding", "Requests at replicas.", &Traffic::outstanding},
      {"headroom_tunnels", "Upgraded connections, such as WebSockets.", &Traffic::tunnels},
      {"headroom_client_connections", "Connections of clients.", &Traffic::client_connections},
      {"headroom_replica_connections", "Connections to replicas.", &Traffic::upstream_connections}};
  for (const auto& [name, help, member] : kGauges) {
    of_traffic(page, all, "gauge", name, help, member);
  }
}

void put_durations(MetricSink& page, const Statuses& all) {
  page.family("headroom_request_duration_seconds", "histogram",
              "From a request's arrival to the last byte of its answer; the sum within 4 %.");
  for (const auto& status : all) {
    if (status->traffic) page.histogram(status->name, distribution_of(status->traffic->duration));
  }
  page.family("headroom_hold_duration_seconds", "histogram",
              "How long requests waited for a replica; the sum within 4 %.");
  for (const auto& status : all) {
    if (status->traffic) page.histogram(status->name, distribution_of(status->traffic->hold));
  }
}

/// Of those that have one.
void put_objectives(MetricSink& page, const Statuses& all) {
  const auto each = [&](std::string_view type, std::string_view name, std::string_view help,
                        const auto& value) {
    page.family(name, type, help);
    for (const auto& status : all) {
      if (status->objective) page.add({{"autoscaler", status->name}}, value(*status->objective));
    }
  };
  using Objective = control::ObjectiveStatus;
  each("gauge", "headroom_objective_seconds", "The latency that requests are held against.",
       [](const Objective& o) { return static_cast<double>(o.wanted.latency.count()) / 1e3; });
  each("gauge", "headroom_objective_ratio", "The part of the requests that is to be within it.",
       [](const Objective& o) { return o.wanted.percentile / 100; });
  each("counter", "headroom_objective_requests",
       "Requests held against it: answered, or failed and not by their client.",
       [](const Objective& o) { return o.all.requests; });
  each("counter", "headroom_objective_requests_within", "Those that were answered within it.",
       [](const Objective& o) { return o.all.within; });
}

void put_decisions(MetricSink& page, const Statuses& all) {
  one_each(page, all, "counter", "headroom_decisions", "Decisions that were made.",
           [](const Status& status) { return status.decisions; });
  page.family("headroom_rescales", "counter", "Decisions that changed the number of replicas.");
  for (const auto& status : all) {
    page.add({{"autoscaler", status->name}, {"direction", "up"}}, status->ups);
    page.add({{"autoscaler", status->name}, {"direction", "down"}}, status->downs);
  }
  one_each(page, all, "gauge", "headroom_decision_timestamp_seconds", "When it decided last.",
           [](const Status& s) { return static_cast<double>(s.seen.unix_millis) / 1e3; });
  page.family("headroom_condition", "gauge",
              "The decision's conditions, with the reasons' truth as Kubernetes has it.");
  struct Row {
    std::string_view word;
    decide::Truth truth;
  };
  static constexpr Row kRows[] = {{"true", decide::Truth::yes},
                                  {"false", decide::Truth::no},
                                  {"unknown", decide::Truth::unknown}};
  for (const auto& status : all) {
    for (const auto& condition : status->decided.conditions) {
      for (const auto& [word, truth] : kRows) {
        page.add({{"autoscaler", status->name},
                  {"condition", condition.type},
                  {"reason", condition.reason},
                  {"status", word}},
                 condition.status == truth ? 1 : 0);
      }
    }
  }
}

/// As every client library of Prometheus names them.
void put_process(MetricSink& page) {
  const auto facts = process_facts();
  const auto put = [&page](std::string_view name, std::string_view type, std::string_view help,
                           std::optional<double> value) {
    if (!value) return;
    page.family(name, type, help);
    page.add({}, *value);
  };
  put("process_cpu_seconds", "counter", "CPU time of this process, user and system.",
      facts.cpu_seconds);
  put("process_resident_memory_bytes", "gauge", "Resident memory of this process.",
      facts.resident_bytes);
  put("process_virtual_memory_bytes", "gauge", "Virtual memory of this process.",
      facts.virtual_bytes);
  put("process_open_fds", "gauge", "Open file descriptors.", facts.open_fds);
  put("process_max_fds", "gauge", "Most file descriptors that may be open.", facts.max_fds);
  put("process_start_time_seconds", "gauge", "When this process started, since 1970.",
      facts.start_unix_seconds);
}

}  // namespace

Format format_of(std::string_view accept) {
  const auto is_of = [](std::string_view element, std::string_view ours) {
    const auto version = parameter(element, "version");
    return version.empty() || version == ours;
  };
  double open = 0, text = 0;
  int closest = 0;  // of what is said of text: the closest holds (RFC 9110, 12.5.1)
  for_each_of_list(accept, [&](std::string_view element) {
    const auto type = media_type(element);
    if (type == "application/openmetrics-text" && is_of(element, "1.0.0")) {
      open = std::max(open, weight(element));
    }
    const int close = type == "text/plain" && is_of(element, "0.0.4") ? 3
                      : type == "text/*"                              ? 2
                      : type == "*/*"                                 ? 1
                                                                      : 0;
    if (close == 0 || close < closest) return;
    text = close > closest ? weight(element) : std::max(text, weight(element));
    closest = close;
  });
  return open > 0 && open >= text ? Format::open_metrics : Format::text;
}

std::string_view content_type(Format format) {
  return format == Format::text ? "text/plain; version=0.0.4; charset=utf-8"
                                : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

void measure(const control::Board& board, std::string_view version, MetricSink& page) {
  const auto all = board.all();
  for (const auto& status : all) page.begun(status->name, status->begun_unix_ms);
  page.family("headroom_build", "info", "The version that runs.");
  page.add({{"version", version}}, 1);
  put_replicas(page, all);
  put_load(page, all);
  put_requests(page, all);
  put_durations(page, all);
  put_objectives(page, all);
  put_decisions(page, all);
  page.family("headroom_journal_late_decisions", "gauge",
              "Decisions that wait to be written to the journal.");
  page.add({}, board.late());
  page.family("headroom_document_last_reload_success", "gauge",
              "1 where what runs is what the document says, 0 where that was refused.");
  page.add({}, board.refused().empty() ? 1 : 0);
  put_process(page);
}

std::string metrics(const control::Board& board, std::string_view version, Format format,
                    const std::function<void(MetricSink&)>& more) {
  Page page(format);
  measure(board, version, page);
  if (more) more(page);
  return page.take();
}

}  // namespace headroom::server
