#include "control/unanswered.h"

#include <fmt/format.h>

#include "decide/words.h"
#include "target/troubles.h"

namespace headroom::control {

std::string said_of(const gateway::Unanswered& requests, const DrainEnd& end) {
  using target::Trouble;
  const auto requests_of = [](std::uint64_t count) {
    return decide::counted(static_cast<std::int64_t>(count), "request");
  };
  const auto when = fmt::format("{} ({}gateway.drain)", span_of(end.after),
                                end.after == end.own ? "" : "the longest ");
  std::string text;
  if (requests.cut > 0) {
    text = fmt::format("{} {} cut: {} {}", requests_of(requests.cut),
                       requests.cut == 1 ? "was" : "were", name_of(Trouble::cut), when);
  }
  if (requests.refused > 0) {
    text += fmt::format("{}{} got 503: {} {}", text.empty() ? "" : "; ",
                        requests_of(requests.refused), name_of(Trouble::refused), when);
  }
  return text;
}

}  // namespace headroom::control
