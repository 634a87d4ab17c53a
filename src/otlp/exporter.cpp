#include "otlp/exporter.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"
#include "journal/journal.h"
#include "otlp/answer.h"
#include "otlp/backoff.h"
#include "otlp/client.h"
#include "otlp/encode.h"
#include "server/process_facts.h"

namespace headroom::otlp {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr Millis kTurn = 100ms;  // how long the gateway's rings must hold
constexpr std::size_t kSpansAtOnce = 512, kSpansAtMost = 16'384;
constexpr std::size_t kEventsAtOnce = 256;
constexpr Millis kSpansEvery = 1s, kEventsEvery = 1s;

std::int64_t unix_nanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
std::int64_t unix_millis_now() { return unix_nanos() / 1'000'000; }

/// The wall clock's time at which the steady clock was 0.
std::int64_t epoch() {
  return unix_nanos() - std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}

std::string random_uuid() {
  std::random_device random;
  const auto a = random(), b = random(), c = random(), d = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:04x}{:08x}", a, b >> 16, b & 0xfff,
                     8 + (c >> 30), c & 0xfff, (c >> 12) & 0xffff, d);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

Pairs resource_of(const Pairs& said, const std::string& version) {
  Pairs resource = {{"service.name", "headroom"},
                    {"service.version", version},
                    {"service.instance.id", random_uuid()},
                    {"host.name", host_name()}};
  for (const auto& pair : said) {
    const auto same =
        std::ranges::find(resource, pair.first, &std::pair<std::string, std::string>::first);
    if (same == resource.end()) {
      resource.push_back(pair);
    } else {
      same->second = pair.second;
    }
  }
  return resource;
}

/// One of the three kinds.
struct Signal {
  const char* label;  // in metrics
  const char* items;  // in log lines
  const char* path;
  const bool on;  // else it is not sent
  Backoff backoff{std::random_device{}()};
  bool failing = false;
  Time due{};  // the next, where it does not fail
  Time refusal_told{};
  std::atomic<std::uint64_t> sent{0}, refused{0}, dropped{0};
};

}  // namespace

struct Exporter::Impl {
  Impl(const Settings& from, const Sources& of, Client made, journal::Journal opened)
      : settings(from),
        sources(of),
        client(std::move(made)),
        journal(std::move(opened)),
        sender(make_sender(resource_of(from.resource, of.version), of.version)) {}

  void run();
  template <class Work>
  bool tried(const Work& work) noexcept;
  void turn();
  void flush();
  void collect();
  bool stopping();
  bool waits();
  bool failing() const { return spans.failing || logs.failing || metrics.failing; }
  std::uint64_t spans_lost() const {
    return spans.dropped + (spans.on ? sources.tracing->dropped() : 0);
  }
  bool send(Signal& signal, const std::string& body, std::size_t items, Time now);
  void fail_for_now(Signal& signal, const std::string& why, std::optional<Millis> told);
  void settle(Time now);
  bool send_spans(Time now);
  bool send_events(Time now);
  bool send_metrics(Time now);
  void say_left(bool with_metrics);
  std::vector<LogRecord> next_events();
  void measure(server::MetricSink& sink) const;

  const Settings settings;
  const Sources sources;
  Client client;
  journal::Journal journal;
  const Sender sender;

  // The thread's.
  std::deque<gateway::Span> queue;
  std::vector<gateway::Span> taken, batch;  // of a batch that failed, all wait here
  std::atomic<std::int64_t> told{0};        // the newest event that was sent
  std::atomic<bool> succeeded{false};       // by another, who sends the rest of the log records
  std::size_t points = 0;                   // of the newest metrics that could be made
  bool away = false;    // a line says that it does not answer, none that it does again
  Time failed{};        // the last time that it did not answer
  std::string failure;  // and why
  std::optional<Time> complained, wanting_told;
  std::uint64_t lost_before = 0;  // dropped when it last answered to all
  Time collected{};
  Signal spans{
      .label = "spans", .items = "spans", .path = "/v1/traces", .on = sources.tracing != nullptr};
  Signal logs{.label = "logs", .items = "log records", .path = "/v1/logs", .on = settings.logs};
  Signal metrics{
      .label = "metrics", .items = "data points", .path = "/v1/metrics", .on = settings.metrics};

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Time> stop_at;
  std::thread thread;
};

/// Whether it was done. Want of memory here must not end the process, which serves requests.
template <class Work>
bool Exporter::Impl::tried(const Work& work) noexcept {
  try {
    work();
    return true;
  } catch (const std::exception& e) {
    const auto now = Clock::now();
    if (wanting_told && now - *wanting_told < settings.complain_every) return false;
    wanting_told = now;
    try {
      log::warn("otlp: {}; what could not be made ready to be sent is dropped", e.what());
    } catch (const std::exception&) {  // not even that
    }
    return false;
  }
}

