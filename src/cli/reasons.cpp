#include "cli/reasons.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/meaning.h"
#include "cli/tell.h"
#include "decide/explain.h"
#include "decide/steps.h"
#include "decide/words.h"
#include "gateway/failures.h"
#include "journal/event_kinds.h"
#include "target/states.h"
#include "target/troubles.h"

namespace headroom::cli {
namespace {

using policy::Metric;

/// What the examples' steps are about: a metric of each of the types that StepKind::Example names,
/// or the gateway's load.
policy::Autoscaler example_policy(bool by_rate) {
  policy::Autoscaler policy;
  policy.name = "shop";
  policy.metrics = {{.name = "cpu"},
                    {.type = Metric::Type::pods, .name = "requests_per_second"},
                    {.type = Metric::Type::external, .name = "queue"}};
  policy.concurrency.emplace().window = 60s;
  if (by_rate) policy.concurrency->metric = policy::Concurrency::Metric::rps;
  return policy;
}

decide::Observation example_observation(std::string_view code) {
  decide::Observation seen;
  if (code == decide::step::kAsleep) seen.load = decide::Load{};
  seen.metrics.resize(3);
  seen.metrics[2].failed = decide::Absent{decide::Absent::Reason::timeout, "no route to host"};
  return seen;
}

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

decide::Decision in_words(decide::Decision decision, std::string_view code) {
  auto policy = example_policy(code == decide::step::kRequestRate);
  const bool limits = code == decide::step::kScaleUpLimit || code == decide::step::kScaleDownLimit;
  if (limits) policy.behavior.emplace();
  decide::put_into_words(policy, example_observation(code), decision);
  return decision;
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
      decide::Decision decision;
      decision.steps = {example_step(kind)};
      const auto line = tell_step(in_words(std::move(decision), kind.code).steps.front());
      page += fmt::format("#### {}\n\n    {}\n\n{}{}\n*What to do:* {}\n\n", kind.code, line,
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
  return tell_condition(in_words(std::move(decision), kind.reason).conditions.front());
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
reading](#why-there-is-no-reading), [events](#events), [troubles of a replica](#troubles-of-a-replica), [its
states](#states-of-a-replica), [failures of requests](#failures-of-requests). The words do not change: they are made for searching.
By symptom instead: [troubleshooting.md](troubleshooting.md). How a decision is made:
[decide.md](decide.md).

## Steps of a decision

As `headroom explain` prints them: the stage, the number of replicas before and after, the same in
words, the code. In JSON the code is `code`, and the step's numbers stand under `inputs`.

)";

constexpr std::string_view kConditions = R"(## Conditions of a decision

As Kubernetes' and KEDA's status has them: in the last lines of `headroom explain`, under
`conditions` in JSON, and as `headroom_condition{condition,reason,status}` among the metrics.

)";

constexpr std::string_view kAbsences = R"(## Why there is no reading

Unknown is not zero: what cannot be read takes nobody's replicas away. The source's own answer follows
in brackets.

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
