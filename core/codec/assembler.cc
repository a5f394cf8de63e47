#include "codec/assembler.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "codec/fixed_huffman.h"
#include "codec/stream_position.h"

namespace tickwire {
namespace {

constexpr Bits kBlockHeader = {0b010, 3};  // BFINAL 0, BTYPE 01: fixed Huffman codes
// End of block, then the header of the empty stored block whose 00 00 FF FF is not sent.
constexpr Bits kTrailer = {0, 7 + 3};

// Packs tokens into ops.
class OpWriter {
 public:
  explicit OpWriter(Assembled& result) : result_(result) {}

  void closed(Bits bits) {
    if (count_ + bits.count > LinkOp::kClosedBitsMax) flush(0);
    closed_ |= std::uint64_t{bits.bits} << count_;
    count_ += bits.count;
    result_.closed_bits += bits.count;
  }

  // What flush wants for this distance, or nothing when no further distance has room.
  std::optional<std::uint32_t> index_of(OpenDistance distance) {
    auto& all = result_.distances;
    // Few messages have more than a handful; of the others only the latest are looked through.
    const std::size_t stop = all.size() > kRecent ? all.size() - kRecent : 0;
    for (std::size_t i = all.size(); i > stop; --i) {
      if (all[i - 1] == distance) return static_cast<std::uint32_t>(i);
    }
    if (all.size() == kOpenDistancesMax) return std::nullopt;
    all.push_back(distance);
    return static_cast<std::uint32_t>(all.size());
  }

  void flush(std::uint32_t distance) {
    result_.ops.emplace_back(closed_, count_, distance);
    closed_ = 0;
    count_ = 0;
    if (distance != 0) ++result_.open_count;
  }

 private:
  static constexpr std::size_t kRecent = 16;
  Assembled& result_;
  std::uint64_t closed_ = 0;
  unsigned count_ = 0;
};

void write_literals(std::string_view bytes, OpWriter& out) {
  for (const char byte : bytes) out.closed(kLiteralBits[static_cast<unsigned char>(byte)]);
}

void write_token(const Token& token, std::string_view bytes, OpWriter& out) {
  if (token.match == nullptr) return write_literals(bytes, out);
  const Match& match = *token.match;
  if (match.source == Match::kSelf) {
    out.closed(kLengthBits[token.length]);
    out.closed(distance_bits(static_cast<std::uint32_t>(match.offset)));
    return;
  }
  const auto index = out.index_of({match.offset, match.source});
  if (!index) return write_literals(bytes, out);
  out.closed(kLengthBits[token.length]);
  out.flush(*index);
}

}  // namespace

Assembled Assembler::assemble(std::string_view message, std::span<const std::string_view> bases,
                              Options options) {
  assert(message.size() <= kAssembledBytesMax && bases.size() <= kBasesMax);
  Assembled result;
  result.message_bytes = message.size();
  std::size_t room = kDistanceMax - message.size();
  while (result.bases < bases.size() && bases[result.bases].size() <= room) {
    room -= bases[result.bases++].size();
  }
  const auto used = bases.first(result.bases);
  const auto& matches = finder_.find(message, used, options.typical_gap_bytes);
  const auto& tokens = parser_.parse(options.parse, message, matches);
  result.ops.reserve(tokens.size() / 2 + 4);
  OpWriter out(result);
  out.closed(kBlockHeader);
  std::size_t place = 0;
  for (const Token& token : tokens) {
    write_token(token, message.substr(place, token.length), out);
    place += token.length;
  }
  out.closed(kTrailer);
  out.flush(0);
  return result;
}

}  // namespace tickwire
