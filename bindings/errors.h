// How an Error becomes a Python exception: its code picks the class in tickwire.errors, by the one table
// there. Only with the GIL.
#pragma once

#include <utility>

#include "base/error.h"

namespace tickwire {

[[noreturn]] void throw_error(const Error& error);

template <typename T>
T unwrap(Result<T> result) {
  if (!result) throw_error(result.error());
  return std::move(*result);
}

inline void unwrap(const Status& status) {
  if (!status) throw_error(status.error());
}

}  // namespace tickwire
