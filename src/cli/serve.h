#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "otlp/settings.h"
#include "policy/autoscaler.h"
#include "policy/read.h"

namespace headroom::cli {

/// Of the admin server (docs/api.md).
struct AdminOptions {
  std::string address;  // empty: the default, done without where it is taken
  std::string token_file, certificate, key;
  std::vector<std::string> hosts;
};

struct ServeOptions {
  std::string file;     // watched and read again; empty: the document came from flags
  std::string journal;  // its path; replicas' sockets and outputs are beside it
  int threads = 0;      // the gateway's; 0: the cores, at most 4
  AdminOptions admin;
  std::optional<otlp::Settings> otlp;  // none: nothing is traced or sent
};

/// The environment of this process, for $(NAME) in documents.
policy::Environment environment();

/// complain(), but where programs read the log in the log's format. The exit code.
int report(const Error& error);

/// Runs the autoscalers until SIGTERM or SIGINT has stopped them. A second signal kills the
/// replicas and ends the process at once with 128 + its number.
/// The exit code: 0 stopped as asked, 1 something could not be started (said in the log).
int serve(const ServeOptions& options, const std::vector<policy::Autoscaler>& wanted);

}  // namespace headroom::cli
