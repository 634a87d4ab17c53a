#include "policy/documents.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "policy/hpa.h"
#include "policy/knative_service.h"
#include "policy/names.h"
#include "policy/neighbours.h"
#include "policy/reader.h"
#include "policy/scaled_object.h"

namespace headroom::policy {
namespace {

/// Reads one document of a kind; what is wrong with it goes into the Problems.
struct Context {
  Problems& problems;
  Problems& warnings;
  Substitution& substitution;
  std::vector<std::string>& left_behind;
};

Autoscaler read_autoscaler(const Node& document, Context& context) {
  Reader reader(context.problems, context.substitution);
  Autoscaler autoscaler = reader.read_document(document);
  fill_in(autoscaler);
  return autoscaler;
}

Autoscaler read_hpa(const Node& document, Context& context) {
  auto hpa = hpa::read(document, context.problems, context.warnings);
  if (context.problems.any()) return {};
  hpa::set_defaults(hpa);
  hpa::place(document, hpa::validate(hpa, true), context.problems);
  if (hpa.spec.min_replicas == 0) {
    const Node* written = document.find({"spec", "minReplicas"});
    context.warnings.add(
        written == nullptr ? document.place : written->place,
        "spec.minReplicas: found 0, which an API server without the gate HPAScaleToZero refuses");
  }
  if (!hpa.labels.empty()) context.left_behind.emplace_back("metadata.labels");
  if (!hpa.annotations.empty()) context.left_behind.emplace_back("metadata.annotations");
  return hpa::to_autoscaler(hpa);
}

Autoscaler read_keda(const Node& document, Context& context) {
  const auto left = [&](const char* name, std::initializer_list<std::string_view> path) {
    if (document.find(path) != nullptr) context.left_behind.emplace_back(name);
  };
  left("metadata.labels", {"metadata", "labels"});
  left("spec.advanced.horizontalPodAutoscalerConfig.name",
       {"spec", "advanced", "horizontalPodAutoscalerConfig", "name"});
  const Node* annotations = document.find({"metadata", "annotations"});
  if (annotations != nullptr) {
    for (std::size_t i = 0; i + 1 < annotations->items.size(); i += 2) {
      // Those that pause or force are read.
      const std::string_view name = annotations->items[i]->text;
      if (name.starts_with("autoscaling.keda.sh/paused")) continue;
      if (name == "autoscaling.keda.sh/force-activation") continue;
      context.left_behind.emplace_back("metadata.annotations");
      break;
    }
  }
  return read_scaled_object(document, context.problems, context.warnings);
}

Autoscaler read_service(const Node& document, Context& context) {
  return read_knative_service(document, context.problems, context.warnings, context.left_behind);
}

/// One line per kind. `group`: what its apiVersion begins with.
struct Kind {
  std::string_view kind, group;
  Autoscaler (*read)(const Node&, Context&);
};
constexpr std::array kKinds = {
    Kind{"Autoscaler", "", read_autoscaler},  // a wrong apiVersion is told by the reader
    Kind{"HorizontalPodAutoscaler", "autoscaling/", read_hpa},
    Kind{"ScaledObject", "keda.sh/", read_keda},
    Kind{"Service", "serving.knative.dev/", read_service},
};
constexpr std::string_view kKnown =
    "Autoscaler, HorizontalPodAutoscaler, ScaledObject, Knative's Service";

std::string text_of(const Node& map, std::string_view name) {
  const Node* value = map.find(name);
  return value == nullptr ? std::string() : printable(value->text, 253);
}

class StreamReader {
 public:
  StreamReader(std::string_view text, const std::string& file, const Environment& environment)
      : text_(text), file_(file), substitution_(environment) {}

  /// The document, or the items of a list.
  void read(const Node& node) {
    const auto kind = text_of(node, "kind");
    const Node* items = node.find("items");
    if (kind.ends_with("List") && items != nullptr && items->kind == Node::Kind::sequence) {
      for (const Node* item : items->items) read(typed(*item, node));
      return;
    }
    Document document;
    document.kind = kind;
    document.api_version = text_of(node, "apiVersion");
    const Node* metadata = node.find("metadata");
    if (metadata != nullptr) document.name = text_of(*metadata, "name");
    document.where = {file_, node.place.line, node.place.column};
    read_as(node, document);
    stream_.documents.push_back(std::move(document));
  }

