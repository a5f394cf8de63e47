// Who may see what: the model that tests/core/fanout/access_property_test.cc holds the fan-out against. It
// knows nothing of leases and filters.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/pattern_cover.h"
#include "fanout/access.h"

namespace tickwire {

inline constexpr std::array kTopics{"open.a",  "open.b",  "tick.a",    "tick.b",   "tick.c.a",
                                    "trade.a", "trade.b", "guarded.a", "guarded.b"};
inline constexpr std::array kTexts{"open.a",  "open.b",    "tick.a",    "tick.b",    "tick.c.a",
                                   "trade.a", "trade.b",   "guarded.a", "guarded.b", ">",
                                   "*.a",     "*.*",       "tick.*",    "tick.>",    "tick.*.a",
                                   "trade.*", "guarded.*", "open.*",    "open.>",    "guarded.>"};

inline constexpr std::array kGuards{"guarded.>", "*.a", "tick.*", "trade.b"};

// What authorizers say: fixed for each subject and text, and as good as random.
inline std::size_t said(const std::string& subject, std::string_view text) {
  std::size_t sum = 7;
  for (const char c : subject + "/" + std::string(text)) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum / 8;
}
inline bool authorizer_allows(const std::string& subject, std::string_view text) {
  return said(subject, text) % 2 == 0;
}

inline Pattern pattern_of(std::string_view text) {
  return Pattern::parse(text).value();
}
inline bool matches(std::string_view text, std::string_view topic) {
  return pattern_of(text).matches(topic);
}

// What one guard says of a pattern.
inline GuardPart part_of(const std::string& subject, const Pattern& guard, std::string_view text) {
  static constexpr std::array kOnly{"*.a", "guarded.b", "tick.>", "trade.*"};
  const std::size_t saying = said(subject + guard.text(), text);
  GuardPart part{guard, saying % 4 == 0, {}};
  if (saying % 4 < 2) return part;  // all, or nothing
  for (const char* const only : kOnly) {
    if (said(subject + guard.text() + only, text) % 2 == 0) part.only.push_back(pattern_of(only));
  }
  return part;
}

enum class Answer : std::uint8_t { kYes, kNo, kLater };
inline std::string code_of(Answer answer) {
  return answer == Answer::kYes ? "" : answer == Answer::kNo ? "denied" : "unavailable";
}

// One session as it should be. It knows nothing of leases: what may be seen follows from the last token, the
// time, and what is subscribed to.
struct Model {
  enum class Kept : std::uint8_t { kServed, kHeld };

  const std::vector<Pattern>* guards = nullptr;
  bool has_token = false;
  std::vector<Pattern> subscribe, publish;
  std::int64_t expires_ms = 0;
  std::string subject;
  std::map<std::string, Kept> kept;  // by text

  [[nodiscard]] bool token_is_good(std::int64_t now_ms) const { return has_token && now_ms < expires_ms; }
  [[nodiscard]] Answer decide(std::string_view text, const std::vector<Pattern>& list,
                              std::int64_t now) const {
    const bool guarded = overlaps(*guards, text);
    if (!guarded && text.starts_with("open.")) return Answer::kYes;
    if (token_is_good(now) && covers(list, text)) return Answer::kYes;
    const Answer otherwise = has_token && now >= expires_ms ? Answer::kLater : Answer::kNo;
    if (is_pattern(text)) {
      if (!guarded && otherwise == Answer::kLater && overlaps(list, text)) return Answer::kLater;
      return some_of(text, now) ? Answer::kYes : guarded ? Answer::kNo : otherwise;
    }
    if (guarded) return authorizer_allows(subject, text) ? Answer::kYes : Answer::kNo;
    return otherwise;
  }
  // The pattern is not denied. Topics may come to be that nobody has heard of.
  [[nodiscard]] bool some_of(std::string_view text, std::int64_t now) const {
    if (token_is_good(now) && overlaps(subscribe, text)) return true;
    bool some = pattern_of(text).overlaps(pattern_of("open.>"));
    for (const Pattern& guard : *guards) {
      if (!guard.overlaps(pattern_of(text))) continue;
      const GuardPart part = part_of(subject, guard, text);
      const bool lets = part.all || std::ranges::any_of(part.only, [&](const Pattern& only) {
                          return only.overlaps(guard) && only.overlaps(pattern_of(text));
                        });
      if (!lets && covers(guard, text)) return false;
      some = some || lets;
    }
    return some;
  }
  // Whoever is subscribed to `text` may see the topic, which it matches.
  [[nodiscard]] bool may_see(std::string_view text, std::string_view topic, std::int64_t now) const {
    if (!is_pattern(text)) return true;  // or it would not be subscribed to
    if (token_is_good(now) && covers(subscribe, topic)) return true;
    bool is_let = topic.starts_with("open.");
    for (const Pattern& guard : *guards) {
      if (!guard.matches(topic)) continue;
      const GuardPart part = part_of(subject, guard, text);
      if (!part.all && !covers(part.only, topic)) return false;
      is_let = true;
    }
    return is_let;
  }
  // Time or a token may have changed what `text` is.
  void decide_again(const std::string& text, std::int64_t now) {
    const Answer answer = decide(text, subscribe, now);
    if (answer == Answer::kNo) {
      kept.erase(text);
    } else {
      kept[text] = answer == Answer::kYes ? Kept::kServed : Kept::kHeld;
    }
  }
  void decide_all_again(std::int64_t now) {
    for (const auto& [text, unused] : std::map(kept)) decide_again(text, now);
  }
  [[nodiscard]] bool sees(std::string_view topic, std::int64_t now) const {
    return std::ranges::any_of(kept, [&](const auto& entry) {
      return entry.second == Kept::kServed && matches(entry.first, topic) && may_see(entry.first, topic, now);
    });
  }
};

}  // namespace tickwire
