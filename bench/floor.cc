// The floor: what it costs the kernel alone to deliver what the server delivers. A bare epoll loop that sends
// the same frames to the same connections with as many writes, from a schedule that was worked out before:
// per turn and connection, copy the frames together and send() once. No parsing, no topics, no state.
//
//   floor [--zlib LEVEL]      it says {"port": ...}, then takes commands:
//
//   start RATE TURN_US SECONDS TOPICS TOPICS_EACH CONNECTIONS   send that schedule; returns when it begins
//   stats                                                       messages, bytes, writes, processor seconds
//   quit
//
// With --zlib it is the other baseline: each connection has a zlib stream of that level with its own context.
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "console.h"
#include "schedule.h"
#include "tcp.h"
#include "usage.h"

namespace tickwire::bench {
namespace {

constexpr std::uint64_t kListener = 1U << 31U;
constexpr std::uint64_t kConsole = kListener + 1;

// permessage-deflate with context takeover, as servers do it today.
class Compressor {
 public:
  explicit Compressor(int level) { deflateInit2(&stream_, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY); }
  ~Compressor() { deflateEnd(&stream_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  void append(std::string_view message, std::string& out) {
    std::array<char, 4096> payload;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(payload.data());
    stream_.avail_out = payload.size();
    deflate(&stream_, Z_SYNC_FLUSH);
    const std::size_t size = payload.size() - stream_.avail_out - 4;
    append_frame_header(out, Opcode::kText, true, size);
    out.append(payload.data(), size);
  }

 private:
  z_stream stream_{};
};

class Floor {
 public:
  explicit Floor(int level) : level_(level) {
    listener_ = new_socket();
    sockaddr_in address = loopback(1, 0);
    check(::bind(listener_, generic(address), sizeof address) == 0, "bind");
    check(::listen(listener_, 4096) == 0, "listen");
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    poll_.add(listener_, EPOLLIN, kListener);
    poll_.add(STDIN_FILENO, EPOLLIN, kConsole);
    reply({{"port", ntohs(address.sin_port)}});
  }

  void run() {
    std::array<epoll_event, 256> events;
    while (!quit_) {
      const std::size_t count = poll_.wait(events, next_turn_wait());
      for (std::size_t i = 0; i < count; ++i) handle(events[i]);
      if (next_turn_wait() == 0) turn();
    }
  }

 private:
  struct Peer {
    int fd = -1;
    std::string rest;  // of a write that the kernel did not take whole
    std::unique_ptr<Compressor> compressor;
  };

  // --- connections ------------------------------------------------------------------------------------
  void handle(const epoll_event& event) {
    if (event.data.u64 == kListener) return accept_all();
    if (event.data.u64 == kConsole) return obey();
    const auto fd = static_cast<int>(event.data.u64);
    if ((event.events & EPOLLOUT) != 0) send_rest(fd);
    if ((event.events & ~EPOLLOUT) != 0) receive(fd);
  }
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      poll_.add(fd, EPOLLIN, static_cast<std::uint64_t>(fd));
    }
  }
  void receive(int fd) {
    std::array<char, 16384> buffer;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return forget(fd);
    if (index_of_.contains(fd)) return;  // a subscribe: the schedule knows
    std::string& request = requests_[fd];
    request.append(buffer.data(), static_cast<std::size_t>(got));
    if (request.find("\r\n\r\n") != std::string::npos) welcome(fd, std::exchange(request, {}));
  }
  // The client says in the path which connection it is, and does not look at the accept key.
  void welcome(int fd, const std::string& request) {
    requests_.erase(fd);
    const auto index = static_cast<std::uint32_t>(std::stoul(request.substr(request.find("?n=") + 3)));
    if (peers_.size() <= index) peers_.resize(index + 1);
    peers_[index].fd = fd;
    if (level_ > 0) peers_[index].compressor = std::make_unique<Compressor>(level_);
    index_of_[fd] = index;
    std::string hello =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: floor\r\n";
    if (level_ > 0) hello += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    constexpr std::string_view kAck = R"({"type":"ack","results":[]})";
    append_frame_header(hello += "\r\n", Opcode::kText, false, kAck.size());
    check(send_some(fd, hello.append(kAck)) == static_cast<ssize_t>(hello.size()), "send of a handshake");
  }
  void forget(int fd) {
    if (const auto known = index_of_.find(fd); known != index_of_.end()) {
      peers_[known->second] = {};
      index_of_.erase(known);
    }
    ::close(fd);
  }

