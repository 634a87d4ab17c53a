#pragma once

namespace headroom::target::test {

/// The test program is its own replica: `test_target --replica ADDRESS [name=value…]` serves
/// HTTP on a port or a Unix socket. Settings: delay (ms before it listens), ready (ms until
/// /readyz says 200), term (what SIGTERM does: exit, ignore), exit (ms until it exits, with 7).
/// Paths: /readyz; /fail, /ok and /hang change what /readyz does; /burn, /die, /fork, /daemon.
int serve(int argc, char** argv);

/// `test_target --headroom DIRECTORY`: a small Headroom to be killed. Starts two replicas, each
/// with a child and a daemon, prints the ids of all six, its own and "up", and waits.
int be_headroom(int argc, char** argv);

}  // namespace headroom::target::test
