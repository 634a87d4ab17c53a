#include "policy/read.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/fd.h"
#include "policy/forms.h"
#include "policy/reader.h"

namespace headroom::policy {
namespace {

/// What is asked for where the document says nothing: Knative's defaults behind a
/// gateway, HPA v2's without one.
void fill_in(Autoscaler& autoscaler) {
  if (autoscaler.gateway) {
    autoscaler.gateway->unix_sockets = names_replica_variable(autoscaler.target.process, "SOCKET");
  }
  if (autoscaler.concurrency || !autoscaler.metrics.empty()) return;
  if (autoscaler.gateway) {
    autoscaler.concurrency.emplace();
  } else {
    autoscaler.metrics = {kDefaultMetric};
  }
}

struct Seen {
  std::string name;
  std::string listen;
  const Node* document;
};

/// What two documents of one stream must not share.
void check_against(const std::vector<Seen>& before, const Seen& now, Problems& problems) {
  const Node* metadata = now.document->find("metadata");
  const Node* name = metadata == nullptr ? nullptr : metadata->find("name");
  const Node* listen = nullptr;
  if (const Node* spec = now.document->find("spec")) {
    if (const Node* gateway = spec->find("gateway")) {
      listen = gateway->find("listen");
      if (listen == nullptr) listen = gateway;
    }
  }
  for (const auto& other : before) {
    if (name != nullptr && other.name == now.name && !now.name.empty()) {
      problems.add(name->place,
                   fmt::format("name: found \"{}\" again, expected another name than the "
                               "document on line {}",
                               now.name, other.document->place.line));
      break;
    }
  }
  for (const auto& other : before) {
    if (listen == nullptr || other.listen.empty() || !collide(other.listen, now.listen)) continue;
    problems.add(listen->place,
                 fmt::format("listen: found \"{}\", expected another address than \"{}\" of {}",
                             now.listen, other.listen, other.name));
    break;
  }
}

}  // namespace

Result<std::vector<Autoscaler>> read_documents(std::string_view text, const std::string& file,
                                               const Environment& environment) {
  Problems problems;
  const Tree tree = parse(text, problems);
  std::vector<Autoscaler> autoscalers;
  std::vector<Seen> seen;
  Substitution substitution(environment);
  for (const Node* document : tree.documents) {
    if (document->open || problems.full()) break;  // cut short: what is missing was not left out
    Reader reader(problems, substitution);
    Autoscaler autoscaler = reader.read_document(*document);
    seen.push_back(
        {autoscaler.name, autoscaler.gateway ? autoscaler.gateway->listen : "", document});
    check_against({seen.begin(), seen.end() - 1}, seen.back(), problems);
    fill_in(autoscaler);
    autoscalers.push_back(std::move(autoscaler));
  }
  if (autoscalers.empty() && !problems.any()) {
    problems.add({1, 1}, "found no document, expected at least one Autoscaler");
  }
  if (problems.any()) return fail(problems.error(file, text));
  return autoscalers;
}

Result<std::vector<Autoscaler>> read_file(const std::string& path, const Environment& environment) {
  const auto unreadable = [&path](int why) {
    return fail({Code::unavailable, fmt::format("cannot be read: {}", std::strerror(why)), {path}});
  };
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return unreadable(errno);
  std::string text;
  std::array<char, 64 << 10> piece;
  while (text.size() <= kMostText) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got == 0) return read_documents(text, path, environment);
    if (got < 0 && errno != EINTR) return unreadable(errno);
    if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return fail({Code::invalid, "found more than 1 MiB, expected at most that", {path}});
}

}  // namespace headroom::policy
