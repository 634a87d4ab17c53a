#include "cli/paths.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "journal.db";
// The state of headroom@NAME.service is here, in NAME.
constexpr const char* kUnits = "/var/lib/headroom";

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

/// systemd gives a unit a folder of its own. Where it gives several they are sorted, and the one
/// that is called headroom, or is in one that is, is meant; without such a one the first.
std::optional<fs::path> unit_folder() {
  const auto folders = variable("STATE_DIRECTORY");
  if (!folders) return std::nullopt;
  std::istringstream each(*folders);
  for (std::string folder; std::getline(each, folder, ':');) {
    const fs::path path(folder);
    if (path.filename() == "headroom" || path.parent_path().filename() == "headroom") return path;
  }
  return folders->substr(0, folders->find(':'));
}

std::optional<fs::path> user_folder() {
  if (const auto state = variable("XDG_STATE_HOME")) return fs::path(*state) / "headroom";
  if (const auto home = variable("HOME")) return fs::path(*home) / ".local/state/headroom";
  return std::nullopt;
}

}  // namespace

void add_journal_flag(CLI::App& verb, std::string& to, const char* about) {
  verb.add_option("--journal", to, about)->type_name("PATH");
}

Result<std::string> journal_path(const std::string& name) {
  if (const auto folder = unit_folder()) return (*folder / kFile).string();
  if (const auto folder = user_folder()) return (*folder / name / kFile).string();
  return fail({Code::invalid,
               "nowhere to keep the journal: set HOME or XDG_STATE_HOME, or say --journal PATH",
               {}});
}

std::vector<std::string> known_journals() {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  const auto add = [&found](const fs::path& file) {
    std::error_code error;
    auto time = fs::last_write_time(file, error);
    if (error) return;
    // What was written last may still be in the log beside it.
    const auto log = fs::last_write_time(file.string() + "-wal", error);
    if (!error) time = std::max(time, log);
    found.emplace_back(time, file.string());
  };
  const auto add_all = [&add](const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      add(at->path() / kFile);
    }
  };
  if (const auto folder = unit_folder()) add(*folder / kFile);
  if (const auto folder = user_folder()) add_all(*folder);
  add_all(kUnits);
  std::ranges::sort(found, std::greater{});
  std::vector<std::string> files;
  for (auto& [time, file] : found) files.push_back(std::move(file));
  return files;
}

Result<void> make_folder_of(const std::string& file) {
  const auto folder = fs::path(file).parent_path();
  if (folder.empty()) return {};
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail({Code::unavailable, folder.string() + ": cannot be made: " + error.message(), {}});
  }
  return {};
}

}  // namespace headroom::cli
