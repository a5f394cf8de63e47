#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "live_loop.h"
#include "net/socket_address.h"

namespace tickwire {
namespace {

Result<std::uint16_t> listen_on(const std::string& host, std::uint16_t port) {
  auto socket = open_listener(host, port, 16, true);
  if (!socket) return socket.error();
  const std::uint16_t bound = bound_port(*socket);
  ::close(*socket);
  return bound;
}

TEST(Listener, TakesLiteralsAndNames) {
  EXPECT_GT(listen_on("127.0.0.1", 0).value(), 0);
  EXPECT_GT(listen_on("localhost", 0).value(), 0);
  const auto six = listen_on("::1", 0);  // absent in some containers, and then said so
  if (!six) {
    EXPECT_EQ(six.error().message.substr(0, 21), "server.listen: [::1]:");
  }
  EXPECT_EQ(address_text("::1", 80), "[::1]:80");
}

TEST(Listener, SaysWhyItCannotListen) {
  LiveLoop live;
  const std::string port = std::to_string(live.loop.port());
  const auto in_use = listen_on("127.0.0.1", live.loop.port());
  ASSERT_FALSE(in_use.ok());
  EXPECT_EQ(in_use.error().code, ErrorCode::kListen);
  EXPECT_EQ(in_use.error().message,
            "server.listen: 127.0.0.1:" + port +
                " is in use by another program; name another port (port 0: any free one)");

  const auto foreign = listen_on("192.0.2.1", 80);
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(foreign.error().message, "server.listen: 192.0.2.1:80 is no address of this machine");

  const auto unknown = listen_on("no-such-host.invalid", 80);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kListen);
  EXPECT_NE(unknown.error().message.find("no-such-host.invalid:80"), std::string::npos);
}

TEST(Listener, ASecondServerOnTheSamePortDoesNotStart) {
  LiveLoop live;
  NetConfig net;
  net.listen.front().port = live.loop.port();
  ShardConfig shard;
  Loop second(live.hub, live.clock, live.access, shard, net, live.source);
  const Status opened = second.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kListen);
  EXPECT_TRUE(live.answers());
}

TEST(Listener, LoopsOfOneServerShareTheirPort) {
  LiveLoop live;
  NetConfig net;
  net.listen.front().port = live.loop.port();
  ShardConfig shard;
  shard.index = 1;
  Loop second(live.hub, live.clock, live.access, shard, net, live.source);
  const Status opened = second.open();
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  second.start();
  std::vector<RawClient> clients;
  const auto both_serve = [&] {
    clients.push_back(live.connect_ws());
    return live.loop.shard().stats().sessions > 0 && second.shard().stats().sessions > 0;
  };
  EXPECT_TRUE(eventually(both_serve));
}

constexpr std::chrono::milliseconds kPause{50};

// Runs in a process of its own, whose descriptors run out.
int run_out_of_descriptors() {
  const rlimit few{64, 64};
  ::setrlimit(RLIMIT_NOFILE, &few);
  NetConfig net;
  net.accept_pause_ms = static_cast<int>(kPause.count());
  LiveLoop live(net);
  RawClient ticking = live.connect_ws();
  const auto still_ticks = [&] {
    ticking.send_text(R"({"type":"ping","id":1})");
    return ticking.read_text().find("pong") != std::string::npos;
  };
  std::vector<RawClient> clients;
  while (clients.size() < 64) {
    RawClient client = live.connect();
    if (!client.connected()) break;  // our own half of the descriptors is spent, so theirs is, too
    clients.push_back(std::move(client));
  }
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t turns = live.loop.pulse().beats();
  // It goes on answering while it pauses, accepts again and pauses again.
  const auto pauses = [&] { return (std::chrono::steady_clock::now() - began) / kPause; };
  while (pauses() < 10) {
    if (!still_ticks()) return 2;
    std::this_thread::sleep_for(kPause /
                                5);  // so that it is the listener that wakes it too often, if anything
  }
  const std::uint64_t turned = live.loop.pulse().beats() - turns;
  if (turned > 100 * static_cast<std::uint64_t>(pauses())) return 3;  // it spins: some 10,000 a pause
  clients.clear();
  return eventually([&] { return live.answers(); }) && still_ticks() ? 0 : 4;
}

TEST(Listener, PausesWhenDescriptorsRunOutAndRecovers) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int result = run_out_of_descriptors();
    ::_exit(testing::Test::HasFailure() ? 1 : result);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tickwire
