// Plays cases that upstream's own code has answered:
//
//   conformance FILE…        one JSON object a line, plain or gzip; the family is the file's name
//
// Prints "family agreed/all" for each and the first differences, and exits with 1 if there is one.
// Cases marked `bug` are upstream's defects: Headroom answers otherwise on purpose. They are played
// and counted apart.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

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
constexpr std::size_t kShownFields = 6;
constexpr int kCannot = 2;

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

struct Tally {
  int all = 0, agreed = 0, bugs = 0, bugs_agreed = 0, shown = 0;
};

void show(const boost::json::object& sample, const Differences& differences) {
  fmt::print("  {}\n", sample.contains("case") ? sample.at("case").as_string().c_str() : "?");
  for (std::size_t i = 0; i < std::min(differences.size(), kShownFields); ++i) {
    fmt::print("    {}\n", differences[i]);
  }
  if (differences.size() > kShownFields) {
    fmt::print("    … and {} more\n", differences.size() - kShownFields);
  }
}

void count(const boost::json::object& sample, const Differences& differences, Tally& tally) {
  const bool agreed = differences.empty();
  if (sample.contains("bug")) {
    ++tally.bugs;
    if (agreed) ++tally.bugs_agreed;
    return;
  }
  ++tally.all;
  if (agreed) {
    ++tally.agreed;
  } else if (tally.shown++ < kShownCases) {
    show(sample, differences);
  }
}

/// 0: all agree, 1: some do not, 2: the file cannot be played.
int play(const std::string& path) {
  const Family* family = family_of(path);
  if (family == nullptr) {
    fmt::print(stderr, "{}: no family of that name; it must begin with one of:", path);
    for (const auto& known : kFamilies) fmt::print(stderr, " {}", known.name);
    fmt::print(stderr, "\n");
    return kCannot;
  }
  Lines lines(path);
  if (!lines.open()) {
    fmt::print(stderr, "{}: cannot be read\n", path);
    return kCannot;
  }
  Tally tally;
  std::string line;
  for (int number = 1; lines.next(line); ++number) {
    const auto sample = decide::parse_json(line);
    if (!sample || !sample->is_object()) {
      fmt::print(stderr, "{}:{}: not a JSON object\n", path, number);
      return kCannot;
    }
    count(sample->as_object(), family->play(sample->as_object()), tally);
  }
  fmt::print("{} {}/{}", family->name, tally.agreed, tally.all);
  if (tally.bugs > 0) {
    fmt::print(" ({} more hang on upstream's defects: {} answered otherwise)", tally.bugs,
               tally.bugs - tally.bugs_agreed);
  }
  fmt::print("\n");
  return tally.all > 0 && tally.agreed == tally.all ? 0 : 1;
}

}  // namespace
}  // namespace headroom::conformance

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: conformance FILE…\n");
    return headroom::conformance::kCannot;
  }
  int worst = 0;
  for (int i = 1; i < argc; ++i) {
    worst = std::max(worst, headroom::conformance::play(argv[i]));
  }
  return worst;
}
