#include <future>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/address.h"
#include "server/fixture.h"

namespace headroom::server {
namespace {

using ::testing::HasSubstr;

/// What is tried on the TCP door, which has a token; `more` are lines of the head.
struct Refused {
  const char* why;
  std::string line, more;
  int status;
};

std::vector<Refused> refused() {
  const std::string pause = "POST /api/v1/autoscalers/shop/pause";
  const std::string json = "Content-Type: application/json\r\n";
  const auto token = [](const std::string& text) { return "Authorization: " + text + "\r\n"; };
  const auto right = token(std::string("Bearer ") + kToken);
  return {
      {"no token", pause, json, 401},
      {"an empty one", pause, json + token("Bearer "), 401},
      {"another", pause, json + token("Bearer 0123456789abcdef0123456789abcdeF"), 401},
      {"its beginning", pause, json + token("Bearer 0123456789abcdef"), 401},
      {"more than it", pause, json + token(std::string("Bearer ") + kToken + "0"), 401},
      {"not as a bearer's", pause, json + token(std::string("Basic ") + kToken), 401},
      {"as a parameter", pause + "?token=" + kToken, json, 401},
      {"twice", pause, json + right + right, 400},
      {"of another page", pause, json + right + "Origin: http://evil.example\r\n", 403},
      {"of no page that says who it is", pause, json + right + "Origin: null\r\n", 403},
      {"of the page of another port", pause, json + right + "Origin: http://localhost:1\r\n", 403},
      {"of a page that is no page", pause,
       json + right + "Origin: chrome-extension://localhost\r\n", 403},
      {"of a page without a scheme", pause, json + right + "Origin: ://localhost\r\n", 403},
      {"of the host without one", pause, json + right + "Origin: localhost\r\n", 403},
      {"an image of another site's page", "GET /api/v1/stream", "Sec-Fetch-Site: cross-site\r\n",
       403},
      {"of a page next door", "GET /metrics", "Sec-Fetch-Site: same-site\r\n", 403},
      {"a change of it", pause, json + right + "Sec-Fetch-Site: cross-site\r\n", 403},
      {"two origins", pause, json + right + "Origin: a\r\nOrigin: b\r\n", 400},
      {"as a form sends it", pause, right + "Content-Type: text/plain\r\n", 415},
      {"without a type", pause, right, 415},
      {"read by another page", "GET /api/v1/autoscalers", "Origin: http://evil.example\r\n", 403},
      {"a change by GET", "GET /api/v1/autoscalers/shop/pause", right, 405},
      {"a reading by POST", "POST /api/v1/autoscalers", json + right, 405},
      {"no method of ours", "DELETE /api/v1/autoscalers/shop", right, 405},
      {"asks what it may", "OPTIONS /api/v1/log", "", 405},
      {"a method that nobody has", "BREW /healthz", "", 405},
      {"the target of another's host", "GET http://evil.example/healthz", "", 400},
      {"of another's by TLS", "GET https://evil.example/healthz", "", 400},
      {"of another port", "GET http://localhost:1/healthz", "", 400},
      {"with a user before our name", "GET http://a@localhost/healthz", "", 400},
      {"our name as a user", "GET http://localhost@evil.example/healthz", "", 400},
      {"our name as a beginning", "GET http://localhost.evil.example/healthz", "", 400},
      {"a target of no host", "GET http:///healthz", "", 400},
      {"of nothing else", "GET http://", "", 400},
      {"a target of another kind", "GET ftp://localhost/healthz", "", 400},
      {"a host without its scheme", "GET //localhost/healthz", "", 404},
      {"a host in a host", "GET http://localhost/http://localhost/healthz", "", 404},
      {"no token, and the whole of where to", "POST http://localhost/api/v1/autoscalers/shop/pause",
       json, 401},
      {"an image of another site's page, too", "GET http://localhost/api/v1/stream",
       "Sec-Fetch-Site: cross-site\r\n", 403},
      {"a tunnel", "CONNECT localhost:1", "", 400},
      {"nothing in particular", "OPTIONS *", "", 400},
      {"out of the tree", "GET /../../etc/passwd", "", 404},
      {"out of it, hidden", "GET /%2e%2e%2fetc%2fpasswd", "", 404},
      {"a file by its folder", "GET /dist/index.html", "", 404},
      {"a name with an end", "GET /healthz%00.html", "", 400},
      {"a body where none is taken", "GET /healthz", "Content-Length: 2\r\n", 400},
      {"a body of gigabytes", pause, json + right + "Content-Length: 9999999999\r\n", 413},
      {"no length", pause, json + right + "Content-Length: x\r\n", 400},
      {"two lengths", pause, json + right + "Content-Length: 1\r\nContent-Length: 2\r\n", 400},
      {"a length and chunks", pause,
       json + right + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400},
      {"an encoding that is none", pause, json + right + "Transfer-Encoding: identity\r\n", 400},
      {"one that is not ours", pause, json + right + "Transfer-Encoding: gzip\r\n", 400},
      {"one in the next line", pause, json + right + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n",
       400},
      {"one behind the chunks", pause, json + right + "Transfer-Encoding: chunked, gzip\r\n", 400},
      {"a name that ends as ours", pause, json + right + "Transfer-Encoding: xchunked\r\n", 400},
      {"two encodings", pause,
       json + right + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400},
      {"a list of lengths", pause, json + right + "Content-Length: 0, 0\r\n", 400},
      {"the token behind the body", pause, json + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + right,
       400},
      {"the type behind the body", pause, right + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + json,
       400},
      {"chunks that are none", pause, json + right + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       400},
      {"chunks of too much", pause,
       json + right + "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, 'x'),
       413},
      {"waits to be asked for its body", pause,
       json + right + "Expect: 100-continue\r\nContent-Length: 2\r\n", 417},
      {"a head of much", "GET /healthz", "X: " + std::string(20'000, 'x') + "\r\n", 431},
      {"many fields", "GET /healthz",
       [] {
         std::string lines;
         for (int i = 0; i < 3000; ++i) lines += "X: y\r\n";
         return lines;
       }(),
       431},
      {"a path of a megabyte", "GET /" + std::string(1 << 20, 'a'), "", 431},
      {"a field without a name", "GET /healthz", ": x\r\n", 400},
      {"a bare carriage return", "GET /healthz", "X: a\rb\r\n", 400},
  };
}

/// Printed, so that it can be read off how much was tried.
void count_hostile(const char* where, std::size_t tried, std::size_t refused) {
  ::testing::Test::RecordProperty("tried", static_cast<int>(tried));
  fmt::print("hostile requests: {} tried, {} refused ({})\n", tried, refused, where);
}

TEST_F(ServerTest, RefusesAndGoesOn) {
  start();
  std::size_t tried = 0, turned_away = 0, answered = 0;
  for (const auto& [why, line, more, status] : refused()) {
    SCOPED_TRACE(why);
    auto body = std::string(line.starts_with("GET /healthz") && status == 400 ? "{}" : "");
    const auto answer = ask(tcp(), request(line, more) + body);
    ++tried;
    EXPECT_EQ(answer.status(), status) << answer.body;
    turned_away += answer.status() >= 400;
    EXPECT_THAT(answer.body, HasSubstr(R"({"error": ")"));
    if (status == 401) {
      EXPECT_EQ(answer["WWW-Authenticate"], "Bearer");
    }
    if (status == 405) {
      EXPECT_NE(answer["Allow"], "");
    }
    answered += ask(tcp(), request("GET /healthz")).body == "ok\n";
  }
  EXPECT_EQ(answered, tried);
  EXPECT_TRUE(noted().empty()) << "something reached the loop: " << noted().front();
  const auto with = std::string("Authorization: Bearer ") + kToken + "\r\n";
  const auto paused = ask(tcp(), request("POST /api/v1/autoscalers/shop/pause",
                                         with + "Content-Type: application/json\r\n"));
  EXPECT_EQ(paused.status(), 200) << "with all that it takes";
  count_hostile("one by one", tried, turned_away);
}

/// A request, and its body.
using Hostile = std::pair<std::string, std::string>;

/// Changes without a token, with a wrong one, from another's page, and with bodies that are none.
std::vector<Hostile> hostile_changes(std::string (*request)(const std::string&,
                                                            const std::string&)) {
  std::vector<Hostile> all;
  const std::string json = "Content-Type: application/json\r\n";
  const auto token = std::string("Authorization: Bearer ") + kToken + "\r\n";
  const std::string deep(60'000, '[');
  for (const char* action : {"scale", "pause", "resume"}) {
    const auto line = fmt::format("POST /api/v1/autoscalers/shop/{}", action);
    for (const char* who : {"", "Authorization: Bearer x\r\n", "Authorization: Basic eDp4\r\n",
                            "Cookie: token=0123456789abcdef0123456789abcdef\r\n",
                            "Proxy-Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n"}) {
      all.emplace_back(request(line, json + who), "");
    }
    for (const char* origin : {"http://evil.example", "null", "file://", "http://localhost.evil"}) {
      all.emplace_back(request(line, json + token + fmt::format("Origin: {}\r\n", origin)), "");
    }
    for (const std::string body :
         {"{", "[]", "null", "1", R"({"replicas": -1})", R"({"replicas": 1.5})",
          R"({"replicas": "1"})", R"({"replicas": 1e99})", R"({"forMs": 0})", R"({"x": 1})",
          "\xff\xfe", R"({"replicas": 1, "replicas": 2, "y": 3})", deep.c_str()}) {
      const auto length = fmt::format("Content-Length: {}\r\n", body.size());
      all.emplace_back(request(line, json + token + length), body);
    }
  }
  return all;
}

/// Where a name or a number stands something that does not belong there; another's Host; a megabyte
/// of path and of head; methods that nobody has.
std::vector<Hostile> hostile_readings(std::string (*request)(const std::string&,
                                                             const std::string&)) {
  std::vector<Hostile> all;
  const std::string megabyte(1 << 20, 'a');
  const auto token = std::string("Authorization: Bearer ") + kToken + "\r\n";
  const std::vector<std::string> names = {"..",
                                          "%2e%2e",
                                          "%00",
                                          "%0d%0aX:%20y",
                                          "*",
                                          "%ff%fe",
                                          "'%20OR%201=1--",
                                          "<script>",
                                          std::string(5000, 'a'),
                                          "shop%2f..",
                                          "-1",
                                          "99999999999999999999",
                                          "1e9",
                                          "%F0%9F%92%A9"};
  for (const auto& name : names) {
    for (const char* route :
         {"autoscalers/{}", "autoscalers/{}/history", "autoscalers/shop/replicas/{}/output",
          "decisions/{}", "events?limit={}", "events?after={}", "events?since={}",
          "decisions?limit={}", "decisions?until={}", "stream?after={}"}) {
      all.emplace_back(request("GET /api/v1/" + fmt::format(fmt::runtime(route), name), ""), "");
    }
  }
  for (const char* target :
       {"/healthz", "/metrics", "/api/v1/autoscalers", "/api/v1/stream", "/"}) {
    for (const char* host :
         {"evil.example", "localhost.evil.example", "127.0.0.1.evil", "", "a b"}) {
      all.emplace_back(
          fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target, host),
          "");
    }
    all.emplace_back(request(fmt::format("GET {}?{}", target, megabyte), ""), "");
    all.emplace_back(request(fmt::format("GET {}", target), "X: " + megabyte + "\r\n"), "");
    for (const char* method : {"DELETE", "PATCH", "TRACE", "PROPFIND", "get"}) {
      all.emplace_back(request(fmt::format("{} {}", method, target), token), "");
    }
  }
  return all;
}

TEST_F(ServerTest, RefusesAllOfItOnEveryRoute) {
  start();
  auto all = hostile_changes(&request);
  const auto readings = hostile_readings(&request);
  all.insert(all.end(), readings.begin(), readings.end());
  std::size_t refused = 0;
  for (const auto& [head, body] : all) {
    const auto answer = ask(tcp(), head + body);
    const bool away = answer.status() >= 400 && answer.status() < 500;
    refused += away;
    EXPECT_TRUE(away) << answer.status() << " to " << head.substr(0, 200) << body.substr(0, 100);
    EXPECT_EQ(answer.body.find(kToken), std::string::npos);
  }
  EXPECT_EQ(ask(tcp(), request("GET /healthz")).body, "ok\n") << "and it goes on";
  EXPECT_TRUE(noted().empty()) << "something reached the loop: " << noted().front();
  count_hostile("on every route", all.size(), refused);
}

TEST_F(ServerTest, AnswersToItsOwnNamesOnly) {
  start({.hosts = {"admin.Shop.example"}});
  struct Case {
    const char* why;
    std::string host;
    int status;
  };
  const Case cases[] = {
      {"the machine", "Host: localhost:7780\r\n", 200},
      {"an address", "Host: 127.0.0.1:7780\r\n", 200},
      {"another, which no name can be made to point to", "Host: 192.0.2.1\r\n", 200},
      {"of the longer kind", "Host: [::1]:7780\r\n", 200},
      {"one that was said", "Host: ADMIN.shop.example\r\n", 200},
      {"without a port, but for its colon", "Host: localhost:\r\n", 200},
      {"its own page, behind what takes the encryption off",
       "Host: localhost\r\nOrigin: https://LOCALHOST\r\n", 200},
      {"of its own page, says the browser", "Host: localhost\r\nSec-Fetch-Site: same-origin\r\n",
       200},
      {"and of nobody's", "Host: localhost\r\nSec-Fetch-Site: none\r\n", 200},
      {"a port that goes on as a name", "Host: localhost:foo.evil.example\r\n", 403},
      {"a user before it", "Host: localhost:8080@evil.example\r\n", 403},
      {"an address with a word behind", "Host: 127.0.0.1:evil\r\n", 403},
      {"two ports", "Host: localhost:1:2\r\n", 403},
      {"and its own page", "Host: localhost:7780\r\nOrigin: http://localhost:7780\r\n", 200},
      {"somebody else's, whose DNS points here", "Host: evil.example\r\n", 403},
      {"the end of ours", "Host: shop.example\r\n", 403},
      {"ours as a beginning", "Host: localhost.evil.example\r\n", 403},
      {"a name that looks like an address", "Host: 127.0.0.1.evil.example\r\n", 403},
      {"an empty one", "Host: \r\n", 403},
      {"none", "", 400},
      {"two", "Host: localhost\r\nHost: localhost\r\n", 400},
  };
  std::size_t tried = 0, refused = 0;
  for (const auto& [why, host, status] : cases) {
    SCOPED_TRACE(why);
    for (const char* target : {"/healthz", "/", "/api/v1/autoscalers", "/nothing"}) {
      const auto answer = ask(tcp(), std::string("GET ") + target +
                                         " HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n");
      const bool there = std::string(target) != "/nothing";
      EXPECT_EQ(answer.status(), status == 200 && !there ? 404 : status) << target;
      tried += status != 200;
      refused += status != 200 && answer.status() >= 400;
    }
  }
  count_hostile("by their Host", tried, refused);
}

TEST_F(ServerTest, TakesTheTargetWithItsHost) {
  start({.hosts = {"shop"}});
  struct Case {
    const char* why;
    std::string target, host;
    int status;
  };
  const Case cases[] = {
      {"as to a proxy", "http://localhost:7780/healthz", "localhost:7780", 200},
      {"by TLS, which somebody took off", "https://localhost/healthz", "localhost", 200},
      {"in other letters", "HTTP://LocalHost/healthz", "localhost", 200},
      {"an address", "http://[::1]:7780/healthz", "[::1]:7780", 200},
      {"a name that was said", "http://shop/api/v1/events?limit=1", "shop", 200},
      {"without a path: the dashboard", "http://localhost", "localhost", 200},
      {"with what is asked alone: it takes no parameters", "http://localhost?a=1", "localhost",
       400},
      {"the two differ in their port", "http://localhost:80/healthz", "localhost", 400},
      {"the two differ", "http://localhost/healthz", "127.0.0.1", 400},
      {"the target is another's", "http://evil.example/healthz", "localhost", 400},
      {"Host is", "http://localhost/healthz", "evil.example", 400},
      {"both are", "http://evil.example/healthz", "evil.example", 403},
      {"nobody's", "http:///healthz", "", 400},
  };
  for (const auto& [why, target, host, status] : cases) {
    const auto answer =
        ask(tcp(),
            fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target, host));
    EXPECT_EQ(answer.status(), status) << why << ": " << answer.body;
  }
}

TEST_F(ServerTest, ALinkFromElsewhereOpensTheDashboard) {
  start();
  for (const char* target : {"/", "/app.js", "/healthz", "/openapi.json"}) {
    const auto answer =
        ask(tcp(), request(std::string("GET ") + target, "Sec-Fetch-Site: cross-site\r\n"));
    EXPECT_EQ(answer.status(), 200) << target;
  }
}

TEST_F(ServerTest, WithoutATokenNothingIsChangedOverTcp) {
  Options options{.address = "127.0.0.1:0"};
  auto server = Server::start(options, doors());
  ASSERT_TRUE(server) << server.error().what;
  server_ = std::move(*server);
  server_->answer();
  const auto line = "POST /api/v1/autoscalers/shop/pause";
  const auto refused = ask(tcp(), request(line, "Content-Type: application/json\r\n"));
  EXPECT_EQ(refused.status(), 403);
  EXPECT_THAT(refused.body, HasSubstr("--admin-token-file"));
  EXPECT_EQ(send(line, "").status(), 200) << "over the Unix socket it is";
}

TEST_F(ServerTest, OthersNeedTheTokenToReadToo) {
  Options options{.address = "0.0.0.0:0", .token_file = file("token", kToken)};
  auto server = Server::start(options, doors());
  ASSERT_TRUE(server) << server.error().what;
  server_ = std::move(*server);
  server_->answer();
  const auto token = std::string("Authorization: bearer ") + kToken + "\r\n";
  struct Case {
    const char* target;
    int without, with;
  };
  const Case cases[] = {{"/", 200, 200},
                        {"/openapi.json", 200, 200},
                        {"/healthz", 200, 200},
                        {"/readyz", 401, 200},
                        {"/metrics", 401, 200},
                        {"/api/v1/autoscalers", 401, 200},
                        {"/api/v1/stream?x=1", 401, 400},
                        {"/nothing", 401, 404}};
  const auto port = to_string(*server_->listening()).substr(std::string("0.0.0.0:").size());
  const auto there = *resolve("127.0.0.1:" + port);
  for (const auto& [target, without, with] : cases) {
    SCOPED_TRACE(target);
    const auto line = std::string("GET ") + target;
    EXPECT_EQ(ask(Socket::connect(there), request(line)).status(), without);
    EXPECT_EQ(ask(Socket::connect(there), request(line, token)).status(), with);
  }
}

TEST_F(ServerTest, WhatCannotBeIsRefusedAtTheStart) {
  const auto token = file("token", kToken);
  struct Case {
    const char* why;
    Options options;
    Code code;
    const char* has;
  };
  const Case cases[] = {
      {"open to others, without a token", {.address = ":0"}, Code::invalid, "--admin-token-file"},
      {"the same in IPv6", {.address = "[::]:0"}, Code::invalid, "--admin-token-file"},
      {"no address", {.address = "here"}, Code::invalid, "here"},
      {"no TCP one", {.address = "unix:/tmp/x"}, Code::invalid, "expected a TCP address"},
      {"a token that is none",
       {.token_file = file("short", "secret")},
       Code::invalid,
       "openssl rand"},
      {"an empty one", {.token_file = file("empty", "")}, Code::invalid, "empty"},
      {"one with a space",
       {.token_file = file("space", "0123456789 0123456789")},
       Code::invalid,
       "ASCII"},
      {"one without an end", {.token_file = "/dev/zero"}, Code::invalid, "characters"},
      {"no file", {.token_file = folder_ / "none"}, Code::invalid, "cannot be read"},
      {"a certificate without a key", {.certificate = token}, Code::invalid, "needs its key"},
      {"a key without a certificate", {.key = token}, Code::invalid, "its certificate"},
      {"no certificate", {.certificate = token, .key = token}, Code::invalid, "no certificate"},
  };
  for (const auto& [why, options, code, has] : cases) {
    SCOPED_TRACE(why);
    const auto server = Server::start(options, doors());
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, code);
    EXPECT_THAT(server.error().what, HasSubstr(has));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "state/admin.sock")) << "nothing is left";
}

TEST_F(ServerTest, ATakenAddressIsOneToDoWithoutUnlessItWasAskedFor) {
  start();
  const auto taken = to_string(*server_->listening());
  std::filesystem::create_directory(folder_ / "other");
  auto others = doors();
  others.journal = folder_ / "other/journal.db";
  const auto refused = Server::start({.address = taken, .required = true}, others);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  const auto without = Server::start({.address = taken}, others);
  ASSERT_TRUE(without) << without.error().what;
  EXPECT_FALSE((*without)->listening());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "other/admin.sock"));
}

TEST_F(ServerTest, TheUnixSocketIsItsOwnersAlone) {
  start();
  const auto path = folder_ / "state/admin.sock";
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(
      ask(local(), "GET /healthz HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n").body,
      "ok\n");
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path)) << "removed at the end";
}

