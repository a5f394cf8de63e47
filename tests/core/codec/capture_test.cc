// Sessions of exchanges through a stream: each message arrives as it is, in about the bytes that zlib level 1
// with a private context takes, or fewer. The build makes them (tests/exchange_sessions.py); recorded ones
// are played too where the folder shared/captures lies beside the checkout. Needs xz.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/deflating_peer.h"
#include "codec/inflating_peer.h"
#include "codec/stream_sender.h"

namespace tickwire::test {
namespace {

std::vector<std::string> sessions() {
  const auto recorded = std::filesystem::path(TICKWIRE_SOURCE_DIR).parent_path() / "shared" / "captures";
  std::vector<std::string> files;
  for (const std::filesystem::path& folder : {std::filesystem::path(TICKWIRE_SESSIONS_DIR), recorded}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (file.path().extension() == ".xz") files.push_back(file.path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

// The exchange's messages, without the time before each.
std::vector<std::string> messages_of(const std::string& file) {
  struct Close {
    void operator()(FILE* pipe) const { pclose(pipe); }
  };
  const std::unique_ptr<FILE, Close> pipe(popen(("xz -dc '" + file + "'").c_str(), "r"));
  std::vector<std::string> messages;
  std::string line;
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    const std::size_t at = line.find(": ");
    if (!line.starts_with("wss:") && at != std::string::npos) messages.push_back(line.substr(at + 2));
    line.clear();
  }
  return messages;
}

// What kind of message and of which product: the words at its start and at its end, without the numbers.
std::string topic_of(std::string_view message) {
  constexpr std::size_t kEnd = 50;
  std::string topic;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const bool digit = message[i] >= '0' && message[i] <= '9';
    if (!digit && (topic.size() < kEnd || i + kEnd >= message.size())) topic += message[i];
  }
  return topic;
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  std::ranges::replace(name, '.', '_');
  return name;
}

class Capture : public testing::TestWithParam<std::string> {};

TEST_P(Capture, ArrivesAsItIsInAboutTheBytesOfZlibLevelOneOrFewer) {
  const std::vector<std::string> messages = messages_of(GetParam());
  ASSERT_GT(messages.size(), 200U) << "xz -dc " << GetParam();
  StreamSender sender;
  InflatingPeer peer;
  DeflatingPeer zlib(15, 1);
  std::size_t linked = 0, ours = 0, theirs = 0;
  for (const std::string& message : messages) {
    const StreamSender::Sent sent = sender.send(topic_of(message), message);
    ASSERT_EQ(peer.receive(sent.payload), message);
    const std::size_t by_zlib = zlib.send(message).size();
    if (sent.bases == 0) continue;  // the first of its topic, or a whole book
    ++linked;
    ours += sent.payload.size();
    theirs += by_zlib;
  }
  EXPECT_GT(linked * 10, messages.size() * 9);
  RecordProperty("ratio_to_zlib_level_1",
                 std::to_string(static_cast<double>(ours) / static_cast<double>(theirs)));
  EXPECT_LT(static_cast<double>(ours), 1.05 * static_cast<double>(theirs));
}

INSTANTIATE_TEST_SUITE_P(OfExchanges, Capture, testing::ValuesIn(sessions()), name_of);

}  // namespace
}  // namespace tickwire::test
