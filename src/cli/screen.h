#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "cli/print.h"
#include "journal/journal.h"

/// What `status` and `top` show of the API's answers (docs/api.md).
namespace headroom::cli {

/// The heads, then a row for each autoscaler; the first column is its name.
std::vector<Row> services(const boost::json::array& autoscalers);
/// A line for each autoscaler, under its heads, as wide as it comes.
std::string services_table(const boost::json::array& autoscalers);
/// The same for a narrower window: names are shortened, then the objective's words, then columns
/// are left out, what matters least first. The state, and whether an objective is missed, stay
/// where there are 40 columns.
std::string services_table(const boost::json::array& autoscalers, std::size_t columns);
/// A line for each replica of one.
std::string replicas_table(const boost::json::value& autoscaler);
/// One line, of the whole answer: that its document is not what runs, and why; "" where it is.
std::string refused_document(const boost::json::value& state);
/// One line: its newest reason, and what holds it.
std::string why(const boost::json::value& autoscaler);

struct Screen {
  std::size_t columns = 80, rows = 24;
};

/// `top`'s lines, none wider and no more than the screen has: the autoscalers, the reason and the
/// replicas of one where there is room, what happened last (`events`: newest first).
std::vector<std::string> draw(const boost::json::array& autoscalers,
                              const std::vector<journal::Event>& events, const std::string& now,
                              Screen screen);

}  // namespace headroom::cli