TEST_F(ServerTest, ADeadOnesSocketIsReplacedALiveOneIsNot) {
  const auto path = folder_ / "state/admin.sock";
  {
    const Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto address = *unix_address(path);
    ASSERT_EQ(::bind(dead.get(), address.get(), address.length), 0);
    ASSERT_EQ(::listen(dead.get(), 1), 0);
  }
  start();
  EXPECT_EQ(get("/healthz").body, "ok\n");

  const auto second = Server::start({.address = "none", .required = true}, doors());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().what, HasSubstr("another Headroom"));
  EXPECT_EQ(get("/healthz").body, "ok\n") << "and the first goes on";

  server_.reset();
  std::ofstream(path) << "a file";
  const auto file = Server::start({.address = "none", .required = true}, doors());
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().what, HasSubstr("no socket"));
  EXPECT_TRUE(std::filesystem::exists(path)) << "nobody's file is removed";
}

TEST_F(ServerTest, TheFoldersPathMayBeLong) {
  const auto deep = folder_ / std::string(100, 'a') + "/" + std::string(100, 'b');
  std::filesystem::create_directories(deep);
  auto doors = this->doors();
  doors.journal = deep + "/journal.db";
  auto server = Server::start({.address = "none"}, doors);
  ASSERT_TRUE(server) << server.error().what;
  (*server)->answer();
  const Fd opened(::open(deep.c_str(), O_PATH | O_CLOEXEC));
  const auto address = *unix_address(fmt::format("/proc/self/fd/{}/admin.sock", opened.get()));
  EXPECT_EQ(ask(Socket::connect(address), request("GET /healthz")).body, "ok\n");
}

