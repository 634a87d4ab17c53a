#include "policy/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/describe.h"
#include "policy/fields.h"
#include "policy/resource_triggers.h"

namespace headroom::policy {
namespace {

constexpr std::size_t kShown = 60;  // of what was found

std::string found_in(const Node& node) {
  if (node.kind != Node::Kind::scalar) return std::string(words_of(node.kind));
  return fmt::format("\"{}\"", printable(node.text, kShown));
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

// A text as the kind's number, whatever its bounds.

std::optional<std::int64_t> parsed(std::string_view text, const Whole&) {
  return number_of<std::int64_t>(text);
}
std::optional<double> parsed(std::string_view text, const Real&) { return number_of<double>(text); }
std::optional<Millis> parsed(std::string_view text, const Seconds& kind) {
  const auto number = number_of<std::int64_t>(text);
  if (!number || *number < kind.min || *number > kind.max) return {};  // before it overflows
  return std::chrono::seconds{*number};
}
std::optional<Millis> parsed(std::string_view text, const Duration&) {
  const auto duration = parse_duration(text);
  return duration ? std::optional{*duration} : std::nullopt;
}
std::optional<Quantity> parsed(std::string_view text, const Amount&) {
  const auto quantity = parse_quantity(text);
  return quantity ? std::optional{*quantity} : std::nullopt;
}
std::optional<std::int64_t> parsed(std::string_view text, const Bytes&) {
  const auto quantity = parse_quantity(text);
  if (!quantity || quantity->milli % 1000 != 0) return {};
  return quantity->milli / 1000;
}

template <class Value, class Kind>
bool inside(Value value, const Kind& kind) {
  if constexpr (std::is_same_v<Kind, Seconds>) {
    return true;
  } else {
    return kind.min <= value && value <= kind.max;
  }
}

template <class Kind>
constexpr bool kMayBeQuoted =
    std::is_same_v<Kind, Duration> || std::is_same_v<Kind, Amount> || std::is_same_v<Kind, Bytes>;

}  // namespace

/// Reads the fields of T (or of one level of it) from a map.
template <class T>
class Reader::Struct {
 public:
  Struct(Reader& reader, const Node& node, T& to) : reader_(reader), node_(node), to_(to) {}

  template <class M, class Kind>
  void field(std::string_view name, M T::*member, const Kind& kind, const About& about) {
    if (const Node* value = take(name, about, expected_of<M>(kind))) {
      reader_.value(std::string(name), *value, to_.*member, kind);
    }
  }

  template <class Inner>
  void level(std::string_view name, const About& about, const Inner& inner) {
    const Node* value = take(name, about, expected(Level{}));
    if (value == nullptr) return;
    if (value->kind != Node::Kind::map) {
      reader_.wrong(std::string(name), *value, found_in(*value), expected(Level{}));
      return;
    }
    Struct deeper(reader_, *value, to_);
    inner(deeper);
    deeper.finish();
  }

  void fixed(std::string_view name, std::string_view only, const About& about,
             std::initializer_list<std::string_view> later) {
    const Node* value = take(name, about, fmt::format("\"{}\"", only));
    if (value == nullptr) return;
    const auto text = reader_.text(std::string(name), *value, form::kAny);
    if (!text || *text == only) return;
    if (std::ranges::find(later, *text) != later.end()) {
      waits_for_later_ = true;
      reader_.problems_.add(value->place, fmt::format("{}: \"{}\" is not supported yet by this "
                                                      "version, expected \"{}\"",
                                                      name, *text, only));
      return;
    }
    reader_.wrong(std::string(name), *value, fmt::format("\"{}\"", printable(*text, kShown)),
                  fmt::format("\"{}\"", only));
  }

  template <class E, class... Inner>
  void one_of(std::string_view name, E T::*member, const About& about,
              const Choice<Inner>&... choices) {
    field(name, member, Word{}, about);
    const Node* word = node_.find({name});
    const bool known = word != nullptr && !reader_.bad(*word);
    std::size_t index = 0;
    (choose(known, static_cast<std::size_t>(to_.*member) == index++, to_.*member, choices), ...);
  }

