#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "control/handed.h"
#include "server/server.h"

/// What a worker and its successor say to each other at an upgrade, over the socket that the
/// guardian gave them:
///
///   successor     hello 1 VERSION        its document is read; it waits
///   predecessor   document …             a piece of the next scaler's
///                 scaler {…}, replica {…} (of the scaler before), passed {}, rest {…}: with
///                 descriptors; end
///   successor     taken                  it could begin, and has changed nothing
///   predecessor   go                     it has let go, and only answers what it had open
///   successor     over                   it has begun, and the guardian knows
///
/// The end of the socket before "go" means that nothing has changed hands. The predecessor lives
/// until "over": before it, the guardian would take its end for that of all.
namespace headroom::cli {

struct Handover {
  std::vector<control::HandedScaler> scalers;
  server::Server::Sockets admin;
  std::optional<std::int64_t> told;     // the newest event that a collector has
  std::vector<Fd> passed;               // by a service manager (Listeners)
  log::Level level = log::Level::info;  // as it was set while it ran
};

/// The predecessor's side, after the hello. Nothing else of this process's loop may run until it
/// returns, and where it does without an error the successor has it all: let go at once.
/// Errors: unavailable (the other side ended, or is silent for 10 s).
Result<void> hand_over(int socket, const Handover& all);

/// The version in a hello. Errors: unavailable (the other side ended, or is no Headroom).
Result<std::string> read_hello(int socket);

/// The successor's side: says hello, and waits for all of it. Errors: unavailable.
Result<Handover> take_over(int socket);
/// Says "taken", and waits for the word to go: it comes, or the socket ends.
/// Errors: unavailable: everything is the other's.
Result<void> confirm(int socket);
/// Says "over"; and whether that is what there is to read.
void say_over(int socket);
bool is_over(int socket);

}  // namespace headroom::cli