TEST_F(ServerTest, AThousandConnectionsAreTooMany) {
  start();
  std::vector<Socket> open;
  for (int i = 0; i < 1000; ++i) open.push_back(tcp());
  std::size_t closed = 0, kept = 0;
  for (auto& socket : open) {
    socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    (read_message(socket).status() == 200 ? kept : closed) += 1;
  }
  EXPECT_EQ(kept, 256u);
  EXPECT_EQ(closed, 744u);
  EXPECT_EQ(get("/healthz").body, "ok\n") << "who sits at the machine is answered all the same";
  open.clear();
  EXPECT_TRUE(eventually([this] { return ask(tcp(), request("GET /healthz")).body == "ok\n"; }))
      << "and those who come when they have left";
}

TEST_F(ServerTest, WhoAsksNothingKeepsNobodyOut) {
  start();
  auto stream = tcp();
  ASSERT_TRUE(stream.send(request("GET /api/v1/stream")));
  ASSERT_THAT(stream.until("\n\n"), HasSubstr("200 OK"));
  std::promise<void> go_on;
  boost::asio::post(loop_, [&go_on] { go_on.get_future().wait(); });
  auto waiting = tcp();
  ASSERT_TRUE(waiting.send(request("GET /api/v1/autoscalers/shop/replicas/4/output")));
  ::testing::internal::CaptureStderr();
  const auto before = std::chrono::steady_clock::now();
  std::vector<Socket> idle;
  for (int i = 0; i < 300; ++i) {
    idle.push_back(tcp());
    if (i % 2 == 0) idle.back().send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  }
  EXPECT_EQ(ask(tcp(), request("GET /healthz")).body, "ok\n");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 9s) << "it had to wait for their end";
  go_on.set_value();
  EXPECT_NE(read_message(waiting).status(), 0) << "one that is being answered stays";
  stream.until("event: status");
  EXPECT_THAT(stream.until("\n\n"), HasSubstr("data: ")) << "and so does a stream";
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("the one that is idle longest is closed"));
}

