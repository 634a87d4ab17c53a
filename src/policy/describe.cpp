#include "policy/describe.h"

namespace headroom::policy {

std::string joined(const std::string_view* words, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += i + 1 == count ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace headroom::policy
