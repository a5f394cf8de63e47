#include "client/message_head.h"

namespace tickwire {
namespace {

constexpr int kDigitsMax = 18;  // so many always fit into 63 bits

class Cursor {
 public:
  explicit Cursor(std::string_view text) : left_(text) {}

  bool take(std::string_view expected) {
    if (!left_.starts_with(expected)) return false;
    left_.remove_prefix(expected.size());
    return true;
  }

  // Up to the next quote, which is taken, too.
  bool word(std::string_view& word) {
    const std::size_t end = left_.find('"');
    if (end == std::string_view::npos || end == 0) return false;
    word = left_.substr(0, end);
    for (const char c : word) {
      if (c <= ' ' || c > '~' || c == '\\') return false;
    }
    left_.remove_prefix(end + 1);
    return true;
  }

  bool number(std::uint64_t& number) {
    number = 0;
    std::size_t digits = 0;
    while (digits < left_.size() && left_[digits] >= '0' && left_[digits] <= '9') {
      if (digits == kDigitsMax) return false;
      number = number * 10 + static_cast<std::uint64_t>(left_[digits++] - '0');
    }
    if (digits == 0 || (digits > 1 && left_[0] == '0')) return false;
    left_.remove_prefix(digits);
    return true;
  }

  [[nodiscard]] std::size_t left() const { return left_.size(); }
  [[nodiscard]] bool ends_object() const { return left_.ends_with('}'); }

 private:
  std::string_view left_;
};

}  // namespace

bool read_head(std::string_view text, MessageHead& head) {
  Cursor at(text);
  if (!at.take(R"({"type":")")) return false;
  head.is_snapshot = at.take(R"(snapshot","topic":")");
  if (!head.is_snapshot && !at.take(R"(update","topic":")")) return false;
  std::uint64_t ts = 0;
  if (!at.word(head.topic) || !at.take(R"(,"seq":)") || !at.number(head.seq)) return false;
  if (!at.take(R"(,"ts":)") || !at.number(ts)) return false;
  head.ts = static_cast<std::int64_t>(ts);
  head.is_event = at.take(R"(,"delivery":"event")");
  if (head.is_snapshot && !(at.take(R"(,"status":")") && at.word(head.status))) return false;
  if (!at.take(R"(,"data":)") || !at.ends_object()) return false;
  head.data_at = text.size() - at.left();
  head.data_size = at.left() - 1;
  return true;
}

}  // namespace tickwire
