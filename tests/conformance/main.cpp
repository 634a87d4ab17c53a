// Plays cases that upstream's own code has answered (README.md). Says "family agreed/all" for each
// family and the first differences, field by field; exits with 1 if there is one.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <zlib.h>

#include "conformance/family.h"
#include "decide/json.h"

namespace headroom::conformance {
namespace {

struct Family {
  std::string_view name;
  Play play;
};
constexpr std::array kFamilies = {
    Family{"hpa-single", play_hpa},
    Family{"hpa-history", play_hpa},
    Family{"hpa-document", play_hpa_document},
    Family{"keda-executor", play_keda_executor},
    Family{"keda-fallback", play_keda_fallback},
    Family{"keda-formula", play_keda_formula},
    Family{"keda-validate", play_keda_validate},
    Family{"knative", play_knative},
};

constexpr int kShownCases = 5;
constexpr std::size_t kShownBugs = 3;
constexpr std::size_t kShownFields = 6;
constexpr int kCannot = 2;

constexpr std::string_view kHelp =
    R"(Plays cases that upstream's own code has answered, and compares field by field.

usage: conformance [--bugs] FILE…

  FILE     one JSON object a line, plain or gzip; the family is what the file's name begins with
  --bugs   also shows the first cases on which Headroom answers otherwise on purpose: those that
           hang on a defect of upstream

Exits with 0 if all agree, 1 if some do not, 2 if a file cannot be played.

  $ conformance hpa-single.jsonl.gz hpa-single-2.jsonl
    hpa-single-2-00017
      steps[0].conditions[1].reason: upstream "TooFewReplicas", ours "ScaleDownLimit"
  hpa-single 7999/8000

families:)";

/// The longest name that the file's begins with.
const Family* family_of(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename();
  const Family* found = nullptr;
  for (const auto& family : kFamilies) {
    if (name.starts_with(family.name) &&
        (found == nullptr || family.name.size() > found->name.size())) {
      found = &family;
    }
  }
  return found;
}

/// zlib reads plain files as they are.
class Lines {
 public:
  explicit Lines(const std::string& path) : file_(gzopen(path.c_str(), "rb")) {}
  ~Lines() {
    if (file_ != nullptr) gzclose(file_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  bool open() const { return file_ != nullptr; }
  bool next(std::string& line) {
    line.clear();
    while (gzgets(file_, piece_.data(), static_cast<int>(piece_.size())) != nullptr) {
      line += piece_.data();
      if (line.ends_with('\n')) break;
    }
    return !line.empty();
  }

 private:
  gzFile file_;
  std::array<char, 1 << 16> piece_{};
};

/// A case that did not agree, in words.
struct Shown {
  std::string name;
  Differences differences;
};

/// What came out of a family's files.
struct Tally {
  int all = 0, agreed = 0, bugs = 0, bugs_agreed = 0, shown = 0;
  std::vector<Shown> otherwise;  // the first of those that hang on a defect
};
using Tallies = std::array<Tally, kFamilies.size()>;

std::string text_of(const boost::json::object& sample, std::string_view name) {
  const auto* found = sample.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "?";
}

void show(std::string_view name, const Differences& differences) {
  fmt::print("  {}\n", name);
  for (std::size_t i = 0; i < std::min(differences.size(), kShownFields); ++i) {
    fmt::print("    {}\n", differences[i]);
  }
  if (differences.size() > kShownFields) {
    fmt::print("    … and {} more\n", differences.size() - kShownFields);
  }
}

void count(const boost::json::object& sample, Differences differences, Tally& tally) {
  const bool agreed = differences.empty();
  if (sample.contains("bug")) {
    ++tally.bugs;
    if (agreed) {
      ++tally.bugs_agreed;
    } else if (tally.otherwise.size() < kShownBugs) {
      tally.otherwise.push_back(
          {fmt::format("{} ({})", text_of(sample, "case"), text_of(sample, "bug")),
           std::move(differences)});
    }
    return;
  }
  ++tally.all;
  if (agreed) {
    ++tally.agreed;
  } else if (tally.shown++ < kShownCases) {
    show(text_of(sample, "case"), differences);
  }
}

/// False: the line is no case of the family. The players take a case's fields for granted.
bool play_line(const Family& family, const std::string& line, Tally& tally, std::string& why) {
  const auto sample = decide::parse_json(line);
  if (!sample || !sample->is_object()) {
    why = "not a JSON object";
    return false;
  }
  try {
    count(sample->get_object(), family.play(sample->get_object()), tally);
  } catch (const std::exception& e) {
    why = fmt::format("not a case of {}: {}", family.name, e.what());
    return false;
  }
  return true;
}

/// False: the file cannot be played.
bool play_file(const std::string& path, Tallies& tallies) {
  const Family* family = family_of(path);
  if (family == nullptr) {
    fmt::print(stderr, "{}: no family of that name; it must begin with one of:", path);
    for (const auto& known : kFamilies) fmt::print(stderr, " {}", known.name);
    fmt::print(stderr, "\n");
    return false;
  }
  Lines lines(path);
  if (!lines.open()) {
    fmt::print(stderr, "{}: cannot be read\n", path);
    return false;
  }
  Tally& tally = tallies[static_cast<std::size_t>(family - kFamilies.data())];
  const int before = tally.all + tally.bugs;
  std::string line, why;
  for (int number = 1; lines.next(line); ++number) {
    if (!play_line(*family, line, tally, why)) {
      fmt::print(stderr, "{}:{}: {}\n", path, number, why);
      return false;
    }
  }
  if (tally.all + tally.bugs > before) return true;
  fmt::print(stderr, "{}: no cases in it\n", path);
  return false;
}

void report(const Family& family, const Tally& tally, bool bugs) {
  fmt::print("{} {}/{}", family.name, tally.agreed, tally.all);
  if (tally.bugs > 0) {
    fmt::print(" ({} more hang on upstream's defects: {} answered otherwise)", tally.bugs,
               tally.bugs - tally.bugs_agreed);
  }
  fmt::print("\n");
  if (!bugs || tally.otherwise.empty()) return;
  fmt::print("{}, where upstream has a defect:\n", family.name);
  for (const auto& [name, differences] : tally.otherwise) show(name, differences);
}

int run(std::vector<std::string> arguments) {
  const bool bugs = std::erase(arguments, "--bugs") > 0;
  const bool help = std::ranges::any_of(arguments, [](const std::string& argument) {
    return argument == "--help" || argument == "-h";
  });
  if (help || arguments.empty()) {
    std::FILE* to = help ? stdout : stderr;
    fmt::print(to, "{}", kHelp);
    for (const auto& family : kFamilies) fmt::print(to, " {}", family.name);
    fmt::print(to, "\n");
    return help ? 0 : kCannot;
  }
  Tallies tallies;
  bool playable = true;
  for (const auto& path : arguments) playable = play_file(path, tallies) && playable;
  bool agree = true;
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    const Tally& tally = tallies[i];
    if (tally.all + tally.bugs > 0) report(kFamilies[i], tally, bugs);
    agree = agree && tally.agreed == tally.all;
  }
  return !playable ? kCannot : agree ? 0 : 1;
}

}  // namespace
}  // namespace headroom::conformance

int main(int argc, char** argv) {
  return headroom::conformance::run(std::vector<std::string>(argv + 1, argv + argc));
}
