#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/autoscaler.h"
#include "policy/read.h"

namespace headroom::policy {

/// One object of a stream, and what became of it.
struct Document {
  std::string api_version, kind, name;  // as written; empty: not said
  Where where;                          // its first line
  std::optional<Autoscaler> autoscaler;
  std::vector<Error> errors;             // why there is no autoscaler
  std::vector<Error> warnings;           // what was dropped or passed over, or is not as it seems
  std::vector<std::string> left_behind;  // what an Autoscaler does not hold: metadata.labels
  bool skipped = false;                  // no autoscaler: a Deployment, a Service
};

struct Stream {
  std::vector<Document> documents;  // the items of lists one by one, in their order
  std::vector<Error> errors;        // of the text itself, and that there is nothing in it
};

/// Reads a YAML (or JSON) stream, "---" between its documents, of any of the kinds Autoscaler
/// (headroom.dev/v1alpha1), HorizontalPodAutoscaler (autoscaling/v2, v1), ScaledObject
/// (keda.sh/v1alpha1) and Knative's Service (serving.knative.dev/v1), and of lists of them.
/// Other kinds are skipped. `environment` is for Autoscalers, as in read_documents; the other
/// kinds are taken as they stand. HPAs get the API server's defaults; minReplicas 0 is taken with
/// a warning.
/// Errors: Code::invalid with file:line:column, as in read_documents; at most 20 a document.
/// Bounds: those of read_documents.
Stream read_stream(std::string_view text, const std::string& file, const Environment& environment);

/// The same, where one wrong document spoils the whole.
/// Errors: those of all documents in one message, one per line, at most 20; `where` is the first's.
Result<std::vector<Document>> read_any(std::string_view text, const std::string& file,
                                       const Environment& environment);

/// The field that a message of those errors begins with, "spec.maxReplicas"; empty: none.
std::string_view field_of(std::string_view message);

/// A whole file; "-" is standard input.
/// Errors: unavailable where it cannot be read, invalid over 1 MiB (which is not read whole).
Result<std::string> read_text(const std::string& path);

}  // namespace headroom::policy
