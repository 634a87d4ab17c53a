#include "cli/reasons.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/meaning.h"
#include "cli/tell.h"
#include "decide/explain.h"
#include "decide/steps.h"
#include "decide/words.h"
#include "gateway/failures.h"
#include "journal/event_kinds.h"
#include "server/health.h"
#include "target/states.h"
#include "target/troubles.h"

namespace headroom::cli {
namespace {

using policy::Metric;

namespace step = decide::step;

/// What the examples' steps are about.
struct Scene {
  policy::Autoscaler policy;
  decide::Observation seen;
};

/// A metric of each of the types that StepKind::Example names and some more, and the gateway's
/// load.
Scene scene_of(std::string_view code) {
  Scene scene;
  auto& [policy, seen] = scene;
  policy.name = "shop";
  policy.metrics = {{.name = "cpu"},
                    {.type = Metric::Type::pods, .name = "requests_per_second"},
                    {.type = Metric::Type::external, .name = "queue"},
                    {.type = Metric::Type::container_resource, .name = "cpu", .container = "app"},
                    {.type = Metric::Type::object,
                     .name = "requests",
                     .described_object = policy::ObjectReference{"v1", "Ingress", "main"}},
                    {.name = "memory"}};
  policy.concurrency.emplace().target = 10;
  if (code == step::kRequestRate) {
    policy.concurrency->metric = policy::Concurrency::Metric::rps;
    policy.concurrency->target = 150;
  }
  if (code == step::kScaleUpLimit || code == step::kScaleDownLimit) policy.behavior.emplace();
  seen.load = decide::Load{};
  seen.metrics.resize(policy.metrics.size());
  seen.metrics[2].failed = decide::Absent{decide::Absent::Reason::timeout, "no route to host"};
  return scene;
}

/// A step that says something else than its kind's example.
struct Further {
  std::string_view code;
  std::int32_t before, after;
  std::array<double, 4> inputs = {};
  std::int32_t metric = -1;
  void (*change)(Scene&) = [](Scene&) {};
};

/// Each wording that explain.cpp has beside those of StepKind::example; a test compares.
constexpr std::array kFurther = {
    Further{step::kUtilization, 4, 5, {90, 60, 1, 1.5}, 0},
    Further{step::kUtilization, 4, 3, {20, 60, 2, 0.33}, 0},
    Further{step::kUtilization, 4, 4, {63, 60, 0, 1.05}, 0},
    Further{step::kUtilization, 4, 7, {83, 60, 0, 1.3833}, 3},
    Further{step::kAverageValue, 2, 6, {300 * 1048576e3, 100 * 1048576e3, 0, 3}, 5},
    Further{step::kValue, 2, 6, {12000, 4000, 2, 3}, 4},
    Further{step::kNotReady,
            4,
            4,
            {},
            0,
            [](Scene& scene) {
              auto& replica = scene.seen.replicas.emplace_back();
              replica.id = 1;
              replica.ready = decide::Readiness{decide::Truth::yes, Instant{7s}};
              replica.cpu = decide::Measured{{500}, Instant{10s}, 10s};
              scene.seen.metrics.clear();
            }},
    Further{step::kConcurrency,
            1,
            2,
            {14.2, 60, 10},
            -1,
            [](Scene& scene) { scene.policy.concurrency->target_utilization_percentage = 100; }},
    Further{step::kPanic, 1, 3, {12, 7, 2, 0}},
    Further{step::kPanic, 1, 3, {2, 7, 1, 18}},
    Further{step::kLargestWins, 8, 8},
    Further{step::kFailedHolds, 4, 4},
    Further{step::kTriggerActive, 1, 1, {1}},
    Further{step::kTriggerFails, 2, 2, {1}},
    Further{step::kPaused, 2, 2, {0}},
    Further{step::kPaused, 2, 5, {}, -1, [](Scene& scene) { scene.policy.pause.paused = true; }},
    Further{step::kPaused, 2, 2, {}, -1, [](Scene& scene) { scene.policy.pause.paused = true; }},
    Further{step::kActivated, 0, 1, {2}},
    Further{step::kActivated, 0, 1, {0}},
    Further{step::kAsleep,
            0,
            0,
            {},
            -1,
            [](Scene& scene) { scene.seen.load = tl::unexpected(decide::Absent{}); }},
    Further{step::kScaleUpLimit,
            12,
            8,
            {8},
            -1,
            [](Scene& scene) {
              using Select = policy::ScalingRules::Select;
              scene.policy.behavior->scale_up.emplace().select_policy = Select::disabled;
            }},
    Further{
        step::kScaleUpLimit, 12, 8, {8}, -1, [](Scene& scene) { scene.policy.behavior.reset(); }},
    Further{step::kScaleUpLimit,
            12,
            8,
            {8},
            -1,
            [](Scene& scene) {
              scene.policy.behavior.reset();
              scene.policy.target.scale_target_ref.emplace();
            }},
    Further{step::kScaleDownLimit,
            2,
            6,
            {6},
            -1,
            [](Scene& scene) {
              using Select = policy::ScalingRules::Select;
              scene.policy.behavior->scale_down.emplace().select_policy = Select::disabled;
            }},
    Further{step::kPinned, 3, 5, {-1, 0}},
    Further{step::kPinned, 3, 5, {-1, 1}},
};

decide::Step example_step(const decide::StepKind& kind) {
  const auto& [stage, before, after, inputs, metric] = kind.example;
  return {.stage = stage,
          .code = kind.code,
          .before = {before},
          .after = {after},
          .inputs = inputs,
          .source = metric,
          .text = {}};
}

decide::Decision in_words(decide::Decision decision, const Scene& scene) {
  decide::put_into_words(scene.policy, scene.seen, decision);
  return decision;
}

/// A line of the page's code.
std::string step_line(decide::Step step, const Scene& scene) {
  decide::Decision decision;
  decision.steps = {std::move(step)};
  const auto told = in_words(std::move(decision), scene);
  return fmt::format("    {}\n", tell_step(told.steps.front()));
}

std::string examples_of(const decide::StepKind& kind) {
  auto lines = step_line(example_step(kind), scene_of(kind.code));
  for (const auto& further : kFurther) {
    if (further.code != kind.code) continue;
    auto scene = scene_of(kind.code);
    further.change(scene);
    auto step = example_step(kind);
    step.before = {further.before};
    step.after = {further.after};
    step.inputs = further.inputs;
    step.source = further.metric;
    lines += step_line(std::move(step), scene);
  }
  return lines;
}

/// "`percent`, `target`", or nothing.
std::string inputs_of(const decide::StepKind& kind) {
  std::string names;
  for (const auto name : kind.inputs) {
    if (!name.empty()) names += fmt::format("{}`{}`", names.empty() ? "" : ", ", name);
  }
  return names.empty() ? "" : fmt::format(" Its `inputs`: {}.", names);
}

/// With a large first letter and a full stop.
std::string sentence(std::string_view text) {
  std::string made(text);
  // A field's or a thing's name stays as it is spelt.
  const auto word = made.substr(0, made.find_first_of(" :'"));
  const bool plain = std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
  if (plain) made[0] = static_cast<char>(made[0] - 'a' + 'A');
  return made + ".";
}

std::string steps() {
  struct Stage {
    decide::Step::Stage stage;
    std::string_view about;
  };
  using enum decide::Step::Stage;
  constexpr Stage kStages[] = {
      {recommend, "Each metric, and the gateway's load, gives a number, or says why it has none."},
      {combine, "The largest wins; what could not be read never lowers the number."},
      {activate, "From zero (or idle), and back to it."},
      {stabilise, "The windows of `behavior`."},
      {limit, "The rates of `behavior`, the maximum, the minimum, an operator's word."}};
  std::string page;
  for (const auto& [stage, about] : kStages) {
    page += fmt::format("### {}\n\n{}\n\n", decide::word(stage), about);
    for (const auto& kind : decide::kSteps) {
      if (kind.example.stage != stage) continue;
      page += fmt::format("#### {}\n\n{}\n{}{}\n*What to do:* {}\n\n", kind.code, examples_of(kind),
                          sentence(kind.meaning), inputs_of(kind), kind.advice);
    }
  }
  return page;
}

/// The condition as it is said, after the step that it is about, where there is one.
std::string condition_line(const decide::ReasonKind& kind) {
  decide::Decision decision;
  const auto step = std::ranges::find(decide::kSteps, kind.reason, &decide::StepKind::code);
  if (step != decide::kSteps.end()) decision.steps = {example_step(*step)};
  decision.conditions = {{kind.type, kind.status, kind.reason, ""}};
  const auto told = in_words(std::move(decision), scene_of(kind.reason));
  return tell_condition(told.conditions.front());
}

std::string conditions() {
  std::string page, type;
  for (const auto& kind : decide::kReasons) {
    if (kind.type != type) {
      type = kind.type;
      page += fmt::format("{}### {}\n\n| Reason | As it is said | What to do |\n|---|---|---|\n",
                          page.empty() ? "" : "\n", type);
    }
    page += fmt::format("| `{}` | {} | {} |\n", kind.reason, condition_line(kind), kind.advice);
  }
  return page + "\n";
}

/// Rows of whatever has an about(), from its first value to its last.
template <class E>
std::string rows(std::string_view head, std::string_view how) {
  std::string page = fmt::format("{}\n|---|---|---|---|\n", head);
  if (how.empty()) page = fmt::format("{}\n|---|---|---|\n", head);
  for (int i = 0; !about(static_cast<E>(i)).name.empty(); ++i) {
    const auto [name, meaning, advice, example] = about(static_cast<E>(i));
    page += fmt::format("| `{}` | {} |", name, meaning);
    if (!how.empty()) page += " " + fmt::format(fmt::runtime(how), example) + " |";
    page += fmt::format(" {} |\n", advice);
  }
  return page + "\n";
}

Meaning about(decide::Absent::Reason reason) {
  using Reason = decide::Absent::Reason;
  switch (reason) {
    case Reason::unreachable:
      return {"", "nobody answers there", "Look at the address, and whether it runs.", ""};
    case Reason::timeout:
      return {"", "no answer in time", "Look at whether it is overloaded, or the network.", ""};
    case Reason::no_data:
      return {"", "an answer without a value",
              "Nothing right after a start; else see its name and "
              "query.",
              ""};
    case Reason::not_finite:
      return {"", "a value that is no number (NaN, infinite)",
              "Mend the query: a division by zero.", ""};
    case Reason::negative:
      return {"", "a value below zero, where none can be", "Mend the query.", ""};
    case Reason::stale:
      return {"", "a value that is too old to decide by", "Look at why no newer one comes.", ""};
  }
  return {};
}

std::string absences() {
  std::string page = "| In words | Means | What to do |\n|---|---|---|\n";
  for (int i = 0;; ++i) {
    const auto reason = static_cast<decide::Absent::Reason>(i);
    const auto meaning = about(reason);
    if (meaning.meaning.empty()) return page + "\n";
    page += fmt::format("| {} | {} | {} |\n", decide::said({.reason = reason, .answer = {}}),
                        meaning.meaning, meaning.advice);
  }
}

constexpr std::string_view kHead = R"(# Reasons

Every fixed word by which Headroom says what it did and why, made from the tables in its sources by
`headroom schema --reasons`: [steps](#steps-of-a-decision) and
[conditions](#conditions-of-a-decision) of a decision, [why there is no
reading](#why-there-is-no-reading), [states of a service](#states-of-a-service), [events](#events),
[troubles of a replica](#troubles-of-a-replica), [its states](#states-of-a-replica), [failures of
requests](#failures-of-requests). The words do not change: they are made for searching.
By symptom instead: [troubleshooting.md](troubleshooting.md). How a decision is made:
[decide.md](decide.md).

## Steps of a decision

As `headroom explain` prints them: the stage, the number of replicas before and after, the same in
words, the code. A kind that says several things has a line for each. In JSON
the code is `code`, and the step's numbers stand under `inputs`.

)";

constexpr std::string_view kConditions = R"(## Conditions of a decision

As Kubernetes' and KEDA's status has them: in the last lines of `headroom explain`, under
`conditions` in JSON, and as `headroom_condition{condition,reason,status}` among the metrics.

)";

constexpr std::string_view kAbsences = R"(## Why there is no reading

Unknown is not zero: what cannot be read takes nobody's replicas away. The source's own answer follows
in brackets.

)";

constexpr std::string_view kHealth = R"(## States of a service

As the dashboard, `headroom status` and `headroom top` show them, and as `state` in JSON: one for each
service, the first of these that is so. From crashing to late they need somebody's attention.

)";

constexpr std::string_view kEvents = R"(## Events

As `headroom events` and the dashboard show them; `--kind` picks one.

)";

