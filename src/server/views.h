#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/status.h"
#include "journal/journal.h"
#include "target/process.h"

/// What the API shows, as JSON: see docs/api.md and openapi.json.
namespace headroom::server {

std::string autoscaler_json(const control::Status& status);
struct Header {
  std::string version;
  std::int64_t now_unix_ms = 0;
  std::string refused;  // why the document is not what runs; "": it is
};
std::string autoscalers_json(const Header& header,
                             const std::vector<std::shared_ptr<const control::Status>>& all);
std::string decision_json(const journal::Entry& entry, bool with_observation);
std::string decisions_json(const std::vector<journal::Entry>& entries);
std::string event_json(const journal::Event& event);
std::string events_json(const std::vector<journal::Event>& events);
std::string history_json(const journal::History& history);
std::string output_json(const target::Written& written);
std::string ready_json(const std::vector<std::string>& reasons);

}  // namespace headroom::server
