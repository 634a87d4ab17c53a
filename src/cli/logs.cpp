#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/admin.h"
#include "cli/numbers.h"
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
    "The last 50 lines (8 KiB) of each replica are kept, for a while after its end, too;\n"
    "spec.target.process.output says where all of them go.\n"
    "\n"
    "As JSON or YAML: a list of {replica, line}; with -f one after the other, each on a line.\n"
    "\n"
    "Exit codes: 0 printed (with -f: until it was interrupted, or the replica of --replica is\n"
    "gone), 1 nothing runs, no such autoscaler or replica, 2 the flags are wrong.\n";

struct LogsOptions {
  std::string name, journal, output = "table";
  std::int64_t replica = 0;
  bool follow = false;
};

std::string path_of(const std::string& name) { return "/api/v1/autoscalers/" + escaped(name); }

bool flag_at(const boost::json::value& answer, std::string_view name) {
  const auto* found = answer.as_object().if_contains(name);
  return found != nullptr && found->is_bool() && found->as_bool();
}

/// A terminal obeys what it is sent, so what services print is made harmless there.
void print_line(std::int64_t replica, const std::string& line, bool named) {
  constexpr std::size_t kLongest = 16 << 10;
  const auto prefix = named ? fmt::format("{} | ", replica) : std::string();
  fmt::print("{}{}\n", prefix, on_terminal() ? printable(line, kLongest) : line);
}

class Logs {
 public:
  Logs(const Admin& admin, const LogsOptions& options) : admin_(admin), options_(options) {}

  /// Prints what is new of each replica that runs, and the last of those that ended since. False:
  /// the one that was asked for is gone. Errors: as Admin's.
  Result<bool> look() { return options_.replica == 0 ? look_at_all() : look_at_one(); }

 private:
  enum class Shown { more_may_come, gone, unknown };

  Result<std::set<std::int64_t>> running() const {
    const auto state = admin_.get(path_of(options_.name));
    if (!state) return fail(state.error());
    std::set<std::int64_t> ids;
    for (const auto& instance : list_at(*state, "/instances")) {
      ids.insert(static_cast<std::int64_t>(number_at(instance, "/id").value_or(0)));
    }
    return ids;
  }

  Result<bool> look_at_all() {
    const auto ids = running();
    if (!ids) return fail(ids.error());
    for (const auto id : *ids) seen_.try_emplace(id, 0);
    std::erase_if(seen_, [&](const auto& each) {
      const auto id = each.first;
      return show(id) != Shown::more_may_come && !ids->contains(id);
    });
    print();
    if (ids->empty() && !options_.follow) {
      fmt::print(stderr,
                 "headroom: no replica of {0} runs; headroom events {0} says what happened\n",
                 options_.name);
    }
    return true;
  }

  Result<bool> look_at_one() {
    const auto id = options_.replica;
    const bool known = seen_.contains(id);
    const auto shown = show(id);
    if (shown == Shown::unknown) {
      const auto ids = running();  // it may be the answer that failed
      if (!ids) return fail(ids.error());
      if (ids->contains(id)) return true;
      if (!known) return fail(none_of(id));
    }
    print();
    if (shown == Shown::more_may_come) return true;
    fmt::print(stderr, "headroom: replica {} is gone\n", id);
    return false;
  }

  Error none_of(std::int64_t id) const {
    return {Code::unavailable, fmt::format("{} has no replica {}", options_.name, id), {}};
  }

  Shown show(std::int64_t id) {
    const auto before = seen_.find(id);
    const auto after = before == seen_.end() ? 0 : before->second;
    const auto written = admin_.get(
        fmt::format("{}/replicas/{}/output?after={}", path_of(options_.name), id, after));
    if (!written) return Shown::unknown;
    if (after > 0 && flag_at(*written, "lost")) {
      fmt::print(stderr, "headroom: some lines of replica {} came too fast and are lost here\n",
                 id);
    }
    add(id, text_at(*written, "/text"));
    seen_[id] = static_cast<std::uint64_t>(number_at(*written, "/end").value_or(0));
    return flag_at(*written, "gone") ? Shown::gone : Shown::more_may_come;
  }

  void add(std::int64_t id, const std::string& text) {
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
  }

  void print() {
    if (options_.follow) {
      print_stream(options_.output, std::exchange(lines_, {}));
    } else {
      print_data(options_.output, lines_);
    }
    flush();
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
  for (;;) {
    const auto looked = logs.look();
    if (!looked) return complain(looked.error());
    if (!*looked || !options.follow) return kOk;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

void add_logs(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("logs", "Prints what replicas wrote last.");
  verb->footer(kLogsExamples);
  auto options = std::make_shared<LogsOptions>();
  verb->add_option("name", options->name, "Of the autoscaler")->required()->type_name("NAME");
  verb->add_option("--replica", options->replica, "Of this one only")
      ->check(whole_number(1))
      ->type_name("N");
  verb->add_flag("-f,--follow", options->follow, "Goes on with what they write from now on");
  add_journal_flag(*verb, options->journal, "Of the Headroom to ask; default: that runs it");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = logs(*options); });
}

}  // namespace headroom::cli
