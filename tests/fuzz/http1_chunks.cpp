#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "gateway/http1.h"

// Input: a byte for the pieces' size, one for the room, then a body in chunks.
namespace headroom::gateway::http1 {
namespace {

using Write = Chunks::Write;

struct Body {
  std::string out, error;
  std::size_t consumed = 0;
  bool done = false;
  bool operator==(const Body&) const = default;
};

Body read(std::string_view in, Write write, std::size_t piece, std::size_t room) {
  Chunks chunks(write);
  Body body;
  while (body.consumed < in.size() && !body.done && body.error.empty()) {
    const std::string_view part = in.substr(body.consumed, piece);
    const std::vector<char> copy(part.begin(), part.end());
    std::vector<char> out(room);  // each anew, so that ASan sees a byte past either
    const auto step = chunks.feed({copy.data(), copy.size()}, out);
    check(step.consumed <= part.size() && step.written <= room, "steps are bounded");
    check(step.consumed != 0 || step.written != 0 || step.error != nullptr, "progress");
    body.out.append(out.data(), step.written);
    body.consumed += step.consumed;
    body.done = step.done;
    if (step.error != nullptr) body.error = step.error;
  }
  return body;
}

void run(std::uint8_t piece, std::uint8_t room, std::string_view in) {
  const std::size_t plenty = in.size() + 256;
  const Body whole = read(in, Write::chunks, in.size(), plenty);
  check(whole.out.size() <= in.size() + 128, "no longer than what came, but for trailers' spaces");
  check(read(in, Write::chunks, piece + 1U, 64U + room) == whole, "pieces give the same");

  const Body data = read(in, Write::data, in.size(), plenty);
  check(data.error == whole.error && data.done == whole.done && data.consumed == whole.consumed,
        "the data alone is read the same");
  check(read(in, Write::data, piece + 1U, 64U + room) == data, "in pieces, too");
  if (!whole.done) return;

  const Body again = read(whole.out, Write::chunks, whole.out.size(), plenty + 256);
  check(again.done && again.consumed == whole.out.size(), "what is written can be read");
  check(again.out == whole.out, "twice is the same as once");
  check(read(whole.out, Write::data, whole.out.size(), plenty + 256).out == data.out,
        "with the same data");
}

}  // namespace
}  // namespace headroom::gateway::http1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::vector<char> in(data + 2, data + size);
  headroom::gateway::http1::run(data[0], data[1], {in.data(), in.size()});
  return 0;
}
