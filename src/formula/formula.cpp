#include "formula/formula.h"

namespace headroom::formula {

struct Formula::Program {};

Result<Formula> Formula::compile(std::string_view, std::span<const std::string>) {
  return fail({Code::invalid, "not yet", {}});
}

Result<Value> Formula::run(std::span<const Value>) const {
  return fail({Code::invalid, "not yet", {}});
}

}  // namespace headroom::formula
