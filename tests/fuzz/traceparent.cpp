#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "gateway/http1.h"
#include "gateway/trace.h"

/// Any bytes as a traceparent: what is read is written the same. And as the fields of a request's
/// head: the head that is passed on has one traceparent, ours, and all else as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  using namespace headroom::gateway;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = parse_traceparent(text)) {
    char written[kTraceparentSize];
    write_traceparent(*context, written);
    check(text.substr(2, kTraceparentSize - 2) ==
              std::string_view(written, kTraceparentSize).substr(2),
          "what is read is written the same");
  }

  const std::string request = "GET / HTTP/1.1\r\n" + std::string(text) + "\r\n\r\n";
  http1::Request read;
  std::string head(request.size() + 2048, '\0');
  std::size_t written = 0;
  if (http1::read_request(request, {}, {}, read, head, written).status != http1::Status::complete) {
    return 0;
  }
  Tracer tracer(1, 1);
  Span span;
  if (!tracer.begin(read.traceparent, span)) return 0;
  head.resize(written + kTraceparentField);
  const auto after = put_traceparent(head, written, span.context, span.parent != SpanId{});
  check(after <= head.size(), "there was room");
  std::string again(after + 2048, '\0');
  http1::Request passed;
  http1::Limits more;  // as what the gateway adds may be too much for another of its limits
  more.fields *= 2;
  more.head *= 2;
  check(http1::read_request({head.data(), after}, more, {}, passed, again, written).status ==
            http1::Status::complete,
        "it is a head");
  const auto ours = parse_traceparent(passed.traceparent);
  check(ours && ours->span == span.context.span && ours->trace == span.context.trace,
        "with one traceparent, which is ours");
  check(passed.host == read.host && passed.target == read.target &&
            passed.framing == read.framing && passed.length == read.length,
        "and all else as it was");
  return 0;
}
