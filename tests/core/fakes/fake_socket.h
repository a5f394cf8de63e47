// A socket in memory that blocks and drops when a test says so, and reads the frames written to it.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "session/framing.h"
#include "session/socket.h"

namespace tickwire {

class FakeSocket final : public Socket {
 public:
  explicit FakeSocket(Format format = Format::kJson) : format(format) {}

  WriteResult write(std::string_view frames) override {
    EXPECT_FALSE(blocked) << "written to while blocked";
    EXPECT_EQ(close_code, 0) << "written to after close";
    EXPECT_FALSE(frames.empty());
    ++writes;
    if (on_write) on_write();
    largest_write = std::max(largest_write, frames.size());
    if (gone) return WriteResult::kClosed;
    read_frames(frames);
    blocked = block_next;
    return blocked ? WriteResult::kBlocked : WriteResult::kSent;
  }
  void close(CloseCode code, std::string_view reason, std::string_view last_frames) override {
    EXPECT_EQ(close_code, 0) << "closed twice";
    read_frames(last_frames);
    close_code = static_cast<int>(code);
    close_reason = reason;
  }
  void set_reading(bool on) override { reading = on; }

  // The messages since the last call.
  std::vector<nlohmann::json> take() {
    std::vector<nlohmann::json> out;
    for (const std::string& text : texts) out.push_back(nlohmann::json::parse(text));
    texts.clear();
    return out;
  }

  const Format format;
  std::function<void()> on_write;
  bool block_next = false;  // the next write finds the socket full
  bool blocked = false;
  bool gone = false;
  bool reading = true;
  int writes = 0;
  std::size_t largest_write = 0;
  int close_code = 0;
  std::string close_reason;
  std::vector<std::string> texts;  // of a binary format: the same in JSON
  int compressed_messages = 0;

 private:
  // A peer's permessage-deflate context, kept over messages.
  struct Inflate {
    Inflate() { inflateInit2(&stream, -15); }
    ~Inflate() { inflateEnd(&stream); }
    Inflate(const Inflate&) = delete;
    Inflate& operator=(const Inflate&) = delete;
    z_stream stream{};
  };

  std::string inflate_message(std::string_view payload) {
    std::string in(payload);
    in.append("\0\0\xFF\xFF", 4);
    std::string out(1U << 19U, '\0');
    z_stream& stream = inflate_.stream;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::inflate(&stream, Z_SYNC_FLUSH), Z_OK) << (stream.msg == nullptr ? "" : stream.msg);
    EXPECT_EQ(stream.avail_in, 0U);
    out.resize(out.size() - stream.avail_out);
    return out;
  }

  [[nodiscard]] std::string text_of(const std::string& message) const {
    if (format == Format::kJson) return message;
    return (format == Format::kCbor ? nlohmann::json::from_cbor(message)
                                    : nlohmann::json::from_msgpack(message))
        .dump();
  }

  // RFC 6455 section 5.2, unmasked and final frames only.
  void read_frames(std::string_view rest) {
    while (!rest.empty()) {
      const unsigned plain = 0x80U | static_cast<unsigned>(opcode_of(format));
      const bool compressed = static_cast<unsigned char>(rest[0]) == (0x40U | plain);
      if (!compressed) {
        ASSERT_EQ(static_cast<unsigned char>(rest[0]), plain);
      }
      std::size_t size = static_cast<unsigned char>(rest[1]);
      std::size_t header = 2;
      const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
      if (extra > 0) size = 0;
      for (std::size_t i = 0; i < extra; ++i)
        size = (size << 8U) | static_cast<unsigned char>(rest[header++]);
      ASSERT_LE(header + size, rest.size());
      const std::string_view payload = rest.substr(header, size);
      texts.push_back(text_of(compressed ? inflate_message(payload) : std::string(payload)));
      compressed_messages += compressed ? 1 : 0;
      rest.remove_prefix(header + size);
    }
  }

  Inflate inflate_;
};

}  // namespace tickwire