#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "policy/read.h"

/// OpenTelemetry (docs/opentelemetry.md): spans of requests, log records of what was decided and
/// happened, and metrics, sent to a collector by OTLP/HTTP.
namespace headroom::otlp {

/// A collector: scheme://host[:port][/path]; what is sent goes below the path.
struct Endpoint {
  bool tls = false;
  std::string host;  // a name or an address; an IPv6 one without brackets
  std::string port;  // by the scheme where it is not said
  std::string path;  // "/base", without a slash at its end; may be empty
};
constexpr std::size_t kLongestUrl = 2048;  // bytes
/// Errors: invalid (no such URL; one with a user, a query or a fragment; one that is too long).
Result<Endpoint> parse_endpoint(std::string_view url);
/// As a URL. It holds no secret.
std::string to_string(const Endpoint& endpoint);

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Settings {
  Endpoint endpoint;
  bool traces = true, logs = true, metrics = true;  // what is sent; one of them, at least
  double sample = 0.01;                             // of the traces that begin here
  Pairs headers;            // may be secrets: in no log line, and no error says a value
  Pairs resource;           // beside what Headroom says of itself, which they replace
  std::string certificate;  // PEM, whom to trust; empty: those that the system trusts
  Millis timeout = 10s;     // for one answer
  Millis metrics_every = 10s;
  // Of the log, and said by nobody: so long without a failure it answers again; a complaint is
  // followed by another of its kind only so much later.
  Millis settled_after = 30s, complain_every = 60s;
};

/// What the flags of `headroom run` say.
struct Asked {
  std::string endpoint;              // empty: none
  std::string sample;                // "1%", "0.01"; empty: the default
  std::vector<std::string> headers;  // NAME=VALUE
};

struct Chosen {
  std::optional<Settings> settings;   // none: nothing is sent
  std::vector<std::string> warnings;  // what in the environment was not taken, and why
};
/// The flags, then the environment's OTEL_… as OpenTelemetry's specification has them. Nothing
/// is sent where neither names an endpoint, where OTEL_SDK_DISABLED is true, or where all three
/// OTEL_…_EXPORTER are none.
/// Errors: invalid, naming the flag. What is wrong in the environment, which may be meant for the
/// replicas, is a warning.
Result<Chosen> choose(const Asked& asked, const policy::Environment& environment);

}  // namespace headroom::otlp