TEST_F(ServerTest, WhoDoesNotFinishIsClosed) {
  start();
  const auto before = std::chrono::steady_clock::now();
  auto silent = tcp();
  auto slow = tcp();
  ASSERT_TRUE(slow.send("GET /healthz HTTP/1.1\r\nHost: loc"));
  std::thread drip([&slow] {
    while (slow.send("a") && !slow.quiet_for(500ms)) {
    }
    for (int i = 0; i < 60 && slow.quiet_for(500ms); ++i) slow.send("a");
  });
  drip.join();
  EXPECT_EQ(slow.rest(), "");
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, 5s);
  EXPECT_LT(took, 30s) << "each byte bought it more time";
  EXPECT_TRUE(silent.at_end()) << "nor is there more for who asks nothing at all";
}

/// A key and a certificate of localhost, by itself.
struct Pem {
  std::string certificate, key;
};
Pem self_signed() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key.get());
  auto* const name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  X509_sign(made.get(), key.get(), EVP_sha256());
  const auto text = [](const auto& write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
    write(memory.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  };
  return {text([&made](BIO* to) { PEM_write_bio_X509(to, made.get()); }), text([&key](BIO* to) {
            PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

/// A client that believes any certificate; at most TLS of that version. "cut" at the end of what it
/// reads where that was not said inside the encryption.
std::string over_tls(const Address& address, const std::string& bytes, int at_most = 0) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  if (at_most != 0) SSL_CTX_set_max_proto_version(context.get(), at_most);
  const auto socket = Socket::connect(address);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), socket.fd());
  if (SSL_connect(ssl.get()) != 1) return "no handshake";
  SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
  std::string all;
  char some[4096];
  for (int got = 0; (got = SSL_read(ssl.get(), some, sizeof some)) > 0;) {
    all.append(some, static_cast<std::size_t>(got));
  }
  if ((SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) == 0) all += "cut";
  return all;
}

TEST_F(ServerTest, SpeaksTls) {
  const auto pem = self_signed();
  start({.certificate = file("cert.pem", pem.certificate), .key = file("key.pem", pem.key)});
  const auto& address = *server_->listening();
  EXPECT_TRUE(over_tls(address, request("GET /healthz")).ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(over_tls(address, request("GET /openapi.json")).ends_with("}\n"));
  const auto too_much = "Content-Length: 9999999\r\n\r\n" + std::string(1 << 20, 'x');
  EXPECT_TRUE(over_tls(address, request("POST /", too_much)).ends_with("64 KiB\"}\n"))
      << "who is still sending sees the answer, too";
  EXPECT_EQ(over_tls(address, request("GET /healthz"), TLS1_1_VERSION), "no handshake");
  const auto clear = ask(tcp(), request("GET /healthz"));
  EXPECT_EQ(clear.status(), 400) << "not in the clear";
  EXPECT_EQ(clear.body, "{\"error\": \"this is HTTPS\"}\n");
  EXPECT_EQ(ask(tcp(), "what is this?\r\n\r\n").status(), 0);
  EXPECT_THAT(over_tls(address, request("GET /healthz")), HasSubstr("ok\n")) << "and it goes on";
  EXPECT_EQ(get("/healthz").body, "ok\n") << "the Unix socket is plain";
}

TEST_F(ServerTest, AKeyIsItsCertificates) {
  const auto pem = self_signed(), other = self_signed();
  const auto server = Server::start(
      {.certificate = file("cert.pem", pem.certificate), .key = file("key.pem", other.key)},
      doors());
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().what, HasSubstr("key.pem"));
}

/// A door that others reach: what needs the token there.
class ReachedTest : public ServerTest {
 protected:
  void open(Options options) {
    options.address = "0.0.0.0:0";
    auto server = Server::start(options, doors());
    ASSERT_TRUE(server) << server.error().what;
    server_ = std::move(*server);
    server_->answer();
    there_ = *resolve("127.0.0.1:" + to_string(*server_->listening()).substr(8));
  }
  static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }
  int with(const std::string& token) const {
    return ask(Socket::connect(there_), request("GET /readyz", bearer(token))).status();
  }
  /// As an editor or a tool that renews it does.
  void replace(const std::string& name, const std::string& text) const {
    file(name + ".new", text);
    std::filesystem::rename(folder_ / (name + ".new"), folder_ / name);
  }

  Address there_;
};

