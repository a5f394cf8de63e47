// What every fuzz target uses: the input taken apart, and a check that a fuzzer notices.
//
// A target is a function that must never crash, whatever its input, and whose promises hold (require). One
// thread. libFuzzer calls LLVMFuzzerTestOneInput, which each target defines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tickwire::fuzz {

inline void require(bool truth, const char* promise) {
  if (truth) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

// Takes the input apart from its beginning. Past the end everything is 0 or empty.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  std::string_view bytes(std::size_t count) {
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }
  // Up to the next `end`, which is taken, too.
  std::string_view until(char end) {
    const std::string_view taken = left_.substr(0, left_.find(end));
    left_.remove_prefix(taken.size());
    if (!left_.empty()) left_.remove_prefix(1);
    return taken;
  }
  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::string_view rest() { return bytes(left_.size()); }

 private:
  std::string_view left_;
};

}  // namespace tickwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
