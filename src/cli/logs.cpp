#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/admin.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/verbs.h"

namespace headroom::cli {
namespace {

constexpr const char* kLogsExamples =
    "Examples:\n"
    "  headroom logs shop                    the last lines of each replica\n"
    "  headroom logs shop --replica 3 -f     as they come, of one\n"
    "\n"
    "The last 50 lines (8 KiB) of each replica are kept; spec.target.process.output says where "
    "all\n"
    "of them go.\n"
    "\n"
    "As JSON or YAML: a list of {replica, line}; with -f one after the other, each on a line.\n"
    "\n"
    "Exit codes: 0 printed (with -f: until it was interrupted), 1 nothing runs, no such autoscaler "
    "or\nreplica, 2 the flags are wrong.\n";

struct LogsOptions {
  std::string name, journal, output = "table";
  std::int64_t replica = 0;
  bool follow = false;
};

std::string path_of(const std::string& name) { return "/api/v1/autoscalers/" + escaped(name); }

/// A terminal obeys what it is sent, so what services print is made harmless there.
void print_line(std::int64_t replica, const std::string& line, bool named) {
  constexpr std::size_t kLongest = 16 << 10;
  const auto prefix = named ? fmt::format("{} | ", replica) : std::string();
  fmt::print("{}{}\n", prefix, on_terminal() ? printable(line, kLongest) : line);
}

class Logs {
 public:
  Logs(const Admin& admin, const LogsOptions& options) : admin_(admin), options_(options) {}

  /// Prints what is new of each replica there is. Errors: as Admin's.
  Result<void> look() {
    const auto state = admin_.get(path_of(options_.name));
    if (!state) return fail(state.error());
    for (const auto& instance : list_at(*state, "/instances")) {
      const auto id = static_cast<std::int64_t>(number_at(instance, "/id").value_or(0));
      if (options_.replica == 0 || options_.replica == id) {
        if (auto shown = show(id); !shown) return shown;
      }
    }
    if (options_.follow) {
      print_stream(options_.output, std::exchange(lines_, {}));
    } else {
      print_data(options_.output, lines_);
    }
    std::fflush(stdout);
    if (options_.replica == 0 || seen_.contains(options_.replica)) return {};
    return fail({Code::unavailable,
                 fmt::format("{} has no replica {}", options_.name, options_.replica),
                 {}});
  }

 private:
  Result<void> show(std::int64_t id) {
    const auto after = seen_[id];
    const auto written = admin_.get(
        fmt::format("{}/replicas/{}/output?after={}", path_of(options_.name), id, after));
    if (!written) return {};  // it went since
    const auto* lost = written->as_object().if_contains("lost");
    if (after > 0 && lost != nullptr && lost->is_bool() && lost->as_bool()) {
      fmt::print(stderr, "headroom: some lines of replica {} came too fast and are lost here\n",
                 id);
    }
    const auto text = text_at(*written, "/text");
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      const auto line = text.substr(at, end - at);
      if (options_.output == "table") {
        print_line(id, line, options_.replica == 0);
      } else {
        lines_.push_back(boost::json::object{{"replica", id}, {"line", line}});
      }
      at = end + 1;
    }
    seen_[id] = static_cast<std::uint64_t>(number_at(*written, "/end").value_or(0));
    return {};
  }

  const Admin& admin_;
  const LogsOptions& options_;
  std::map<std::int64_t, std::uint64_t> seen_;  // bytes of each replica
  boost::json::array lines_;                    // to be printed as data
};

int logs(const LogsOptions& options) {
  const auto admin = Admin::find(options.journal, options.name);
  if (!admin) return complain(admin.error());
  Logs logs(*admin, options);
  if (auto looked = logs.look(); !looked) return complain(looked.error());
  while (options.follow) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (auto looked = logs.look(); !looked) return complain(looked.error());
  }
  return kOk;
}

}  // namespace

void add_logs(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("logs", "Prints what replicas wrote last.");
  verb->footer(kLogsExamples);
  auto options = std::make_shared<LogsOptions>();
  verb->add_option("name", options->name, "Of the autoscaler")->required()->type_name("NAME");
  verb->add_option("--replica", options->replica, "Of this one only")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  verb->add_flag("-f,--follow", options->follow, "Goes on with what they write from now on");
  add_journal_flag(*verb, options->journal, "Of the Headroom to ask; default: that runs it");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = logs(*options); });
}

}  // namespace headroom::cli
