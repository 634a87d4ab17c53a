#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "base/zone.h"
#include "cli/print.h"
#include "cli/serve.h"
#include "cli/verbs.h"
#include "decide/json.h"
#include "decide/prepared.h"
#include "policy/documents.h"

namespace headroom::cli {
namespace {

constexpr const char* kCheckExamples =
    "Examples:\n"
    "  headroom check deploy/*.yaml\n"
    "  kubectl get hpa,scaledobject,ksvc -A -o yaml | headroom check -\n"
    "  helm template shop | headroom check -o json - | jq '.[] | select(.ok | not)'\n"
    "\n"
    "HorizontalPodAutoscalers are held to what the API server checks, ScaledObjects to what KEDA\n"
    "does, Services of serving.knative.dev to what Knative does. Other kinds are skipped.\n"
    "What is wrong is said on standard error, each with its file, line and column.\n"
    "\n"
    "As JSON or YAML: a list of {file, line, kind, name, ok, skipped, errors, warnings}, errors "
    "and\n"
    "warnings being lists of {line, column, path, message}; then nothing is said elsewhere.\n"
    "\n"
    "Exit codes: 0 all can be run, 1 one cannot or a file cannot be read, 2 the flags are wrong.\n";

struct CheckOptions {
  std::vector<std::string> files;
  std::string output = "table";
};

/// What -o json and yaml print; the members' names are its fields.
struct Finding {
  int line = 0;
  int column = 0;
  std::string path;  // the field, where one is named
  std::string message;
};
struct Checked {
  std::string file;
  int line = 0;
  std::string kind;
  std::string name;
  bool ok = false;
  bool skipped = false;
  std::vector<Finding> errors, warnings;
  std::string asks;  // in words, not in the JSON
};

void describe(decide::JsonWriter& io, const Finding& finding) {
  io.field("line", finding.line);
  io.field("column", finding.column);
  io.field("path", finding.path);
  io.field("message", finding.message);
}

void describe(decide::JsonWriter& io, const Checked& checked) {
  io.field("file", checked.file);
  io.field("line", checked.line);
  io.field("kind", checked.kind);
  io.field("name", checked.name);
  io.field("ok", checked.ok);
  io.field("skipped", checked.skipped);
  io.field("errors", checked.errors);
  io.field("warnings", checked.warnings);
}

std::vector<Finding> findings(const std::vector<Error>& errors) {
  std::vector<Finding> all;
  for (const auto& error : errors) {
    all.push_back({error.where.line, error.where.column, std::string(policy::field_of(error.what)),
                   error.what});
  }
  return all;
}

/// "2..10 replicas, metrics cpu, memory, triggers kafka".
std::string asks(const policy::Autoscaler& autoscaler) {
  auto text =
      fmt::format("{}..{} replicas", autoscaler.min_replicas.count, autoscaler.max_replicas.count);
  const char* before = ", metrics ";
  for (const auto& metric : autoscaler.metrics) {
    text += before + printable(metric.name, 60);
    before = ", ";
  }
  before = ", triggers ";
  for (const auto& trigger : autoscaler.triggers) {
    text += before + printable(trigger.type, 60);
    before = ", ";
  }
  if (autoscaler.concurrency) {
    const bool rps = autoscaler.concurrency->metric == policy::Concurrency::Metric::rps;
    text += rps ? ", requests per second" : ", concurrency";
  }
  return text;
}

/// Zones that this machine's database has not. A cluster's may have them: a warning.
void warn_of_zones(const policy::Autoscaler& autoscaler, Checked& one) {
  for (std::size_t i = 0; i < autoscaler.triggers.size(); ++i) {
    for (const auto& zone : decide::zones_of(autoscaler.triggers[i])) {
      const auto offsets = zone_offsets(zone, {});
      if (offsets) continue;
      auto field = fmt::format("spec.triggers[{}].metadata", i);
      auto message = fmt::format("{}: {}: the trigger fails", field, offsets.error().what);
      one.warnings.push_back({one.line, 1, std::move(field), std::move(message)});
    }
  }
}

Checked checked(const std::string& file, const policy::Document& document) {
  Checked one;
  one.file = file;
  one.line = document.where.line;
  one.kind = document.kind;
  one.name = document.name;
  one.ok = document.errors.empty();
  one.skipped = document.skipped;
  one.errors = findings(document.errors);
  one.warnings = findings(document.warnings);
  if (!document.autoscaler) return one;
  one.asks = asks(*document.autoscaler);
  warn_of_zones(*document.autoscaler, one);
  return one;
}

/// Everything of one file; what is wrong with the file itself comes first.
std::vector<Checked> check_file(const std::string& path) {
  std::vector<Checked> all;
  const auto text = policy::read_text(path);
  const auto stream =
      text ? policy::read_stream(*text, path, environment()) : policy::Stream{{}, {text.error()}};
  if (!stream.errors.empty()) {
    Checked whole;
    whole.file = path;
    whole.errors = findings(stream.errors);
    all.push_back(std::move(whole));
  }
  for (const auto& document : stream.documents) all.push_back(checked(path, document));
  return all;
}

std::string place(const Checked& checked, const Finding& finding) {
  return to_string(Error{Code::invalid, {}, {checked.file, finding.line, finding.column}});
}

void print(const Checked& checked) {
  const auto what = checked.name.empty() ? checked.kind : checked.kind + " " + checked.name;
  if (checked.skipped) {
    fmt::print("{}:{}: skipped {}, which is no autoscaler\n", checked.file, checked.line, what);
  } else if (checked.ok) {
    fmt::print("{}:{}: ok {} → {}\n", checked.file, checked.line, what, checked.asks);
  }
  for (const auto& warning : checked.warnings) {
    fmt::print("{}warning: {}\n", place(checked, warning), warning.message);
  }
  flush();  // so that it stands before what is wrong with the next one
  for (const auto& error : checked.errors) {
    fmt::print(stderr, "{}{}\n", place(checked, error), error.message);
  }
}

int check(const CheckOptions& options) {
  std::vector<Checked> all;
  for (const auto& path : options.files) {
    auto of_file = check_file(path);
    std::ranges::move(of_file, std::back_inserter(all));
  }
  if (options.output == "table") {
    for (const auto& each : all) print(each);
  } else {
    decide::JsonWriter writer;
    writer.write(all);
    const auto text = data_text(options.output, writer.take() + "\n");
    if (!text) return complain(text.error());
    fmt::print("{}", *text);
  }
  return std::ranges::all_of(all, &Checked::ok) ? kOk : kFailed;
}

}  // namespace

void add_check(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand(
      "check",
      "Says whether documents can be run: Autoscaler, HorizontalPodAutoscaler, ScaledObject, "
      "Knative's Service.");
  verb->footer(kCheckExamples);
  auto options = std::make_shared<CheckOptions>();
  verb->add_option("files", options->files, "Files of documents; - is standard input")
      ->required()
      ->type_name("FILE");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = check(*options); });
}

}  // namespace headroom::cli
