// Parse: which of the matches of a message to use, and where to cut them.
//
// Owned by one Assembler, so by one thread. Result: tokens that cover the message from its first byte to its
// last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/match_finder.h"

namespace tickwire {

enum class Parse : std::uint8_t {
  kGreedy,   // the longest match at each place; for a message that few want
  kOptimal,  // the fewest bits, by dynamic programming over their cost
};

struct Token {
  std::uint32_t length = 0;      // 1: a literal
  const Match* match = nullptr;  // the match it is a part of; null for a literal
};

class Parser {
 public:
  // Valid until the next call, and as long as `matches` is.
  const std::vector<Token>& parse(Parse how, std::string_view message, const std::vector<Match>& matches);

 private:
  // The cheapest way found to reach a place in the message: its cost and its last token.
  struct Node {
    std::uint32_t bits = 0;
    std::uint32_t length = 0;
    const Match* match = nullptr;
  };
  void greedy(std::string_view message, const std::vector<Match>& matches);
  void optimal(std::string_view message, const std::vector<Match>& matches);
  void try_match(std::size_t from, const Match& match);
  void try_length(std::size_t from, std::uint32_t length, std::uint32_t bits, const Match* match);

  std::vector<Node> nodes_;
  std::vector<const Match*> open_;
  std::vector<Token> tokens_;
};

}  // namespace tickwire
