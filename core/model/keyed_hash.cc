#include "model/keyed_hash.h"

#include <bit>
#include <cstddef>
#include <random>

namespace tickwire {
namespace {

class SipState {
 public:
  explicit SipState(HashKey key)
      : v0_(key.low ^ 0x736f6d6570736575U),
        v1_(key.high ^ 0x646f72616e646f6dU),
        v2_(key.low ^ 0x6c7967656e657261U),
        v3_(key.high ^ 0x7465646279746573U) {}

  void take(std::uint64_t word) {
    v3_ ^= word;
    round();
    v0_ ^= word;
  }

  std::uint64_t finish() {
    v2_ ^= 0xffU;
    for (int i = 0; i < 3; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void round() {
    v0_ += v1_, v1_ = std::rotl(v1_, 13) ^ v0_, v0_ = std::rotl(v0_, 32);
    v2_ += v3_, v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_, v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_, v1_ = std::rotl(v1_, 17) ^ v2_, v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

// Little-endian, as the definition has it.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return word;
}

HashKey& process_key() {
  static HashKey key = [] {
    std::random_device random;
    const auto draw = [&] { return (std::uint64_t{random()} << 32U) | random(); };
    return HashKey{draw(), draw()};
  }();
  return key;
}

}  // namespace

std::uint64_t sip_hash(std::string_view text, HashKey key) {
  constexpr std::size_t kWordBytes = 8;
  SipState state(key);
  std::size_t at = 0;
  for (; at + kWordBytes <= text.size(); at += kWordBytes) state.take(word_of(text.substr(at, kWordBytes)));
  state.take(word_of(text.substr(at)) | (std::uint64_t{text.size()} << 56U));
  return state.finish();
}

std::uint64_t keyed_hash(std::string_view text) {
  return sip_hash(text, process_key());
}

void set_hash_key(HashKey key) {
  process_key() = key;
}

}  // namespace tickwire
