#include "codec/parse.h"

#include <algorithm>
#include <array>
#include <limits>

#include "codec/fixed_huffman.h"

namespace tickwire {
namespace {

// The longest lengths that cost as much as shorter ones: where to cut a match that is not used whole.
constexpr std::array<std::uint32_t, 7> kCuts = {10, 18, 34, 66, 114, 130, 257};

}  // namespace

const std::vector<Token>& Parser::parse(Parse how, std::string_view message,
                                        const std::vector<Match>& matches) {
  tokens_.clear();
  if (how == Parse::kGreedy) {
    greedy(message, matches);
  } else {
    optimal(message, matches);
  }
  return tokens_;
}

void Parser::greedy(std::string_view message, const std::vector<Match>& matches) {
  const Match* next = matches.data();
  const Match* const last = next + matches.size();
  const Match* best = nullptr;  // of those that started, the one that reaches furthest
  for (std::uint32_t place = 0; place < message.size();) {
    for (; next != last && next->start <= place; ++next) {
      if (best == nullptr || next->end() > best->end()) best = next;
    }
    std::uint32_t length = best != nullptr && best->end() > place ? best->end() - place : 1;
    length = std::min(length, kMatchBytesMax);
    const bool pays = length >= kMatchBytesMin && kLengthBits[length].count + best->bits < 8 * length;
    if (!pays) length = 1;
    tokens_.push_back({length, pays ? best : nullptr});
    place += length;
  }
}

void Parser::optimal(std::string_view message, const std::vector<Match>& matches) {
  nodes_.assign(message.size() + 1, {std::numeric_limits<std::uint32_t>::max(), 0, nullptr});
  nodes_[0].bits = 0;
  open_.clear();
  const Match* next = matches.data();
  const Match* const last = next + matches.size();
  for (std::size_t place = 0; place < message.size(); ++place) {
    const std::uint32_t literal = kLiteralBits[static_cast<unsigned char>(message[place])].count;
    try_length(place, 1, literal, nullptr);
    // Inside a match, to start it here pays only after another match: after a literal it would have
    // been better to start it one byte earlier.
    if (nodes_[place].match != nullptr) {
      std::erase_if(open_, [place](const Match* m) { return m->end() < place + kMatchBytesMin; });
      for (const Match* match : open_) try_match(place, *match);
    }
    for (; next != last && next->start == place; ++next) {
      try_match(place, *next);
      open_.push_back(next);
    }
  }
  for (std::size_t place = message.size(); place > 0; place -= nodes_[place].length) {
    tokens_.push_back({nodes_[place].length, nodes_[place].match});
  }
  std::reverse(tokens_.begin(), tokens_.end());
}

void Parser::try_match(std::size_t from, const Match& match) {
  const auto rest = match.end() - static_cast<std::uint32_t>(from);
  const std::uint32_t whole = std::min(rest, kMatchBytesMax);
  try_length(from, whole, kLengthBits[whole].count + match.bits, &match);
  for (const std::uint32_t cut : kCuts) {
    if (cut >= whole) return;
    try_length(from, cut, kLengthBits[cut].count + match.bits, &match);
  }
}

void Parser::try_length(std::size_t from, std::uint32_t length, std::uint32_t bits, const Match* match) {
  const std::uint32_t total = nodes_[from].bits + bits;
  Node& node = nodes_[from + length];
  if (total < node.bits) node = {total, length, match};
}

}  // namespace tickwire
