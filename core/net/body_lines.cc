#include "net/body_lines.h"

#include <algorithm>

namespace tickwire {
namespace {

constexpr std::size_t kLookedAtBytesAStep = 256;  // they are looked at

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool BodyLines::run(const Budget& budget) {
  while (!rest_.empty() && !too_many_) {
    if (budget.spent()) return false;
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
    Work::count(1 + line.size() / kLookedAtBytesAStep);
    const std::string_view text = without_blanks(line);
    if (text.empty()) continue;
    too_many_ = lines_.size() == most_;
    if (!too_many_) lines_.push_back(text);
  }
  return true;
}

}  // namespace tickwire