/// The rings' spans into the queue; the oldest make room. Throws nothing: the client calls it
/// while it waits.
void Exporter::Impl::collect() {
  collected = Clock::now();
  if (!spans.on) return;
  taken.clear();
  const bool kept = tried([this] {
    sources.tracing->take(taken);
    queue.insert(queue.end(), taken.begin(), taken.end());
  });
  if (!kept) spans.dropped += taken.size();
  if (queue.size() <= kSpansAtMost) return;
  const auto over = queue.size() - kSpansAtMost;
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(over));
  spans.dropped += over;
}

bool Exporter::Impl::stopping() {
  const std::lock_guard lock(mutex);
  return stop_at.has_value();
}

/// For the client: false where nobody wants the answer any more.
bool Exporter::Impl::waits() {
  if (Clock::now() - collected >= kTurn) collect();
  const std::lock_guard lock(mutex);
  return !stop_at || Clock::now() < *stop_at;
}

/// One that now refuses and now answers is not said to answer again: it would fill the log.
void Exporter::Impl::settle(Time now) {
  if (!away || failing() || now - failed < settings.settled_after) return;
  away = false;
  const auto lost = spans_lost() - lost_before;
  log::info("otlp: {} answers again{}", to_string(settings.endpoint),
            lost > 0 ? fmt::format("; {} spans were dropped meanwhile", lost) : "");
}

void Exporter::Impl::fail_for_now(Signal& signal, const std::string& why,
                                  std::optional<Millis> said) {
  failed = Clock::now();
  signal.backoff.failed(failed, said);
  if (!away && !failing()) lost_before = spans_lost();
  signal.failing = true;
  failure = fmt::format("{}: {}", signal.path, why);
  if (stopping()) return;  // it is not tried again: say_left() has the last word
  if (away || (complained && failed - *complained < settings.complain_every)) return;
  away = true;
  complained = failed;
  log::warn("otlp: {}{}; it is tried again, what does not fit meanwhile is dropped",
            to_string(settings.endpoint), failure);
}

/// False: it is to be sent again.
bool Exporter::Impl::send(Signal& signal, const std::string& body, std::size_t items, Time now) {
  const auto reply = client.post(signal.path, body, [this] { return waits(); });
  if (!reply || is_retryable(reply->status)) {
    fail_for_now(signal, reply ? fmt::format("answered {}", reply->status) : reply.error().what,
                 reply ? reply->retry_after : std::nullopt);
    return false;
  }
  signal.backoff.succeeded();
  signal.failing = false;
  const bool good = reply->status / 100 == 2;
  const auto partial = good ? read_partial(reply->body) : std::nullopt;
  const auto said = partial ? static_cast<std::size_t>(partial->rejected) : 0;
  const auto refused = good ? std::min(items, said) : items;
  signal.sent += items - refused;
  signal.refused += refused;
  const bool silent =
      signal.refusal_told != Time{} && now - signal.refusal_told < settings.complain_every;
  if ((!good || partial) && !silent) {
    signal.refusal_told = now;
    log::warn("otlp: {}{}: answered {}, {} of {} {} dropped{}{}", to_string(settings.endpoint),
              signal.path, reply->status, refused, items, signal.items, partial ? ": " : "",
              partial ? partial->message : "");
  }
  return true;
}

/// One batch: true where there may be another.
bool Exporter::Impl::send_spans(Time now) {
  if (!spans.backoff.ready(now)) return false;
  if (batch.empty()) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue.size(), kSpansAtOnce));
    batch.assign(queue.begin(), queue.begin() + count);
    queue.erase(queue.begin(), queue.begin() + count);
  }
  spans.due = now + kSpansEvery;
  if (batch.empty()) return false;
  std::string body;
  if (!tried([&] { body = spans_json(sender, batch, epoch()); })) {
    spans.dropped += batch.size();
  } else if (!send(spans, body, batch.size(), now)) {
    return false;
  }
  batch.clear();
  return true;
}

std::vector<LogRecord> Exporter::Impl::next_events() {
  std::vector<LogRecord> records;
  auto events = journal.events({.after = told.load(), .limit = kEventsAtOnce});
  if (!events) return records;  // the journal's trouble is said where it is written
  for (auto& event : *events) {
    LogRecord record{std::move(event), {}};
    if (record.event.decision) {
      if (auto entry = journal.entry(*record.event.decision)) record.entry = std::move(*entry);
    }
    records.push_back(std::move(record));
  }
  return records;
}

/// The next of them: true where there may be more.
bool Exporter::Impl::send_events(Time now) {
  if (!logs.on || !logs.backoff.ready(now)) return false;
  logs.due = now + kEventsEvery;
  const auto records = next_events();
  if (records.empty()) return false;
  std::string body;
  if (!tried([&] { body = logs_json(sender, records, unix_millis_now()); })) {
    logs.dropped += records.size();
  } else if (!send(logs, body, records.size(), now)) {
    return false;
  }
  told = records.back().event.id;
  return records.size() == kEventsAtOnce;
}

