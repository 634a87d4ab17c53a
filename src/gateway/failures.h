#pragma once

#include "base/meaning.h"
#include "gateway/gateway.h"

namespace headroom::gateway {

/// What each Failure is called, means, and asks for; the example is what the client gets. A new
/// one without a case does not compile. Of kCount and beyond: empty.
// NOLINTNEXTLINE(readability-function-size): a table
constexpr Meaning about(Failure failure) {
  switch (failure) {
    case Failure::refused:
      return {
          "refused", "the replica accepted no connection",
          "Look at the replica's last lines (`headroom logs NAME`): it has crashed, or does not "
          "listen on $(PORT).",
          "502, after another replica was tried"};
    case Failure::connect_timeout:
      return {
          "connect_timeout", "the replica did not accept a connection within timeouts.connect",
          "It is too busy to accept: give replicas less at once (containerConcurrency), or more "
          "CPU.",
          "504, after another replica was tried"};
    case Failure::reset_before_head:
      return {"reset_before_head", "the replica closed the connection before it answered",
              "It has crashed, or closes connections that it should answer: see `headroom events "
              "NAME --kind trouble`.",
              "502, after another replica was tried where that is safe"};
    case Failure::reset_in_body:
      return {"reset_in_body", "the replica closed the connection in the middle of an answer",
              "As reset_before_head. It cannot be repeated: the client has a part already.",
              "an answer that is cut short"};
    case Failure::bad_response:
      return {"bad_response", "the replica's answer is not valid HTTP/1.1",
              "Mend the service: its answer has two lengths, a bad header or a bad chunk.", "502"};
    case Failure::head_timeout:
      return {"head_timeout", "the replica did not begin to answer within timeouts.responseHead",
              "Make the path faster, or raise gateway.timeouts.responseHead.", "504"};
    case Failure::idle_timeout:
      return {"idle_timeout", "the replica sent nothing for too long in the middle of an answer",
              "A stream that pauses: raise gateway.timeouts.responseIdle.",
              "an answer that is cut short"};
    case Failure::client_abort:
      return {"client_abort", "the client went away before it had its answer",
              "Nothing, if few. If many: requests take longer than clients wait.", "nothing"};
    case Failure::client_idle:
      return {"client_idle",
              "the client sent or took nothing for too long in the middle of a request",
              "Nothing, if few. For slow clients raise gateway.timeouts.bodyIdle or sendIdle.",
              "408, or an answer that is cut short"};
    case Failure::hold_full:
      return {"hold_full", "as many requests as gateway.hold allows wait for a replica already",
              "Raise maxReplicas, or minReplicas where bursts come faster than replicas start; or "
              "gateway.hold.maxRequests.",
              "503 with Retry-After"};
    case Failure::hold_timeout:
      return {
          "hold_timeout", "no replica had room within gateway.hold.timeout",
          "Look whether replicas get ready (`headroom status NAME`), and whether maxReplicas is "
          "enough.",
          "503 with Retry-After"};
    case Failure::drain_cut:
      return {
          "drain_cut",
          "it was still open when the drain timeout had passed, of its replica or of Headroom at "
          "its end",
          "Raise gateway.drain, or let clients of long streams come back by themselves. "
          "`headroom events NAME --kind trouble` says when, and how many at once.",
          "an answer that is cut short; 503 with Retry-After where it waited for a replica"};
    case Failure::request_timeout:
      return {"request_timeout", "the whole request took longer than timeouts.request",
              "Make the path faster, or raise gateway.timeouts.request.",
              "504, or an answer that is cut short"};
    case Failure::bad_request:
      return {"bad_request", "the client's body is not valid HTTP/1.1, or larger than limits.body",
              "Mend the client, or raise gateway.limits.body.", "400 or 413"};
    case Failure::kCount:
      break;
  }
  return {};
}

}  // namespace headroom::gateway