  Stream finish(const Problems& of_text) && {
    stream_.errors = of_text.errors(file_, text_);
    const bool any = std::ranges::any_of(
        stream_.documents, [](const Document& document) { return !document.skipped; });
    if (!any && stream_.errors.empty()) {
      stream_.errors.push_back(
          {Code::invalid,
           fmt::format("found {}, expected at least one of {}",
                       stream_.documents.empty() ? "no document" : "no autoscaler", kKnown),
           {file_, 1, 1}});
    }
    return std::move(stream_);
  }

 private:
  /// The items of a HorizontalPodAutoscalerList leave out their kind and apiVersion: the list's
  /// say it.
  const Node& typed(const Node& item, const Node& list) {
    constexpr std::string_view kList = "List";
    const Node& list_kind = *list.find("kind");
    const Node* version = list.find("apiVersion");
    const bool says = item.kind != Node::Kind::map || item.find("kind") != nullptr;
    if (says || list_kind.text == kList || version == nullptr) return item;
    Node kind = list_kind;
    kind.text.resize(kind.text.size() - kList.size());
    Node whole = item;
    const auto add = [&](std::string_view name, const Node& value) {
      if (item.find(name) != nullptr) return;
      Node key = list_kind;
      key.text = name;
      whole.items.insert(whole.items.end(), {&made_.emplace_back(key), &value});
    };
    add("apiVersion", *version);
    add("kind", made_.emplace_back(std::move(kind)));
    return made_.emplace_back(std::move(whole));
  }

  void read_as(const Node& node, Document& document) {
    Problems problems, warnings;
    const auto known = std::ranges::find(kKinds, document.kind, &Kind::kind);
    if (document.kind.empty()) {
      problems.add(node.place, fmt::format("kind: found nothing, expected one of {}, or any other "
                                           "kind of Kubernetes, which is skipped",
                                           kKnown));
    } else if (known == kKinds.end() || !document.api_version.starts_with(known->group)) {
      document.skipped = true;
    } else {
      Context context{problems, warnings, substitution_, document.left_behind};
      Autoscaler autoscaler = known->read(node, context);
      neighbours_.check(node, autoscaler, problems);
      if (!problems.any()) document.autoscaler = std::move(autoscaler);
    }
    document.errors = problems.errors(file_, text_);
    document.warnings = warnings.errors(file_, text_);
  }

  std::string_view text_;
  const std::string& file_;
  Substitution substitution_;
  Neighbours neighbours_;
  std::deque<Node> made_;
  Stream stream_;
};

}  // namespace

Stream read_stream(std::string_view text, const std::string& file, const Environment& environment) {
  Problems of_text;
  const Tree tree = parse(text, of_text);
  StreamReader reader(text, file, environment);
  for (const Node* document : tree.documents) {
    if (document->open) break;  // cut short: what is missing was not left out
    reader.read(*document);
  }
  return std::move(reader).finish(of_text);
}

Result<std::vector<Document>> read_any(std::string_view text, const std::string& file,
                                       const Environment& environment) {
  Stream stream = read_stream(text, file, environment);
  auto errors = std::move(stream.errors);
  for (const auto& document : stream.documents) {
    errors.insert(errors.end(), document.errors.begin(), document.errors.end());
  }
  if (errors.empty()) return std::move(stream.documents);
  std::ranges::stable_sort(errors, [](const Error& a, const Error& b) {
    return std::pair{a.where.line, a.where.column} < std::pair{b.where.line, b.where.column};
  });
  Error all = errors[0];
  for (std::size_t i = 1; i < std::min(errors.size(), Problems::kMost); ++i) {
    all.what += "\n" + to_string(errors[i]);
  }
  return fail(std::move(all));
}

std::string_view field_of(std::string_view message) {
  const auto end = message.find(": ");
  if (end == message.npos) return {};
  const auto field = message.substr(0, end);
  const auto inside = [](char c) {
    return is_alphanumeric(c) || std::string_view(".[]-_/").find(c) != std::string_view::npos;
  };
  return std::ranges::all_of(field, inside) ? field : std::string_view();
}

Result<std::string> read_text(const std::string& path) {
  const auto unreadable = [&path](int why) {
    return fail({Code::unavailable, fmt::format("cannot be read: {}", std::strerror(why)), {path}});
  };
  const Fd opened(path == "-" ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (path != "-" && !opened) return unreadable(errno);
  const int fd = path == "-" ? STDIN_FILENO : opened.get();
  std::string text;
  std::array<char, 64 << 10> piece;
  while (text.size() <= kMostText) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno);
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return fail({Code::invalid, "found more than 1 MiB, expected at most that", {path}});
}

}  // namespace headroom::policy
