// NetConfig: where a loop listens, whom it lets in, and how long it waits for whom. Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/shares.h"
#include "net/connection_gate.h"
#include "net/identity.h"
#include "net/proxy_rules.h"
#include "protocol/command.h"

namespace tickwire {

inline constexpr std::size_t kDescriptorsMax = 262'144;  // lws keeps 16 bytes for each, used or not

inline constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

enum class Transport : std::uint8_t { kPlain, kTls };
enum class TlsVersion : std::uint8_t { k12, k13 };

struct ListenAddress {
  std::string host = "127.0.0.1";  // an IPv4 or IPv6 literal without brackets, or a name
  std::uint16_t port = 8080;       // 0: any free one
  Transport transport = Transport::kPlain;
  ProxyProtocol proxy = ProxyProtocol::kOff;
};

class TlsServer;

struct NetConfig {
  std::vector<ListenAddress> listen{ListenAddress{}};
  TlsServer* tls = nullptr;  // where one of them is TLS; outlives the loop
  int backlog = 4096;
  std::vector<std::string> hosts;                 // names that are served (net/host_rule.h)
  std::vector<std::string> origins{"same-host"};  // pages that may use the server (net/origin_rule.h)
  IdentityRules identity;                         // how a request says who its client is
  ProxyRules proxies;                             // that are believed who their client is
  bool echo = false;                              // serves /echo
  std::string admin_token;  // opens the admin listener where it is TCP; empty: nothing does
  std::size_t message_bytes_max = kMessageBytesMax;
  ConnectionGate* gate = nullptr;  // of the whole plant, which outlives the loop; null: everybody may come

  // What the clients of one loop share: all together, those of one address, one of them.
  ShareLimits requests_open{4'096, 512, 1};  // connections that are no WebSocket; past it 503
  ShareLimits answers_open{128, 16, 1};      // HTTP answers under way; past it 503, or hung up
  ShareLimits inflater_bytes{kMegabyte * 64, kMegabyte * 16, kMegabyte};        // past it close 1013
  ShareLimits unfinished_bytes{kMegabyte * 64, kMegabyte * 16, kMegabyte * 4};  // past it 503, or close 1013

  // A client that reads nothing costs this much of the kernel's memory, and a write; data that is under way
  // to one who reads is not counted.
  int unsent_bytes_max = 64 << 10;
  // Written or answered, and not taken by the client; past it hung up.
  ShareLimits unread_bytes{kMegabyte * 128, kMegabyte * 32, kMegabyte * 16};

  // Read and thrown away behind an answer; behind the close of a WebSocket, as much again as a message.
  std::size_t linger_bytes_max = kMegabyte;

  int request_ms_max = 10'000;       // to send a whole request head, from accept on
  int linger_ms_max = 2'000;         // from the end of an answer to the client's close
  int message_ms_max = 30'000;       // from the first piece of a message to its last; then close 1013
  int answer_stall_ms_max = 10'000;  // an HTTP answer of which the client takes nothing
  int publish_ms_max = 30'000;       // what is posted is to be answered
  // A silent client is pinged after this time at the latest; from half of it on, less some jitter, a ping
  // leaves with whatever else is written.
  int ping_after_ms = 30'000;
  int pong_ms_max = 20'000;   // then close 4002
  int close_ms_max = 5'000;   // from our close to the end of the connection
  int accept_pause_ms = 250;  // when descriptors ran out
  int stop_ms_max = 2'000;    // stop() waits for closes to be answered
};

}  // namespace tickwire
