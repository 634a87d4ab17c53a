#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "cli/print.h"
#include "cli/serve.h"
#include "cli/verbs.h"
#include "policy/documents.h"
#include "policy/hpa.h"
#include "policy/resource_triggers.h"
#include "policy/scaled_object.h"
#include "policy/tree.h"
#include "policy/yaml_scalar.h"

namespace headroom::cli {
namespace {

constexpr const char* kConvertExamples =
    "Examples:\n"
    "  headroom convert hpa.yaml > autoscaler.yaml\n"
    "  kubectl get hpa shop -o yaml | headroom convert -\n"
    "  headroom convert --to hpa autoscaler.yaml\n"
    "  headroom convert --to scaledobject autoscaler.yaml\n"
    "  headroom convert -o table deploy.yaml\n"
    "\n"
    "Nothing is lost in silence: what the other kind cannot say is an error that names it, and\n"
    "labels and annotations, which say nothing about scaling, are a warning. Documents of other\n"
    "kinds are left out.\n"
    "\n"
    "As JSON the documents are the items of a List (apiVersion v1), as kubectl prints and takes "
    "it.\n"
    "As a table each is a line: what it was, its name, what it becomes, what is left behind.\n"
    "\n"
    "Exit codes: 0 converted, 1 a document is wrong or would lose something (and nothing is\n"
    "printed), 2 the flags are wrong.\n";

struct ConvertOptions {
  std::string file;
  std::string to = "autoscaler";
  std::string output = "yaml";
};

/// One document: what was read, and what is printed of it.
struct Converted {
  policy::Document from;
  std::string text;  // YAML
};

/// The Autoscaler document; reading it back shows that it says the same.
Result<std::string> to_autoscaler(const policy::Autoscaler& autoscaler) {
  auto document = policy::write_document(autoscaler);
  const auto again = policy::read_documents(document, autoscaler.name, {});
  if (again && again->size() == 1 && again->front() == autoscaler) return document;
  const auto why = again ? "it would not read back as the same" : again.error().what;
  return fail({Code::invalid, fmt::format("{} as an Autoscaler: {}", autoscaler.name, why), {}});
}

Result<std::string> to_hpa(const policy::Autoscaler& autoscaler) {
  const auto hpa = policy::hpa::from_autoscaler(policy::without_resource_triggers(autoscaler));
  if (!hpa) return fail(hpa.error());
  return policy::hpa::write(*hpa);
}

/// What two autoscalers do not share, by the names of a document.
std::vector<std::string_view> differences(const policy::Autoscaler& a,
                                          const policy::Autoscaler& b) {
  std::vector<std::string_view> names;
  const auto name = [&names](bool differs, std::string_view what) {
    if (differs) names.push_back(what);
  };
  name(a.name != b.name || a.namespace_ != b.namespace_, "metadata");
  name(a.target != b.target, a.target.scale_target_ref ? "target" : "target.process");
  name(a.gateway != b.gateway, "gateway");
  name(a.min_replicas != b.min_replicas, "minReplicas");
  name(a.max_replicas != b.max_replicas, "maxReplicas");
  name(a.idle_replicas != b.idle_replicas, "idleReplicas");
  name(a.cooldown_period != b.cooldown_period, "cooldownPeriod");
  name(a.initial_cooldown_period != b.initial_cooldown_period, "initialCooldownPeriod");
  name(a.concurrency != b.concurrency, "concurrency");
  name(a.metrics != b.metrics, "metrics");
  name(a.behavior != b.behavior, "behavior");
  name(a.controller != b.controller, "controller");
  name(a.triggers != b.triggers, "triggers");
  name(a.polling_interval != b.polling_interval, "pollingInterval");
  name(a.fallback != b.fallback, "fallback");
  name(a.scaling_modifiers != b.scaling_modifiers, "scalingModifiers");
  name(a.pause != b.pause, "pause");
  return names;
}

bool is_resource(const policy::Trigger& trigger) {
  return trigger.type == "cpu" || trigger.type == "memory";
}

Result<std::string> to_scaled_object(const policy::Autoscaler& autoscaler) {
  const auto cannot = [&autoscaler](std::string_view why) {
    return fail({Code::invalid, fmt::format("{} as a ScaledObject: {}", autoscaler.name, why), {}});
  };
  auto document = policy::write_scaled_object(autoscaler);
  auto again = policy::read_any(document, autoscaler.name, {});
  if (!again) return cannot(again.error().what);
  if (again->size() != 1 || !again->front().autoscaler) return cannot("it would not read back");
  auto& read = *again->front().autoscaler;
  // cpu and memory are metrics here; to KEDA they are triggers, too.
  if (std::ranges::none_of(autoscaler.triggers, is_resource)) {
    std::erase_if(read.triggers, is_resource);
  }
  const auto lost = differences(autoscaler, read);
  if (lost.empty()) return document;
  return cannot(fmt::format("found {}, which it cannot say", fmt::join(lost, ", ")));
}

struct ConvertKind {
  const char* name;
  Result<std::string> (*write)(const policy::Autoscaler&);
};
constexpr std::array kKinds = {
    ConvertKind{"autoscaler", to_autoscaler},
    ConvertKind{"hpa", to_hpa},
    ConvertKind{"scaledobject", to_scaled_object},
};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& kind : kKinds) all.emplace_back(kind.name);
  return all;
}

