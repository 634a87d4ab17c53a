#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is CLI11's
class App;
}

/// The command line: one file per verb. A verb adds itself to the app, and where it is called
/// leaves its exit code in the Call.
namespace headroom::cli {

constexpr int kOk = 0;
constexpr int kFailed = 1;  // it was understood and did not work
constexpr int kUsage = 2;   // the flags or the document are wrong; nothing was done

struct Call {
  std::vector<std::string> command;  // what stands after "--"
  bool dashes = false;               // there was a "--"
  int exit = kOk;
};

void add_run(CLI::App& app, Call& call);
void add_status(CLI::App& app, Call& call);
void add_top(CLI::App& app, Call& call);
void add_explain(CLI::App& app, Call& call);
void add_events(CLI::App& app, Call& call);
void add_logs(CLI::App& app, Call& call);
void add_scale(CLI::App& app, Call& call);
void add_pause(CLI::App& app, Call& call);
void add_resume(CLI::App& app, Call& call);
void add_decide(CLI::App& app, Call& call);
void add_check(CLI::App& app, Call& call);
void add_convert(CLI::App& app, Call& call);
void add_schema(CLI::App& app, Call& call);
void add_completion(CLI::App& app, Call& call);
void add_man(CLI::App& app, Call& call);
void add_version(CLI::App& app, Call& call);

/// Says the error on stderr; the exit code for it.
int complain(const Error& error);

/// The whole program but for main().
int headroom(int argc, const char* const* argv);

}  // namespace headroom::cli