constexpr std::string_view kTroubles = R"(## Troubles of a replica

What the events of kind `trouble` say (`headroom events --kind trouble`). One that ended, or was
stopped, is started again, after 0.1 s at first, then twice as long each time, up to a minute; ten
seconds of being ready, and it begins anew.

)";

constexpr std::string_view kStates = R"(## States of a replica

As `headroom status` shows them, and by number in `headroom_replicas{state}` (there `backing_off`).

)";

constexpr std::string_view kFailures = R"(## Failures of requests

Requests that no replica answered, by `headroom_request_failures_total{reason}`. What the gateway
answers itself has a `Proxy-Status` header; [gateway.md](gateway.md) has all of its rules.

)";

}  // namespace

std::string reasons_page() {
  std::string page(kHead);
  page += steps();
  page += kConditions;
  page += conditions();
  page += kAbsences;
  page += absences();
  page += kHealth;
  page += rows<server::Health>("| State | Means | What to do |", "");
  page += kEvents;
  page += rows<journal::Event::Kind>("| Kind | Means | For example | What to do |", "{}");
  page += kTroubles;
  page += rows<target::Trouble>("| In words | Means | For example | What to do |", "{}");
  page += kStates;
  page += rows<target::Replica::State>("| State | Means | What to do |", "");
  page += kFailures;
  page += rows<gateway::Failure>("| Reason | Means | The client gets | What to do |", "{}");
  page.pop_back();
  return page;
}

}  // namespace headroom::cli
