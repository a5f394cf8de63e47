// Clients that vanish, fall silent or do not answer: when the server asks, and when it hangs up.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "live_loop.h"

namespace tickwire {
namespace {

constexpr int kBinary = 2;
constexpr int kPing = 9;
constexpr int kPong = 10;

TEST(Silence, AClientThatVanishesIsForgotten) {
  LiveLoop live;
  {
    RawClient client = live.connect_ws();
  }
  {
    RawClient client = live.connect_ws();
    const linger reset{1, 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  EXPECT_TRUE(eventually([&] { return live.loop.shard().stats().sessions == 0; }));
}

TEST(Silence, SilenceIsAnsweredByAPingAndNoPongByAClose) {
  NetConfig net;
  net.ping_after_ms = 300;
  net.pong_ms_max = 600;
  LiveLoop live(net);
  RawClient alive = live.connect_ws();
  RawClient mute = live.connect_ws();
  for (int i = 0; i < 3; ++i) {
    const auto ping = alive.read_frame();
    ASSERT_TRUE(ping.has_value());
    EXPECT_EQ(ping->opcode, kPing);
    alive.send(RawClient::frame(kPong, ping->payload));
  }
  EXPECT_EQ(mute.read_close_code(), 4002);
  EXPECT_TRUE(alive.send_text(R"({"type":"ping","id":1})"));
  EXPECT_NE(alive.read_text().find("pong"), std::string::npos);
}

// What is written at once is there at once: who reads finds both or neither.
TEST(Silence, APingThatIsDueLeavesWithTheNextWriteAndNotByItself) {
  NetConfig net;
  net.ping_after_ms = 1'600;
  LiveLoop live(net);
  RawClient client = live.connect_ws();
  client.send_text(R"({"type":"subscribe","id":1,"topics":["ticker.A"]})");
  EXPECT_NE(client.read_text().find("ack"), std::string::npos);
  std::string read;
  EXPECT_TRUE(eventually([&] {
    live.publish("ticker.A", R"({"n":1})");
    std::array<char, 4096> bytes{};
    const ssize_t size = ::recv(client.fd(), bytes.data(), bytes.size(), 0);
    if (size > 0) read.assign(bytes.data(), static_cast<std::size_t>(size));
    return read.find("\x89\x04tick") != std::string::npos;
  }));
  EXPECT_NE(read.find("update"), std::string::npos);
}

// Each client is due at a time of its own. A loop that slept until each of them would come round once for
// each.
TEST(Silence, OneWakeUpServesAllPingsThatAreDueAboutTheSameTime) {
  NetConfig net;
  net.ping_after_ms = 800;
  LiveLoop live(net);
  std::vector<RawClient> crowd;
  for (int i = 0; i < 400; ++i) crowd.push_back(live.connect_ws());
  const std::uint64_t rounds = live.loop.pulse().beats();
  for (RawClient& client : crowd) {
    const auto ping = client.read_frame();
    ASSERT_TRUE(ping.has_value());
    EXPECT_EQ(ping->opcode, kPing);
  }
  EXPECT_LT(live.loop.pulse().beats() - rounds, 200U);
}

TEST(Silence, AClientThatDoesNotAnswerACloseIsHungUp) {
  NetConfig net;
  net.close_ms_max = 300;
  LiveLoop live(net);
  RawClient client = live.connect_ws();
  client.send(RawClient::frame(kBinary, "x"));
  EXPECT_EQ(client.read_close_code(), 4501);
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace tickwire
