// The floor: what it costs the kernel alone to deliver what the server delivers. A bare epoll loop that sends
// the same frames to the same connections with as many writes, from a schedule that was worked out before:
// per turn and connection, copy the frames together and send() once. No parsing, no topics, no state.
//
//   floor [--zlib LEVEL] [--snapshots TOPICS EACH]      it says {"port": ...}, then takes commands:
//
//   start RATE TURN_US SECONDS TOPICS TOPICS_EACH CONNECTIONS   send that schedule; returns when it begins
//   beat HEARTBEATS_PER_S PINGS_PER_S                           send so many, spread over the connections
//   stats                                                       messages, bytes, writes, processor seconds
//   quit
//
// A schedule that starts when the one before it is over goes on with its sequences. A client that comes gets
// two writes: one answers its request and welcomes it, one acknowledges its subscribe (with --snapshots, the
// snapshots of its topics are in that write). With --zlib the floor is the other baseline: each connection
// has a zlib stream of that level with its own context.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "console.h"
#include "frames.h"
#include "protocol/encode.h"
#include "schedule.h"
#include "tcp.h"
#include "usage.h"
#include "visitors.h"
#include "zlib_stream.h"

namespace tickwire::bench {
namespace {

constexpr std::uint64_t kListener = 1U << 31U;
constexpr std::uint64_t kConsole = kListener + 1;
constexpr std::int64_t kBeatUs = 100'000;  // heartbeats and pings are sent this far apart, all that are due

struct FloorConfig {
  int zlib_level = 0;
  std::vector<std::uint32_t> snapshots;  // of how many topics, how many each; empty: none are sent
};

// Frames of one kind, so many a second, to one connection after another.
struct Beat {
  std::string frame;
  double per_s = 0;
  std::uint64_t sent = 0;  // since the rate was set
};

class Floor {
 public:
  explicit Floor(const FloorConfig& config) : level_(config.zlib_level) {
    if (!config.snapshots.empty()) answers_ = visitor_answers(config.snapshots[0], config.snapshots[1]);
    Framing{}.append(welcome_, encode_welcome("0", "0", 15, "floor", 1'790'000'000'000));
    if (answers_.empty()) Framing{}.append(answers_.emplace_back(), R"({"type":"ack","id":1,"results":[]})");
    Framing{}.append(beats_[0].frame, encode_heartbeat(1'790'000'000'000));
    append_frame_header(beats_[1].frame, Opcode::kPing, false, 4);
    beats_[1].frame += "tick";
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
      const std::size_t count = poll_.wait(events, wait_us(now_us()));
      for (std::size_t i = 0; i < count; ++i) handle(events[i]);
      const std::int64_t now = now_us();
      if (next_turn_us() <= now) turn();
      if (next_beat_us_ <= now) beat(now);
    }
  }

 private:
  static constexpr std::int64_t kNever = INT64_MAX;

