#include <map>

#include <fmt/format.h>

#include "conformance/family.h"
#include "conformance/keda_object.h"
#include "decide/keda_activation.h"
#include "decide/steps.h"

namespace headroom::conformance {
namespace {

namespace json = boost::json;
using decide::KedaAnswer;
using decide::Truth;

constexpr const char* kStatus[] = {"False", "True", "Unknown"};

Instant seconds(std::int64_t count) { return Instant(std::chrono::seconds(count)); }

/// The HPA's condition, with one of our own words as its reason.
decide::Condition scaling_active(const json::object& hpa) {
  const auto& status = hpa.at("status").as_string();
  decide::Condition made{.type = "ScalingActive"};
  made.status = status == "True" ? Truth::yes : status == "False" ? Truth::no : Truth::unknown;
  for (const auto& known : decide::kReasons) {
    if (known.reason == std::string_view(hpa.at("reason").as_string())) made.reason = known.reason;
  }
  return made;
}

json::array as_json(const std::vector<decide::Condition>& conditions) {
  std::map<std::string_view, json::object> sorted;
  for (const auto& each : conditions) {
    sorted[each.type] = {{"type", each.type},
                         {"status", kStatus[static_cast<std::size_t>(each.status)]},
                         {"reason", each.reason}};
  }
  json::array made;
  for (auto& [type, condition] : sorted) made.push_back(condition);
  return made;
}

json::array sorted(const json::array& conditions) {
  std::map<std::string, json::value> by_type;
  for (const auto& each : conditions) {
    by_type[std::string(each.as_object().at("type").as_string())] = each;
  }
  json::array made;
  for (auto& [type, condition] : by_type) {
    made.push_back(json::object{{"type", condition.at("type")},
                                {"status", condition.at("status")},
                                {"reason", condition.at("reason")}});
  }
  return made;
}

class Player {
 public:
  explicit Player(const json::object& sample)
      : object_(sample.at("scaledObject").as_object()),
        policy_(read_scaled_object(object_)),
        names_(sample.at("externalMetricNames").as_array()) {
    memory_.keda.created = seconds(sample.at("created").as_int64());
    if (const auto* at = sample.at("lastActiveTime").if_int64()) {
      memory_.keda.last_active = seconds(*at);
    }
  }

  void play(const json::object& poll, const std::string& path, Differences& differences) {
    if (const auto* change = poll.if_contains("edit")) edit(change->as_object());
    const auto* fault = poll.if_contains("fault");
    const bool unreadable = fault != nullptr && fault->as_string() == "read";
    const bool refused = fault != nullptr && fault->as_string() == "write";
    const auto* spec_replicas = poll.at("replicas").if_int64();
    const Replicas current{
        static_cast<std::int32_t>(spec_replicas != nullptr ? *spec_replicas : 1)};
    const decide::TriggersSeen triggers{poll.at("isActive").as_bool(),
                                        poll.at("isError").as_bool()};
    const Instant now{Millis(poll.at("t").as_int64())};

    std::vector<decide::Condition> conditions;
    const auto answer = decide::activate_by_keda(
        policy_, unreadable ? std::nullopt : std::optional(current), triggers, now, memory_);
    decide::conclude(answer, refused, now, memory_, conditions);
    const bool looks_at_hpa =
        answer.rule != KedaAnswer::Rule::unreadable && answer.rule != KedaAnswer::Rule::paused;
    if (const auto* hpa = poll.if_contains("hpa"); hpa != nullptr && looks_at_hpa) {
      decide::set_hpa_active(scaling_active(hpa->as_object()), conditions);
    }
    note_triggers(poll);

    const auto& want = poll.at("want").as_object();
    const bool written = answer.write && !refused;
    const auto replicas = written ? answer.replicas.count : current.count;
    const bool unset = spec_replicas == nullptr && !written;
    expect_equal(want.at("replicas"), unset ? json::value(nullptr) : json::value(replicas),
                 path + ".replicas", differences);
    expect_equal(want.at("written"), written, path + ".written", differences);
    expect_equal(want.at("error"), unreadable || (answer.write && refused), path + ".error",
                 differences);
    expect_equal(sorted(want.at("conditions").as_array()), as_json(conditions),
                 path + ".conditions", differences);
    expect_equal(want.at("lastActiveTime"), last_active(), path + ".lastActiveTime", differences);
    expect_equal(want.at("triggersActivity"), activity_, path + ".triggersActivity", differences);
    expect_equal(want.at("events"), events(answer, poll, refused), path + ".events", differences);
  }

 private:
  void edit(const json::object& change) {
    if (const auto* annotations = change.if_contains("annotations")) {
      object_["metadata"].as_object()["annotations"] = *annotations;
    }
    if (const auto* spec = change.if_contains("spec")) object_["spec"] = *spec;
    policy_ = read_scaled_object(object_);
  }

  json::value last_active() const {
    if (!memory_.keda.last_active) return nullptr;
    return memory_.keda.last_active->time_since_epoch().count() / 1000;
  }

  /// status.triggersActivity: a check sets it anew, a push its own entry only.
  void note_triggers(const json::object& poll) {
    if (const auto* pushed = poll.if_contains("push")) {
      activity_[pushed->as_string()] = poll.at("isActive");
      return;
    }
    activity_.clear();
    for (const auto& name : names_) activity_[name.as_string()] = false;
    for (const auto& name : poll.at("activeTriggers").as_array()) {
      if (activity_.contains(name.as_string())) activity_[name.as_string()] = true;
    }
  }

  json::array events(const KedaAnswer& answer, const json::object& poll, bool refused) const {
    std::string triggers;
    for (const auto& name : poll.at("activeTriggers").as_array()) {
      triggers += (triggers.empty() ? "" : ";") + std::string(name.as_string());
    }
    const auto& ref = *policy_.target.scale_target_ref;
    const auto target = fmt::format("{}.{} {}/{}", ref.api_version, ref.kind, "d", ref.name);
    const auto event =
        decide::event_of(answer, policy_, target, triggers, refused ? "refused" : "");
    if (!event) return {};
    return {json::object{{"type", event->warning ? "Warning" : "Normal"},
                         {"reason", event->reason},
                         {"note", event->note}}};
  }

  json::object object_;
  policy::Autoscaler policy_;
  const json::array& names_;
  json::object activity_;
  decide::Memory memory_;
};

}  // namespace

Differences play_keda_executor(const json::object& sample) {
  Differences differences;
  Player player(sample);
  std::size_t number = 0;
  for (const auto& poll : sample.at("polls").as_array()) {
    player.play(poll.as_object(), fmt::format("polls[{}]", number++), differences);
  }
  return differences;
}

}  // namespace headroom::conformance
