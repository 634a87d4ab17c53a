#include "support/program.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/print.h"
#include "places.h"
#include "support/temporary.h"

namespace headroom {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Ended {
  int code = 0;
  std::string out, err;
};

Ended call(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), HEADROOM_PROGRAM);
  Program program(std::move(arguments), environment);
  const int code = program.wait();
  return {code, program.out(), program.err()};
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr const char* kDocument =
    "apiVersion: headroom.dev/v1alpha1\n"
    "kind: Autoscaler\n"
    "metadata: { name: shop }\n"
    "spec:\n"
    "  target: { process: { command: [\"./shop\", $(PORT)] } }\n"
    "  maxReplicas: 3\n";

constexpr const char* kHpa =
    "apiVersion: autoscaling/v2\n"
    "kind: HorizontalPodAutoscaler\n"
    "metadata: { name: web }\n"
    "spec:\n"
    "  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }\n"
    "  maxReplicas: 10\n";

TEST(CommandLine, ExitCodesAndWhereItSpeaks) {
  TemporaryFolder folder;
  write(folder / "app.yaml", kDocument);
  write(folder / "bad.yaml", std::string(kDocument) + "  minReplica: 1\n");
  const std::string file = folder / "app.yaml", bad = folder / "bad.yaml";
  write(folder / "hpa.yaml", std::string(kHpa) + "  minReplicas: 2\n");
  write(folder / "bad-hpa.yaml", std::string(kHpa) + "  minReplicas: 12\n");
  write(folder / "object.yaml",
        "apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: { name: web }\n"
        "spec: { maxReplicas: 2, target: { scaleTargetRef: { kind: Deployment, name: web } } }\n");
  write(
      folder / "scaled.yaml",
      "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: { name: web }\nspec:\n"
      "  scaleTargetRef: { name: web }\n"
      "  triggers:\n"
      "  - type: cron\n"
      "    metadata: { timezone: UTC, start: 0 6 * * *, end: 0 20 * * *, desiredReplicas: '3' }\n");
  const std::string scaled = folder / "scaled.yaml";
  const std::string service = folder / "knative.yaml", bad_service = folder / "bad-knative.yaml";
  write(service,
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: web }\nspec:\n"
        "  template:\n    metadata: { annotations: { autoscaling.knative.dev/min-scale: \"1\", "
        "autoscaling.knative.dev/max-scale: \"3\", autoscaling.knative.dev/metric: rps } }\n"
        "    spec: { containers: [ { command: [ ./web ] } ] }\n");
  auto refused = read(service);
  refused.replace(refused.find("\"1\""), 3, "\"-1\"");
  write(bad_service, refused);
  const std::string elsewhere = folder / "elsewhere.yaml";
  auto moved = read(scaled);
  moved.replace(moved.find("UTC"), 3, "Nowhere/City");
  write(elsewhere, moved);
  const std::string hpa = folder / "hpa.yaml", bad_hpa = folder / "bad-hpa.yaml";
  struct Case {
    const char* why;
    std::vector<std::string> arguments;
    int code;
    const char *out, *err;
  };
  const Case cases[] = {
      {"nothing asked", {}, 2, "Usage: headroom", ""},
      {"help", {"--help"}, 0, "Exit codes: 0 done, 1 failed, 2", ""},
      {"help of a verb has examples", {"run", "--help"}, 0, "Examples:", ""},
      {"help of a verb has examples", {"explain", "--help"}, 0, "Examples:", ""},
      {"help of a verb has examples", {"schema", "--help"}, 0, "Examples:", ""},
      {"help of a verb has examples", {"completion", "--help"}, 0, "Examples:", ""},
      {"help of a verb has examples", {"check", "--help"}, 0, "Examples:", ""},
      {"help of a verb has examples", {"convert", "--help"}, 0, "Examples:", ""},
      {"help of a verb has examples", {"version", "--help"}, 0, "Example:", ""},
      {"the version, as a flag", {"--version"}, 0, "headroom 0.", ""},
      {"the version, as a verb", {"version"}, 0, "headroom 0.", ""},
      {"an unknown verb", {"rnu"}, 2, "", "found \"rnu\", did you mean \"run\"?"},
      {"an unknown verb whose help is asked for", {"applyy", "--help"}, 2, "", "found \"applyy\""},
      {"an unknown flag", {"run", "--mni", "1", "--", "x"}, 2, "", "did you mean \"--min\"?"},
      {"a flag without its value", {"run", "--min"}, 2, "", "--min"},
      {"a word for a number", {"run", "--max", "many", "--", "x"}, 2, "", "--max"},
      {"quiet and verbose", {"run", "-q", "-v", "--", "x"}, 2, "", "excludes"},
      {"no command and no file", {"run"}, 2, "", "found no command"},
      {"dashes and no command", {"run", "--"}, 2, "", "found no command"},
      {"a file and a flag of documents", {"run", file, "--min", "1"}, 2, "", "--min and the file"},
      {"a file and a command", {"run", file, "--", "x"}, 2, "", "which one?"},
      {"no such file", {"run", "/nonexistent.yaml"}, 1, "", "/nonexistent.yaml"},
      {"a bad document, with its place",
       {"run", bad},
       2,
       "",
       "bad.yaml:7:3: unknown field \"minReplica\""},
      {"the field that was meant", {"run", bad}, 2, "", "minReplicas"},
      {"flags that make a bad document show it",
       {"run", "--max", "-1", "--", "x"},
       2,
       "",
       "maxReplicas: -1"},
      {"a document is printed", {"run", "--print", file}, 0, "name: shop", ""},
      {"flags after dashes are the command's",
       {"run", "--print", "--", "x", "--min", "7"},
       0,
       "[x, --min, \"7\"]",
       ""},
      {"the schema", {"schema"}, 0, "\"$schema\"", ""},
      {"the page of a verb", {"man", "run"}, 0, ".SH EXIT STATUS\n", ""},
      {"the page of no verb", {"man", "rnu"}, 2, "", "found no verb \"rnu\""},
      {"pages where there can be no folder",
       {"man", "--into", "/dev/null/x"},
       1,
       "",
       "/dev/null/x"},
      {"completions of no shell", {"completion"}, 2, "", "required"},
      {"a shell that is none", {"completion", "tcsh"}, 2, "", "tcsh"},
      {"what runs in Kubernetes is not run here",
       {"run", folder / "object.yaml"},
       2,
       "",
       "web: spec.target.scaleTargetRef: found Deployment web, expected target.process"},
      {"an HPA that can be run",
       {"check", hpa},
       0,
       "hpa.yaml:1: ok HorizontalPodAutoscaler web → 2..10 replicas, metrics cpu\n",
       ""},
      {"an Autoscaler that can be run", {"check", file}, 0, "ok Autoscaler shop → 1..3", ""},
      {"a Service of Knative's that can be run",
       {"check", service},
       0,
       "knative.yaml:1: ok Service web → 1..3 replicas, requests per second\n",
       ""},
      {"one that its webhook refuses",
       {"check", bad_service},
       1,
       "",
       "bad-knative.yaml:6:67: "
       "spec.template.metadata.annotations.autoscaling.knative.dev/min-scale: "
       "found \"-1\", expected at least 0"},
      {"it becomes a process behind a gateway", {"convert", service}, 0, "metric: rps\n", ""},
      {"an HPA that the server refuses",
       {"check", bad_hpa},
       1,
       "",
       "bad-hpa.yaml:6:16: spec.maxReplicas: found 10, expected at least minReplicas (12)"},
      {"a zone that this machine does not know is a warning",
       {"check", elsewhere},
       0,
       "elsewhere.yaml:1:1: warning: spec.triggers[0].metadata: unknown time zone "
       "\"Nowhere/City\": the trigger fails\n",
       ""},
      {"no file to check", {"check", "/nonexistent.yaml"}, 1, "", "/nonexistent.yaml"},
      {"nothing to check", {"check"}, 2, "", "files"},
      {"an HPA is converted", {"convert", hpa}, 0, "      kind: Deployment\n", ""},
      {"and what cannot be says why", {"convert", bad_hpa}, 1, "", "expected at least minReplicas"},
      {"a process is no HPA's",
       {"convert", "--to", "hpa", file},
       1,
       "",
       "shop: found target.process, which a HorizontalPodAutoscaler cannot say"},
      {"a ScaledObject is converted", {"convert", scaled}, 0, "    - type: cron\n", ""},
      {"and back", {"convert", "--to", "scaledobject", scaled}, 0, "kind: ScaledObject\n", ""},
      {"an HPA has no triggers",
       {"convert", "--to", "hpa", scaled},
       1,
       "",
       "web: found triggers, which a HorizontalPodAutoscaler cannot say"},
      {"cpu and memory are an HPA's, too",
       {"convert", "--to", "hpa", SOURCES "/tests/policy/wild/keda-cpu-memory.yaml"},
       0,
       "averageUtilization: 75\n",
       ""},
      {"a kind that is none", {"convert", "--to", "knative", file}, 2, "", "knative"},
      {"no replica",
       {"logs", "shop", "--replica", "0"},
       2,
       "",
       "--replica: found \"0\", expected a whole number from 1 to "},
      {"a word for a replica",
       {"logs", "shop", "--replica", "x"},
       2,
       "",
       "found \"x\", expected a"},
      {"less than none",
       {"scale", "shop", "-1"},
       2,
       "",
       "replicas: found \"-1\", expected a whole number from 0 to 1000000\n"},
      {"a number that is none", {"scale", "shop", "2x"}, 2, "", "found \"2x\", expected a whole"},
      {"a hold for no time",
       {"scale", "shop", "2", "--for", "0"},
       2,
       "",
       "--for: found \"0\", expected a time such as 10m, at most 366d\n"},
      {"a hold for ever",
       {"pause", "shop", "--for", "1000000h"},
       2,
       "",
       "--for: found \"1000000h\", expected a time such as 10m, at most 366d\n"},
      {"a journal that nothing runs with",
       {"status", "--journal", folder / "none.db"},
       1,
       "",
       "no Headroom runs with the journal /"},
      {"a period that ends before it begins",
       {"events", "--since", "5m ago", "--until", "10m ago"},
       2,
       "",
       "--until: it is before --since"},
      {"no journal", {"explain", "--journal", folder / "none.db"}, 1, "", "none.db"},
      {"no journal anywhere", {"explain"}, 1, "", "no journal found"},
      {"a time that is none", {"explain", "--at", "noonish"}, 2, "", "--at: found \"noonish\""},
  };
  for (const auto& [why, arguments, code, out, err] : cases) {
    SCOPED_TRACE(why);
    const auto ended = call(arguments, {"XDG_STATE_HOME=" + folder.path()});
    EXPECT_EQ(ended.code, code) << ended.out << ended.err;
    EXPECT_THAT(ended.out, HasSubstr(out));
    EXPECT_THAT(ended.err, HasSubstr(err));
    if (code != 0 && !arguments.empty()) {
      EXPECT_EQ(ended.out, "");
    }
    if (code == 0) {
      EXPECT_EQ(ended.err, "");
    }
  }
}

