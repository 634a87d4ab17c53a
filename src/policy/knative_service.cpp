#include "policy/knative_service.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/fields.h"
#include "policy/forms.h"
#include "policy/hpa_decode.h"
#include "policy/knative.h"
#include "policy/names.h"
#include "policy/yaml_scalar.h"

namespace headroom::policy {
namespace {

constexpr std::string_view kApiVersionOfKnative = "serving.knative.dev/v1";
constexpr std::string_view kDomain = "autoscaling.knative.dev/";
constexpr std::string_view kAnnotations = "spec.template.metadata.annotations";
constexpr std::string_view kTemplate = "spec.template.spec";

class ServiceReader {
 public:
  ServiceReader(const Node& document, Problems& problems, Problems& warnings,
                std::vector<std::string>& left_behind)
      : document_(document),
        problems_(problems),
        warnings_(warnings),
        left_behind_(left_behind),
        decoder_(problems, warnings) {}

  Autoscaler read();

 private:
  using Path = std::initializer_list<std::string_view>;

  void wrong(const Node& node, std::string_view path, std::string_view what) {
    problems_.add(node.place, fmt::format("{}: {}", path, what));
  }
  void warn(const Node& node, std::string_view path, std::string_view what) {
    warnings_.add(node.place, fmt::format("{}: {}", path, what));
  }
  template <class T>
  void value(std::string_view name, Path path, T& to) {
    if (const Node* node = document_.find(path)) decoder_.value(std::string(name), *node, to);
  }
  /// Names the fields that are not taken along.
  void leave(const Node& map, std::string_view name, Path taken);
  void leave(std::string_view name, Path path, Path taken) {
    if (const Node* node = document_.find(path)) leave(*node, name, taken);
  }

  void read_metadata(Autoscaler& autoscaler);
  void read_annotations();
  void read_settings(Autoscaler& autoscaler);
  void read_container(Process& process);
  void read_env(const Node& env, const std::string& path, Process& process);
  /// The value of an annotation that is there.
  const Node& annotation(std::string_view name) const;

  const Node& document_;
  Problems& problems_;
  Problems& warnings_;
  std::vector<std::string>& left_behind_;
  hpa::Decoder decoder_;
  KnativeRevision revision_;
  std::string name_;
};

void ServiceReader::leave(const Node& map, std::string_view name, Path taken) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const auto& field = map.items[i]->text;
    if (std::ranges::find(taken, field) != taken.end()) continue;
    left_behind_.push_back(fmt::format("{}.{}", name, printable(field, 60)));
  }
}

void ServiceReader::read_metadata(Autoscaler& autoscaler) {
  value("metadata.name", {"metadata", "name"}, autoscaler.name);
  value("metadata.namespace", {"metadata", "namespace"}, autoscaler.namespace_);
  name_ = autoscaler.name;
  if (!form::kDnsLabel.fits(name_) || !is_letter(name_[0])) {
    const Node* node = document_.find({"metadata", "name"});
    wrong(node == nullptr ? document_ : *node, "metadata.name",
          fmt::format("found \"{}\", expected a DNS label that begins with a letter, such as web",
                      printable(name_, 60)));
  }
  std::map<std::string, std::string> annotations;
  value("metadata.annotations", {"metadata", "annotations"}, annotations);
  for (const auto& [name, text] : annotations) {
    if (!name.starts_with(kDomain)) continue;
    wrong(*document_.find("metadata")->find("annotations")->find(name),
          "metadata.annotations." + name,
          fmt::format("found it, expected it in {}, where it works", kAnnotations));
  }
  for (const char* name : {"labels", "annotations"}) {
    if (document_.find({"metadata", name}) == nullptr) continue;
    left_behind_.push_back(fmt::format("metadata.{}", name));
  }
}

const Node& ServiceReader::annotation(std::string_view name) const {
  const Node* all = document_.find({"spec", "template", "metadata", "annotations"});
  return *all->find(fmt::format("{}{}", kDomain, name));
}

void ServiceReader::read_annotations() {
  std::map<std::string, std::string> annotations;
  value(kAnnotations, {"spec", "template", "metadata", "annotations"}, annotations);
  bool others = false;
  for (const auto& [name, text] : annotations) {
    if (!name.starts_with(kDomain)) {
      others = true;
      continue;
    }
    const auto setting = name.substr(kDomain.size());
    if (scalar_of(annotation(setting)) != Scalar::text) continue;  // said already
    revision_.annotations[setting] = text;
    if (!knative_setting(setting).empty()) continue;
    const auto near = nearest_knative_setting(setting);
    warn(annotation(setting), fmt::format("{}.{}", kAnnotations, name),
         near.empty() ? "found an unknown annotation, passed over"
                      : fmt::format("found an unknown annotation, passed over; is it {}?", near));
  }
  if (others) left_behind_.emplace_back(kAnnotations);
}

