#include "otlp/exporter.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <new>
#include <set>

#include <boost/json.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "server/fixture.h"

namespace headroom::otlp {
namespace {

namespace json = boost::json;
using gateway::testing::Backend;
using server::eventually;
using ::testing::HasSubstr;

std::string ok(std::string_view body = "{}") {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

/// A collector that answers as a test says; what it was sent, it keeps.
class Collector {
 public:
  using Answer = std::function<std::string(const std::string& path)>;
  explicit Collector(Answer answer, const std::string& address = "127.0.0.1:0")
      : backend_(Backend::answers([this, answer = std::move(answer)](const Message& request) {
                   const auto path = request.head.substr(5, request.head.find(' ', 5) - 5);
                   {
                     const std::lock_guard lock(mutex_);
                     requests_.push_back(request);
                     ++asked_[path];
                   }
                   return answer(path);
                 }),
                 address) {}
  using Message = gateway::testing::Message;

  std::string url() const { return "http://" + headroom::to_string(backend_.address()); }
  const Backend& backend() const { return backend_; }
  std::size_t asked(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return asked_[path];
  }
  std::vector<Message> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// The ids of the events that it was sent, in their order.
  std::vector<std::string> events() {
    std::vector<std::string> ids;
    for (const auto& request : requests()) {
      if (!request.head.starts_with("POST /v1/logs ")) continue;
      const auto body = json::parse(request.body);
      const auto& scope = body.at("resourceLogs").at(0).at("scopeLogs").at(0);
      for (const auto& record : scope.at("logRecords").as_array()) {
        ids.push_back(
            json::value_to<std::string>(record.at("attributes").at(2).at("value").at("intValue")));
      }
    }
    return ids;
  }

 private:
  std::mutex mutex_;
  std::vector<Message> requests_;
  std::map<std::string, std::size_t> asked_;
  Backend backend_;
};

/// What the exporter says became of things: "spans sent" → 7.
class Counts : public server::MetricSink {
 public:
  void family(std::string_view, std::string_view, std::string_view) override {}
  void histogram(std::string_view, const server::Distribution&) override {}
  std::map<std::string, std::int64_t> all;

 protected:
  void whole(server::Labels labels, std::int64_t value) override {
    all[fmt::format("{} {}", labels.begin()->second, (labels.begin() + 1)->second)] = value;
  }
  void real(server::Labels, double) override {}
};

/// What is written to stderr meanwhile: the log.
class Log {
 public:
  Log() : before_(::dup(STDERR_FILENO)) {
    std::ofstream created(folder_ / "log");
    const Fd file(::open((folder_ / "log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    ::dup2(file.get(), STDERR_FILENO);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { ::dup2(before_.get(), STDERR_FILENO); }

  std::string text() const {
    std::ifstream file(folder_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t count(std::string_view what) const {
    const auto all = text();
    std::size_t count = 0;
    for (auto at = all.find(what); at != all.npos; at = all.find(what, at + 1)) ++count;
    return count;
  }

 private:
  TemporaryFolder folder_;
  Fd before_;
};

/// While one lives, the exporter's thread gets no piece of memory as large as that.
std::atomic<std::size_t> too_large{0};
class Scarce {
 public:
  explicit Scarce(std::size_t bytes) { too_large = bytes; }
  Scarce(const Scarce&) = delete;
  Scarce& operator=(const Scarce&) = delete;
  ~Scarce() { too_large = 0; }

  static bool refuses(std::size_t size) {
    const auto limit = too_large.load(std::memory_order_relaxed);
    char name[16] = {};
    return limit > 0 && size >= limit &&
           ::pthread_getname_np(::pthread_self(), name, sizeof name) == 0 &&
           std::string_view(name) == "otlp";
  }
};

class ExporterTest : public journal::JournalTest {
 protected:
  ExporterTest() : journal_(open()) {
    board_.put(std::make_shared<const control::Status>(server::status_of("shop")));
  }

  void start(const std::string& url, const std::function<void(Settings&)>& change = {}) {
    Settings settings;
    settings.endpoint = *parse_endpoint(url);
    settings.metrics_every = 200ms;
    settings.timeout = 2s;
    if (change) change(settings);
    auto exporter = Exporter::start(settings, {tracing_, board_, path_.string(), "1.2.3"});
    ASSERT_TRUE(exporter) << exporter.error().what;
    exporter_ = std::move(*exporter);
  }
  void requests(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      gateway::Span span;
      tracer_.begin("", span);
      tracer_.ring.put(span);
    }
  }
  std::string event(const std::string& text) {
    const auto id = journal_.event({.autoscaler = "shop",
                                    .unix_ms = 1'700'000'000'000,
                                    .kind = journal::Event::Kind::trouble,
                                    .text = text});
    EXPECT_TRUE(id);
    return std::to_string(id.value_or(0));
  }
  std::int64_t count(const std::string& what) const {
    Counts counts;
    exporter_->measure(counts);
    return counts.all[what];
  }

  journal::Journal journal_;
  control::Board board_;
  std::shared_ptr<gateway::Tracing> tracing_ = std::make_shared<gateway::Tracing>(1);
  gateway::Tracer& tracer_ = tracing_->add();
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(ExporterTest, SendsAllThreeWithItsHeaders) {
  Collector collector([](const std::string&) { return ok(); });
  const auto old = event("before it began");
  start(collector.url() + "/base/", [](Settings& settings) {
    settings.headers = {{"Authorization", "Bearer x"}, {"X-Tenant", "a"}};
    settings.resource = {{"service.name", "edge"}, {"team", "t"}};
  });
  requests(3);
  const auto fresh = event("after it began");
  EXPECT_TRUE(eventually([&] {
    return count("spans sent") == 3 && count("logs sent") == 1 && count("metrics sent") > 100;
  }));
  for (const auto& request : collector.requests()) {
    EXPECT_TRUE(request.head.starts_with("POST /base/v1/")) << request.head;
    EXPECT_EQ(request["Content-Type"], "application/json");
    EXPECT_EQ(request["User-Agent"], "OTel-OTLP-Exporter-Headroom/1.2.3");
    EXPECT_EQ(request["Authorization"], "Bearer x");
    EXPECT_EQ(request["X-Tenant"], "a");
    const auto document = json::parse(request.body);
    const auto resource = json::serialize(document.as_object().begin()->value().at(0));
    EXPECT_THAT(resource, HasSubstr(R"("key":"service.name","value":{"stringValue":"edge"})"));
    EXPECT_THAT(resource, HasSubstr(R"("key":"service.version","value":{"stringValue":"1.2.3"})"));
    EXPECT_THAT(resource, HasSubstr(R"("key":"team","value":{"stringValue":"t"})"));
  }
  EXPECT_EQ(collector.backend().connections(), 1) << "it is kept";
}

TEST_F(ExporterTest, WhatIsOffIsNotSent) {
  Collector collector([](const std::string&) { return ok(); });
  tracing_.reset();
  start(collector.url(), [](Settings& settings) { settings.traces = settings.logs = false; });
  event("nobody's");
  EXPECT_TRUE(eventually([&] { return collector.asked("/v1/metrics") > 7; }));
  exporter_->stop(1s);
  EXPECT_EQ(collector.asked("/v1/logs") + collector.asked("/v1/traces"), 0u);
  Counts counts;
  exporter_->measure(counts);
  EXPECT_EQ(counts.all.size(), 3u) << "of metrics alone";
}

TEST_F(ExporterTest, WhatARefusalSaysDecides) {
  struct Case {
    const char* why;
    std::string answer;  // to the first of each kind; then 200
    std::int64_t sent, refused;
    std::size_t asked;
  };
  const auto status = [](const char* line, const char* more = "") {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\n{}\r\n", line, more);
  };
  const auto hints = [](int count) {
    std::string all;
    while (count-- > 0) all += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    return all;
  };
  const Case cases[] = {
      {"too busy: the same again", status("503 Busy", "Retry-After: 0\r\n"), 2, 0, 2},
      {"too often: the same again", status("429 Slow", "Retry-After: 0\r\n"), 2, 0, 2},
      {"no answer at all: the same again", "nonsense\r\n\r\n", 2, 0, 2},
      {"bad: dropped", status("400 Bad"), 0, 2, 1},
      {"no such path: dropped", status("404 Not Found"), 0, 2, 1},
      {"elsewhere: dropped, nobody is sent what is meant for another",
       status("307 There", "Location: http://127.0.0.1:1/\r\n"), 0, 2, 1},
      {"some of it", ok(R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}})"), 1, 1,
       1},
      {"more than there was", ok(R"({"partialSuccess":{"rejectedSpans":"99"}})"), 0, 2, 1},
      {"hints come before the answer", hints(1) + ok(), 2, 0, 1},
      {"so do others", status("100 Continue") + hints(15) + status("400 Bad"), 0, 2, 1},
      {"hints, and no end: the same again", hints(99), 2, 0, 2},
      {"hints alone: the same again", hints(1), 2, 0, 2},
      {"hints cut short: the same again", hints(1) + "HTTP/1.1 103", 2, 0, 2},
      {"another protocol, that nobody asked for: dropped",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 0, 2, 1},
      {"an answer that is cut counts by its status",
       "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}", 2, 0, 1},
  };
  for (const auto& [why, answer, sent, refused, asked] : cases) {
    SCOPED_TRACE(why);
    std::atomic<bool> first{true};
    Collector collector([&, &answer = answer](const std::string& path) {
      return path == "/v1/traces" && first.exchange(false) ? answer : ok();
    });
    requests(2);  // before it looks, so that both go at once
    start(collector.url(), [](Settings& settings) { settings.timeout = 300ms; });
    EXPECT_TRUE(eventually([&, &sent = sent, &refused = refused] {
      return count("spans sent") == sent && count("spans refused") == refused;
    })) << count("spans sent")
        << " " << count("spans refused");
    EXPECT_EQ(count("spans dropped"), 0);
    EXPECT_EQ(collector.asked("/v1/traces"), asked);
    exporter_.reset();
  }
}

TEST_F(ExporterTest, TheAnswerAfterHintsIsTheSameRequests) {
  constexpr std::string_view kHints = "HTTP/1.1 103 Early Hints\r\n\r\n";
  std::atomic<int> requests_seen{0};
  Backend backend([&](auto& socket) {  // the hints come alone, and the answer is a refusal
    while (!gateway::testing::read_message(socket).head.empty()) {
      ++requests_seen;
      if (!socket.send(kHints) || !socket.quiet_for(20ms)) return;
      socket.send("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
    }
  });
  start("http://" + headroom::to_string(backend.address()));
  for (int i = 1; i <= 3; ++i) {
    requests(1);
    EXPECT_TRUE(eventually([&] { return count("spans refused") == i; }));
  }
  EXPECT_EQ(count("spans sent"), 0);
  EXPECT_EQ(backend.connections(), 1) << "request and answer stay in step: it is kept";
  exporter_.reset();
}

constexpr const char* kBusy = "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";

TEST_F(ExporterTest, WhatFailsNowAndThenIsSaidOnce) {
  struct Case {
    const char* why;
    Millis settled_after, complain_every;
    std::size_t most_complaints, most_ends;
  };
  const Case cases[] = {
      {"never well for long", 1h, 0ms, 1, 0},
      {"well at once, but it was said not long ago", 0ms, 1h, 1, 1},
  };
  for (const auto& [why, settled_after, complain_every, most_complaints, most_ends] : cases) {
    SCOPED_TRACE(why);
    std::atomic<int> asked{0};
    Collector collector(
        [&](const std::string&) { return asked++ % 2 == 0 ? std::string(kBusy) : ok(); });
    const Log log;
    start(collector.url(), [&, &settled = settled_after, &every = complain_every](Settings& s) {
      s.settled_after = settled;
      s.complain_every = every;
    });
    EXPECT_TRUE(eventually([&] { return asked > 12; }));
    exporter_.reset();
    EXPECT_EQ(log.count("it is tried again"), most_complaints) << log.text();
    EXPECT_EQ(log.count("answers again"), most_ends) << log.text();
  }
}

TEST_F(ExporterTest, ThatItAnswersAgainIsSaidAndThatItFailsAgain) {
  std::atomic<bool> up{false};
  Collector collector([&](const std::string&) { return up ? ok() : kBusy; });
  const Log log;
  start(collector.url(), [](Settings& settings) {
    settings.settled_after = 200ms;
    settings.complain_every = 500ms;
  });
  EXPECT_TRUE(eventually([&] { return log.count("it is tried again") == 1; })) << log.text();
  up = true;
  EXPECT_TRUE(eventually([&] { return log.count("answers again") == 1; })) << log.text();
  up = false;
  EXPECT_TRUE(eventually([&] { return log.count("it is tried again") == 2; })) << log.text();
  exporter_.reset();
}

TEST_F(ExporterTest, EventsWaitInTheJournal) {
  std::atomic<bool> up{false};
  Collector collector([&](const std::string&) { return up ? ok() : kBusy; });
  start(collector.url());
  std::vector<std::string> ids;
  for (int i = 0; i < 600; ++i) ids.push_back(event("trouble"));  // more than go at once
  EXPECT_TRUE(eventually(
      [&] { return collector.asked("/v1/logs") > 1 && collector.events().size() >= 256; }));
  EXPECT_EQ(count("logs sent"), 0);
  up = true;
  EXPECT_TRUE(eventually([&] { return count("logs sent") == 600; }));
  auto got = collector.events();
  got.erase(got.begin(), got.end() - 600);
  EXPECT_EQ(got, ids) << "each, once, in order";
  EXPECT_EQ(count("logs dropped"), 0);
  EXPECT_GT(count("metrics dropped"), 0);
}

TEST_F(ExporterTest, SpansThatDoNotFitAreCounted) {
  start("http://127.0.0.1:1");  // refused
  constexpr std::int64_t kAll = 40'000;
  for (int i = 0; i < kAll / 2000; ++i) {
    requests(2000);
    std::this_thread::sleep_for(10ms);
  }
  constexpr std::int64_t kKept = 16'384 + 512;  // and a batch
  EXPECT_TRUE(eventually([&] { return count("spans dropped") >= kAll - kKept; }));
  EXPECT_EQ(count("spans sent"), 0);
  const auto lost = count("spans dropped");
  EXPECT_LE(lost, kAll - 4096) << "what waits is not lost";
}

TEST_F(ExporterTest, WhatThereIsNoMemoryForIsDropped) {
  Collector collector([](const std::string&) { return ok(); });
  requests(512);  // taken at once: later there is room for as many without asking for memory
  start(collector.url());
  EXPECT_TRUE(eventually([&] { return count("spans sent") == 512 && count("metrics sent") > 0; }));
  const Log log;
  {
    const Scarce scarce(5000);
    requests(512);
    event(std::string(2000, '"'));
    EXPECT_TRUE(eventually([&] {
      return count("spans dropped") == 512 && count("logs dropped") == 1 &&
             count("metrics dropped") > 0;
    })) << count("spans dropped")
        << " " << count("logs dropped");
  }
  requests(1);
  const auto last = event("enough again");
  EXPECT_TRUE(eventually([&] { return count("spans sent") == 513 && count("logs sent") == 1; }));
  EXPECT_EQ(collector.events(), std::vector{last});
  EXPECT_EQ(log.count("could not be made ready"), 1);
  exporter_.reset();
}

TEST_F(ExporterTest, ItsEndSendsWhatThereIs) {
  const Log log;
  Collector collector([](const std::string&) { return ok(); });
  start(collector.url(), [](Settings& settings) { settings.metrics_every = 1h; });
  EXPECT_TRUE(eventually([&] { return count("metrics sent") > 0; }));
  const auto metrics = collector.asked("/v1/metrics");
  requests(1500);
  const auto last = event("the last word");
  exporter_->stop(10s);
  EXPECT_EQ(count("spans sent"), 1500);
  EXPECT_EQ(collector.events(), std::vector{last});
  EXPECT_EQ(collector.asked("/v1/metrics"), metrics + 1);
  EXPECT_EQ(log.count("before the end"), 0) << log.text();
}

TEST_F(ExporterTest, WhoIsSucceededSendsItsLastMetricsAndNoLogRecord) {
  struct Case {
    const char* why;
    bool taken_back;
    std::int64_t logs;
  };
  const Case cases[] = {
      {"they count what the successor never sees; the journal is the successor's", false, 0},
      {"the successor failed: all is sent as ever", true, 1},
  };
  for (const auto& [why, taken_back, logs] : cases) {
    SCOPED_TRACE(why);
    const Log log;
    Collector collector([](const std::string&) { return ok(); });
    start(collector.url(), [](Settings& settings) { settings.metrics_every = 1h; });
    EXPECT_TRUE(eventually([&] { return count("metrics sent") > 0; }));
    exporter_->let_go();
    if (taken_back) exporter_->go_on();
    requests(3);
    event("after that");
    auto status = server::status_of("shop");
    status.traffic->arrived = 4711;  // the last that was open is among them
    board_.put(std::make_shared<const control::Status>(std::move(status)));
    exporter_->stop(10s);
    EXPECT_EQ(count("spans sent"), 3);
    EXPECT_EQ(count("logs sent"), logs);
    EXPECT_EQ(collector.asked("/v1/metrics"), 2u) << "at the start, and at the end";
    std::string last;
    for (const auto& request : collector.requests()) {
      if (request.head.starts_with("POST /v1/metrics ")) last = request.body;
    }
    EXPECT_THAT(last, HasSubstr(R"("asInt":"4711")"));
    EXPECT_EQ(log.count("before the end"), 0) << log.text();
    exporter_.reset();
  }
}

TEST_F(ExporterTest, ItsEndIsBoundedWhateverTheCollectorDoes) {
  struct Case {
    const char* why;
    Backend::Script script;
  };
  const Case cases[] = {
      {"it is silent", [](auto& socket) { socket.rest(); }},
      {"it drips",
       [](auto& socket) {
         socket.send("HTTP/1.1 200 OK\r\n");
         while (socket.send("X: y\r\n") && !socket.quiet_for(20ms)) {
         }
         for (int i = 0; i < 500 && socket.send("Z: z\r\n"); ++i) std::this_thread::sleep_for(20ms);
       }},
      {"it says 100 for ever",
       [](auto& socket) {
         while (socket.send("HTTP/1.1 100 Continue\r\n\r\n")) std::this_thread::sleep_for(20ms);
       }},
  };
  for (const auto& [why, script] : cases) {
    SCOPED_TRACE(why);
    Backend backend(script);
    start("http://" + headroom::to_string(backend.address()),
          [](Settings& settings) { settings.timeout = 1h; });
    requests(600);
    EXPECT_TRUE(eventually([&] { return backend.connections() > 0; }));
    const auto began = std::chrono::steady_clock::now();
    exporter_->stop(100ms);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    exporter_.reset();
    backend.stop();
  }
}

TEST_F(ExporterTest, ItsEndSaysWhatWasNotSent) {
  Backend silent([](auto& socket) { socket.rest(); });
  const Log log;
  start("http://" + headroom::to_string(silent.address()),
        [](Settings& settings) { settings.timeout = 1h; });
  EXPECT_TRUE(eventually([&] { return silent.connections() > 0; }));
  requests(600);
  event("one");
  event("two");
  exporter_->stop(300ms);
  EXPECT_EQ(count("spans dropped"), 600);
  EXPECT_EQ(count("logs dropped"), 2);
  EXPECT_THAT(log.text(), HasSubstr("; not sent before the end: 600 spans, 2 log records, the last "
                                    "metrics"));
  EXPECT_EQ(log.count("it is tried again"), 0) << log.text();
  exporter_.reset();
}

TEST_F(ExporterTest, ANameThatDoesNotExistIsNoEnd) {
  start("http://no-such-host.invalid:4318");
  requests(1);
  std::this_thread::sleep_for(300ms);
  const auto began = std::chrono::steady_clock::now();
  exporter_->stop(100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(count("spans sent"), 0);
}

TEST_F(ExporterTest, ACertificateThatIsNoneIsRefused) {
  Settings settings;
  settings.endpoint = *parse_endpoint("https://127.0.0.1:4318");
  settings.certificate = "/nowhere/ca.pem";
  const auto exporter = Exporter::start(settings, {tracing_, board_, path_.string(), "1"});
  ASSERT_FALSE(exporter);
  EXPECT_THAT(exporter.error().what, HasSubstr("/nowhere/ca.pem"));
}

TEST_F(ExporterTest, WhatSpeaksNoTlsIsNotTrusted) {
  Collector collector([](const std::string&) { return ok(); });
  start("https" + collector.url().substr(4));
  requests(1);
  std::this_thread::sleep_for(200ms);
  exporter_->stop(1s);
  EXPECT_EQ(count("spans sent"), 0);
  EXPECT_TRUE(collector.requests().empty() ||
              collector.requests()[0].head.find("POST") == std::string::npos);
}

}  // namespace
bool is_refused(std::size_t size) { return Scarce::refuses(size); }
}  // namespace headroom::otlp

// All that is allocated in this program comes from here, so that a test can say that there is none.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const piece = headroom::otlp::is_refused(size) ? nullptr : std::malloc(size);
  if (piece == nullptr) throw std::bad_alloc();
  return piece;
}
[[gnu::noinline]] void operator delete(void* piece) noexcept { std::free(piece); }
[[gnu::noinline]] void operator delete(void* piece, std::size_t) noexcept { std::free(piece); }