TEST(CommandLine, WhatFollowsAnUnknownWordIsNoOtherMistake) {
  EXPECT_EQ(call({"statsu", "shop"}).err, "headroom: found \"statsu\", did you mean \"status\"?\n");
  EXPECT_EQ(call({"run", "--mni", "1", "--", "x"}).err,
            "headroom: found \"--mni\", did you mean \"--min\"?\n");
}

TEST(CommandLine, APrintedDocumentRunsAsTheFlagsDo) {
  TemporaryFolder folder;
  const auto first = call({"run",
                           "--print",
                           "--name",
                           "shop",
                           "--min",
                           "0",
                           "--max",
                           "6",
                           "--concurrency",
                           "7.5",
                           "--limit",
                           "20",
                           "--cpu",
                           "70",
                           "--cooldown",
                           "90s",
                           "--env",
                           "MODE=fast",
                           "--readiness-path",
                           "/readyz",
                           "--output",
                           "none",
                           "--",
                           "./shop",
                           "--port",
                           "$(PORT)",
                           "a b",
                           "- \"odd\": [x]"});
  ASSERT_EQ(first.code, 0) << first.err;
  write(folder / "printed.yaml", first.out);
  const auto again = call({"run", "--print", folder / "printed.yaml"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
}

TEST(CommandLine, AFileOfSeveralIsPrintedWhole) {
  TemporaryFolder folder;
  std::string second = kDocument;
  second.replace(second.find("shop"), 4, "mail");
  write(folder / "both.yaml", std::string(kDocument) + "---\n" + second);
  const auto ended = call({"run", "--print", folder / "both.yaml"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("name: shop"));
  EXPECT_THAT(ended.out, HasSubstr("\n---\n"));
  EXPECT_THAT(ended.out, HasSubstr("name: mail"));
}

TEST(CommandLine, ChecksAreJsonForOtherPrograms) {
  TemporaryFolder folder;
  write(folder / "a.yaml", std::string(kHpa) + "  minReplica: 2\n---\nkind: Service\n---\n" +
                               std::string(kHpa) + "  minReplicas: 12\n");
  const auto ended = call({"check", "-o", "json", folder / "a.yaml"});
  EXPECT_EQ(ended.code, 1) << ended.err;
  boost::system::error_code error;
  const auto all = boost::json::parse(ended.out, error);
  ASSERT_FALSE(error) << ended.out;
  ASSERT_EQ(all.as_array().size(), 3U);
  const auto& first = all.at(0).as_object();
  EXPECT_EQ(first.at("kind"), "HorizontalPodAutoscaler");
  EXPECT_EQ(first.at("name"), "web");
  EXPECT_TRUE(first.at("ok").as_bool());
  EXPECT_EQ(first.at("line"), 1);
  EXPECT_EQ(first.at("warnings").at(0).at("line"), 7);
  EXPECT_TRUE(all.at(1).at("skipped").as_bool());
  const auto& last = all.at(2).as_object();
  EXPECT_FALSE(last.at("ok").as_bool());
  bool said = false;
  for (const auto& each : last.at("errors").as_array()) {
    said = said || (each.at("path") == "spec.maxReplicas" && each.at("column") == 16);
  }
  EXPECT_TRUE(said) << ended.out;
}

TEST(CommandLine, YamlIsTheSameDataAsJson) {
  TemporaryFolder folder;
  write(folder / "hpa.yaml", std::string(kHpa) + "  minReplica: 2\n");
  write(folder / "seen.json", read(SOURCES "/examples/observations/hpa.json"));
  const std::string policy = SOURCES "/examples/kubernetes/hpa.yaml";
  const std::vector<std::string> verbs[] = {
      {"check", folder / "hpa.yaml"},
      {"decide", "--policy", policy, "--observation", folder / "seen.json"},
      {"schema"},
      {"version"},
  };
  for (const auto& verb : verbs) {
    SCOPED_TRACE(verb.front());
    const auto as = [&verb](const char* format) {
      auto words = verb;
      words.insert(words.end(), {"-o", format});
      return call(words);
    };
    const auto json = as("json"), yaml = as("yaml");
    EXPECT_EQ(json.code, 0) << json.err;
    EXPECT_EQ(yaml.code, 0) << yaml.err;
    boost::json::parse_options deep;
    deep.max_depth = 64;
    boost::system::error_code error;
    const auto value = boost::json::parse(json.out, error, {}, deep);
    ASSERT_FALSE(error) << json.out;
    EXPECT_EQ(yaml.out, cli::to_yaml_text(value));
    EXPECT_EQ(as("xml").code, 2);
  }
}

TEST(CommandLine, WhatIsConvertedIsAListForPrograms) {
  TemporaryFolder folder;
  const std::string files[] = {SOURCES "/examples/kubernetes/hpa.yaml",
                               SOURCES "/examples/kubernetes/queue.yaml",
                               SOURCES "/examples/kubernetes/knative.yaml",
                               SOURCES "/tests/policy/wild/keda-cpu-memory.yaml"};
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    const auto list = call({"convert", "-o", "json", file});
    ASSERT_EQ(list.code, 0) << list.err;
    const auto value = boost::json::parse(list.out);
    EXPECT_EQ(value.at("kind"), "List");
    write(folder / "list.json", list.out);
    // Read back, it is what the YAML is: no type and no text was changed.
    EXPECT_EQ(call({"convert", folder / "list.json"}).out, call({"convert", file}).out);
  }
  EXPECT_EQ(call({"convert", "-o", "table", SOURCES "/tests/policy/wild/hpa-exported.yaml"}).out,
            "KIND                     NAME      BECOMES     LEFT BEHIND\n"
            "HorizontalPodAutoscaler  payments  autoscaler  metadata.annotations\n");
}

TEST(CommandLine, AConvertedHpaConvertsBack) {
  TemporaryFolder folder;
  write(folder / "hpa.yaml", std::string(kHpa) + "  minReplicas: 2\n");
  const auto there = call({"convert", folder / "hpa.yaml"});
  ASSERT_EQ(there.code, 0) << there.err;
  write(folder / "autoscaler.yaml", there.out);
  EXPECT_EQ(call({"check", folder / "autoscaler.yaml"}).code, 0);
  const auto back = call({"convert", "--to", "hpa", folder / "autoscaler.yaml"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_THAT(back.out, StartsWith("apiVersion: autoscaling/v2\n"));
  write(folder / "back.yaml", back.out);
  EXPECT_EQ(call({"convert", folder / "back.yaml"}).out, there.out);
}

TEST(CommandLine, TheSchemaIsJson) {
  const auto ended = call({"schema"});
  boost::system::error_code error;
  const auto schema = boost::json::parse(ended.out, error);
  ASSERT_FALSE(error) << error.message();
  EXPECT_TRUE(schema.as_object().contains("properties"));
}

TEST(CommandLine, ThePagesThatItMakesAreThoseInDocs) {
  for (const std::string page : {"reference", "reasons"}) {
    const auto ended = call({"schema", "--" + page});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(ended.out == read(SOURCES "/docs/" + page + ".md"))
        << "it differs; write it anew: headroom schema --" << page << " > docs/" << page << ".md";
  }
}

/// The texts between quotes, at what is filled in taken apart: "at most ", " (maxReplicas) ".
std::vector<std::string> words_of(const std::string& source) {
  static const std::regex kText(R"re("((?:[^"\\]|\\.)*)")re"), kFilledIn(R"(\{[^}]*\})");
  std::vector<std::string> words;
  for (std::sregex_iterator text(source.begin(), source.end(), kText), end; text != end; ++text) {
    const auto inside = text->str(1);
    std::copy(std::sregex_token_iterator(inside.begin(), inside.end(), kFilledIn, -1),
              std::sregex_token_iterator(), std::back_inserter(words));
  }
  return words;
}

TEST(CommandLine, TheReasonsPageShowsWhateverAStepMaySay) {
  const auto page = read(SOURCES "/docs/reasons.md");
  const auto source = read(SOURCES "/src/decide/explain.cpp");
  const auto words = words_of(source.substr(source.find("namespace")));  // after the includes
  EXPECT_GT(words.size(), 100U);
  for (const auto& each : words) {
    EXPECT_THAT(page, HasSubstr(each)) << "wanted: an example in src/cli/reasons.cpp (kFurther)";
  }
}

TEST(CommandLine, TheVerbsPageIsTheOneInDocs) {
  const auto ended = call({"man", "--markdown"});
  EXPECT_TRUE(ended.out == read(SOURCES "/docs/verbs.md"))
      << "it differs; write it anew: headroom man --markdown > docs/verbs.md";
}

/// What the program prints is in the page, but for the first line, which has a local time.
void expect_in_page(const std::string& page, std::vector<std::string> arguments) {
  SCOPED_TRACE(testing::PrintToString(arguments));
  const auto ended = call(std::move(arguments));
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::istringstream lines(ended.out);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) EXPECT_THAT(page, HasSubstr("\n" + line + "\n"));
}

TEST(CommandLine, TheExamplesDecideAsThePagesSay) {
  ASSERT_EQ(::setenv("TZ", "UTC", 1), 0);  // the pages' times
  const std::string policies = SOURCES "/examples/kubernetes/";
  const std::string seen = SOURCES "/examples/observations/";
  expect_in_page(read(SOURCES "/docs/decide.md"),
                 {"decide", "--policy", policies + "hpa.yaml", "--observation", seen + "hpa.json"});
  expect_in_page(read(SOURCES "/docs/decide.md"),
                 {"decide", "--policy", policies + "office-hours.yaml", "--observation",
                  seen + "office-hours.json"});
  const auto page = read(SOURCES "/docs/migrate.md");
  expect_in_page(
      page, {"decide", "--policy", policies + "queue.yaml", "--observation", seen + "queue.json"});
  expect_in_page(page, {"convert", policies + "queue.yaml"});
  expect_in_page(page, {"convert", policies + "knative.yaml"});
}

TEST(CommandLine, BashTakesItsCompletions) {
  TemporaryFolder folder;
  const auto script = call({"completion", "bash"});
  ASSERT_EQ(script.code, 0) << script.err;
  write(folder / "completion", script.out);
  struct Case {
    const char *words, *last;
    const char* among;
  };
  const Case cases[] = {
      {"headroom ex", "1", "explain"},
      {"headroom run --liv", "2", "--liveness-path"},
      {"headroom completion z", "2", "zsh"},
  };
  for (const auto& [words, last, among] : cases) {
    SCOPED_TRACE(words);
    const std::string line = "set -eu; source " + (folder / "completion") + "; COMP_WORDS=(" +
                             words + "); COMP_CWORD=" + last +
                             "; _headroom; echo \"${COMPREPLY[@]}\"";
    Program bash({"/bin/bash", "-c", line});
    EXPECT_EQ(bash.wait(), 0) << bash.err();
    EXPECT_THAT(bash.out(), HasSubstr(among)) << bash.err();
  }
  EXPECT_THAT(call({"completion", "zsh"}).out, StartsWith("#compdef headroom"));
  EXPECT_THAT(call({"completion", "fish"}).out, HasSubstr("-l readiness-path"));
}

}  // namespace
}  // namespace headroom