constexpr const char* kSecond = "second-token-0123456789";

TEST_F(ReachedTest, ANewTokenIsTakenWhileItRuns) {
  const auto path = file("token", std::string(kToken) + "\n");
  open({.token_file = path});
  EXPECT_EQ(with(kToken), 200);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(with(kSecond), 401);
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("refused: a wrong token"));
  EXPECT_EQ(log.find(kSecond), std::string::npos);
  auto stream = Socket::connect(there_);
  ASSERT_TRUE(stream.send(request("GET /api/v1/stream", bearer(kToken))));
  ASSERT_TRUE(eventually([&] { return !stream.quiet_for(0ms); }));

  replace("token", std::string(kSecond) + "\n");
  EXPECT_TRUE(eventually([this] { return with(kSecond) == 200; })) << "by itself";
  EXPECT_EQ(with(kToken), 401);
  EXPECT_THAT(stream.rest(), HasSubstr("event: status")) << "and the old one's stream has ended";
}

TEST_F(ReachedTest, WhatLetsOthersReadTheTokenIsSaid) {
  const auto path = file("token", kToken);
  struct Case {
    const char* why;
    mode_t mode;
    bool warns;
  };
  const Case cases[] = {{"its owner alone", 0600, false},
                        {"the group reads", 0640, true},
                        {"the group writes", 0620, true},
                        {"all read", 0604, true},
                        {"all write", 0602, true}};
  const auto pem = self_signed();
  for (const auto& [why, mode, warns] : cases) {
    SCOPED_TRACE(why);
    ::chmod(path.c_str(), mode);
    server_.reset();
    ::testing::internal::CaptureStderr();
    open({.token_file = path,
          .certificate = file("cert.pem", pem.certificate),
          .key = file("key.pem", pem.key)});
    const auto log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("read or write the token: chmod 600") != std::string::npos, warns) << log;
    EXPECT_EQ(log.find("in the clear"), std::string::npos);
  }
  server_.reset();
  ::testing::internal::CaptureStderr();
  open({.token_file = path});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("the token crosses the network in the clear"));
}

