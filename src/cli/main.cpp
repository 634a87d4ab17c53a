#include "base/log.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
  const int code = headroom::cli::headroom(argc, argv);
  headroom::log::finish(headroom::log::kLastWords);
  return code;
}
