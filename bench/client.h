// Client: one connection of the load client: the handshake, one subscribe, and what comes in after it.
//
// A checked client reads every message: that seq has no hole, how old it is, what the image is now (and
// inflates it, if it is compressed). The others count frames only, so that one process can be thousands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frames.h"
#include "histogram.h"
#include "tcp.h"
#include "transport.h"
#include "workload.h"

namespace tickwire::bench {

struct LoadConfig {
  std::uint16_t port = 0;
  std::uint32_t connections = 1000;
  std::uint32_t topics = 100;
  std::uint32_t topics_each = 10;
  std::string pattern;   // subscribed to instead of topics
  bool snapshot = true;  // of the subscribe
  bool deflate = false;  // offer permessage-deflate
  bool tls = false;
  std::uint32_t check = 1;  // one client of so many is checked
};

// What all clients count together.
struct Counts {
  std::uint64_t messages = 0;   // updates, snapshots, statuses
  std::uint64_t snapshots = 0;  // of checked clients
  std::uint64_t checked = 0;
  std::uint64_t holes = 0;       // an update that did not follow the message before it
  std::uint64_t conflated = 0;   // updates that a snapshot made up for
  std::uint64_t bytes = 0;       // everything that came in
  std::uint64_t compressed = 0;  // messages
  std::uint64_t closed = 0;      // connections that the server ended
  std::uint64_t last_close = 0;  // code
  std::uint64_t heartbeats = 0;
  std::uint64_t pings = 0;
  std::uint64_t reads = 0;  // times something came in: where little is sent, the writes of the server
  Histogram latency_us;     // of clients that always read
};

// What a client knows of one topic.
struct Held {
  std::uint64_t seq = 0;
  std::uint64_t data_hash = 0;
};

inline std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

class Client {
 public:
  Client(std::uint32_t index, const LoadConfig& config, Counts& counts)
      : index_(index), checked_(index % config.check == 0), config_(config), counts_(counts) {}

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool ready() const { return state_ == State::kReady; }
  [[nodiscard]] bool checked() const { return checked_; }
  [[nodiscard]] bool deflate() const { return deflate_; }
  [[nodiscard]] const std::vector<std::uint32_t>& topics() const { return topics_; }
  [[nodiscard]] const std::vector<Held>& held() const { return held_; }
  bool stalled = false;      // it does not read now
  bool was_stalled = false;  // its latency says nothing of the healthy

  void connect(std::uint32_t host) {
    fd_ = new_socket();
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const sockaddr_in from = loopback(host, 0);
    check(::bind(fd_, generic(from), sizeof from) == 0, "bind");
    const sockaddr_in to = loopback(1, config_.port);
    check(::connect(fd_, generic(to), sizeof to) == 0 || errno == EINPROGRESS, "connect");
    transport_.emplace(fd_, config_.tls);
    out_ = "GET /ws?n=" + std::to_string(index_) +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    if (config_.deflate) out_ += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    out_ += "\r\n";
  }

  [[nodiscard]] bool wants_to_write() const { return !out_.empty() && !transport_->needs_peer(); }
  // Sends as much as the kernel takes.
  void write() { out_.erase(0, transport_->write(out_)); }
  // As Transport::read().
  std::optional<std::size_t> read(std::span<char> buffer) { return transport_->read(buffer); }

  // Takes what was read at `now`.
  void receive(std::string_view bytes, std::int64_t now) {
    counts_.bytes += bytes.size();
    ++counts_.reads;
    if (!part_.empty()) {
      part_ += bytes;
      bytes = part_;
    }
    if (state_ == State::kRequest && !take_response(bytes)) return keep(bytes);
    Frame frame;
    while (take_frame(bytes, frame)) handle(frame, now);
    keep(bytes);
  }
  // The server ended the connection.
  void end() {
    counts_.closed += leaving_ ? 0 : 1;
    transport_.reset();
    ::close(std::exchange(fd_, -1));
  }
  // Begins a close; the server ends the connection then.
  void leave() {
    leaving_ = true;
    out_ += client_frame(8, std::string_view("\x03\xe8", 2));
  }
  [[nodiscard]] bool leaving() const { return leaving_; }
  // Whether a checked client has received something for each of its topics.
  [[nodiscard]] bool has_all() const {
    return ready() && std::all_of(held_.begin(), held_.end(), [](const Held& held) { return held.seq > 0; });
  }

 private:
  enum class State : std::uint8_t { kRequest, kSubscribing, kReady };

  void keep(std::string_view rest) {
    if (rest.empty()) {
      part_.clear();
      if (part_.capacity() > 4096) part_.shrink_to_fit();
    } else if (rest.data() >= part_.data() && rest.data() < part_.data() + part_.size()) {
      part_.erase(0, part_.size() - rest.size());
    } else {
      part_ = rest;
    }
  }

  bool take_response(std::string_view& bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view head = bytes.substr(0, end);
    if (!head.starts_with("HTTP/1.1 101")) fail("refused: " + std::string(head.substr(0, 200)));
    deflate_ = head.find("permessage-deflate") != std::string_view::npos;
    if (deflate_) inflate_ = std::make_unique<Inflate>();
    bytes.remove_prefix(end + 4);
    state_ = State::kSubscribing;
    out_ += client_frame(1, subscribe());
    return true;
  }

