#include "server/process_facts.h"

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace headroom::server {
namespace {

/// The fields of /proc/self/stat from the third on: the second is a name that may have spaces.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto end = text.rfind(") ");
  std::vector<double> fields;
  if (end == std::string::npos) return fields;
  std::istringstream rest(text.substr(end + 4));  // past the state, which is a letter
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

/// When the machine started; 0: not known.
double boot_unix_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

std::optional<double> open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (!folder) return std::nullopt;
  double count = -1;  // the folder's own
  while (const auto* entry = ::readdir(folder.get())) count += entry->d_name[0] != '.';
  return count;
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  const auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  // proc(5) counts from 1: utime 14, stime 15, starttime 22, vsize 23, rss 24; ours begin at 4.
  if (const auto fields = stat_fields(); fields.size() > 20) {
    facts.cpu_seconds = (fields[10] + fields[11]) / tick;
    facts.virtual_bytes = fields[19];
    facts.resident_bytes = fields[20] * page;
    static const double boot = boot_unix_seconds();
    if (boot > 0) facts.start_unix_seconds = boot + fields[18] / tick;
  }
  facts.open_fds = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = static_cast<double>(limit.rlim_cur);
  return facts;
}

}  // namespace headroom::server
