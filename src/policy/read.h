#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/autoscaler.h"

namespace headroom::policy {

/// Looks up $(NAME); nullopt where there is none.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// Reads every Autoscaler of a YAML (or JSON) stream, "---" between them. `file` is only
/// for the places in errors. $(NAME) in any value is taken from `environment`, but for
/// $(PORT) and $(SOCKET) inside target.process, which each replica gets its own of; $$(NAME)
/// is a literal $(NAME).
/// Errors: Code::invalid with file:line:column, what was found, what was expected; an unknown
/// field names the nearest known one. All errors of the stream are in the message, one per line,
/// at most 20; `where` is the first's.
/// Bounds: 1 MiB of text, 64 levels, 100,000 nodes with aliases expanded, 1,000 documents.
Result<std::vector<Autoscaler>> read_documents(std::string_view text, const std::string& file,
                                               const Environment& environment);

/// The same from a file; "-" is standard input. A file over 1 MiB is refused without reading it
/// whole.
Result<std::vector<Autoscaler>> read_file(const std::string& path, const Environment& environment);

/// The document that reads back as `autoscaler`; fields at their default are left out.
std::string write_document(const Autoscaler& autoscaler);

/// JSON Schema (2020-12) of the document, for editors.
std::string json_schema();

/// The reference page of the documentation (Markdown): every field, type, default, bounds, meaning.
std::string reference_page();

}  // namespace headroom::policy