int refuse(const Error& error) {
  complain(error);
  return kFailed;
}

void warn(const policy::Document& document) {
  for (const auto& warning : document.warnings) {
    fmt::print(stderr, "{}\n",
               to_string({warning.code, "warning: " + warning.what, warning.where}));
  }
  for (const auto& field : document.left_behind) {
    fmt::print(stderr, "{}:{}: warning: {} are not taken along\n", document.where.file,
               document.where.line, field);
  }
}

boost::json::value scalar(const policy::Node& node) {
  const auto& text = node.text;
  const auto kind = policy::scalar_of(node);
  if (kind == policy::Scalar::flag) return policy::flag_of(node).value_or(false);
  const auto* end = text.data() + text.size();
  if (std::int64_t whole = 0;
      kind == policy::Scalar::whole && std::from_chars(text.data(), end, whole).ptr == end) {
    return whole;
  }
  if (double real = 0; kind == policy::Scalar::real &&
                       std::from_chars(text.data(), end, real).ptr == end && std::isfinite(real)) {
    return real;
  }
  return boost::json::string(text);
}

boost::json::value json_of(const policy::Node& node) {
  using Is = policy::Node::Kind;
  if (node.kind == Is::null) return nullptr;
  if (node.kind == Is::scalar) return scalar(node);
  if (node.kind == Is::sequence) {
    boost::json::array items;
    for (const auto* item : node.items) items.push_back(json_of(*item));
    return items;
  }
  boost::json::object members;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    members[node.items[i]->text] = json_of(*node.items[i + 1]);
  }
  return members;
}

void print_list(const std::vector<Converted>& all) {
  boost::json::array items;
  for (const auto& each : all) {
    policy::Problems none;
    const auto tree = policy::parse(each.text, none);
    for (const auto* document : tree.documents) items.push_back(json_of(*document));
  }
  print_data("json", boost::json::object{{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}});
}

void print_table(const std::vector<Converted>& all, const std::string& to) {
  std::vector<Row> rows;
  for (const auto& [from, text] : all) {
    rows.push_back(
        {from.kind, from.name, to,
         from.left_behind.empty() ? "-" : fmt::format("{}", fmt::join(from.left_behind, ", "))});
  }
  fmt::print("{}", table({"KIND", "NAME", "BECOMES", "LEFT BEHIND"}, rows));
}

void print_documents(const std::vector<Converted>& all) {
  const char* between = "";
  for (const auto& each : all) {
    fmt::print("{}{}", between, each.text);
    between = "---\n";
  }
}

int convert(const ConvertOptions& options) {
  const auto text = policy::read_text(options.file);
  if (!text) return refuse(text.error());
  const auto documents = policy::read_any(*text, options.file, environment());
  if (!documents) return refuse(documents.error());
  const auto kind = std::ranges::find(kKinds, options.to, &ConvertKind::name);
  std::vector<Converted> all;
  for (const auto& document : *documents) {
    if (!document.autoscaler) continue;
    auto written = kind->write(*document.autoscaler);
    if (!written) return refuse({Code::invalid, written.error().what, document.where});
    warn(document);
    all.push_back({document, std::move(*written)});
  }
  if (options.output == "json") {
    print_list(all);
  } else if (options.output == "table") {
    print_table(all, kind->name);
  } else {
    print_documents(all);
  }
  return kOk;
}

}  // namespace

void add_convert(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand(
      "convert",
      "Prints a HorizontalPodAutoscaler, ScaledObject or Knative's Service as an Autoscaler, or "
      "one of the first two the other way.");
  verb->footer(kConvertExamples);
  auto options = std::make_shared<ConvertOptions>();
  verb->add_option("file", options->file, "A file of documents; - is standard input")
      ->required()
      ->type_name("FILE");
  verb->add_option("--to", options->to,
                   fmt::format("One of {}; default autoscaler", fmt::join(names(), ", ")))
      ->check(CLI::IsMember(names()))
      ->type_name("KIND");
  verb->add_option("-o,--output", options->output, "yaml, json or table; default yaml")
      ->check(CLI::IsMember({"yaml", "json", "table"}))
      ->type_name("FORMAT");
  verb->callback([options, &call] { call.exit = convert(*options); });
}

}  // namespace headroom::cli
