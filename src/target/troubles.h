#pragma once

#include "base/meaning.h"

namespace headroom::target {

/// What a replica may do that it should not, and what its end may do to requests, which is for who
/// drains it to tell. Each is told as an event of kind "trouble", in which the name that about()
/// gives stands.
enum class Trouble {
  exited,
  killed,
  not_started,
  late,
  startup_probe,
  liveness_probe,
  stopped,
  unready,
  cut,
  refused
};

/// What each is called, means, and asks for, with an event as an example. A new one without a case
/// does not compile. Of what is none: empty.
// NOLINTNEXTLINE(readability-function-size): a table
constexpr Meaning about(Trouble trouble) {
  switch (trouble) {
    case Trouble::exited:
      return {
          "exited with status", "its process ended, and nobody had told it to",
          "Read its last lines, in the event or by `headroom logs NAME`. A server goes on until "
          "SIGTERM; with status 0 it may have gone into the background: keep it in the "
          "foreground.",
          "replica 2 exited with status 1 after 2.1 s; last output: port is in use; starts "
          "again in 0.1 s"};
    case Trouble::killed:
      return {"was killed by", "a signal ended its process, and it was not Headroom's",
              "SIGKILL: most often the kernel, for want of memory (`dmesg`): raise memory's limit, "
              "or mend the leak. SIGSEGV, SIGABRT: a fault of the service.",
              "replica 2 was killed by SIGKILL after 8 s; it wrote nothing; starts again in "
              "0.2 s"};
    case Trouble::not_started:
      return {"could not start", "its process could not be made",
              "Look at what the event says: the command, its folder, who may run it.",
              "replica 1 could not start: ./server: No such file or directory; starts again in "
              "0.1 s"};
    case Trouble::late:
      return {"not ready after", "it was not ready within its start timeout, and is stopped",
              "Does it listen on $PORT, on 127.0.0.1? What does its readiness probe answer? Else "
              "raise startTimeout (--start-timeout).",
              "replica 1 is stopped: not ready after 60 s; last output: waiting for the database"};
    case Trouble::startup_probe:
      return {
          "startup probe failed", "it failed its startup probe, and is stopped",
          "Look at the probe's path; give it more time by failureThreshold or periodSeconds.",
          "replica 1 is stopped: startup probe failed: GET /readyz: status 503; it wrote nothing"};
    case Trouble::liveness_probe:
      return {
          "liveness probe failed", "it failed its liveness probe: hung, and is stopped",
          "Look at what it did then (`headroom logs NAME`). A liveness probe must not ask what "
          "the service depends on: all replicas would be stopped at once.",
          "replica 1 is stopped: liveness probe failed: GET /livez: no answer within 1 s; it wrote "
          "nothing"};
    case Trouble::stopped:
      return {"has stopped", "what was to be stopped has ended, and is started again",
              "See the event before: it says why it was stopped.",
              "replica 1 has stopped; starts again in 0.1 s"};
    case Trouble::unready:
      return {"is no longer ready", "it failed its readiness probe, and gets no new request",
              "Nothing, if it passes. Else look at what it waits for.",
              "replica 1 is no longer ready: GET /readyz: status 503"};
    case Trouble::cut:
      return {
          "still open after",
          "requests took longer than gateway.drain allows a replica that leaves, or Headroom at "
          "its end: they are cut, and their clients have a part of an answer, or none",
          "Raise gateway.drain above what requests take, or let clients of long streams come "
          "back by themselves.",
          "replica 1: 3 requests were cut: still open after 30 s (gateway.drain)"};
    case Trouble::refused:
      return {"still without a replica after",
              "requests waited for a replica when their service, or Headroom, ended, and none had "
              "room for them within gateway.drain",
              "Look whether replicas get ready, and whether an operator holds it at 0 (`headroom "
              "status NAME`).",
              "2 requests got 503: still without a replica after 30 s (gateway.drain)"};
  }
  return {};
}

constexpr std::string_view name_of(Trouble trouble) { return about(trouble).name; }

}  // namespace headroom::target
