#include "base/result.h"

namespace headroom {

std::string to_string(const Error& error) {
  if (error.where.file.empty()) return error.what;
  std::string text = error.where.file + ":";
  if (error.where.line > 0) {
    text += std::to_string(error.where.line) + ":" + std::to_string(error.where.column) + ":";
  }
  return text + " " + error.what;
}

}  // namespace headroom
