// SimSocket: a client's end of a connection in memory: it blocks, is cut in the middle of a write, or closes
// when the simulation says so, and takes frames apart with zlib's inflate, as a browser does, or events of a
// stream. Messages in a binary format become the JSON text that they stand for. What a long poll is answered
// with gathers in the server, so it neither blocks nor is cut: it comes whole, or not at all.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/format.h"
#include "session/event_frame.h"
#include "session/framing.h"
#include "session/socket.h"

namespace tickwire::sim {

// Something that must never happen did.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class SimSocket final : public Socket {
 public:
  explicit SimSocket(Framing framing) : framing(framing) { inflateInit2(&stream_, -15); }
  ~SimSocket() override { inflateEnd(&stream_); }
  SimSocket(const SimSocket&) = delete;
  SimSocket& operator=(const SimSocket&) = delete;

  WriteResult write(std::string_view frames) override {
    if (blocked || closed) fault_ = blocked ? "written to while blocked" : "written to after its close";
    bytes_max = std::max(bytes_max, frames.size());
    if (framing.carrier == Carrier::kRequest) {
      read(frames);
      return WriteResult::kSent;
    }
    if (cut_after > 0 && frames.size() > cut_after) {
      read(frames.substr(0, cut_after));
      closed = true;
      return WriteResult::kClosed;
    }
    read(frames);
    blocked = block_next;
    return blocked ? WriteResult::kBlocked : WriteResult::kSent;
  }
  void close(CloseCode /*code*/, std::string_view /*reason*/, std::string_view last_frames) override {
    if (!closed) read(last_frames);
    if (framing.carrier == Carrier::kRequest) texts_.clear();  // the answer is an error
    closed = true;
  }
  void set_reading(bool /*on*/) override {}

  // The messages since the last call, and the cursors between them as "id: ..."; throws what went wrong
  // meanwhile.
  std::vector<std::string> take() {
    if (!fault_.empty()) throw Violation(fault_);
    return std::exchange(texts_, {});
  }

  // A command, as its client sends it.
  [[nodiscard]] std::string encoded(const std::string& command) const {
    const Format format = framing.format;
    if (format == Format::kJson) return command;
    const auto message = nlohmann::json::parse(command);
    const auto bytes =
        format == Format::kCbor ? nlohmann::json::to_cbor(message) : nlohmann::json::to_msgpack(message);
    return {bytes.begin(), bytes.end()};
  }

  const Framing framing;
  bool block_next = false;  // the next write finds the socket full
  bool blocked = false;
  bool closed = false;
  std::size_t cut_after = 0;  // bytes of a write that still arrive; 0: it is not cut
  std::size_t bytes_max = 0;  // of one write

 private:
  void read(std::string_view rest) {
    if (framing.carrier == Carrier::kWebSocket) return read_frames(rest);
    if (framing.carrier == Carrier::kEvents) return read_events(rest);
    while (!rest.empty()) texts_.emplace_back(take_sized(rest));
  }

  // A last block that is not whole never arrived.
  void read_events(std::string_view rest) {
    for (std::size_t end = rest.find(kEventTail); end != std::string_view::npos;
         end = rest.find(kEventTail)) {
      const std::string_view block = rest.substr(0, end);
      rest.remove_prefix(end + kEventTail.size());
      if (block.starts_with(kEventHead)) {
        texts_.emplace_back(block.substr(kEventHead.size()));
      } else if (block.starts_with("id: ")) {
        texts_.emplace_back(block);
      } else if (!block.starts_with(':') && !block.starts_with("retry: ")) {
        fault_ = "no event";
      }
    }
  }

  // RFC 6455 section 5.2: unmasked and final frames; a last one that is not whole never arrived.
  void read_frames(std::string_view rest) {
    while (rest.size() >= 2) {
      const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(rest[at]); };
      std::size_t size = byte(1);
      std::size_t header = 2;
      if (size >= 126) {
        header = size == 126 ? 4 : 10;
        if (rest.size() < header) return;
        size = 0;
        for (std::size_t at = 2; at < header; ++at) size = size << 8U | byte(at);
      }
      if (rest.size() < header + size) return;
      const bool compressed = (byte(0) & 0x40U) != 0;
      const std::string_view payload = rest.substr(header, size);
      texts_.push_back(text_of(compressed ? inflate_message(payload) : std::string(payload)));
      rest.remove_prefix(header + size);
    }
  }

  [[nodiscard]] std::string text_of(std::string message) const {
    using nlohmann::ordered_json;
    if (framing.format == Format::kJson) return message;
    return (framing.format == Format::kCbor ? ordered_json::from_cbor(message)
                                            : ordered_json::from_msgpack(message))
        .dump();
  }

  // RFC 7692 section 7.2.2.
  std::string inflate_message(std::string_view payload) {
    in_.assign(payload).append("\0\0\xFF\xFF", 4);
    out_.resize(1U << 16U);
    stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
    stream_.avail_in = static_cast<uInt>(in_.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    if (::inflate(&stream_, Z_SYNC_FLUSH) != Z_OK || stream_.avail_in != 0) fault_ = "does not inflate";
    return out_.substr(0, out_.size() - stream_.avail_out);
  }

  z_stream stream_{};
  std::string in_;
  std::string out_;
  std::vector<std::string> texts_;
  std::string fault_;
};

}  // namespace tickwire::sim
