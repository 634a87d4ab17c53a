#include <future>
#include <new>

#include "base/log.h"
#include "control/clock.h"
#include "server/api.h"
#include "server/fixture.h"

namespace headroom::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ServerTest, AnswersWhatIsAsked) {
  const auto first = journal::must_record(journal_, {.from = 1, .to = 2});
  journal::must_record(journal_, {.after = 1s, .from = 2, .to = 2, .code = "Waiting"});
  ASSERT_TRUE(journal_.event({.autoscaler = "shop",
                              .unix_ms = 1'700'000'000'500,
                              .kind = journal::Event::Kind::trouble,
                              .text = "replica 3 exited"}));
  auto held = status_of("held");
  held.objective = {{100ms, 99.9}, 31.5, {5000, 4000}, {400, 300}};
  put(held);
  auto idle = status_of("idle");
  idle.objective = {{1s, 50}, std::nullopt, {5000, 4000}, {}};
  put(idle);
  start();
  const auto id = std::to_string(first);
  struct Case {
    const char* why;
    std::string target;
    int status;
    std::string has;
  };
  const Case cases[] = {
      {"it answers", "/healthz", 200, "ok\n"},
      {"all is well", "/readyz", 200, R"({"ready":true,"reasons":[]})"},
      {"all of them, and whose", "/api/v1/autoscalers", 200, R"({"version":"1.2.3","nowUnixMs":)"},
      {"one, its counts by state", "/api/v1/autoscalers/shop", 200,
       R"("replicas":{"wanted":3,"ready":2,"starting":0,"draining":0,"backingOff":1})"},
      {"its load", "/api/v1/autoscalers/shop", 200,
       R"("load":{"concurrency":14.25,"rate":0,"waiting":3,"running":14})"},
      {"no latency is null", "/api/v1/autoscalers/shop", 200, R"("latency":null)"},
      {"no objective is null", "/api/v1/autoscalers/shop", 200, R"("objective":null)"},
      {"how an objective is kept", "/api/v1/autoscalers/held", 200,
       R"("objective":{"latencyMs":100,"percentile":99.9,"atPercentileMs":31.5,)"
       R"("recent":{"requests":400,"within":300,"share":0.75},"recentMs":300000,"missed":true,)"
       R"("total":{"requests":5000,"within":4000,"share":0.8}})"},
      {"of no request there is no share", "/api/v1/autoscalers/idle", 200,
       R"("atPercentileMs":null,"recent":{"requests":0,"within":0,"share":null},)"},
      {"failures are summed", "/api/v1/autoscalers/shop", 200,
       R"("requests":{"completed":100,"failed":7,"rejected":0,"failedRecently":0,"recentMs":60000})"},
      {"how it is, in a word", "/api/v1/autoscalers/shop", 200,
       R"("state":{"name":"crashing","mood":"bad","why":"1 replica failed lately"})"},
      {"a replica", "/api/v1/autoscalers/shop", 200,
       R"({"id":4,"state":"ready","pid":4711,"ageMs":61000,"restarts":0,"cpu":0.5,)"
       R"("memory":12582912,"outstanding":3})"},
      {"a reading that there is not is null, and no process has no pid", "/api/v1/autoscalers/shop",
       200, R"("state":"backingOff","pid":null,"ageMs":0,"restarts":2,"cpu":null,"memory":null)"},
      {"a step's numbers have names, its text is quoted", "/api/v1/autoscalers/shop", 200,
       R"("text":"cpu 83% of 60%\u000a→ \"3\" replicas","holds":false,"inputs":{"percent":83,"target":60,)"},
      {"a name is one part of the path", "/api/v1/autoscalers/sh%6fp", 200, R"("name":"shop")"},
      {"of none", "/api/v1/autoscalers/shpo", 404, R"({"error": "no autoscaler \"shpo\""})"},
      {"decisions", "/api/v1/decisions", 200, R"("code":"Waiting")"},
      {"rescales only", "/api/v1/decisions?rescales=true&limit=1", 200,
       R"({"decisions":[{"id":)" + id},
      {"of another", "/api/v1/decisions?autoscaler=other", 200, R"({"decisions":[]})"},
      {"before all", "/api/v1/decisions?until=5", 200, R"({"decisions":[]})"},
      {"one, with what was seen", "/api/v1/decisions/" + id, 200, R"("observation":{"v":)"},
      {"no such one", "/api/v1/decisions/999", 404, "no decision"},
      {"no number", "/api/v1/decisions/x", 404, "no decision"},
      {"events", "/api/v1/events", 200,
       R"("kind":"trouble","text":"replica 3 exited","decision":null})"},
      {"a rescale's names its decision", "/api/v1/events", 200, R"("decision":)" + id},
      {"after all", "/api/v1/events?after=1000000", 200, R"({"events":[]})"},
      {"no sample yet", "/api/v1/autoscalers/shop/history", 200, R"("samples":[]})"},
      {"no past and no present", "/api/v1/autoscalers/other/history", 404, "no autoscaler"},
      {"the last lines: nothing is missed", "/api/v1/autoscalers/shop/replicas/4/output", 200,
       R"({"text":"one\u000atwo\u000a","end":8,"lost":false,"gone":false})"},
      {"what came since, with a gap", "/api/v1/autoscalers/shop/replicas/4/output?after=1", 200,
       R"("lost":true)"},
      {"of one that ended", "/api/v1/autoscalers/shop/replicas/3/output?after=8", 200,
       R"("gone":true)"},
      {"of no replica", "/api/v1/autoscalers/shop/replicas/9/output", 404, "no such replica"},
      {"a parameter that there is not", "/api/v1/decisions?sinc=1", 400,
       "expected one of autoscaler"},
      {"none where none is taken", "/metrics?name=x", 400, "no parameters"},
      {"nor of the dashboard", "/?name=x", 400, "no parameters"},
      {"nor of this", "/openapi.json?name=x", 400, "no parameters"},
      {"a name that is empty", "/api/v1/events?autoscaler=", 400, "autoscaler: it is empty"},
      {"a word that is empty", "/api/v1/decisions?rescales=", 400, "rescales: it is empty"},
      {"a time that is empty", "/api/v1/decisions?since=", 400, "since: found"},
      {"decisions the wrong way round", "/api/v1/decisions?since=9&until=8", 400, "after until"},
      {"events the wrong way round", "/api/v1/events?since=9&until=8", 400, "after until"},
      {"events of one time", "/api/v1/events?since=9&until=9", 200, R"({"events":[]})"},
      {"from a clock that is ahead", "/api/v1/autoscalers/shop/history?since=9000000000000", 200,
       R"("samples":[]})"},
      {"a parameter twice", "/api/v1/decisions?limit=1&limit=2", 400, "twice"},
      {"too many", "/api/v1/decisions?limit=1001", 400, "from 1 to 1000"},
      {"none", "/api/v1/events?limit=0", 400, "from 1 to 1000"},
      {"before 1970", "/api/v1/events?since=-1", 400, "since: found"},
      {"neither true nor false", "/api/v1/decisions?rescales=1", 400, "true or false"},
      {"the wrong way round", "/api/v1/autoscalers/shop/history?since=9&until=8", 400,
       "after until"},
      {"nothing there", "/api/v2", 404, "openapi.json"},
      {"nor below something", "/healthz/", 404, "nothing there"},
      {"a bad escape", "/api/v1/autoscalers/%zz", 400, "the target"},
      {"the metrics", "/metrics", 200, "# TYPE headroom_replicas gauge\n"},
      {"the dashboard", "/", 200, "<!doctype html>"},
      {"what this is", "/openapi.json", 200, R"("openapi": "3.1.0")"},
  };
  for (const auto& [why, target, status, has] : cases) {
    SCOPED_TRACE(std::string(why) + ": " + target);
    const auto answer = get(target);
    EXPECT_EQ(answer.status(), status) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(has));
    // The whole: what is added by mistake opens a door. dashboard/dev/server.mjs has the same.
    EXPECT_EQ(answer["Content-Security-Policy"],
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
              "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
              "require-trusted-types-for 'script'; trusted-types 'none'");
    EXPECT_EQ(answer["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(answer["Content-Length"], std::to_string(answer.body.size()));
  }
}

TEST_F(ServerTest, ShowsSamplesOfTheTimeAskedFor) {
  const auto now = control::unix_millis();
  for (int i = 4; i > 0; --i) {
    ASSERT_TRUE(journal_.sample("shop", {.unix_ms = now - i * 5000, .wanted = i, .rate = 310.5}));
  }
  start();
  const auto answer = get("/api/v1/autoscalers/shop/history");
  EXPECT_THAT(answer.body, HasSubstr(R"({"stepMs":5000,"samples":[{"unixMs":)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("wanted":4,"ready":0,"concurrency":null,"rate":310.5,)"));
}

TEST_F(ServerTest, OneConnectionAsksManyTimes) {
  start();
  auto socket = tcp();
  std::string all;
  for (int i = 0; i < 50; ++i) all += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_TRUE(socket.send(all));  // at once: they are answered in turn
  for (int i = 0; i < 50; ++i) EXPECT_EQ(read_message(socket).body, "ok\n");
}

TEST_F(ServerTest, HeadIsGetWithoutTheBody) {
  start();
  for (const char* target : {"/healthz", "/", "/api/v1/autoscalers/shop", "/metrics"}) {
    SCOPED_TRACE(target);
    auto socket = tcp();
    ASSERT_TRUE(socket.send(request(std::string("HEAD ") + target)));
    const auto head = socket.rest();
    EXPECT_THAT(head, HasSubstr("200 OK"));
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
    EXPECT_NE(gateway::testing::field(head, "Content-Length"), "0");
  }
}

TEST_F(ServerTest, ChangesGoToTheLoop) {
  start();
  struct Case {
    const char* why;
    std::string line, body;
    int status;
    std::string has;
  };
  const std::string shop = "/api/v1/autoscalers/shop/";
  const Case cases[] = {
      {"a pin for a time", "POST " + shop + "scale", R"({"replicas": 5, "forMs": 600000})", 200,
       R"("hold":{"replicas":5,"untilUnixMs":1700004200000,"why":"scale"})"},
      {"until it is taken back", "POST " + shop + "scale", R"({"replicas": 0})", 200,
       R"("hold":{"replicas":0,"untilUnixMs":null,"why":"scale"})"},
      {"what there is", "POST " + shop + "pause", "", 200, R"("why":"paused")"},
      {"for a time", "POST " + shop + "pause", R"({"forMs": 1000})", 200, R"("why":"paused")"},
      {"taken back", "POST " + shop + "resume", "{}", 200, R"("hold":null)"},
      {"nothing to take back", "POST " + shop + "resume", "", 409, "nothing is held"},
      {"more than it may have", "POST " + shop + "scale", R"({"replicas": 9})", 400, "at most 8"},
      {"of none", "POST /api/v1/autoscalers/other/pause", "", 404, "no such autoscaler"},
      {"no number", "POST " + shop + "scale", R"({"replicas": "5"})", 400, "replicas: expected"},
      {"no whole one", "POST " + shop + "scale", R"({"replicas": 1.5})", 400, "replicas: expected"},
      {"a negative one", "POST " + shop + "scale", R"({"replicas": -1})", 400, "from 0 to"},
      {"none at all", "POST " + shop + "scale", "", 400, "replicas: missing"},
      {"a slip", "POST " + shop + "scale", R"({"replica": 5})", 400, "unknown field"},
      {"no object", "POST " + shop + "scale", "[5]", 400, "expected an object"},
      {"no JSON", "POST " + shop + "scale", "{", 400, "not JSON"},
      {"no time", "POST " + shop + "scale", R"({"replicas": 1, "forMs": 0})", 400, "forMs"},
      {"a pause has no number", "POST " + shop + "pause", R"({"replicas": 1})", 400,
       "unknown field"},
      {"two times", "POST " + shop + "pause", R"({"forMs": 100000, "forMs": 1000})", 400,
       "forMs: given twice"},
      {"two, one of them in disguise", "POST " + shop + "pause",
       R"({"forMs": 100000, "f\u006frMs": 1000})", 400, "forMs: given twice"},
      {"two levels", "PUT /api/v1/log", R"({"level": "info", "level": "debug"})", 400,
       "level: given twice"},
      {"a level", "PUT /api/v1/log", R"({"level": "debug"})", 200, R"({"level":"debug"})"},
      {"which it is", "GET /api/v1/log", "", 200, R"({"level":"debug"})"},
      {"another", "PUT /api/v1/log", R"({"level": "loud"})", 400, "debug, info, warn, error"},
      {"no level", "PUT /api/v1/log", "{}", 400, "level: expected"},
  };
  for (const auto& [why, line, body, status, has] : cases) {
    SCOPED_TRACE(why);
    const auto answer = send(line, body);
    EXPECT_EQ(answer.status(), status);
    EXPECT_THAT(answer.body, HasSubstr(has));
  }
  EXPECT_EQ(send("POST " + shop + "pause", "", "text/plain").status(), 415);
  EXPECT_EQ(
      send("PUT /api/v1/log", R"({"level": "info"})", "Application/JSON; charset=UTF-8").status(),
      200);
  EXPECT_EQ(
      send("PUT /api/v1/log", R"({"level": "info"})", "application/json ; charset=UTF-8").status(),
      200);
  EXPECT_EQ(send("PUT /api/v1/log", "{}", "application/json5").status(), 415);
  log::set_level(log::Level::info);
  EXPECT_THAT(noted(), ElementsAre("hold shop 5 600000", "hold shop 0 -1", "hold shop -1 -1",
                                   "hold shop -1 1000", "release shop", "release shop",
                                   "hold shop 9 -1", "hold other -1 -1"));
}

TEST_F(ServerTest, SaysWhyItIsNotReady) {
  start();
  board_.set_late(3);
  EXPECT_THAT(get("/readyz").body, HasSubstr("3 decisions wait"));
  EXPECT_EQ(get("/readyz").status(), 503);
  board_.set_late(0);
  EXPECT_EQ(get("/readyz").status(), 200);

  board_.remove("shop");
  EXPECT_THAT(get("/readyz").body, HasSubstr("no autoscaler runs"));
  put(status_of("shop"));

  board_.set_stopping();
  const auto stopping = get("/readyz");
  EXPECT_EQ(stopping.status(), 503);
  EXPECT_EQ(stopping["Retry-After"], "1");
  EXPECT_THAT(stopping.body, HasSubstr("stopping: no new requests are taken"));
  EXPECT_EQ(get("/healthz").body, "ok\n") << "the process answers";
}

TEST_F(ServerTest, ALoopThatHangsIsSaid) {
  start();
  std::promise<void> go_on;
  boost::asio::post(loop_, [&go_on] { go_on.get_future().wait(); });
  EXPECT_THAT(get("/readyz").body, HasSubstr("the control loop has not answered"));
  EXPECT_EQ(get("/healthz").body, "ok\n") << "the rest answers while the loop does not";
  EXPECT_EQ(get("/api/v1/autoscalers").status(), 200);
  const auto late = send("POST /api/v1/autoscalers/shop/scale", R"({"replicas": 5})");
  EXPECT_EQ(late.status(), 503);
  go_on.set_value();
  EXPECT_EQ(get("/readyz").status(), 200);
  EXPECT_THAT(noted(), ElementsAre()) << "what was said not to be done is not done later";
}

TEST_F(ServerTest, AFileIsSentOnceAndCompressed) {
  start();
  const auto plain = get("/openapi.json");
  const auto etag = plain["ETag"];
  EXPECT_EQ(plain["Content-Type"], "application/json");
  EXPECT_EQ(plain["Cache-Control"], "no-cache");
  struct Case {
    const char* why;
    std::string more;
    int status;
    bool gzip;
  };
  const Case cases[] = {
      {"compressed where that is taken", "Accept-Encoding: br, gzip\r\n", 200, true},
      {"not where it is refused", "Accept-Encoding: gzip;q=0, br\r\n", 200, false},
      {"nor where it is so in other letters", "Accept-Encoding: br, gzip; Q=0.000\r\n", 200, false},
      {"its name may be, too", "Accept-Encoding: GZip\r\n", 200, true},
      {"nor where its name is another's beginning", "Accept-Encoding: gzipped\r\n", 200, false},
      {"taken, if not gladly", "Accept-Encoding: gzip;q=0.5\r\n", 200, true},
      {"it is known", "If-None-Match: \"x\", " + etag + "\r\n", 304, false},
      {"weakly", "If-None-Match: W/" + etag + "\r\n", 304, false},
      {"another is", "If-None-Match: \"x\"\r\n", 200, false},
      {"the other form is another", "Accept-Encoding: gzip\r\nIf-None-Match: " + etag + "\r\n", 200,
       true},
  };
  for (const auto& [why, more, status, gzip] : cases) {
    SCOPED_TRACE(why);
    const auto answer = ask(local(), request("GET /openapi.json", more));
    EXPECT_EQ(answer.status(), status);
    EXPECT_EQ(answer["Content-Encoding"], gzip ? "gzip" : "");
    EXPECT_EQ(answer["Vary"], "Accept-Encoding");
    if (gzip) {
      EXPECT_THAT(answer.body, ::testing::StartsWith("\x1f\x8b"));
      EXPECT_LT(answer.body.size(), plain.body.size() / 2);
      EXPECT_NE(answer["ETag"], etag);
    }
    if (status == 304) {
      EXPECT_EQ(answer.body, "");
    }
  }
}

TEST_F(ServerTest, WhatFailsWhileItIsAnsweredIsNotAnsweredTwice) {
  Api api(std::make_shared<boost::asio::io_context>(1), doors(), {"1.2.3", Guard("", {})});
  int told = 0;
  const Request request{.method = "GET", .target = "/healthz", .host = "localhost"};
  api.answer(request, {.local = true}, [&told](Answer) {
    ++told;
    throw std::bad_alloc();
  });
  EXPECT_EQ(told, 1);
}

TEST_F(ServerTest, AJournalThatIsGoneIsSaid) {
  start();
  EXPECT_EQ(get("/api/v1/events").status(), 200);
  // Another's file in its place.
  journal_ = journal::Journal(
      *journal::Journal::open(folder_ / "other.db", journal::Journal::Mode::write));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(journal_path() + suffix);
  }
  server_.reset();
  start();
  EXPECT_EQ(get("/api/v1/events").status(), 503);
  EXPECT_THAT(get("/readyz").body, HasSubstr("journal"));
  EXPECT_EQ(get("/api/v1/autoscalers").status(), 200);
}

}  // namespace
}  // namespace headroom::server