  // One by descriptor: what is known of a connection.
  struct Peer {
    std::string rest;  // of a write that the kernel did not take whole
    std::unique_ptr<ZlibStream> zlib;
    std::int64_t index = -1;  // what the client calls itself; -1: its request has not come whole
    std::string request;
    std::size_t frame_bytes_to_come = 0;  // of the frame that it sends
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
      if (peers_.size() <= static_cast<std::size_t>(fd)) peers_.resize(static_cast<std::size_t>(fd) + 1);
      poll_.add(fd, EPOLLIN, static_cast<std::uint64_t>(fd));
    }
  }
  void receive(int fd) {
    std::array<char, 16384> buffer;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return forget(fd);
    Peer& peer = peer_of(fd);
    if (peer.index >= 0) return take_frames(fd, {buffer.data(), static_cast<std::size_t>(got)});
    peer.request.append(buffer.data(), static_cast<std::size_t>(got));
    if (peer.request.find("\r\n\r\n") != std::string::npos) welcome(fd, std::exchange(peer.request, {}));
  }
  // The client says in the path which connection it is, and does not look at the accept key.
  void welcome(int fd, const std::string& request) {
    const std::size_t index = std::stoul(request.substr(request.find("?n=") + 3));
    if (fds_.size() <= index) fds_.resize(index + 1, -1);
    fds_[index] = fd;
    Peer& peer = peer_of(fd);
    peer.index = static_cast<std::int64_t>(index);
    if (level_ > 0) peer.zlib = std::make_unique<ZlibStream>(level_);
    ++sessions_;
    std::string hello =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: floor\r\n";
    if (level_ > 0) hello += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    send(fd, hello.append("\r\n").append(welcome_));
  }
  // Answers each frame that begins in what was read.
  void take_frames(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const bool begins = peer_of(fd).frame_bytes_to_come == 0;
      const std::size_t size = begins ? client_frame_size(bytes) : peer_of(fd).frame_bytes_to_come;
      const std::size_t taken = std::min(size, bytes.size());
      peer_of(fd).frame_bytes_to_come = size - taken;
      if (begins) answer(fd, static_cast<unsigned char>(bytes[0]) & 0xFU);
      if (peer_of(fd).index < 0) return;  // it closed
      bytes.remove_prefix(taken);
    }
  }
  // What a frame of that kind asks for; what it says is not looked at.
  void answer(int fd, unsigned opcode) {
    if (opcode == 1) {
      const auto index = static_cast<std::size_t>(peer_of(fd).index);
      send(fd, answers_[index % answers_.size()]);
    } else if (opcode == 8) {
      send(fd, std::string_view("\x88\x02\x03\xe8", 4));
      forget(fd);
    }
  }
  void forget(int fd) {
    const std::int64_t index = peer_of(fd).index;
    if (index >= 0) --sessions_;
    if (index >= 0 && fds_[static_cast<std::size_t>(index)] == fd) fds_[static_cast<std::size_t>(index)] = -1;
    peer_of(fd) = {};
    ::close(fd);
  }
  Peer& peer_of(int fd) { return peers_[static_cast<std::size_t>(fd)]; }

  // --- writes -----------------------------------------------------------------------------------------
  void send(int fd, std::string_view bytes) {
    bytes_ += bytes.size();
    ++writes_;
    Peer& peer = peer_of(fd);
    if (!peer.rest.empty()) {
      peer.rest += bytes;
      return;
    }
    const ssize_t sent = send_some(fd, bytes);
    if (sent < 0 || sent == static_cast<ssize_t>(bytes.size())) return;
    ++short_writes_;
    peer.rest = bytes.substr(static_cast<std::size_t>(sent));
    poll_.change(fd, EPOLLIN | EPOLLOUT, static_cast<std::uint64_t>(fd));
  }
  void send_rest(int fd) {
    Peer& peer = peer_of(fd);
    const ssize_t sent = send_some(fd, peer.rest);
    if (sent > 0) peer.rest.erase(0, static_cast<std::size_t>(sent));
    if (peer.rest.empty()) poll_.change(fd, EPOLLIN, static_cast<std::uint64_t>(fd));
  }

  [[nodiscard]] std::int64_t next_turn_us() const {
    if (!schedule_ || turn_ == schedule_->turns().size()) return kNever;
    return start_us_ + schedule_->turns()[turn_].at_us;
  }
  [[nodiscard]] std::int64_t wait_us(std::int64_t now) const {
    const std::int64_t next = std::min(next_turn_us(), next_beat_us_);
    return next == kNever ? -1 : std::max<std::int64_t>(next - now, 0);
  }
  void turn() {
    const Schedule::Turn& now = schedule_->turns()[turn_++];
    schedule_->stamp(now, start_us_);
    for (std::size_t i = now.runs_begin; i < now.runs_end; ++i) send_run(schedule_->run(i));
    ++turns_;
  }
  void send_run(const Schedule::Run& run) {
    if (run.connection >= fds_.size() || fds_[run.connection] < 0) return;
    const int fd = fds_[run.connection];
    ZlibStream* zlib = peer_of(fd).zlib.get();
    scratch_.clear();
    for (std::uint32_t place = run.begin; place < run.end; ++place) {
      const std::string_view frame = schedule_->frame(place);
      if (zlib != nullptr) {
        const std::string_view payload = zlib->compress(payload_of(frame));
        append_frame_header(scratch_, Opcode::kText, true, payload.size());
        scratch_.append(payload);
      } else {
        scratch_.append(frame);
      }
    }
    messages_ += run.end - run.begin;
    send(fd, scratch_);
  }
  static std::string_view payload_of(std::string_view frame) {
    const auto short_length = static_cast<unsigned char>(frame[1]);
    return frame.substr(short_length < 126 ? 2 : 4);
  }
  void beat(std::int64_t now) {
    next_beat_us_ = now + kBeatUs;
    if (fds_.empty()) return;
    for (Beat& beat : beats_) {
      const double due = beat.per_s * static_cast<double>(now - beats_start_us_) / 1e6;
      for (; static_cast<double>(beat.sent) < due; ++beat.sent) {
        if (const int fd = fds_[beat.sent % fds_.size()]; fd >= 0) send(fd, beat.frame);
      }
    }
  }

  // --- commands ---------------------------------------------------------------------------------------
  void obey() {
    quit_ = !console_.read();
    while (const auto command = console_.next()) {
      quit_ |= command->name == "quit";
      if (command->name == "start") start(*command);
      if (command->name == "beat") set_beats(command->number(0, 0), command->number(1, 0));
      reply({{"t_us", now_us()},
             {"cpu_s", process_cpu_s()},
             {"sending", next_turn_us() != kNever},
             {"sessions", sessions_},
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
    const Schedule::Plan plan{command.numbers[0], whole(1), command.numbers[2], whole(3), whole(4), whole(5)};
    schedule_ =
        std::make_unique<Schedule>(plan, schedule_ ? schedule_->seqs() : std::vector<std::uint64_t>{});
    turn_ = 0;
    start_us_ = now_us();
  }
  void set_beats(double heartbeats_per_s, double pings_per_s) {
    const double rates[] = {heartbeats_per_s, pings_per_s};
    for (std::size_t i = 0; i < beats_.size(); ++i) beats_[i].per_s = rates[i];
    for (Beat& beat : beats_) beat.sent = 0;
    beats_start_us_ = now_us();
    next_beat_us_ = heartbeats_per_s + pings_per_s > 0 ? beats_start_us_ : kNever;
  }

  const int level_;
  int listener_ = -1;
  bool quit_ = false;
  Poll poll_;
  Console console_;
  std::string welcome_;
  std::vector<std::string> answers_;  // to a subscribe; by visitor
  std::vector<Peer> peers_;           // by descriptor
  std::vector<int> fds_;              // by index of connection; -1: it is not here

  std::unique_ptr<Schedule> schedule_;
  std::size_t turn_ = 0;  // the next
  std::int64_t start_us_ = 0;
  std::array<Beat, 2> beats_;  // heartbeats, pings
  std::int64_t beats_start_us_ = 0;
  std::int64_t next_beat_us_ = kNever;
  std::string scratch_;
  std::uint64_t sessions_ = 0, messages_ = 0, bytes_ = 0, writes_ = 0, turns_ = 0, short_writes_ = 0;
};

}  // namespace
}  // namespace tickwire::bench

int main(int argc, char** argv) {
  tickwire::bench::FloorConfig config;
  CLI::App app("a bare epoll loop that sends what the server would send");
  app.add_option("--zlib", config.zlib_level, "compress with a zlib stream of this level per connection")
      ->check(CLI::Range(0, 9));
  app.add_option("--snapshots", config.snapshots, "of so many topics, so many to each that subscribes")
      ->expected(2);
  CLI11_PARSE(app, argc, argv);
  tickwire::bench::Floor(config).run();
}