  void later(std::string_view name) {
    names_.push_back(name);
    for (std::size_t i = 0; i + 1 < node_.items.size(); i += 2) {
      if (node_.items[i]->text != name) continue;
      waits_for_later_ = true;
      reader_.problems_.add(node_.items[i]->place,
                            fmt::format("{}: not supported yet by this version", name));
    }
  }

  /// Says what is there and is none of the fields, and what is not there and has to be.
  void finish() {
    for (std::size_t i = 0; i + 1 < node_.items.size() && !reader_.problems_.full(); i += 2) {
      const Node& name = *node_.items[i];
      if (name.kind != Node::Kind::scalar) continue;  // said where the text was parsed
      if (std::ranges::find(names_, name.text) == names_.end()) unknown(name);
    }
    // Where another way of saying it was chosen, which is to come, nothing else is missing.
    if (waits_for_later_) return;
    for (const auto& [name, what] : missing_) {
      reader_.problems_.add(node_.place, fmt::format("{}: found nothing, expected {}", name, what));
    }
  }

 private:
  template <class E, class Inner>
  void choose(bool known, bool chosen, E type, const Choice<Inner>& choice) {
    if (known && chosen) return level(choice.name, {choice.meaning, true}, choice.fields);
    names_.push_back(choice.name);
    const Node* there = node_.find(choice.name);
    if (!known || there == nullptr) return;
    reader_.problems_.add(there->place,
                          fmt::format("{}: found beside type {}, expected what the type names only",
                                      choice.name, spelled(type, Word{})));
  }

  const Node* take(std::string_view name, const About& about, std::string what) {
    names_.push_back(name);
    if (const Node* value = node_.find({name})) return value;
    if (about.required) missing_.emplace_back(name, std::move(what));
    return nullptr;
  }

  void unknown(const Node& name) {
    std::string what = fmt::format("unknown field \"{}\"", printable(name.text, kShown));
    const auto near = nearest(name.text, names_);
    if (name.text == "<<") {
      what += ", expected the fields themselves: merging is not supported, aliases are";
    } else if (!near.empty()) {
      what += fmt::format(", did you mean \"{}\"?", near);
    } else {
      what += fmt::format(", expected one of {}", joined(names_.data(), names_.size()));
    }
    reader_.problems_.add(name.place, std::move(what));
  }