bool Exporter::Impl::send_metrics(Time now) {
  if (!metrics.on || !metrics.backoff.ready(now)) return false;
  metrics.due = now + settings.metrics_every;
  std::string body;
  const bool made = tried([&] {
    const auto begin = server::process_facts().start_unix_seconds.value_or(0);
    auto all = metrics_json(sender, {static_cast<std::int64_t>(begin * 1000), unix_millis_now()},
                            [this](server::MetricSink& sink) {
                              server::measure(sources.board, sources.version, sink);
                              measure(sink);
                            });
    body = std::move(all.json);
    points = all.points;
  });
  if (made && send(metrics, body, points, now)) return true;
  metrics.dropped += points;
  return false;
}

void Exporter::Impl::measure(server::MetricSink& sink) const {
  sink.family("headroom_otlp_items", "counter",
              "Spans, log records and data points for the collector, by what became of them.");
  for (const auto* signal : {&spans, &logs, &metrics}) {
    if (!signal->on) continue;
    const auto lost = signal == &spans ? spans_lost() : signal->dropped.load();
    sink.add({{"signal", signal->label}, {"outcome", "sent"}}, signal->sent.load());
    sink.add({{"signal", signal->label}, {"outcome", "refused"}}, signal->refused.load());
    sink.add({{"signal", signal->label}, {"outcome", "dropped"}}, lost);
  }
}

void Exporter::Impl::turn() {
  settle(Clock::now());
  collect();
  // The queue's worth at most: the others have their turn, too.
  for (std::size_t i = 0; i < kSpansAtMost / kSpansAtOnce && !stopping(); ++i) {
    const auto now = Clock::now();
    if (now - collected >= kTurn) collect();
    if (queue.size() < kSpansAtOnce && now < spans.due) break;
    if (!send_spans(now)) break;
  }
  if (succeeded) return;
  if (Clock::now() >= logs.due) {
    while (!stopping() && send_events(Clock::now())) {
    }
  }
  if (Clock::now() >= metrics.due) send_metrics(Clock::now());
}

/// The last of it, as far as the collector takes it in time.
void Exporter::Impl::flush() {
  collect();
  while (waits() && send_spans(Clock::now())) {
  }
  while (!succeeded && waits() && send_events(Clock::now())) {
  }
  const bool measured = waits() && send_metrics(Clock::now());
  say_left(metrics.on && !measured);
}

/// What waited and is sent no more. Of events the journal knows for good.
void Exporter::Impl::say_left(bool with_metrics) {
  std::vector<std::string> left;
  if (const auto waited = batch.size() + queue.size(); waited > 0) {
    spans.dropped += waited;
    left.push_back(fmt::format("{} spans", waited));
  }
  const auto events = journal.events({.after = told.load(), .limit = kEventsAtOnce});
  if (logs.on && !succeeded && events && !events->empty()) {
    logs.dropped += events->size();
    left.push_back(fmt::format("{}{} log records", events->size(),
                               events->size() == kEventsAtOnce ? " or more" : ""));
  }
  if (with_metrics) left.push_back("the last metrics");
  if (left.empty()) return;
  log::warn("otlp: {}{}; not sent before the end: {}", to_string(settings.endpoint),
            failing() ? failure : "", fmt::join(left, ", "));
}

void Exporter::Impl::run() {
  while (!stopping()) {
    tried([this] { turn(); });
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kTurn, [this] { return stop_at.has_value(); });
  }
  tried([this] { flush(); });
}

Result<std::unique_ptr<Exporter>> Exporter::start(const Settings& settings,
                                                  const Sources& sources) {
  auto client = Client::make(settings, sources.version);
  if (!client) return fail(client.error());
  auto journal = journal::Journal::open(sources.journal, journal::Journal::Mode::read);
  if (!journal) return fail(journal.error());
  auto told = sources.told;
  if (!told) {
    const auto newest = journal->events({.limit = 1});
    if (!newest) return fail(newest.error());
    told = newest->empty() ? 0 : newest->front().id;
  }
  auto impl = std::make_unique<Impl>(settings, sources, std::move(*client), std::move(*journal));
  impl->told = *told;
  log::info("otlp: to {}, {}{}{}", to_string(settings.endpoint),
            settings.traces
                ? fmt::format("{:g} % of the traces that begin here", settings.sample * 100)
                : "no traces",
            settings.logs ? "" : ", no logs", settings.metrics ? "" : ", no metrics");
  impl->thread = std::thread([raw = impl.get()] { raw->run(); });
  ::pthread_setname_np(impl->thread.native_handle(), "otlp");
  return std::unique_ptr<Exporter>(new Exporter(std::move(impl)));
}

Exporter::Exporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Exporter::~Exporter() {
  if (impl_->thread.joinable()) stop(0s);
}

std::int64_t Exporter::let_go() {
  impl_->succeeded = true;
  return impl_->told;
}

void Exporter::go_on() { impl_->succeeded = false; }

void Exporter::stop(Millis within) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop_at = Clock::now() + within;
  }
  impl_->changed.notify_all();
  impl_->thread.join();
}

void Exporter::measure(server::MetricSink& sink) const { impl_->measure(sink); }

}  // namespace headroom::otlp