  std::string subscribe() {
    std::string text = config_.snapshot ? R"({"type":"subscribe","id":1,"topics":[)"
                                        : R"({"type":"subscribe","id":1,"snapshot":false,"topics":[)";
    if (config_.pattern.empty()) {
      topics_ = wanted_topics(index_, config_.topics, config_.topics_each);
      const TopicNames names(config_.topics);
      for (const std::uint32_t topic : topics_) text.append("\"").append(names.name(topic)).append("\",");
      text.pop_back();
    } else {
      text.append("\"").append(config_.pattern).append("\"");
    }
    if (checked_) held_.resize(topics_.size());
    if (!checked_) topics_ = {};
    return text + "]}";
  }

  void handle(const Frame& frame, std::int64_t now) {
    if (frame.opcode == 8) counts_.last_close = close_code(frame.payload);
    if (frame.opcode == 9) {
      ++counts_.pings;
      out_ += client_frame(10, frame.payload);
    }
    if (frame.opcode != 1) return;
    if (state_ == State::kReady && !checked_) return count(frame);
    std::string_view text = frame.payload;
    if (frame.compressed) {
      inflated_.clear();
      inflate_->message(frame.payload, inflated_);
      text = inflated_;
      ++counts_.compressed;
    }
    if (text.starts_with(R"({"type":"ack")")) {
      if (text.find(R"("error")") != std::string_view::npos)
        fail("refused: " + std::string(text.substr(0, 300)));
      state_ = State::kReady;
      if (!checked_) inflate_.reset();
    } else if (is_update(text)) {
      ++counts_.messages;
      if (checked_) read(text, now);
    } else if (is_heartbeat(text)) {
      ++counts_.heartbeats;
    } else if (text.starts_with(R"({"type":"error")")) {
      fail(std::string(text.substr(0, 300)));
    }
  }
  void count(const Frame& frame) {
    counts_.compressed += frame.compressed ? 1 : 0;
    counts_.messages += frame.compressed || is_update(frame.payload) ? 1 : 0;
    counts_.heartbeats += !frame.compressed && is_heartbeat(frame.payload) ? 1 : 0;
  }
  static bool is_heartbeat(std::string_view text) { return text.starts_with(R"({"type":"heartbeat")"); }
  static std::uint64_t close_code(std::string_view payload) {
    if (payload.size() < 2) return 1005;
    return static_cast<std::uint64_t>(static_cast<unsigned char>(payload[0])) << 8U |
           static_cast<unsigned char>(payload[1]);
  }
  // Whether a message is about a topic: an update, a snapshot or a status.
  static bool is_update(std::string_view text) {
    return text.size() > 10 && (text[9] == 'u' || (text[9] == 's' && (text[10] == 'n' || text[10] == 't')));
  }

  void read(std::string_view text, std::int64_t now) {
    ++counts_.checked;
    const std::int64_t due = read_due(text);
    if (due >= 0 && text[9] == 'u' && !was_stalled)
      counts_.latency_us.add(static_cast<std::uint64_t>(std::max<std::int64_t>(now - due, 0)));
    if (!topics_.empty()) follow(text);
  }
  void follow(std::string_view text) {
    const std::string_view rest = text.substr(text.find(R"("topic":")") + 9);
    const auto topic = static_cast<std::uint32_t>(TopicNames::index(rest));
    const auto at = std::lower_bound(topics_.begin(), topics_.end(), topic);
    if (at == topics_.end() || *at != topic) fail("not subscribed: " + std::string(text));
    Held& held = held_[static_cast<std::size_t>(at - topics_.begin())];
    std::uint64_t seq = 0;
    for (std::size_t i = rest.find(R"("seq":)") + 6; rest[i] >= '0' && rest[i] <= '9'; ++i)
      seq = seq * 10 + static_cast<std::uint64_t>(rest[i] - '0');
    if (text[9] == 'u') {
      counts_.holes += held.seq != 0 && seq != held.seq + 1 ? 1 : 0;
    } else {
      ++counts_.snapshots;
      counts_.conflated += held.seq != 0 && seq > held.seq ? seq - held.seq : 0;
    }
    held.seq = seq;
    const std::size_t data = rest.find(R"("data":)");
    if (data != std::string_view::npos) held.data_hash = fnv1a(rest.substr(data + 7, rest.size() - data - 8));
  }

  const std::uint32_t index_;
  const bool checked_;
  const LoadConfig& config_;
  Counts& counts_;
  int fd_ = -1;
  std::optional<Transport> transport_;  // while there is a socket
  State state_ = State::kRequest;
  bool deflate_ = false;  // agreed
  bool leaving_ = false;
  std::string out_;
  std::string part_;  // of a frame that has not come whole
  std::unique_ptr<Inflate> inflate_;
  std::string inflated_;
  std::vector<std::uint32_t> topics_;  // checked clients only
  std::vector<Held> held_;             // beside topics_
};

}  // namespace tickwire::bench
