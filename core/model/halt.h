// Halt: why an operator holds a topic, and until when. A plain value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tickwire {

inline constexpr std::size_t kHaltReasonBytesMax = 200;
inline constexpr std::size_t kHaltsMax = 1'000;  // topics of a plant that are held at one time

struct Halt {
  std::string reason;
  std::int64_t until_ms = 0;  // Unix; 0: until it is ended
};
using HaltPtr = std::shared_ptr<const Halt>;

}  // namespace tickwire
