#include "codec/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace tickwire {
namespace {

constexpr std::string_view kFlushMarker("\x00\x00\xff\xff", 4);
constexpr std::size_t kChunkBytes = 16384;
constexpr std::size_t kStateBytes = 7160;  // zlib's inflate_state on a 64-bit machine
// A message may end a DEFLATE stream (BFINAL, RFC 7692 7.2.3.4) and go on in another, which costs us a copy
// of the window: not as often as the peer likes.
constexpr std::size_t kFinalBlocksMax = 4;
// What inflate leaves in data_type when it stands between two blocks and at a byte boundary.
constexpr int kBetweenBlocks = 128;

Error bad(std::string why) {
  return {ErrorCode::kBadMessage, "compressed message: " + std::move(why), {}};
}

Error too_large(std::string why) {
  return {ErrorCode::kTooLarge, "compressed message: " + std::move(why), {}};
}

Bytef* bytes_of(const char* data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

}  // namespace

void Inflater::Deleter::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

Inflater::Inflater(const Config& config) : config_(config) {
  assert(config.window_bits >= 8 && config.window_bits <= MAX_WBITS);
}

Status Inflater::feed(std::string_view piece, bool last, std::string& message) {
  assert(!failed_);
  failed_ = true;  // until proven otherwise
  if (Status status = unpark(); !status) return status;
  if (Status status = inflate_all(piece, message); !status) return status;
  if (last) {
    if (Status status = inflate_all(kFlushMarker, message); !status) return status;
    if (stream_->data_type != kBetweenBlocks) return bad("it does not end at the end of a DEFLATE block");
    inflated_bytes_ = final_blocks_ = 0;
    if (!config_.context_takeover) inflateReset(stream_.get());
  }
  failed_ = false;
  return ok_status();
}

Status Inflater::inflate_all(std::string_view input, std::string& message) {
  z_stream& z = *stream_;
  z.next_in = bytes_of(input.data());
  z.avail_in = static_cast<uInt>(input.size());
  std::array<char, kChunkBytes> chunk;
  int code = Z_OK;
  do {
    // One byte more than is allowed, so that going over the limit shows.
    const std::size_t room = std::min(kChunkBytes, config_.message_bytes_max - inflated_bytes_ + 1);
    z.next_out = bytes_of(chunk.data());
    z.avail_out = static_cast<uInt>(room);
    code = inflate(&z, Z_SYNC_FLUSH);
    if (code == Z_MEM_ERROR) return Error{ErrorCode::kInternal, "out of memory for a window", {}};
    if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END) {
      return bad(z.msg != nullptr ? z.msg : "not DEFLATE data");
    }
    const std::size_t inflated = room - z.avail_out;
    if (Status status = account(inflated); !status) return status;
    message.append(chunk.data(), inflated);
    if (code == Z_STREAM_END) {
      if (Status status = begin_next_stream(); !status) return status;
    }
  } while (z.avail_in > 0 || (z.avail_out == 0 && code != Z_STREAM_END));
  return ok_status();
}

Status Inflater::account(std::size_t inflated) {
  inflated_bytes_ += inflated;
  if (inflated_bytes_ > config_.message_bytes_max) {
    return too_large("more than " + std::to_string(config_.message_bytes_max) + " bytes when inflated");
  }
  return ok_status();
}

// After a final block: the stream is over, the window is not.
Status Inflater::begin_next_stream() {
  if (++final_blocks_ > kFinalBlocksMax) {
    return bad("more than " + std::to_string(kFinalBlocksMax) + " final blocks");
  }
  const std::string window = history();
  inflateReset(stream_.get());
  set_history(window);
  stream_->data_type = kBetweenBlocks;
  return ok_status();
}

std::string Inflater::history() const {
  uInt size = 0;
  inflateGetDictionary(stream_.get(), nullptr, &size);
  std::string window(size, '\0');
  inflateGetDictionary(stream_.get(), bytes_of(window.data()), &size);
  return window;
}

void Inflater::set_history(const std::string& window) {
  inflateSetDictionary(stream_.get(), bytes_of(window.data()), static_cast<uInt>(window.size()));
}

Status Inflater::unpark() {
  if (stream_) return ok_status();
  auto stream = std::make_unique<z_stream>();
  if (inflateInit2(stream.get(), -config_.window_bits) != Z_OK) {
    return Error{ErrorCode::kInternal, "out of memory for an inflater", {}};
  }
  stream_.reset(stream.release());
  if (!history_.empty()) set_history(std::exchange(history_, {}));
  return ok_status();
}

void Inflater::begin_with(std::string history) {
  assert(!stream_);
  history_ = std::move(history);
}

void Inflater::park() {
  assert(!failed_ && inflated_bytes_ == 0);
  if (!stream_) return;
  history_ = history();
  stream_.reset();
}

std::size_t Inflater::memory_bytes() const {
  if (stream_) return sizeof(z_stream) + kStateBytes + (std::size_t{1} << config_.window_bits);
  return history_.capacity();
}

}  // namespace tickwire
