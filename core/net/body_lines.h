// BodyLines: the lines of a body, without what is blank, found in pieces.
//
// Pure; one thread at a time. The body outlives it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/work.h"

namespace tickwire {

// Without blanks and line ends around it (those of JSON, RFC 8259 section 2).
std::string_view without_blanks(std::string_view text);

class BodyLines {
 public:
  // At most `most` are found; what is behind them is not looked at.
  BodyLines(std::string_view body, std::size_t most) : rest_(body), most_(most) {}

  // Looks on; true: all are found, or too many.
  bool run(const Budget& budget);
  [[nodiscard]] bool too_many() const { return too_many_; }
  [[nodiscard]] const std::vector<std::string_view>& lines() const { return lines_; }

 private:
  std::string_view rest_;  // not yet looked at
  const std::size_t most_;
  std::vector<std::string_view> lines_;
  bool too_many_ = false;
};

}  // namespace tickwire
