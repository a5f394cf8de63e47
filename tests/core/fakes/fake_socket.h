// A socket in memory that blocks and drops when a test says so, and reads the frames written to it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "session/socket.h"

namespace tickwire {

class FakeSocket final : public Socket {
 public:
  WriteResult write(std::string_view frames) override {
    EXPECT_FALSE(blocked) << "written to while blocked";
    EXPECT_EQ(close_code, 0) << "written to after close";
    EXPECT_FALSE(frames.empty());
    ++writes;
    largest_write = std::max(largest_write, frames.size());
    if (gone) return WriteResult::kClosed;
    read_frames(frames);
    blocked = block_next;
    return blocked ? WriteResult::kBlocked : WriteResult::kSent;
  }
  void close(CloseCode code, std::string_view reason) override {
    EXPECT_EQ(close_code, 0) << "closed twice";
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

  bool block_next = false;  // the next write finds the socket full
  bool blocked = false;
  bool gone = false;
  bool reading = true;
  int writes = 0;
  std::size_t largest_write = 0;
  int close_code = 0;
  std::string close_reason;
  std::vector<std::string> texts;

 private:
  // RFC 6455 section 5.2, unmasked and final frames only.
  void read_frames(std::string_view rest) {
    while (!rest.empty()) {
      ASSERT_EQ(static_cast<unsigned char>(rest[0]), 0x81U);
      std::size_t size = static_cast<unsigned char>(rest[1]);
      std::size_t header = 2;
      const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
      if (extra > 0) size = 0;
      for (std::size_t i = 0; i < extra; ++i)
        size = (size << 8U) | static_cast<unsigned char>(rest[header++]);
      ASSERT_LE(header + size, rest.size());
      texts.emplace_back(rest.substr(header, size));
      rest.remove_prefix(header + size);
    }
  }
};

}  // namespace tickwire
