#include <cstdint>
#include <set>
#include <vector>

#include "gateway/http1.h"
#include "http1_lines.h"

// Input: a byte of switches, a byte that says where to split, then a head. What must hold is
// checked in the order of the functions below.
namespace headroom::gateway::http1 {
namespace {

struct Head {
  Outcome outcome;
  Request request;
  std::vector<char> out;  // of the promised room, so that a byte more is seen
  std::size_t written = 0;
  std::string_view text() const { return {out.data(), written}; }
};

void read(Head& head, std::string_view in, const Limits& limits, const Peer& peer) {
  head.out.assign(in.size() + limits.fields + 1024 + 2 * peer.address.size(), '\0');
  head.outcome = read_request(in, limits, peer, head.request, head.out, head.written);
  check(head.written <= head.out.size(), "written is bounded");
}

void check_refusal(const Outcome& outcome) {
  static const std::set<int> kCodes = {400, 405, 414, 417, 431, 501, 505, 508};
  check(kCodes.contains(outcome.code), "refused with a status that the contract names");
  check(*outcome.reason != '\0', "refused with a reason");
}

/// A part of the input asks for more or says what the whole says.
void check_part(const Head& whole, std::string_view part, const Limits& limits, const Peer& peer) {
  const std::vector<char> copy(part.begin(), part.end());
  Head head;
  read(head, {copy.data(), copy.size()}, limits, peer);
  if (head.outcome.status == Status::more) {
    check(whole.outcome.status != Status::complete || part.size() < whole.request.head_size,
          "a whole head is enough");
    return;
  }
  check(head.outcome.status == whole.outcome.status && head.outcome.code == whole.outcome.code &&
            std::string_view(head.outcome.reason) == whole.outcome.reason,
        "a split changes no outcome");
  if (head.outcome.status == Status::complete) {
    check(head.text() == whole.text(), "a split changes no byte");
  }
}

/// What went out frames the body as was said, to a reader that isn't ours.
void check_plainly(const Head& head, const PlainHead& plain) {
  const Request& request = head.request;
  check(
      plain.start == std::string(request.method) + " " + std::string(request.target) + " HTTP/1.1",
      "the request line is whole");
  check(plain.count("host") == 1 && plain.value("host") == request.host, "one Host");
  const bool length = request.framing == Framing::length;
  check(plain.count("content-length") == (length ? 1U : 0U), "a length where there is one");
  if (length) check(plain.value("content-length") == std::to_string(request.length), "that length");
  const bool chunked = request.framing == Framing::chunked;
  check(plain.count("transfer-encoding") == (chunked ? 1U : 0U), "chunks where there are some");
  if (chunked) check(plain.value("transfer-encoding") == "chunked", "chunks alone");
  for (const char* name : {"keep-alive", "proxy-connection", "te", "proxy-authorization",
                           "proxy-authenticate", "x_forwarded_for", "content_length"}) {
    check(plain.count(name) == 0, "what is for this hop stays here");
  }
  check(plain.count("connection") == (request.upgrade ? 1U : 0U), "Connection only upgrades");
  check(plain.count("upgrade") == (request.upgrade ? 1U : 0U), "Upgrade with Connection");
  check(request.framing != Framing::close, "no request ends by closing");
}

/// The next gateway reads the same request, and changes only what it has to.
void check_next_hop(const Head& head, const PlainHead& plain) {
  const Limits limits{.request_line = 1 << 20, .head = 1 << 20, .fields = 1000};
  Head next;
  read(next, head.text(), limits, {.address = "198.51.100.1", .via = "another"});
  check(next.outcome.status == Status::complete, "what is written can be read");
  const Request &a = head.request, &b = next.request;
  check(b.head_size == head.written, "to its end");
  check(a.method == b.method && a.target == b.target && a.host == b.host, "as the same request");
  check(a.framing == b.framing && a.length == b.length, "framed the same");
  check(a.upgrade == b.upgrade && a.expect_continue == b.expect_continue &&
            a.idempotent == b.idempotent && a.head == b.head && b.keep_alive && b.minor == 1,
        "to be treated the same");
  const auto kept = [](const PlainHead& from) {
    static const std::set<std::string_view> kOurs = {
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via",
        "connection",      "upgrade"};
    auto fields = from.fields;
    std::erase_if(fields, [](const auto& field) { return kOurs.contains(field.first); });
    return fields;
  };
  check(kept(plain) == kept(read_plainly(next.text())), "twice is the same as once");
}

void run(std::uint8_t switches, std::uint8_t split, std::string_view in) {
  Limits limits;
  if ((switches & 4) != 0) limits = {.request_line = 64, .head = 256, .fields = 8};
  const Peer peer{.address = (switches & 8) != 0 ? "2001:db8::1" : "192.0.2.7",
                  .scheme = "http",
                  .trusted = (switches & 1) != 0,
                  .forwarded = (switches & 2) != 0,
                  .via = "headroom-1f3a"};
  Head head;
  read(head, in, limits, peer);
  if (head.outcome.status == Status::refused) check_refusal(head.outcome);
  check_part(head, in.substr(0, in.size() * split / 256), limits, peer);
  if (!in.empty()) check_part(head, in.substr(0, in.size() - 1), limits, peer);
  if (head.outcome.status != Status::complete) return;
  check(head.request.head_size <= in.size(), "no more is taken than is there");
  check_part(head, in.substr(0, head.request.head_size), limits, peer);
  check_part(head, in.substr(0, head.request.head_size - 1), limits, peer);
  const PlainHead plain = read_plainly(head.text());
  check_plainly(head, plain);
  check_next_hop(head, plain);
}

}  // namespace
}  // namespace headroom::gateway::http1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  // A copy, so that a read past its end is seen.
  const std::vector<char> in(data + 2, data + size);
  headroom::gateway::http1::run(data[0], data[1], {in.data(), in.size()});
  return 0;
}
