#include "conformance/family.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace headroom::conformance {

void expect_equal(const boost::json::value& upstream, const boost::json::value& ours,
                  std::string_view path, Differences& differences) {
  if (upstream == ours) return;
  differences.push_back(fmt::format("{}: upstream {}, ours {}", path,
                                    boost::json::serialize(upstream),
                                    boost::json::serialize(ours)));
}

}  // namespace headroom::conformance