void ServiceReader::read_settings(Autoscaler& autoscaler) {
  value("spec.template.spec.containerConcurrency",
        {"spec", "template", "spec", "containerConcurrency"}, revision_.container_concurrency);
  std::vector<KnativeProblem> found;
  const auto settings = read_knative_revision(KnativeCluster{}, revision_, found);
  for (const auto& [name, what] : found) {
    const Node* of_spec = document_.find({"spec", "template", "spec", name});
    if (of_spec != nullptr) {
      wrong(*of_spec, fmt::format("{}.{}", kTemplate, name), what);
    } else {
      wrong(annotation(name), fmt::format("{}.{}{}", kAnnotations, kDomain, name), what);
    }
  }
  if (!found.empty()) return;
  for (const auto& [name, text] : revision_.annotations) {
    const auto path = fmt::format("{}.{}{}", kAnnotations, kDomain, name);
    const auto setting = knative_setting(name);
    if (setting == "class" && text != KnativeCluster{}.pod_autoscaler_class) {
      wrong(annotation(name), path,
            fmt::format("found \"{}\", expected {}, as what scales otherwise is a kind of its own",
                        printable(text, 60), KnativeCluster{}.pod_autoscaler_class));
    } else if (setting == "target-burst-capacity") {
      warn(annotation(name), path, "found it, passed over: the gateway is always in the path");
    }
  }
  if (settings.max_scale.count == 0) {
    warn(document_, fmt::format("{}.{}max-scale", kAnnotations, kDomain),
         fmt::format("found none, which is no limit; an Autoscaler's is {}", kMostReplicas));
  }
  autoscaler.min_replicas = settings.min_scale;
  autoscaler.max_replicas = {settings.max_scale.count == 0 ? kMostReplicas
                                                           : settings.max_scale.count};
  // There is no grace on one machine: the last request is a window ago when the average is 0.
  autoscaler.cooldown_period = settings.window;
  autoscaler.concurrency = concurrency_of(revision_, settings);
}

void ServiceReader::read_env(const Node& env, const std::string& path, Process& process) {
  if (env.kind != Node::Kind::sequence) return decoder_.wrong(path, env, "a list");
  for (std::size_t i = 0; i < env.items.size(); ++i) {
    const auto item = fmt::format("{}[{}]", path, i);
    std::string name, text;
    hpa::Decoder::Fields fields(decoder_, item, *env.items[i]);
    fields("name", name);
    fields("value", text);
    leave(*env.items[i], item, {"name", "value"});
    if (name.empty()) wrong(*env.items[i], item + ".name", "found nothing, expected a name");
    if (env.items[i]->find({"valueFrom"}) == nullptr) process.env[name] = text;
  }
}

void ServiceReader::read_container(Process& process) {
  const Node* all = document_.find({"spec", "template", "spec", "containers"});
  if (all == nullptr || all->kind != Node::Kind::sequence || all->items.empty()) {
    const Node* above = document_.find({"spec", "template", "spec"});
    return wrong(all != nullptr     ? *all
                 : above != nullptr ? *above
                                    : document_,
                 fmt::format("{}.containers", kTemplate), "found none, expected a list of them");
  }
  const auto& items = all->items;
  // Of several the one with a port takes the requests.
  const auto with_port =
      std::ranges::find_if(items, [](const Node* one) { return one->find({"ports"}) != nullptr; });
  const auto main =
      static_cast<std::size_t>(with_port == items.end() ? 0 : with_port - items.begin());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != main) left_behind_.push_back(fmt::format("{}.containers[{}]", kTemplate, i));
  }
  const auto path = fmt::format("{}.containers[{}]", kTemplate, main);
  const Node& container = *items[main];
  std::vector<std::string> arguments;
  hpa::Decoder::Fields fields(decoder_, path, container);
  fields("command", process.command);
  fields("args", arguments);
  fields("workingDir", process.working_directory);
  if (process.command.empty()) {
    process.command = {name_};
    warn(container, path + ".command",
         fmt::format("found none, and what is in the image is not known: \"{}\" stands for it",
                     printable(name_, 60)));
  }
  process.command.insert(process.command.end(), arguments.begin(), arguments.end());
  if (const Node* env = container.find({"env"})) read_env(*env, path + ".env", process);
  leave(container, path, {"name", "command", "args", "workingDir", "env"});
}

Autoscaler ServiceReader::read() {
  Autoscaler autoscaler;
  const Node* version = document_.find("apiVersion");
  if (version->text != kApiVersionOfKnative) {
    wrong(*version, "apiVersion",
          fmt::format("found \"{}\", expected {}", printable(version->text, 60),
                      kApiVersionOfKnative));
    return autoscaler;
  }
  read_metadata(autoscaler);
  read_annotations();
  read_settings(autoscaler);
  read_container(autoscaler.target.process);
  autoscaler.gateway.emplace();
  leave("spec", {"spec"}, {"template"});
  leave("spec.template", {"spec", "template"}, {"metadata", "spec"});
  leave("spec.template.metadata", {"spec", "template", "metadata"}, {"annotations", "name"});
  leave(kTemplate, {"spec", "template", "spec"}, {"containers", "containerConcurrency"});
  return autoscaler;
}

}  // namespace

Autoscaler read_knative_service(const Node& document, Problems& problems, Problems& warnings,
                                std::vector<std::string>& left_behind) {
  return ServiceReader(document, problems, warnings, left_behind).read();
}

}  // namespace headroom::policy