  Reader& reader_;
  const Node& node_;
  T& to_;
  std::vector<std::string_view> names_;
  std::vector<std::pair<std::string_view, std::string>> missing_;
  bool waits_for_later_ = false;
};

void Reader::wrong(const std::string& name, const Node& node, std::string_view found,
                   std::string_view expected) {
  bad_.insert(&node);
  problems_.add(node.place, fmt::format("{}: found {}, expected {}", name, found, expected));
}

std::optional<Reader::Scalar> Reader::scalar(const std::string& name, const Node& node) {
  auto [text, changed, problem] = substitution_.put(node.text, for_replica_);
  if (!problem.empty()) {
    bad_.insert(&node);
    problems_.add(node.place, fmt::format("{}: {}", name, problem));
    return std::nullopt;
  }
  // What came from the environment may be a password that got into the wrong field.
  auto found = changed ? fmt::format("{} ({} characters, which may be secret)",
                                     printable(node.text, kShown), text.size())
                       : fmt::format("\"{}\"", printable(text, kShown));
  return Scalar{std::move(text), node.quoted && !changed, std::move(found)};
}

std::optional<std::string> Reader::text(const std::string& name, const Node& node,
                                        const Form& form) {
  if (node.kind != Node::Kind::scalar) {
    wrong(name, node, found_in(node), form.expected);
    return std::nullopt;
  }
  auto read = scalar(name, node);
  if (!read) return std::nullopt;
  if (!form.fits(read->text)) {
    const bool secret = &form == &form::kSecret || &form == &form::kHeaderValue;
    wrong(name, node, secret ? "a text (it may be secret)" : read->found, form.expected);
    return std::nullopt;
  }
  return std::move(read->text);
}

template <class Number, class Kind>
void Reader::number(const std::string& name, const Node& node, Number& to, const Kind& kind) {
  if (node.kind != Node::Kind::scalar) return wrong(name, node, found_in(node), expected(kind));
  const auto read = scalar(name, node);
  if (!read) return;
  if (read->is_text && !kMayBeQuoted<Kind>) {
    return wrong(name, node, fmt::format("the text {}", read->found), expected(kind));
  }
  const auto value = parsed(read->text, kind);
  if (!value || !inside(*value, kind)) return wrong(name, node, read->found, expected(kind));
  if constexpr (std::is_same_v<Number, Replicas>) {
    to.count = static_cast<std::int32_t>(*value);
  } else {
    to = static_cast<Number>(*value);
  }
}

template <class M, class Kind>
void Reader::value(const std::string& name, const Node& node, std::optional<M>& to,
                   const Kind& kind) {
  value(name, node, to.emplace(), kind);
}

template <class M, class Kind>
void Reader::value(const std::string& name, const Node& node, M& to, const Kind& kind) {
  if constexpr (std::is_same_v<Kind, Text>) {
    if (auto read = text(name, node, kind.form)) to = std::move(*read);
  } else if constexpr (std::is_same_v<Kind, Flag>) {
    const auto read =
        node.kind == Node::Kind::scalar ? scalar(name, node) : Scalar{{}, true, found_in(node)};
    if (!read) return;
    const bool yes = read->text == "true" || read->text == "True" || read->text == "TRUE";
    const bool no = read->text == "false" || read->text == "False" || read->text == "FALSE";
    if (read->is_text || !(yes || no)) return wrong(name, node, read->found, expected(kind));
    to = yes;
  } else if constexpr (std::is_same_v<Kind, Word>) {
    const auto read =
        node.kind == Node::Kind::scalar ? scalar(name, node) : Scalar{{}, true, found_in(node)};
    if (!read) return;
    const auto& words = kWords<M>;
    const auto word = std::ranges::find(words, read->text);
    if (word == words.end()) return wrong(name, node, read->found, expected_word<M>());
    to = static_cast<M>(word - words.begin());
  } else if constexpr (std::is_same_v<Kind, Texts>) {
    texts(name, node, to, kind.form, kind.min, kind.max);
  } else if constexpr (std::is_same_v<Kind, Variables>) {
    variables(name, node, to, kind.max);
  } else if constexpr (std::is_same_v<Kind, Pairs>) {
    pairs(name, node, to, kind.max);
  } else if constexpr (std::is_same_v<Kind, Levels>) {
    levels(name, node, to, kind.min, kind.max);
  } else if constexpr (std::is_same_v<Kind, Level>) {
    if (node.kind != Node::Kind::map) return wrong(name, node, found_in(node), expected(kind));
    level(node, to);
  } else {
    number(name, node, to, kind);
  }
}

template <class T>
void Reader::level(const Node& node, T& to) {
  const bool outside = for_replica_;
  if constexpr (std::is_same_v<T, Process>) for_replica_ = true;
  Struct<T> fields(*this, node, to);
  Fields<T>::visit(fields);
  fields.finish();
  for_replica_ = outside;
  check(node, to);
}

bool Reader::is_list(const std::string& name, const Node& node, std::size_t min, std::size_t max) {
  const auto size = node.items.size();
  if (node.kind == Node::Kind::sequence && size >= min && size <= max) return true;
  const bool list = node.kind == Node::Kind::sequence;
  wrong(name, node, list ? fmt::format("a list of {}", size) : found_in(node),
        fmt::format("a list of {} to {}", min, max));
  return false;
}

template <class T>
void Reader::levels(const std::string& name, const Node& node, std::vector<T>& to, std::size_t min,
                    std::size_t max) {
  if (!is_list(name, node, min, max)) return;
  for (const Node* item : node.items) {
    const auto which = fmt::format("{}[{}]", name, to.size());  // before it grows
    value(which, *item, to.emplace_back(), Level{});
  }
}

void Reader::texts(const std::string& name, const Node& node, std::vector<std::string>& to,
                   const Form& form, std::size_t min, std::size_t max) {
  if (!is_list(name, node, min, max)) return;
  for (const Node* item : node.items) {
    to.push_back(text(fmt::format("{}[{}]", name, to.size()), *item, form).value_or(""));
  }
}

bool Reader::is_map_of(const std::string& name, const Node& node, std::size_t max,
                       std::string_view of) {
  const bool map = node.kind == Node::Kind::map;
  const auto count = node.items.size() / 2;
  if (map && count <= max) return true;
  wrong(name, node, map ? std::to_string(count) : found_in(node),
        fmt::format("at most {} as {}: text", max, of));
  return false;
}

void Reader::variables(const std::string& name, const Node& node,
                       std::map<std::string, std::string>& to, std::size_t max) {
  if (!is_map_of(name, node, max, "NAME")) return;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Node& variable = *node.items[i];
    if (variable.kind != Node::Kind::scalar) continue;  // said where the text was parsed
    if (!form::kVariable.fits(variable.text)) {
      wrong(name, variable, found_in(variable), form::kVariable.expected);
    } else if (variable.text == "PORT" || variable.text == "SOCKET") {
      wrong(name, variable, found_in(variable), "another name: each replica gets its own of these");
    } else if (auto read = text(variable.text, *node.items[i + 1], form::kSecret)) {
      to[variable.text] = std::move(*read);
    }
  }
}

void Reader::pairs(const std::string& name, const Node& node,
                   std::map<std::string, std::string>& to, std::size_t max) {
  if (!is_map_of(name, node, max, "name")) return;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const auto& key = node.items[i]->text;
    if (auto read = text(printable(key, kShown), *node.items[i + 1], form::kAny)) {
      to[key] = std::move(*read);
    }
  }
}

