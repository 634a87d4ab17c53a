#pragma once

#include <string>

namespace headroom::cli {

/// docs/reasons.md (Markdown): every fixed word that a user meets, from the tables that stand
/// beside what they name; the examples are made by what makes the real ones.
std::string reasons_page();

}  // namespace headroom::cli
