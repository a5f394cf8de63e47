#include "codec/standalone.h"

#include <zlib.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <new>

namespace tickwire {
namespace {

constexpr int kLevel = 6;
constexpr int kMemoryLevel = 8;
constexpr std::size_t kFlushMarkerBytes = 4;  // 00 00 FF FF, not sent
constexpr std::size_t kInputBytesMax = std::numeric_limits<uInt>::max();

}  // namespace

void Standalone::Deleter::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

Standalone::Standalone() {
  auto stream = std::make_unique<z_stream>();
  if (deflateInit2(stream.get(), kLevel, Z_DEFLATED, -MAX_WBITS, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();  // the one way in which it fails, given these constants
  }
  stream_.reset(stream.release());
}

std::string Standalone::compress(std::string_view message) {
  assert(message.size() <= kInputBytesMax);
  z_stream& z = *stream_;
  deflateReset(&z);
  std::string payload(deflateBound(&z, static_cast<uLong>(message.size())) + kFlushMarkerBytes + 8, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  z.avail_in = static_cast<uInt>(message.size());
  z.next_out = reinterpret_cast<Bytef*>(payload.data());
  z.avail_out = static_cast<uInt>(payload.size());
  [[maybe_unused]] const int code = deflate(&z, Z_SYNC_FLUSH);
  assert(code == Z_OK && z.avail_in == 0 && z.avail_out > 0);
  payload.resize(payload.size() - z.avail_out - kFlushMarkerBytes);
  return payload;
}

}  // namespace tickwire
