#include "model/topic_name.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace tickwire {
namespace {

constexpr bool is_token_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' ||
         c == '-';
}

// Takes the first token off `rest`; false when there is none left.
bool next_token(std::optional<std::string_view>& rest, std::string_view& token) {
  if (!rest) return false;
  const std::size_t dot = rest->find('.');
  token = rest->substr(0, dot);
  if (dot == std::string_view::npos) {
    rest.reset();
  } else {
    rest->remove_prefix(dot + 1);
  }
  return true;
}

constexpr std::array<bool, 256> kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table.at(i) = is_token_byte(static_cast<char>(i));
  return table;
}();

Error bad_topic(std::string message, std::optional<Limit> limit = {}) {
  return {ErrorCode::kBadTopic, std::move(message), "topic", limit};
}

Status check_token(std::string_view text, std::string_view token) {
  if (token.empty()) return bad_topic("topic: '" + shown_topic(text) + "' has an empty token");
  const auto* bad = std::find_if_not(token.begin(), token.end(), is_token_byte);
  if (bad == token.end()) return ok_status();
  return bad_topic("topic: '" + shown_topic(text) + "' has '" + shown_topic({bad, 1}) +
                   "'; tokens are of A-Z a-z 0-9 _ : - (a wildcard stands alone in its token)");
}

// The same answer as check_text's, without the reason, in one pass.
template <bool Wildcards>
bool is_valid(std::string_view text) {
  enum class Token : std::uint8_t { kEmpty, kBytes, kAnyOne, kAnyRest } token = Token::kEmpty;
  std::size_t tokens = 1;
  for (const char c : text) {
    if (c == '.') {
      if (token == Token::kEmpty || token == Token::kAnyRest) return false;
      ++tokens;
      token = Token::kEmpty;
    } else if (kTokenBytes[static_cast<unsigned char>(c)] && token <= Token::kBytes) {
      token = Token::kBytes;
    } else if (Wildcards && token == Token::kEmpty && (c == '*' || c == '>')) {
      token = c == '*' ? Token::kAnyOne : Token::kAnyRest;
    } else {
      return false;
    }
  }
  return token != Token::kEmpty && tokens <= kTopicTokensMax && text.size() <= kTopicNameBytesMax;
}

Status check_text(std::string_view text, bool wildcards) {
  if (text.size() > kTopicNameBytesMax) {
    return bad_topic("topic: " + std::to_string(text.size()) + " bytes, at most " +
                         std::to_string(kTopicNameBytesMax) + " are allowed",
                     Limit::kTopicNameBytes);
  }
  std::optional<std::string_view> rest = text;
  std::string_view token;
  std::size_t count = 0;
  while (next_token(rest, token)) {
    if (++count > kTopicTokensMax) {
      return bad_topic(
          "topic: '" + shown_topic(text) + "' has more than " + std::to_string(kTopicTokensMax) + " tokens",
          Limit::kTopicTokens);
    }
    if (wildcards && token == "*") continue;
    if (wildcards && token == ">") {
      if (rest) return bad_topic("topic: '" + shown_topic(text) + "': '>' is only allowed as the last token");
      continue;
    }
    if (Status status = check_token(text, token); !status) return status;
  }
  return ok_status();
}

}  // namespace

std::string shown_topic(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShownTopicBytesMax)) out += (c >= ' ' && c <= '~') ? c : '?';
  return text.size() > kShownTopicBytesMax ? out + "..." : out;
}

Status check_topic(std::string_view topic) {
  if (is_valid<false>(topic)) return ok_status();
  return check_text(topic, false);
}

Status check_not_reserved(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('.'));
  if (std::ranges::find(kReservedTokens, first) == kReservedTokens.end()) return ok_status();
  return bad_topic("topic: '" + shown_topic(text) + "' is reserved: names that begin with the token " +
                   std::string(first) +
                   " belong to the server itself; let the name begin with another token");
}

bool is_valid_pattern(std::string_view text) {
  return is_valid<true>(text);
}

bool is_pattern(std::string_view text) {
  return text.find_first_of("*>") != std::string_view::npos;
}

Result<Pattern> Pattern::parse(std::string_view text) {
  if (Status status = check_text(text, true); !status) return status.error();
  return Pattern(text);
}

Pattern::Pattern(std::string_view text) : text_(text), literal_(!is_pattern(text)) {}

std::string_view Pattern::prefix() const {
  return std::string_view(text_).substr(0, text_.find_first_of("*>"));
}

bool Pattern::matches(std::string_view topic) const {
  if (literal_) return topic == text_;
  std::optional<std::string_view> pattern_rest = text_;
  std::optional<std::string_view> topic_rest = topic;
  std::string_view want;
  std::string_view have;
  while (next_token(pattern_rest, want)) {
    if (!next_token(topic_rest, have)) return false;
    if (want == ">") return true;
    if (want != "*" && want != have) return false;
  }
  return !topic_rest;
}

bool Pattern::overlaps(const Pattern& other) const {
  std::optional<std::string_view> rest = text_;
  std::optional<std::string_view> other_rest = other.text_;
  std::string_view mine;
  std::string_view theirs;
  while (true) {
    const bool more = next_token(rest, mine);
    const bool other_more = next_token(other_rest, theirs);
    if (!more || !other_more) return more == other_more;
    if (mine == ">" || theirs == ">") return true;
    if (mine != "*" && theirs != "*" && mine != theirs) return false;
  }
}

}  // namespace tickwire
