// MatchFinder: where parts of a message occurred before, in its bases or in the message itself.
//
// Owned by one Assembler, so by one thread; keeps its tables between calls, as nothing here should allocate
// once they have grown. Result: matches by rising start, each as long as it can be to both sides.
// The middle of a match is not searched: of the matches that begin there only those that end beyond it are of
// use, and they are found three bytes before its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tickwire {

// A match may be used from any place inside it and be cut at any length.
struct Match {
  static constexpr std::uint32_t kSelf = 0xFF;
  std::uint32_t start = 0;   // in the message
  std::uint32_t length = 0;  // may exceed kMatchBytesMax
  std::uint32_t source = 0;  // index of the base, or kSelf
  std::int32_t offset = 0;   // start - place of the source in the base; for kSelf: the distance itself
  std::uint32_t bits = 0;    // what its distance will cost; for a base: as estimated
  [[nodiscard]] std::uint32_t end() const { return start + length; }
};

class MatchFinder {
 public:
  // `bases`: nearest first; with the message at most kDistanceMax bytes. Valid until the next call.
  const std::vector<Match>& find(std::string_view message, std::span<const std::string_view> bases,
                                 std::uint32_t typical_gap_bytes);

 private:
  // The bases, farthest first, then the message lie in one text; positions count from its start.
  struct Region {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t gap = 0;  // estimated
  };
  void lay_out(std::string_view message, std::span<const std::string_view> bases, std::uint32_t typical_gap);
  void index(const Region& base);
  void index(std::uint32_t position);
  void search(std::uint32_t position);
  void search_short(std::uint32_t position);
  void keep(std::uint32_t position, std::uint32_t source, std::uint32_t length);
  void insert(const Match& match);
  [[nodiscard]] std::uint32_t match_length(std::uint32_t position, std::uint32_t source) const;
  [[nodiscard]] const Region& region_of(std::uint32_t position) const;

  std::vector<char> text_;
  std::vector<Region> regions_;          // the last is the message
  std::vector<std::uint16_t> heads_;     // hash of 4 bytes -> 1 + the last position that has it
  std::vector<std::uint16_t> heads3_;    // the same of 3 bytes, within the message
  std::vector<std::uint16_t> previous_;  // position -> 1 + the position before it with the same hash
  std::vector<Match> matches_;
  unsigned hash_shift_ = 0;
  std::uint32_t covered_ = 0;  // the furthest end of a match so far
};

}  // namespace tickwire
