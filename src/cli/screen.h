#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "journal/journal.h"

/// What `status` and `top` show of the API's answers (docs/api.md).
namespace headroom::cli {

/// A line for each autoscaler, under its heads.
std::string services_table(const boost::json::array& autoscalers);
/// A line for each replica of one.
std::string replicas_table(const boost::json::value& autoscaler);
/// One line: its newest reason, and what holds it.
std::string why(const boost::json::value& autoscaler);

struct Screen {
  std::size_t columns = 80, rows = 24;
};

/// `top`'s lines, none wider and no more than the screen has: the autoscalers, the replicas of
/// one where there is room, what happened last (`events`: newest first).
std::vector<std::string> draw(const boost::json::array& autoscalers,
                              const std::vector<journal::Event>& events, const std::string& now,
                              Screen screen);

}  // namespace headroom::cli
