#include "otlp/settings.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"
#include "server/fields.h"

namespace headroom::otlp {
namespace {

constexpr std::size_t kMostPairs = 64;
constexpr std::size_t kLongestValue = 8192;
constexpr std::string_view kTokenBytes =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

auto wrong(std::string what) { return fail({Code::invalid, std::move(what), {}}); }

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<double> parse_ratio(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto value = number<double>(percent ? text.substr(0, text.size() - 1) : text);
  const double ratio = value.value_or(-1) / (percent ? 100 : 1);
  if (!(ratio >= 0 && ratio <= 1)) {
    return wrong(fmt::format("found \"{}\", expected 0 to 1 or 0% to 100%", printable(text)));
  }
  return ratio;
}

/// A field name and a value that cannot end its line. The error says no value.
Result<void> check_header(const std::pair<std::string, std::string>& header) {
  const auto& [name, value] = header;
  if (name.empty() || name.find_first_not_of(kTokenBytes) != name.npos) {
    return wrong(fmt::format("\"{}\" is no header's name", printable(name)));
  }
  const bool control = std::ranges::any_of(value, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (control || value.size() > kLongestValue) {
    return wrong(fmt::format("the value of {} is no header's", name));
  }
  return {};
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      if (error == std::errc() && end == text.data() + i + 3) {
        out += static_cast<char>(byte);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

/// "a=b,c=d" with percent-encoded values, as W3C Baggage has it.
Result<Pairs> parse_pairs(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto pair = server::trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == pair.npos || equals == 0) return wrong("expected NAME=VALUE,NAME=VALUE");
    if (pairs.size() == kMostPairs) return wrong(fmt::format("more than {}", kMostPairs));
    pairs.emplace_back(decoded(server::trimmed(pair.substr(0, equals))),
                       decoded(server::trimmed(pair.substr(equals + 1))));
  }
  return pairs;
}

/// The environment, by what it says; what is wrong there becomes a warning.
class Environment {
 public:
  Environment(const policy::Environment& from, std::vector<std::string>& warnings)
      : from_(from), warnings_(warnings) {}

  /// An empty variable is as good as none.
  std::string get(std::string_view name) const { return from_(name).value_or(""); }
  void note(std::string_view name, std::string_view what) {
    warnings_.push_back(fmt::format("{}: {}", name, what));
  }
  void warn(std::string_view name, std::string_view what) {
    note(name, fmt::format("{}; not taken", what));
  }
  template <class T, class Parse>
  void take(std::string_view name, T& to, const Parse& parse) {
    const auto text = get(name);
    if (text.empty()) return;
    auto value = parse(text);
    if (value) {
      to = std::move(*value);
    } else {
      warn(name, value.error().what);
    }
  }

 private:
  const policy::Environment& from_;
  std::vector<std::string>& warnings_;
};

Result<Millis> parse_millis(std::string_view text) {
  const auto value = number<std::int64_t>(text);
  if (!value || *value < 100 || *value > 3'600'000) {
    return wrong(
        fmt::format("found \"{}\", expected 100 to 3600000 (milliseconds)", printable(text)));
  }
  return Millis(*value);
}

Result<Pairs> parse_headers(std::string_view text) {
  auto pairs = parse_pairs(text);
  if (!pairs) return pairs;
  for (const auto& pair : *pairs) {
    if (auto good = check_header(pair); !good) return fail(good.error());
  }
  return pairs;
}

/// Later ones of a name replace earlier ones.
void add(Pairs& to, const std::pair<std::string, std::string>& pair) {
  const auto same = std::ranges::find(to, pair.first, &std::pair<std::string, std::string>::first);
  if (same == to.end()) {
    to.push_back(pair);
  } else {
    same->second = pair.second;
  }
}

/// Which of the traces that begin here are sampled; always_off: none, whatever a caller says.
void take_sampler(Environment& environment, Settings& settings) {
  constexpr const char* kName = "OTEL_TRACES_SAMPLER";
  constexpr std::string_view kParent = "parentbased_";
  const auto found = environment.get(kName);
  const bool by_parent = found.starts_with(kParent);
  const auto root = std::string_view(found).substr(by_parent ? kParent.size() : 0);
  if (root == "always_off") {
    settings.sample = 0;
    settings.traces = by_parent;
  } else if (root == "always_on" || root == "traceidratio") {
    settings.sample = 1;  // a ratio's, too, where the next variable does not say
    if (!by_parent)
      environment.note(
          kName, fmt::format("taken as {}{}: where a caller has a trace, its flag decides", kParent,
                             root));
  } else if (!found.empty()) {
    environment.warn(
        kName,
        fmt::format("found \"{}\", expected [parentbased_]always_on, always_off or traceidratio",
                    printable(found)));
    return;  // the next variable is for what we do not know
  }
  if (found.empty() || root == "traceidratio") {
    environment.take("OTEL_TRACES_SAMPLER_ARG", settings.sample, parse_ratio);
  }
}

void take_exporter(Environment& environment, const char* name, bool& sent) {
  const auto found = environment.get(name);
  if (found == "none") {
    sent = false;
  } else if (!found.empty() && found != "otlp") {
    environment.warn(name, fmt::format("found \"{}\", expected otlp or none", printable(found)));
  }
}

/// Those of one kind alone, which are not heeded.
void warn_of_kinds(Environment& environment, std::string_view setting, std::string_view why) {
  std::string names;
  for (const char* kind : {"TRACES", "LOGS", "METRICS"}) {
    const auto name = fmt::format("OTEL_EXPORTER_OTLP_{}_{}", kind, setting);
    if (!environment.get(name).empty()) names += (names.empty() ? "" : ", ") + name;
  }
  if (!names.empty()) environment.warn(names, why);
}

void warn_of_what_is_not_heeded(Environment& environment) {
  for (const char* setting : {"HEADERS", "TIMEOUT", "CERTIFICATE"}) {
    warn_of_kinds(environment, setting,
                  fmt::format("all kinds are sent alike (OTEL_EXPORTER_OTLP_{})", setting));
  }
  for (const char* name :
       {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"}) {
    if (environment.get(name).empty()) continue;
    environment.warn(name, "a collector is shown no certificate of Headroom's");
  }
}

void take_environment(Environment& environment, Settings& settings, const Asked& asked) {
  if (asked.sample.empty()) {  // else it is what says of spans
    take_sampler(environment, settings);
    take_exporter(environment, "OTEL_TRACES_EXPORTER", settings.traces);
  }
  take_exporter(environment, "OTEL_LOGS_EXPORTER", settings.logs);
  take_exporter(environment, "OTEL_METRICS_EXPORTER", settings.metrics);
  environment.take("OTEL_EXPORTER_OTLP_HEADERS", settings.headers, parse_headers);
  environment.take("OTEL_RESOURCE_ATTRIBUTES", settings.resource, parse_pairs);
  environment.take("OTEL_EXPORTER_OTLP_TIMEOUT", settings.timeout, parse_millis);
  environment.take("OTEL_METRIC_EXPORT_INTERVAL", settings.metrics_every, parse_millis);
  settings.certificate = environment.get("OTEL_EXPORTER_OTLP_CERTIFICATE");
  if (const auto name = environment.get("OTEL_SERVICE_NAME"); !name.empty()) {
    add(settings.resource, {"service.name", name});
  }
  warn_of_what_is_not_heeded(environment);
}

/// The environment's endpoint; none where there is none that can be spoken to.
std::optional<Endpoint> endpoint_of(Environment& environment) {
  constexpr const char* kName = "OTEL_EXPORTER_OTLP_ENDPOINT";
  const auto url = environment.get(kName);
  if (url.empty()) return std::nullopt;
  if (const auto protocol = environment.get("OTEL_EXPORTER_OTLP_PROTOCOL"); protocol == "grpc") {
    environment.warn(kName,
                     "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, Headroom speaks OTLP over HTTP "
                     "(--otlp-endpoint http://HOST:4318)");
    return std::nullopt;
  }
  auto endpoint = parse_endpoint(url);
  if (endpoint) return *endpoint;
  environment.warn(kName, endpoint.error().what);
  return std::nullopt;
}

/// OTEL_SDK_DISABLED. Anything but "true" is no.
bool is_disabled(Environment& environment, const Asked& asked) {
  constexpr const char* kName = "OTEL_SDK_DISABLED";
  const auto found = server::lower(environment.get(kName));
  if (found == "true") {
    if (!asked.endpoint.empty()) environment.note(kName, "nothing is sent to --otlp-endpoint");
    return true;
  }
  if (!found.empty() && found != "false") environment.warn(kName, "expected true or false");
  return false;
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view url) {
  const auto refuse = [url](const char* why) {
    // A user's name and password may stand before an @.
    const auto shown = url.find('@') == url.npos ? printable(url) : "a URL with an @";
    return wrong(fmt::format("found \"{}\", expected http://HOST:PORT or https://HOST:PORT: {}",
                             shown, why));
  };
  Endpoint endpoint;
  auto rest = url;
  if (url.size() > kLongestUrl) return refuse("it is too long");
  if (rest.starts_with("https://")) {
    endpoint.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return refuse("no such scheme");
  }
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f || c == '"' || c == '\\'; };
  if (std::ranges::any_of(rest, odd)) return refuse("it has bytes that no URL has");
  if (rest.find_first_of("?#@") != rest.npos) return refuse("no user, query or fragment");
  const auto slash = std::min(rest.find('/'), rest.size());
  endpoint.path = rest.substr(slash);
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  auto authority = rest.substr(0, slash);
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == authority.npos) return refuse("no ]");
    endpoint.host = authority.substr(1, end - 1);
    in6_addr address;
    if (::inet_pton(AF_INET6, endpoint.host.c_str(), &address) != 1) return refuse("no IPv6");
    authority.remove_prefix(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    endpoint.host = authority.substr(0, colon);
    if (endpoint.host.find_first_of("[]") != endpoint.host.npos) return refuse("no such host");
    authority.remove_prefix(colon);
  }
  if (endpoint.host.empty()) return refuse("no host");
  endpoint.port = endpoint.tls ? "443" : "80";
  if (authority.empty()) return endpoint;
  const auto port = number<std::uint16_t>(authority.substr(1));
  if (authority.front() != ':' || !port || *port == 0) return refuse("no such port");
  endpoint.port = std::to_string(*port);
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != endpoint.host.npos;
  return fmt::format("http{}://{}{}{}:{}{}", endpoint.tls ? "s" : "", ipv6 ? "[" : "",
                     endpoint.host, ipv6 ? "]" : "", endpoint.port, endpoint.path);
}

Result<Chosen> choose(const Asked& asked, const policy::Environment& from) {
  Chosen chosen;
  Environment environment(from, chosen.warnings);
  Settings settings;
  const auto wrong_flag = [](const char* flag, const Error& error) {
    return wrong(fmt::format("{}: {}", flag, error.what));
  };
  std::optional<Endpoint> endpoint;
  if (!asked.endpoint.empty()) {
    auto parsed = parse_endpoint(asked.endpoint);
    if (!parsed) return wrong_flag("--otlp-endpoint", parsed.error());
    endpoint = *parsed;
  }
  const bool disabled = is_disabled(environment, asked);
  if (!endpoint && !disabled) {
    endpoint = endpoint_of(environment);
    warn_of_kinds(environment, "ENDPOINT",
                  "all kinds go to one collector (OTEL_EXPORTER_OTLP_ENDPOINT, --otlp-endpoint)");
  }
  if (endpoint && !disabled) take_environment(environment, settings, asked);
  if (!asked.sample.empty()) {
    const auto ratio = parse_ratio(asked.sample);
    if (!ratio) return wrong_flag("--otlp-sample", ratio.error());
    settings.sample = *ratio;
  }
  for (const auto& text : asked.headers) {
    const auto equals = text.find('=');
    if (equals == text.npos) return wrong("--otlp-header: expected NAME=VALUE");
    const std::pair header{text.substr(0, equals), text.substr(equals + 1)};
    if (auto good = check_header(header); !good) return wrong_flag("--otlp-header", good.error());
    add(settings.headers, header);
  }
  if (settings.headers.size() > kMostPairs) return wrong("--otlp-header: too many");
  if (!endpoint && !disabled && (!asked.sample.empty() || !asked.headers.empty())) {
    return wrong("--otlp-sample and --otlp-header: where to? Add --otlp-endpoint URL");
  }
  if (!endpoint || disabled) return chosen;
  if (!settings.traces && !settings.logs && !settings.metrics) return chosen;
  settings.endpoint = *endpoint;
  chosen.settings = std::move(settings);
  return chosen;
}

}  // namespace headroom::otlp
