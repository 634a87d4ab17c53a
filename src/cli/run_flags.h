#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/autoscaler.h"

namespace headroom::cli {

/// The flags of `headroom run` that make a document. What is not set is the document's default.
struct RunFlags {
  std::optional<std::string> name;
  std::optional<std::string> listen;
  std::optional<std::int32_t> min, max;
  std::optional<std::string> objective;     // 100ms@p99
  std::optional<double> concurrency;        // requests per replica
  std::optional<double> rps;                // requests per second and replica
  std::optional<std::int32_t> limit;        // requests at once per replica, hard
  std::optional<std::int32_t> cpu, memory;  // percent of the request
  std::optional<std::string> cooldown, window, grace, start_timeout;
  std::optional<std::string> readiness_path, liveness_path;
  std::vector<std::string> env;  // NAME=VALUE
  std::optional<std::string> output;
};

/// The Autoscaler that the flags ask for; not validated: written as a document and read back,
/// it gets the checks that every document gets.
/// Errors: invalid, naming the flag, for what cannot even be written: a duration that is none,
/// an --objective or an --env of another form, no command, two flags that exclude each other.
Result<policy::Autoscaler> autoscaler_of(const RunFlags& flags,
                                         const std::vector<std::string>& command);

/// The document that the flags make. $(NAME) in a flag is left for the reader to look up in the
/// environment, as in a file.
Result<std::string> document_of(const RunFlags& flags, const std::vector<std::string>& command);

/// The name a command gets where none is said: "/srv/My_Shop.py" is "my-shop-py".
std::string name_of(const std::string& command);

}  // namespace headroom::cli