  // --- turns ------------------------------------------------------------------------------------------
  [[nodiscard]] std::int64_t next_turn_wait() const {
    if (!schedule_ || turn_ == schedule_->turns().size()) return -1;
    const auto turns = static_cast<std::int64_t>(turn_) + 1;
    return std::max<std::int64_t>(start_us_ + turns * schedule_->plan().turn_us - now_us(), 0);
  }
  void turn() {
    const Schedule::Turn& now = schedule_->turns()[turn_++];
    schedule_->stamp(now, start_us_);
    for (std::size_t i = now.runs_begin; i < now.runs_end; ++i) write(schedule_->run(i));
    ++turns_;
  }
  void write(const Schedule::Run& run) {
    if (run.connection >= peers_.size() || peers_[run.connection].fd < 0) return;
    Peer& peer = peers_[run.connection];
    scratch_.clear();
    for (std::uint32_t place = run.begin; place < run.end; ++place) {
      const std::string_view frame = schedule_->frame(place);
      if (peer.compressor) {
        peer.compressor->append(payload_of(frame), scratch_);
      } else {
        scratch_.append(frame);
      }
    }
    messages_ += run.end - run.begin;
    bytes_ += scratch_.size();
    ++writes_;
    if (!peer.rest.empty()) {
      peer.rest += scratch_;
      return;
    }
    const ssize_t sent = send_some(peer.fd, scratch_);
    if (sent < 0 || sent == static_cast<ssize_t>(scratch_.size())) return;
    ++short_writes_;
    peer.rest = scratch_.substr(static_cast<std::size_t>(sent));
    poll_.change(peer.fd, EPOLLIN | EPOLLOUT, static_cast<std::uint64_t>(peer.fd));
  }
  static std::string_view payload_of(std::string_view frame) {
    const auto short_length = static_cast<unsigned char>(frame[1]);
    return frame.substr(short_length < 126 ? 2 : 4);
  }
  void send_rest(int fd) {
    const auto known = index_of_.find(fd);
    if (known == index_of_.end()) return;
    Peer& peer = peers_[known->second];
    const ssize_t sent = send_some(fd, peer.rest);
    if (sent > 0) peer.rest.erase(0, static_cast<std::size_t>(sent));
    if (peer.rest.empty()) poll_.change(fd, EPOLLIN, static_cast<std::uint64_t>(fd));
  }

  // --- commands ---------------------------------------------------------------------------------------
  void obey() {
    quit_ = !console_.read();
    while (const auto command = console_.next()) {
      quit_ |= command->name == "quit";
      if (command->name == "start") start(*command);
      reply({{"t_us", now_us()},
             {"cpu_s", process_cpu_s()},
             {"sessions", index_of_.size()},
             {"messages", messages_},
             {"bytes", bytes_},
             {"writes", writes_},
             {"turns", turns_},
             {"short_writes", short_writes_},
             {"rss_bytes", rss_bytes()}});
    }
  }
  void start(const Command& command) {
    if (command.numbers.size() != 6) fail("start takes 6 numbers");
    const auto whole = [&](std::size_t i) { return static_cast<std::uint32_t>(command.numbers[i]); };
    schedule_ = std::make_unique<Schedule>(
        Schedule::Plan{command.numbers[0], whole(1), command.numbers[2], whole(3), whole(4), whole(5)});
    turn_ = 0;
    start_us_ = now_us();
  }

  const int level_;
  int listener_ = -1;
  bool quit_ = false;
  Poll poll_;
  Console console_;
  std::map<int, std::string> requests_;  // under way, by descriptor
  std::map<int, std::uint32_t> index_of_;
  std::vector<Peer> peers_;  // by index of connection

  std::unique_ptr<Schedule> schedule_;
  std::size_t turn_ = 0;  // the next
  std::int64_t start_us_ = 0;
  std::string scratch_;
  std::uint64_t messages_ = 0, bytes_ = 0, writes_ = 0, turns_ = 0, short_writes_ = 0;
};

}  // namespace
}  // namespace tickwire::bench

int main(int argc, char** argv) {
  int level = 0;
  CLI::App app("a bare epoll loop that sends what the server would send");
  app.add_option("--zlib", level, "compress with a zlib stream of this level per connection")
      ->check(CLI::Range(0, 9));
  CLI11_PARSE(app, argc, argv);
  tickwire::bench::Floor(level).run();
}
