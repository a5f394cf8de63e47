// Topic names and patterns: their grammar, their limits, and what matches what.
//
// A topic is tokens of [A-Za-z0-9_:-] joined by '.'; in a pattern a whole token may be '*' (exactly one
// token) and the last one '>' (one or more). Values without state; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kTopicNameBytesMax = 200;
inline constexpr std::size_t kTopicTokensMax = 16;
inline constexpr std::size_t kShownTopicBytesMax = 40;  // of a name, in the text of an error

// The part of a name that the text of an error repeats: at most kShownTopicBytesMax bytes and "...", with '?'
// for what is not printable ASCII. A client may send any name, and thousands in one command.
std::string shown_topic(std::string_view text);

// kBadTopic with a message that names the offending byte or the limit.
Status check_topic(std::string_view topic);
// Whether Pattern::parse takes `text`. Costs one pass over it, and allocates nothing.
bool is_valid_pattern(std::string_view text);

// The first tokens of names that belong to the plant itself: nobody publishes there but the server, and no
// feed declares a topic or a pattern of them. Subscriptions are not affected.
inline constexpr std::array<std::string_view, 3> kReservedTokens{"presence", "presence_names", "tickwire"};
// kBadTopic: the topic or pattern has one of them. Says nothing about its validity.
Status check_not_reserved(std::string_view text);

// True when `text` has a wildcard token; says nothing about its validity.
bool is_pattern(std::string_view text);

// A valid topic or pattern. Matching allocates nothing.
class Pattern {
 public:
  // kBadTopic. A text without wildcards is a pattern that matches only itself.
  static Result<Pattern> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  // `topic` must be valid.
  [[nodiscard]] bool matches(std::string_view topic) const;
  // What every topic that matches begins with; all of the text where it has no wildcard.
  [[nodiscard]] std::string_view prefix() const;
  // Some topic matches both.
  [[nodiscard]] bool overlaps(const Pattern& other) const;

 private:
  explicit Pattern(std::string_view text);

  std::string text_;
  bool literal_;  // no wildcard: comparing the text is enough
};

}  // namespace tickwire
