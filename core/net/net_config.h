// NetConfig: where a loop listens, whom it lets in, and how long it waits for whom. Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/command.h"

namespace tickwire {

inline constexpr std::size_t kRequestHeadBytesMax = 16U << 10U;  // request line and headers; more: hung up
inline constexpr std::size_t kSocketReadBytesMax = 1U << 10U;    // one read; costs this much a connection
inline constexpr std::size_t kResponsesPendingMax = 64;          // HTTP answers that wait for a slow client
inline constexpr std::size_t kDescriptorsMax = 262'144;          // lws keeps 16 bytes for each, used or not

struct NetConfig {
  std::string host = "127.0.0.1";  // an IPv4 or IPv6 literal, or a name
  std::uint16_t port = 8080;       // 0: any free one
  int backlog = 4096;
  std::vector<std::string> origins{"*"};  // exact, as browsers send them; "*": all
  std::string admin_token;  // opens /v1/sessions to others than this machine; empty: nothing does
  std::size_t message_bytes_max = kMessageBytesMax;
  std::size_t inflater_bytes_max = std::size_t{64} << 20U;  // of all clients of a loop; past it one is closed

  // A client that reads nothing costs this much of the kernel's memory, and a write; data that is under way
  // to one who reads is not counted.
  int unsent_bytes_max = 64 << 10;

  int request_ms_max = 10'000;       // to send a whole request head, from accept or from the last answer
  int answer_stall_ms_max = 10'000;  // an HTTP answer of which the client takes nothing
  int ping_after_ms = 20'000;        // of silence
  int pong_ms_max = 30'000;          // then close 4002
  int close_ms_max = 5'000;          // from our close to the end of the connection
  int accept_pause_ms = 250;         // when descriptors ran out
  int stop_ms_max = 2'000;           // stop() waits for closes to be answered
};

}  // namespace tickwire
