#pragma once

#include <signal.h>
#include <sys/types.h>

/// The guardian's own side: what runs in the process that stays (guardian.h says what for). It is
/// as old as the first start, whatever workers follow, so what its messages mean does not change:
///
///   watch GROUP STARTED\nSOCKET\nCGROUP\n…    forget GROUP
///   reap PID            → reaped PID CODE STATUS (0 0: there is none to take)
///   successor           → started (and a descriptor), or: refused WHY
///   abandon             the successor that is starting is ended
///   took over           notify\nTEXT
///
/// One it does not know is passed over.
namespace headroom::target::guard {

/// How WHY begins where there is one worker too many for another.
inline constexpr const char* kUnderWay = "an upgrade is under way";

/// In a successor's environment: the run's token. Its descriptors are these.
inline constexpr const char* kVariable = "HEADROOM_SUCCESSOR";
inline constexpr int kSocket = 3, kPredecessor = 4;

/// First of all in a process that will have a worker: SIGHUP and SIGUSR2 wait until that heeds
/// them, and SIGUSR1, which would end it, does nothing.
void hold_late_signals();

struct Signals {
  sigset_t before;  // the mask that workers get
};
/// Those that the guardian waits for. Before the fork, so that none is missed.
Signals block_signals();
/// But for those that wait for unblock_late_signals().
void unblock_signals(const Signals& signals);
void unblock_late_signals();

/// Looks after `worker`, over our end of the socket to it, until it and its successors are gone;
/// exits as the last one did, or with 128 + the signal that ended it.
[[noreturn]] void run(pid_t worker, int socket, const Signals& signals);

}  // namespace headroom::target::guard
