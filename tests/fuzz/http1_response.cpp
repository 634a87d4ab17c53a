#include <cstdint>
#include <set>
#include <vector>

#include "gateway/http1.h"
#include "http1_lines.h"

// Input: a byte of switches, a byte that says where to split, then a head.
namespace headroom::gateway::http1 {
namespace {

constexpr std::string_view kDate = "Thu, 01 Jan 1970 00:00:00 GMT";

struct Head {
  Outcome outcome;
  Response response;
  std::vector<char> out;
  std::size_t written = 0;
  std::string_view text() const { return {out.data(), written}; }
};

void read(Head& head, std::string_view in, const Asked& asked) {
  head.out.assign(in.size() + 512, '\0');
  head.outcome = read_response(in, asked, kDate, head.response, head.out, head.written);
  check(head.written <= head.out.size(), "written is bounded");
}

void check_part(const Head& whole, std::string_view part, const Asked& asked) {
  const std::vector<char> copy(part.begin(), part.end());
  Head head;
  read(head, {copy.data(), copy.size()}, asked);
  if (head.outcome.status == Status::more) {
    check(whole.outcome.status != Status::complete || part.size() < whole.response.head_size,
          "a whole head is enough");
    return;
  }
  check(head.outcome.status == whole.outcome.status &&
            std::string_view(head.outcome.reason) == whole.outcome.reason,
        "a split changes no outcome");
  if (head.outcome.status == Status::complete) {
    check(head.text() == whole.text(), "a split changes no byte");
  }
}

void check_plainly(const Head& head, const PlainHead& plain, const Asked& asked) {
  const Response& response = head.response;
  check(plain.start.starts_with("HTTP/1.1 " + std::to_string(response.code) + " "), "status line");
  check(response.interim == (response.code < 200 && response.code != 101), "interim is 1xx");
  const bool bodiless =
      asked.head || response.code < 200 || response.code == 204 || response.code == 304;
  check(!bodiless || response.out_framing == Framing::none, "no body where there can't be one");
  const bool chunked = response.out_framing == Framing::chunked;
  check(plain.count("transfer-encoding") == (chunked ? 1U : 0U), "chunks where there are some");
  check(!chunked || asked.minor == 1, "no chunks to 1.0");
  check(!chunked || plain.count("content-length") == 0, "one framing");
  if (response.out_framing == Framing::length) {
    check(plain.count("content-length") == 1 &&
              plain.value("content-length") == std::to_string(response.length),
          "that length");
  }
  if (response.out_framing == Framing::close) {
    check(!response.client_keep_alive && plain.count("content-length") == 0, "closing ends it");
  }
  check(response.framing != Framing::close || !response.upstream_keep_alive, "closed is closed");
  if (!response.interim && response.code != 101) {
    check(plain.count("date") != 0, "a Date");
    const bool closes = plain.value("connection").ends_with("close");
    check(closes == !response.client_keep_alive, "the client is told");
  }
  for (const char* name : {"keep-alive", "proxy-connection", "te", "proxy-authenticate"}) {
    check(plain.count(name) == 0, "what is for this hop stays here");
  }
}

/// A client of ours would read the same response.
void check_next_hop(const Head& head, const PlainHead& plain, const Asked& asked) {
  Head next;
  read(next, head.text(), asked);
  // What was added may take it over the limits.
  if (plain.fields.size() > 256 || head.written >= 64 << 10) return;
  check(next.outcome.status == Status::complete, "what is written can be read");
  const Response &a = head.response, &b = next.response;
  check(b.head_size == head.written, "to its end");
  check(a.code == b.code && a.interim == b.interim, "as the same response");
  check(b.framing == a.out_framing && b.out_framing == a.out_framing && a.length == b.length,
        "framed the same");
  check(a.client_keep_alive == b.client_keep_alive, "kept the same");
  const auto kept = [](const PlainHead& from) {
    auto fields = from.fields;
    std::erase_if(fields, [](const auto& field) {
      return field.first == "connection" || field.first == "upgrade" ||
             field.first == "transfer-encoding";
    });
    return fields;
  };
  check(kept(plain) == kept(read_plainly(next.text())), "twice is the same as once");
}

void run(std::uint8_t switches, std::uint8_t split, std::string_view in) {
  const Asked asked{.head = (switches & 1) != 0,
                    .upgrade = (switches & 2) != 0,
                    .minor = static_cast<std::uint8_t>((switches & 4) != 0 ? 0 : 1),
                    .keep_alive = (switches & 8) == 0};
  Head head;
  read(head, in, asked);
  if (head.outcome.status == Status::refused) {
    check(head.outcome.code == 502 && *head.outcome.reason != '\0', "always 502, with a reason");
  }
  check_part(head, in.substr(0, in.size() * split / 256), asked);
  if (!in.empty()) check_part(head, in.substr(0, in.size() - 1), asked);
  if (head.outcome.status != Status::complete) return;
  check(head.response.head_size <= in.size(), "no more is taken than is there");
  check_part(head, in.substr(0, head.response.head_size), asked);
  const PlainHead plain = read_plainly(head.text());
  check_plainly(head, plain, asked);
  check_next_hop(head, plain, asked);
}

}  // namespace
}  // namespace headroom::gateway::http1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::vector<char> in(data + 2, data + size);
  headroom::gateway::http1::run(data[0], data[1], {in.data(), in.size()});
  return 0;
}
