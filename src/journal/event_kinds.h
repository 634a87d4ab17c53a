#pragma once

#include "base/meaning.h"
#include "journal/journal.h"

namespace headroom::journal {

/// What each kind of event is called, means, and asks for, with a text as it may have. A new one
/// without a case does not compile. Of what is none: empty.
constexpr Meaning about(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::rescale:
      return {"rescale", "the number of replicas that is asked for changed",
              "`headroom explain NAME --at TIME` has the whole chain of reasons.",
              "1 → 3 replicas: concurrency 14.2 over 60 s of 7 per replica → 3 replicas"};
    case Event::Kind::ready:
      return {"ready", "a replica may get traffic, so long after its start",
              "Nothing. If it takes long, requests at zero wait as long.",
              "replica 2 ready after 0.31 s; replica 2 ready again"};
    case Event::Kind::draining:
      return {"draining", "a replica gets no new request, and finishes those that are open",
              "Nothing.", "replica 2 drains, 4 open"};
    case Event::Kind::gone:
      return {"gone", "a replica has ended, as it was told to", "Nothing.", "replica 2 gone"};
    case Event::Kind::trouble:
      return {
          "trouble",
          "a replica did what it should not: crashed, got not ready, hung; or a drain ended before "
          "its requests did",
          "See [its words](#troubles-of-a-replica).",
          "replica 2 exited with status 1 after 2.1 s; last output: port is in use; starts again "
          "in 0.1 s"};
    case Event::Kind::operator_word:
      return {"operator", "somebody scaled, paused or resumed it", "Nothing.",
              "pinned at 5 for 10 min; paused at 5 until resumed; resumed"};
    case Event::Kind::policy:
      return {
          "policy", "its document was taken up or put down, changed, or refused",
          "Where it is refused, or not started: mend what is said; until then what ran goes on, "
          "but a restart may fail. `headroom check FILE` tells whether it is right. Where Headroom "
          "did not stop: its own log, or the kernel's (memory), says what ended it.",
          "started with 2 replicas, as the journal says; the Headroom before did not stop: it was "
          "killed, or crashed; stops: Headroom ends; stopped; stopped at once; its document "
          "changed, taken: maxReplicas 4 → 8; its document is refused, what ran "
          "before goes on: shop.yaml:7:3: unknown field; its document is right again, and says "
          "what runs; not started: gateway.listen: cannot "
          "listen on 127.0.0.1:8080: the address is in use by another process; taken over at an "
          "upgrade, with 2 replicas, 2 ready"};
  }
  return {};
}

}  // namespace headroom::journal
