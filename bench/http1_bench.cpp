#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "gateway/http1.h"
#include "gateway/trace.h"

// What reading a head and writing it anew costs. Aims at -O2: 81 bytes ~0.15 µs, 950 < 1 µs.
namespace headroom::gateway::http1 {
namespace {

constexpr std::string_view kSmall =
    "GET /api/v1/items?page=2 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: image/x-icon\r\n\r\n";
static_assert(kSmall.size() == 81);

/// What a browser sends.
std::string large() {
  std::string head =
      "GET /shop/catalogue/shoes?sort=price&page=2 HTTP/1.1\r\n"
      "Host: shop.example.com\r\n"
      "Connection: keep-alive\r\n"
      "sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n"
      "sec-ch-ua-mobile: ?0\r\n"
      "sec-ch-ua-platform: \"Linux\"\r\n"
      "Upgrade-Insecure-Requests: 1\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/124.0.0.0 Safari/537.36\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;"
      "q=0.8\r\n"
      "Sec-Fetch-Site: same-origin\r\n"
      "Sec-Fetch-Mode: navigate\r\n"
      "Sec-Fetch-User: ?1\r\n"
      "Sec-Fetch-Dest: document\r\n"
      "Referer: https://shop.example.com/shop/catalogue\r\n"
      "Accept-Encoding: gzip, deflate, br\r\n"
      "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
      "Cookie: ";
  head.append(950 - head.size() - 4, 'c');
  return head + "\r\n\r\n";
}

void read_heads(benchmark::State& state, std::string_view in) {
  const Peer peer{.address = "127.0.0.1", .via = "headroom-1f3a"};
  std::vector<char> out(64 << 10);
  for (auto _ : state) {
    Request request;
    std::size_t written = 0;
    benchmark::DoNotOptimize(in);
    const Outcome outcome = read_request(in, Limits{}, peer, request, out, written);
    benchmark::DoNotOptimize(written);
    if (outcome.status != Status::complete) return state.SkipWithError(outcome.reason);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(in.size()) * state.iterations());
}

void request_of_81_bytes(benchmark::State& state) { read_heads(state, kSmall); }
BENCHMARK(request_of_81_bytes);

void request_of_950_bytes(benchmark::State& state) { read_heads(state, large()); }
BENCHMARK(request_of_950_bytes);

void response(benchmark::State& state) {
  std::string_view in =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 200\r\n"
      "ETag: W/\"c8-Lwb0ZSnqCkmfJ6BtD3S4\"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
      "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n";
  std::vector<char> out(4 << 10);
  for (auto _ : state) {
    Response head;
    std::size_t written = 0;
    benchmark::DoNotOptimize(in);
    const Outcome outcome =
        read_response(in, Asked{}, "Thu, 01 Jan 1970 00:00:00 GMT", head, out, written);
    benchmark::DoNotOptimize(written);
    if (outcome.status != Status::complete) return state.SkipWithError(outcome.reason);
  }
}
BENCHMARK(response);

/// 64 KiB in chunks of so many bytes.
void chunks(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  char line[20];
  std::string in;
  while (in.size() < 64 << 10) {
    in.append(line, static_cast<std::size_t>(std::snprintf(line, sizeof line, "%zx\r\n", size)));
    in.append(size, 'x');
    in += "\r\n";
  }
  std::vector<char> out(in.size() + 64);
  for (auto _ : state) {
    Chunks body;
    const auto step = body.feed(in, out);
    benchmark::DoNotOptimize(step.written);
    if (step.error != nullptr) return state.SkipWithError(step.error);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(in.size()) * state.iterations());
}
BENCHMARK(chunks)->Arg(64)->Arg(4096);

/// What a request pays for tracing that does not sample it.
void unsampled(benchmark::State& state) {
  Tracer tracer(0.0, 1);
  Span span;
  for (auto _ : state) benchmark::DoNotOptimize(tracer.begin("", span));
}
BENCHMARK(unsampled);

}  // namespace
}  // namespace headroom::gateway::http1

BENCHMARK_MAIN();
