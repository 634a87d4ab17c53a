#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace headroom {

/// A place in a document, line and column from 1; 0: unknown.
struct Where {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One per reaction, not per cause.
enum class Code {
  invalid,      ///< what the user wrote is wrong: say it, change nothing
  unavailable,  ///< something outside does not answer or refuses: try again later
  conflict,     ///< somebody else holds it: a port, a lock, a file
};

struct Error {
  Code code = Code::invalid;
  std::string what;
  Where where = {};
};

/// "file:line:column: what", or "what" alone where there is no place.
std::string to_string(const Error& error);

/// A value or an Error. `*` on a failure is undefined, so test first.
template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}  // NOLINT: a failure converts silently
};

inline auto fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace headroom
