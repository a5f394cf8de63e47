#include "codec/match_finder.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <iterator>

#include "codec/fixed_huffman.h"

namespace tickwire {
namespace {

constexpr std::uint32_t kGram = 4;
// Candidates at one place. Real messages have a handful; a hostile one must not cost more than some
// milliseconds.
constexpr std::uint32_t kCandidatesMax = 64;
constexpr std::uint32_t kHash = 2654435761U;
constexpr std::uint32_t kPaddingBytes = 8;
// A match of 3 bytes pays only from nearby: 7 bits of length and the distance against 24 bits.
constexpr std::uint32_t kShortDistanceBitsMax = 14;

std::uint32_t load32(const char* p) {
  std::uint32_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

std::uint64_t load64(const char* p) {
  std::uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

std::uint32_t load24(const char* p) {
  const std::uint32_t value = load32(p);
  return std::endian::native == std::endian::little ? value << 8 : value >> 8 << 8;
}

std::uint32_t equal_bytes(std::uint64_t difference) {
  const int zeros = std::endian::native == std::endian::little ? std::countr_zero(difference)
                                                               : std::countl_zero(difference);
  return static_cast<std::uint32_t>(zeros) / 8;
}

}  // namespace

const std::vector<Match>& MatchFinder::find(std::string_view message, std::span<const std::string_view> bases,
                                            std::uint32_t typical_gap_bytes) {
  lay_out(message, bases, std::min(typical_gap_bytes, kDistanceMax));
  matches_.clear();
  for (std::size_t r = 0; r + 1 < regions_.size(); ++r) index(regions_[r]);
  const Region own = regions_.back();
  covered_ = own.begin;
  for (std::uint32_t p = own.begin; p + kMatchBytesMin <= own.end; ++p) {
    if (p + kMatchBytesMin >= covered_) {
      search_short(p);
      search(p);
    }
    index(p);
  }
  return matches_;
}

void MatchFinder::lay_out(std::string_view message, std::span<const std::string_view> bases,
                          std::uint32_t typical_gap) {
  text_.clear();
  regions_.clear();
  std::uint32_t reach = 0;
  for (const std::string_view base : bases) reach += static_cast<std::uint32_t>(base.size());
  assert(reach + message.size() <= kDistanceMax);
  auto gap = static_cast<std::uint32_t>(bases.size()) * typical_gap;
  for (std::size_t i = bases.size(); i-- > 0; gap -= typical_gap) {
    const auto begin = static_cast<std::uint32_t>(text_.size());
    text_.insert(text_.end(), bases[i].begin(), bases[i].end());
    regions_.push_back({begin, static_cast<std::uint32_t>(text_.size()), std::max(gap, reach)});
    reach -= static_cast<std::uint32_t>(bases[i].size());
  }
  const auto begin = static_cast<std::uint32_t>(text_.size());
  text_.insert(text_.end(), message.begin(), message.end());
  const auto end = static_cast<std::uint32_t>(text_.size());
  regions_.push_back({begin, end, 0});
  text_.resize(end + kPaddingBytes);

  const unsigned hash_bits = std::clamp<unsigned>(static_cast<unsigned>(std::bit_width(end)), 9, 14);
  hash_shift_ = 32 - hash_bits;
  heads_.assign(std::size_t{1} << hash_bits, 0);
  heads3_.assign(std::size_t{1} << hash_bits, 0);
  if (previous_.size() < end) previous_.resize(end);
}

// Everything a loop of a few instructions touches is local, so that it stays in registers.
void MatchFinder::index(const Region& base) {
  const char* const text = text_.data();
  std::uint16_t* const heads = heads_.data();
  std::uint16_t* const previous = previous_.data();
  const unsigned shift = hash_shift_;
  for (std::uint32_t p = base.begin; p + kGram <= base.end; ++p) {
    std::uint16_t& head = heads[load32(text + p) * kHash >> shift];
    previous[p] = head;
    head = static_cast<std::uint16_t>(p + 1);
  }
}

void MatchFinder::index(std::uint32_t position) {
  const char* const gram = &text_[position];
  std::uint16_t& head = heads_[load32(gram) * kHash >> hash_shift_];
  previous_[position] = head;
  head = static_cast<std::uint16_t>(position + 1);
  heads3_[load24(gram) * kHash >> hash_shift_] = head;
}

void MatchFinder::search(std::uint32_t position) {
  const std::uint32_t gram = load32(&text_[position]);
  const std::uint32_t end = regions_.back().end;
  // To be of use a match must reach over everything found before.
  std::uint32_t longest = std::max(covered_, position + kGram - 1) - position;
  if (position + longest >= end) return;
  std::uint32_t candidate = heads_[gram * kHash >> hash_shift_];
  std::uint32_t tries = kCandidatesMax;
  for (; candidate != 0 && tries > 0; candidate = previous_[candidate - 1], --tries) {
    const std::uint32_t source = candidate - 1;
    if (text_[source + longest] != text_[position + longest] || load32(&text_[source]) != gram) continue;
    const std::uint32_t length = match_length(position, source);
    if (length <= longest) continue;
    keep(position, source, length);
    longest = length;
    if (position + length == end) return;
  }
}

void MatchFinder::search_short(std::uint32_t position) {
  if (position < covered_) return;
  const std::uint32_t gram = load24(&text_[position]);
  const std::uint32_t candidate = heads3_[gram * kHash >> hash_shift_];
  if (candidate == 0 || load24(&text_[candidate - 1]) != gram) return;
  if (distance_bits(position - (candidate - 1)).count > kShortDistanceBitsMax) return;
  keep(position, candidate - 1, kMatchBytesMin);
}

// A match found inside another may begin further to the left, where nothing was searched.
void MatchFinder::keep(std::uint32_t position, std::uint32_t source, std::uint32_t length) {
  const Region& own = regions_.back();
  const Region& region = region_of(source);
  if (position < covered_) {
    const std::uint32_t room = std::min(position - own.begin, source - region.begin);
    std::uint32_t back = 0;
    while (back < room && text_[source - back - 1] == text_[position - back - 1]) ++back;
    position -= back;
    source -= back;
    length += back;
  }
  covered_ = std::max(covered_, position + length);
  const std::uint32_t start = position - own.begin;
  if (source >= own.begin) {
    const std::uint32_t distance = position - source;
    return insert(
        {start, length, Match::kSelf, static_cast<std::int32_t>(distance), distance_bits(distance).count});
  }
  const auto farthest_first = static_cast<std::size_t>(&region - regions_.data());
  const auto base = static_cast<std::uint32_t>(regions_.size() - 2 - farthest_first);
  const std::int32_t offset =
      static_cast<std::int32_t>(start) - static_cast<std::int32_t>(source - region.begin);
  const auto distance = static_cast<std::uint32_t>(static_cast<std::int32_t>(region.gap) + offset);
  insert({start, length, base, offset, distance_bits(std::min(distance, kDistanceMax)).count});
}

void MatchFinder::insert(const Match& match) {
  auto place = matches_.end();
  while (place != matches_.begin() && std::prev(place)->start > match.start) --place;
  matches_.insert(place, match);
}

// Not beyond the end of the source's region: what follows a base differs from stream to stream.
std::uint32_t MatchFinder::match_length(std::uint32_t position, std::uint32_t source) const {
  const std::uint32_t own_begin = regions_.back().begin;
  std::uint32_t limit = regions_.back().end - position;
  if (source < own_begin) limit = std::min(limit, region_of(source).end - source);
  std::uint32_t length = 0;
  while (length < limit) {
    const std::uint64_t difference = load64(&text_[source + length]) ^ load64(&text_[position + length]);
    if (difference != 0) return std::min(limit, length + equal_bytes(difference));
    length += 8;
  }
  return limit;
}

const MatchFinder::Region& MatchFinder::region_of(std::uint32_t position) const {
  const Region* region = regions_.data();
  while (position >= region->end) ++region;
  return *region;
}

}  // namespace tickwire
