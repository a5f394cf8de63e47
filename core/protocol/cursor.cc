#include "protocol/cursor.h"

#include <array>
#include <charconv>
#include <utility>

namespace tickwire {
namespace {

struct Letter {
  std::optional<TopicStatus> status;
  char letter;
};
constexpr std::array<Letter, 4> kLetters{{{TopicStatus::kStale, 's'},
                                          {TopicStatus::kHalted, 'h'},
                                          {TopicStatus::kClosed, 'c'},
                                          {std::nullopt, '?'}}};

// "12" or "12s".
std::optional<Cursor::Seen> parse_seen(std::string_view text) {
  Cursor::Seen seen;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seen.seq);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.empty()) return seen;
  for (const auto& [status, letter] : kLetters) {
    if (rest.size() != 1 || rest.front() != letter) continue;
    seen.status = status;
    return seen;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Cursor> parse_cursor(std::string_view text) {
  if (text.size() > kCursorBytesMax) return std::nullopt;
  Cursor cursor;
  std::string_view epoch = text.substr(0, text.find(','));
  text.remove_prefix(epoch.size());
  cursor.cut = epoch.ends_with('!');
  if (cursor.cut) epoch.remove_suffix(1);
  if (epoch.empty()) return std::nullopt;
  cursor.epoch = epoch;
  while (!text.empty()) {
    text.remove_prefix(1);  // its comma
    const std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(entry.size());
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto seen = parse_seen(entry.substr(equals + 1));
    if (!seen) return std::nullopt;
    cursor.topics.insert_or_assign(std::string(entry.substr(0, equals)), *seen);
  }
  return cursor;
}

bool CursorWriter::add(std::string_view topic, Cursor::Seen seen) {
  std::string entry = ",";
  entry.append(topic).append("=").append(std::to_string(seen.seq));
  for (const auto& [status, letter] : kLetters) {
    if (seen.status == status) entry += letter;
  }
  if (epoch_.size() + 1 + topics_.size() + entry.size() > kCursorBytesMax) return false;
  topics_ += entry;
  return true;
}

void CursorWriter::cut(std::size_t size) {
  topics_.resize(size);
  cut_ = true;
}

std::string CursorWriter::text() const {
  std::string text = epoch_;
  if (cut_) text += '!';
  return text += topics_;
}

}  // namespace tickwire