const Node& Reader::at(const Node& node, std::initializer_list<std::string_view> path) const {
  const Node* here = &node;
  for (const auto name : path) {
    const Node* next = here->find(name);
    if (next == nullptr) break;
    here = next;
  }
  return *here;
}

void Reader::check(const Node& node, const Probe& probe) {
  int handlers = 0;
  for (const char* name : {"httpGet", "tcpSocket", "exec", "grpc"}) {
    if (node.find({name}) != nullptr) ++handlers;
  }
  const int set = (probe.http_get ? 1 : 0) + (probe.tcp_socket ? 1 : 0) + (probe.exec ? 1 : 0);
  if (set == handlers && set != 1) {
    problems_.add(
        node.place,
        fmt::format("found {} of httpGet, tcpSocket and exec, expected exactly one", set));
  }
}

void Reader::check(const Node& node, const Exec& exec) {
  if (exec.command.empty() || !exec.command[0].empty()) return;
  const Node& program = *at(node, {"command"}).items[0];
  if (!bad(program)) wrong("command[0]", program, "\"\"", "a program");
}

void Reader::check(const Node& node, const Process& process) {
  check(node, Exec{process.command});
  const std::pair<const char*, const std::optional<Probe>&> probes[] = {
      {"livenessProbe", process.liveness_probe}, {"startupProbe", process.startup_probe}};
  for (const auto& [name, probe] : probes) {
    if (!probe || probe->success_threshold == 1) continue;
    wrong("successThreshold", at(node, {name, "successThreshold"}),
          std::to_string(probe->success_threshold), fmt::format("1 in a {}", name));
  }
}

void Reader::check(const Node& node, const Limits& limits) {
  const Node& line = at(node, {"requestLine"});
  const Node& head = at(node, {"head"});
  if (limits.request_line <= limits.head || bad(line) || bad(head)) return;
  problems_.add(line.place,
                fmt::format("requestLine: found {}, expected at most head ({})",
                            spelled(limits.request_line, Bytes{}), spelled(limits.head, Bytes{})));
}

void Reader::check(const Node& node, const Concurrency& concurrency) {
  const std::pair<const char*, Millis> durations[] = {
      {"window", concurrency.window}, {"scaleDownDelay", concurrency.scale_down_delay}};
  for (const auto& [name, duration] : durations) {
    if (duration % 1s == 0ms) continue;
    wrong(name, at(node, {name}), fmt::format("\"{}\"", to_string(duration)), "whole seconds");
  }
}