TEST_F(ReachedTest, ABadTokenIsRefusedAndWhatWasGoesOn) {
  const auto path = file("token", std::string(kToken) + "\n");
  open({.token_file = path});
  ::testing::internal::CaptureStderr();
  const auto bad = {"short-secret", "", "with a space 0123456789", "\xff\xfe\xfd 0123456789abcdef"};
  for (const auto* const text : bad) {
    file("token", text);
    server_->reread();
    EXPECT_EQ(with(kToken), 200) << text;
  }
  std::filesystem::remove(path);
  server_->reread();
  EXPECT_EQ(with(kToken), 200) << "nor is one that is gone";
  EXPECT_TRUE(eventually([this] { return with(kToken) == 200; }));
  file("token", kSecond);
  server_->reread();
  EXPECT_TRUE(eventually([this] { return with(kSecond) == 200; })) << "and a good one is taken";
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("expected a token of 16"));
  EXPECT_THAT(log, HasSubstr("not taken, the token from before goes on"));
  EXPECT_THAT(log, HasSubstr("read again, taken"));
  for (const char* secret : {kToken, kSecond, "short-secret"}) {
    EXPECT_EQ(log.find(secret), std::string::npos) << "no token is ever logged";
  }
}

/// The serial number of the certificate that is shown.
std::string shown_by(const Address& address) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const auto socket = Socket::connect(address);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), socket.fd());
  if (SSL_connect(ssl.get()) != 1) return "no handshake";
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(ssl.get()),
                                                          X509_free);
  unsigned char digest[32];
  unsigned int size = 0;
  X509_pubkey_digest(shown.get(), EVP_sha256(), digest, &size);
  return {reinterpret_cast<char*>(digest), size};
}

