// ExactText: a text that is kept for long and in great numbers. It takes 16 bytes and a block of its own
// size, where a std::string takes 32 and a block that may be twice as large. A value; one thread at a time.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

namespace tickwire {

class ExactText {
 public:
  ExactText() = default;
  explicit ExactText(std::string_view text) { assign(text); }

  // `text` may not be a part of this one. A block that fits is kept.
  void assign(std::string_view text) {
    assert(text.size() <= std::numeric_limits<std::uint32_t>::max());
    const auto size = static_cast<std::uint32_t>(text.size());
    if (size > capacity_ || size < capacity_ / 2) {
      text_.reset(size == 0 ? nullptr : new char[size]);
      capacity_ = size;
    }
    std::copy(text.begin(), text.end(), text_.get());
    size_ = size;
  }

  [[nodiscard]] std::string_view view() const { return {text_.get(), size_}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Beside itself.
  [[nodiscard]] std::size_t memory_bytes() const { return capacity_; }

 private:
  std::unique_ptr<char[]> text_;  // NOLINT(modernize-avoid-c-arrays): a vector takes 24 bytes
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace tickwire