void Reader::check(const Node& node, const MetricTarget& target) {
  const Node* type = node.find({"type"});
  if (type == nullptr || bad(*type)) return;
  const std::array<std::pair<const char*, bool>, 3> values = {
      {{"averageUtilization", target.average_utilization.has_value()},
       {"value", target.value.has_value()},
       {"averageValue", target.average_value.has_value()}}};
  const auto chosen = static_cast<std::size_t>(target.type);
  const auto word = spelled(target.type, Word{});
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& [name, there] = values[i];
    if (i == chosen && !there) {
      problems_.add(node.place,
                    fmt::format("{}: found nothing, expected it beside type {}", name, word));
    } else if (i != chosen && there) {
      problems_.add(at(node, {name}).place,
                    fmt::format("{}: found beside type {}, expected {} only", name, word,
                                values[chosen].first));
    }
  }
}

void Reader::check(const Node& node, const Metric& metric) {
  using Type = MetricTarget::Type;
  const Node* type = node.find({"type"});
  if (type == nullptr || bad(*type)) return;
  struct Allowed {
    const char* level;
    std::initializer_list<Type> types;
    const char* words;
  };
  static const Allowed kAllowed[] = {
      {"resource", {Type::utilization, Type::average_value}, "Utilization or AverageValue"},
      {"containerResource",
       {Type::utilization, Type::average_value},
       "Utilization or AverageValue"},
      {"pods", {Type::average_value}, "AverageValue"},
      {"object", {Type::value, Type::average_value}, "Value or AverageValue"},
      {"external", {Type::value, Type::average_value}, "Value or AverageValue"}};
  const auto& allowed = kAllowed[static_cast<std::size_t>(metric.type)];
  const Node* of_target = node.find({allowed.level, "target", "type"});
  if (of_target == nullptr || bad(*of_target)) return;
  if (std::ranges::find(allowed.types, metric.target.type) != allowed.types.end()) return;
  wrong("type", *of_target, fmt::format("\"{}\"", spelled(metric.target.type, Word{})),
        allowed.words);
}

void Reader::check(const Node& node, const Target& target) {
  const bool is_process = node.find({"process"}) != nullptr;
  if (!is_process && !target.scale_target_ref) {
    problems_.add(node.place, "process: found nothing, expected it or scaleTargetRef");
  } else if (is_process && target.scale_target_ref) {
    problems_.add(at(node, {"scaleTargetRef"}).place,
                  "scaleTargetRef: found beside process, expected one of them");
  }
}

void Reader::check(const Node& node, const ScalingModifiers& modifiers) {
  if (modifiers.formula.empty() || !modifiers.target.empty()) return;
  const Node& target = at(node, {"target"});
  if (!bad(target)) {
    problems_.add(target.place, "target: found nothing, expected it beside formula");
  }
}

/// What waits for requests, where there is no gateway.
void Reader::check_without_gateway(const Node& node, const Autoscaler& autoscaler) {
  const bool wakes =
      !autoscaler.triggers.empty() ||
      std::ranges::any_of(autoscaler.metrics, [](const Metric& metric) {
        return metric.type == Metric::Type::object || metric.type == Metric::Type::external;
      });
  if (autoscaler.min_replicas.count == 0 && !wakes) {
    problems_.add(at(node, {"spec", "minReplicas"}).place,
                  "minReplicas: found 0 without a gateway, expected at least 1, or a "
                  "gateway that starts a replica when a request arrives");
  }
  if (names_replica_variable(autoscaler.target.process, "SOCKET")) {
    problems_.add(
        at(node, {"spec", "target", "process", "command"}).place,
        "found $(SOCKET) without a gateway, expected $(PORT), or a gateway that connects to it");
  }
  for (const auto& [name, there] : {std::pair{"objective", autoscaler.objective.has_value()},
                                    {"concurrency", autoscaler.concurrency.has_value()}}) {
    if (!there) continue;
    problems_.add(
        at(node, {"spec", name}).place,
        fmt::format("{}: found it without a gateway, expected a gateway, which measures it", name));
  }
}