TEST_F(ReachedTest, ANewCertificateIsShownAndABadOneIsNot) {
  const auto first = self_signed(), second = self_signed();
  const auto certificate = file("cert.pem", first.certificate);
  const auto key = file("key.pem", first.key);
  open({.token_file = file("token", kToken), .certificate = certificate, .key = key});
  const auto before = shown_by(there_);
  ASSERT_NE(before, "no handshake");
  ::testing::internal::CaptureStderr();
  replace("cert.pem", second.certificate);
  server_->reread();
  EXPECT_EQ(shown_by(there_), before) << "its key has not come yet";
  replace("key.pem", second.key);
  EXPECT_TRUE(eventually([&] { return shown_by(there_) != before; })) << "by itself";
  const auto after = shown_by(there_);
  replace("cert.pem", "no PEM");
  server_->reread();
  EXPECT_EQ(shown_by(there_), after);
  std::filesystem::remove(key);
  server_->reread();
  EXPECT_EQ(shown_by(there_), after);
  EXPECT_THAT(over_tls(there_, request("GET /healthz")), HasSubstr("ok\n"));
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("not taken, the certificate from before goes on"));
  EXPECT_THAT(log, HasSubstr("the certificate was read again, taken"));
  EXPECT_EQ(log.find("PRIVATE"), std::string::npos);
}

}  // namespace
}  // namespace headroom::server
