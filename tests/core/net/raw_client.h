// A client that writes its bytes by hand: what a real one would never send, and what a server must send back.
//
// Blocking, each wait bounded by kPatience. One thread.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tickwire {

inline constexpr std::chrono::seconds kPatience{30};

// Opcodes: RFC 6455 section 5.2, spelled out here so that a wrong one in the server shows.
inline constexpr int kContinuation = 0;
inline constexpr int kText = 1;
inline constexpr int kBinary = 2;
inline constexpr int kClose = 8;
inline constexpr int kPing = 9;
inline constexpr int kPong = 10;

inline std::string close_payload(int code, const std::string& reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} + reason;
}

struct Frame {
  int opcode = 0;
  bool final = true;
  std::string payload;

  [[nodiscard]] int close_code() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
};

struct HttpReply {
  int status = 0;
  std::string head;
  std::string body;
};

class RawClient {
 public:
  // `from`: the address to come from, which limits count; 127.0.0.1 is exempt from them.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0, const char* from = nullptr)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (from != nullptr) {
      sockaddr_in source{};
      source.sin_family = AF_INET;
      EXPECT_EQ(::inet_pton(AF_INET, from, &source.sin_addr), 1) << from;
      EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source), 0);
    }
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  // Connects to a UNIX socket.
  explicit RawClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), read_(std::move(other.read_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient& operator=(RawClient&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(connected_, other.connected_);
    std::swap(read_, other.read_);
    return *this;
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }

  // False: the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // --- HTTP -------------------------------------------------------------------------------------------
  HttpReply get(const std::string& path, const std::string& method = "GET") {
    send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return reply(method != "HEAD");
  }
  // One request and the end of what it gets, whatever comes first. False: it did not end.
  bool request_ends(std::string_view bytes) {
    send(bytes);
    while (read_more()) read_.clear();
    return eof_;
  }
  // Status 0: closed without an answer.
  HttpReply reply(bool with_body = true) {
    HttpReply reply;
    while (read_.find("\r\n\r\n") == std::string::npos) {
      if (!read_more()) return reply;
    }
    reply.head = read_.substr(0, read_.find("\r\n\r\n") + 2);
    read_.erase(0, reply.head.size() + 2);
    reply.status = std::stoi(reply.head.substr(9, 3));
    const std::size_t length = reply.head.find("Content-Length: ");
    if (!with_body || length == std::string::npos) return reply;
    const std::size_t size = std::stoul(reply.head.substr(length + 16));
    while (read_.size() < size && read_more()) {
    }
    reply.body = read_.substr(0, size);
    read_.erase(0, size);
    return reply;
  }

  // The next line, without its end; nothing: the connection has ended.
  std::optional<std::string> read_line() {
    while (read_.find('\n') == std::string::npos) {
      if (!read_more()) return std::nullopt;
    }
    std::string line = read_.substr(0, read_.find('\n'));
    read_.erase(0, line.size() + 1);
    return line;
  }

  // --- WebSocket --------------------------------------------------------------------------------------
  static std::string upgrade_request(const std::string& more = "") {
    return "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           more + "\r\n";
  }
  // The status; 101: it is a WebSocket now.
  int upgrade(const std::string& more = "") {
    send(upgrade_request(more));
    return reply(false).status;
  }

  static std::string frame(int opcode, std::string_view payload, bool final = true, int reserved = 0) {
    std::string out;
    out += static_cast<char>((final ? 0x80 : 0) | reserved | opcode);
    if (payload.size() < 126) {
      out += static_cast<char>(0x80U | payload.size());
    } else {
      const int bytes = payload.size() < 65'536 ? 2 : 8;
      out += static_cast<char>(bytes == 2 ? 0xFE : 0xFF);
      for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(payload.size() >> (8 * i) & 0xFFU);
    }
    constexpr std::array kMask{'\x12', '\x34', '\x56', '\x78'};
    out.append(kMask.data(), kMask.size());
    for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ kMask.at(i % 4));
    return out;
  }
  bool send_text(std::string_view text) { return send(frame(1, text)); }

  // Nothing: the connection has ended.
  std::optional<Frame> read_frame() {
    if (!have(2)) return std::nullopt;
    Frame frame;
    frame.final = (byte(0) & 0x80U) != 0;
    frame.opcode = static_cast<int>(byte(0) & 0x0FU);
    std::size_t size = byte(1) & 0x7FU;
    std::size_t header = 2;
    const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (!have(header + extra)) return std::nullopt;
    if (extra > 0) size = 0;
    for (std::size_t i = 0; i < extra; ++i) size = size << 8U | byte(header++);
    if (!have(header + size)) return std::nullopt;
    frame.payload = read_.substr(header, size);
    read_.erase(0, header + size);
    return frame;
  }
  // The next message; empty: the connection has ended.
  std::string read_text() {
    while (auto frame = read_frame()) {
      if (frame->opcode == 1) return frame->payload;
    }
    return {};
  }
  // The code of the close frame, whatever comes before it; 0: ended without one.
  int read_close_code() {
    while (auto frame = read_frame()) {
      if (frame->opcode == 8) return frame->close_code();
    }
    return 0;
  }
  bool ended() {
    while (read_frame()) {
    }
    return eof_;
  }

 private:
  [[nodiscard]] unsigned byte(std::size_t at) const { return static_cast<unsigned char>(read_[at]); }
  bool have(std::size_t size) {
    while (read_.size() < size) {
      if (!read_more()) return false;
    }
    return true;
  }
  bool read_more() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0)
      return false;
    std::array<char, 65'536> bytes{};
    const ssize_t size = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (size <= 0) {
      eof_ = true;
      return false;
    }
    read_.append(bytes.data(), static_cast<std::size_t>(size));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool eof_ = false;
  std::string read_;
};

}  // namespace tickwire