/// What only a process has, or has not.
void Reader::check_kind_of_target(const Node& node, const Autoscaler& autoscaler) {
  if (autoscaler.target.scale_target_ref) {
    if (!autoscaler.gateway) return;
    problems_.add(at(node, {"spec", "gateway"}).place,
                  "gateway: found beside scaleTargetRef, expected target.process, to which alone "
                  "it forwards");
    return;
  }
  const Node& metrics = at(node, {"spec", "metrics"});
  for (std::size_t i = 0; i < autoscaler.metrics.size(); ++i) {
    const Metric& metric = autoscaler.metrics[i];
    const Node& item = *metrics.items[i];
    if (metric.type == Metric::Type::container_resource) {
      wrong("type", at(item, {"type"}), "\"ContainerResource\"",
            "Resource: a process has no containers");
    }
    if (metric.type != Metric::Type::resource || metric.name.empty()) continue;
    if (metric.name == "cpu" || metric.name == "memory") continue;
    wrong("name", at(item, {"resource", "name"}),
          fmt::format("\"{}\"", printable(metric.name, kShown)), "cpu or memory");
  }
}

void Reader::check(const Node& node, const Autoscaler& autoscaler) {
  const Node& min = at(node, {"spec", "minReplicas"});
  const Node& max = at(node, {"spec", "maxReplicas"});
  const auto lowest = autoscaler.min_replicas, highest = autoscaler.max_replicas;
  const bool bounded = node.find({"spec", "maxReplicas"}) != nullptr && !bad(min) && !bad(max);
  if (bounded && lowest > highest) {
    problems_.add(max.place,
                  fmt::format("maxReplicas: found {}, expected at least minReplicas ({})",
                              highest.count, lowest.count));
  }
  const Node& idle = at(node, {"spec", "idleReplicas"});
  // KEDA's rule: with minReplicas 0, idle 0 says the same.
  if (autoscaler.idle_replicas && autoscaler.idle_replicas->count >= std::max(1, lowest.count) &&
      !bad(min)) {
    wrong("idleReplicas", idle, std::to_string(autoscaler.idle_replicas->count),
          fmt::format("fewer than minReplicas ({})", lowest.count));
  }
  check_kind_of_target(node, autoscaler);
  if (!autoscaler.gateway) check_without_gateway(node, autoscaler);
  if (!autoscaler.concurrency) return;
  const auto activation = autoscaler.concurrency->activation_scale;
  const Node& place = at(node, {"spec", "concurrency", "activationScale"});
  if (activation == 0 || !bounded) return;
  const auto from = std::max(2, lowest.count);
  if (activation < from || activation > highest.count) {
    wrong("activationScale", place, std::to_string(activation),
          fmt::format("0 (off), or {} to maxReplicas ({})", from, highest.count));
  }
}

void fill_in(Autoscaler& autoscaler) {
  if (autoscaler.gateway) {
    autoscaler.gateway->unix_sockets = names_replica_variable(autoscaler.target.process, "SOCKET");
  }
  add_resource_metrics(autoscaler);
  if (autoscaler.concurrency || !autoscaler.metrics.empty() || !autoscaler.triggers.empty()) return;
  if (autoscaler.gateway) {
    autoscaler.concurrency.emplace();
  } else {
    autoscaler.metrics = {kDefaultMetric};
  }
}

Autoscaler Reader::read_document(const Node& document) {
  Autoscaler autoscaler;
  if (document.kind != Node::Kind::map) {
    wrong("document", document, found_in(document), fmt::format("a map with kind: {}", kKind));
    return autoscaler;
  }
  // All fields of another kind would be unknown: its kind alone says what is wrong.
  for (const auto& [name, only] : {std::pair{"apiVersion", kApiVersion}, {"kind", kKind}}) {
    const Node* value = document.find(name);
    if (value == nullptr || value->kind != Node::Kind::scalar || value->text == only) continue;
    const auto read = text(name, *value, form::kAny);
    if (!read || *read == only) continue;
    wrong(name, *value, fmt::format("\"{}\"", printable(*read, kShown)),
          fmt::format("\"{}\"", only));
  }
  if (!bad_.empty()) return autoscaler;
  level(document, autoscaler);
  return autoscaler;
}

}  // namespace headroom::policy
