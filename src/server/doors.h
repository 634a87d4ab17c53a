#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/result.h"
#include "base/time.h"
#include "base/units.h"
#include "control/status.h"
#include "target/process.h"

namespace headroom::server {

class MetricSink;

/// What the server reaches of the rest. Everything outlives it.
struct Doors {
  const control::Board& board;
  std::string journal;  // its path; read over a connection of the server's own

  /// The loop's, whose thread is the only one that calls what follows: control::Loop's functions
  /// of these names.
  boost::asio::io_context& loop;
  std::function<Result<void>(const std::string& name, std::optional<Replicas> replicas,
                             std::optional<Millis> time)>
      hold;
  std::function<Result<void>(const std::string& name)> release;
  std::function<Result<target::Written>(const std::string& name, target::ReplicaId replica,
                                        std::uint64_t after)>
      written;

  /// What stands above adds to the metrics; from the server's thread. Null: nothing.
  std::function<void(MetricSink&)> metrics = nullptr;
};

}  // namespace headroom::server
