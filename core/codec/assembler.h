// Assembler: a message against its bases, into relocatable form. Once per message and bases, not per
// delivery.
//
// Owned by one thread; its tables are kept between calls. What it returns is free of it.
// The cost of a distance into a base depends on its final value, which is unknown here (5 bits and, by
// magnitude, up to 13 more): the parse weighs it as if base k lay (k + 1) * typical_gap_bytes back. A wrong
// estimate costs a few bits of size, never correctness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "codec/assembled.h"
#include "codec/match_finder.h"
#include "codec/parse.h"

namespace tickwire {

// A longer message is sent standalone.
inline constexpr std::size_t kAssembledBytesMax = 16384;

class Assembler {
 public:
  struct Options {
    Parse parse = Parse::kOptimal;
    std::uint32_t typical_gap_bytes = 2048;  // ten topics of 200 B that tick alike
  };
  // `bases`: what the stream was sent last on this subscription, nearest first, at most kBasesMax; those that
  // could never be in reach together with the ones before them are not used. message.size() <=
  // kAssembledBytesMax.
  Assembled assemble(std::string_view message, std::span<const std::string_view> bases, Options options);
  Assembled assemble(std::string_view message, std::span<const std::string_view> bases) {
    return assemble(message, bases, Options{});
  }

 private:
  MatchFinder finder_;
  Parser parser_;
};

}  // namespace tickwire
