// What relocatable deflate costs and saves: bytes a message, microseconds an assembly, nanoseconds a link.
//
//   codec_bench FOLDER     with sessions of exchanges: those that tests/exchange_sessions.py writes, or
//   recorded ones
//
// Everything stands beside zlib with a private context per connection in the same run, over the same streams.
// Every payload of the bytes table is checked with zlib's inflate.
#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "captures.h"
#include "codec/relocatable_deflate.h"
#include "link_bench.h"
#include "timing.h"
#include "zlib_peers.h"

namespace tickwire::bench {
namespace {

// What is sent to whom.
struct Case {
  std::string name;
  std::vector<Message> messages;
  std::size_t topics_per_stream = kTopicsPerStream;
  std::size_t messages_per_stream = 1500;
  std::uint32_t streams = 12;
  // One subscription, a pattern, brings all of it: the bases are the stream's last messages, whatever their
  // topic.
  bool one_pattern = false;
};

// One way to send: how many bases, which parse; 0 bases: always standalone.
struct Way {
  std::size_t bases;
  Parse parse;
};
constexpr std::array<Way, 4> kWays = {
    {{0, Parse::kGreedy}, {1, Parse::kGreedy}, {1, Parse::kOptimal}, {2, Parse::kOptimal}}};

// One connection that receives its messages in one way.
class RelocatableStream {
 public:
  RelocatableStream(Way way, bool one_pattern) : way_(way), one_pattern_(one_pattern) {}

  std::size_t send(const Message& message) {
    Subscription& to = subscriptions_[one_pattern_ ? "" : message.topic];
    std::array<std::uint32_t, kBasesMax> gaps{};
    const std::size_t bases = std::min(way_.bases, to.trail.reach(position_, message.text.size(), gaps));
    std::string payload;
    if (bases == 0) {
      payload = standalone_.compress(message.text);
    } else {
      const std::vector<std::string_view> texts(to.texts.begin(),
                                                to.texts.begin() + static_cast<long>(bases));
      const Assembled form = assembler_.assemble(message.text, texts, {.parse = way_.parse});
      payload.resize(form.reserve_bytes());
      payload.resize(link(form, gaps, payload.data()));
    }
    verifier_.check(payload, message.text);
    to.trail.push(position_);
    to.texts.push_front(message.text);
    if (to.texts.size() > kBasesMax) to.texts.pop_back();
    position_.advance(message.text.size());
    return payload.size();
  }

 private:
  struct Subscription {
    WindowTrail trail;
    std::deque<std::string_view> texts;
  };
  Way way_;
  bool one_pattern_;
  StreamPosition position_;
  std::map<std::string, Subscription> subscriptions_;
  Assembler assembler_;
  Standalone standalone_;
  Verifier verifier_;
};

// The messages that one subscriber of random topics gets.
std::vector<const Message*> stream_of(const Case& given, std::uint32_t seed) {
  std::set<std::string> all;
  for (const Message& message : given.messages) all.insert(message.topic);
  std::vector<std::string> topics(all.begin(), all.end());
  std::mt19937 random(seed);
  std::shuffle(topics.begin(), topics.end(), random);
  topics.resize(std::min(topics.size(), given.topics_per_stream));
  const std::set<std::string> wanted(topics.begin(), topics.end());
  std::vector<const Message*> stream;
  for (const Message& message : given.messages) {
    if (stream.size() < given.messages_per_stream && wanted.contains(message.topic))
      stream.push_back(&message);
  }
  return stream;
}

// Bytes of all messages after the first of its topic, which is a join and goes standalone.
template <typename Send>
double bytes_sent(const std::vector<const Message*>& stream, Send send) {
  std::set<std::string> joined;
  double bytes = 0;
  for (const Message* message : stream) {
    const auto sent = static_cast<double>(send(*message));
    if (!joined.insert(message->topic).second) bytes += sent;
  }
  return bytes;
}

// Microseconds an assembly, over the messages that have enough before them on their topic.
double assemble_us(const std::vector<Message>& messages, Way way) {
  constexpr std::size_t kJobs = 2000;
  struct Job {
    std::string_view message;
    std::vector<std::string_view> bases;
  };
  std::map<std::string, std::deque<std::string_view>> last;
  std::vector<Job> jobs;
  for (const Message& message : messages) {
    auto& texts = last[message.topic];
    if (texts.size() == way.bases && jobs.size() < kJobs)
      jobs.push_back({message.text, {texts.begin(), texts.end()}});
    texts.push_front(message.text);
    if (texts.size() > way.bases) texts.pop_back();
  }
  Assembler assembler;
  std::vector<double> rounds;
  for (int round = 0; round < 15; ++round) {
    const double start = cpu_seconds();
    for (const Job& job : jobs) assembler.assemble(job.message, job.bases, {.parse = way.parse});
    rounds.push_back((cpu_seconds() - start) / static_cast<double>(jobs.size()) * 1e6);
  }
  return median(rounds);
}

void print_bytes(const Case& given) {
  double count = 0, raw = 0, zlib1 = 0, zlib6 = 0;
  std::array<double, kWays.size()> ours{};
  for (std::uint32_t seed = 1; seed <= given.streams; ++seed) {
    const auto stream = stream_of(given, seed);
    count += bytes_sent(stream, [](const Message&) { return 1; });
    raw += bytes_sent(stream, [](const Message& m) { return m.text.size(); });
    ZlibStream level1(1), level6(6);
    zlib1 += bytes_sent(stream, [&](const Message& m) { return level1.compress(m.text).size(); });
    zlib6 += bytes_sent(stream, [&](const Message& m) { return level6.compress(m.text).size(); });
    for (std::size_t i = 0; i < kWays.size(); ++i) {
      RelocatableStream way(kWays[i], given.one_pattern);
      ours[i] += bytes_sent(stream, [&](const Message& m) { return way.send(m); });
    }
  }
  std::printf("| %-16s | %4.0f | %5.0f | %6.1f | %6.1f |", given.name.c_str(), raw / count, ours[0] / count,
              zlib1 / count, zlib6 / count);
  for (std::size_t i = 1; i < kWays.size(); ++i) std::printf(" %8.1f |", ours[i] / count);
  std::printf(" %6.2f | %6.2f |\n", ours[2] / zlib1, ours[3] / zlib1);
}

std::vector<Case> recorded(const std::string& folder) {
  std::vector<Case> cases;
  for (const auto& [exchange, recording] : {std::pair("coinbase", "COINBASE.ws.28.0.xz"),
                                            {"kraken", "KRAKEN.ws.50.0.xz"},
                                            {"binance", "BINANCE.ws.1.0.xz"},
                                            {"bitstamp", "BITSTAMP.ws.1.0.xz"}}) {
    auto messages = load_capture(folder + "/" + recording, exchange);
    if (messages.empty()) messages = load_capture(folder + "/" + exchange + ".xz", exchange);
    if (messages.empty()) {
      std::printf("(no session of %s in %s: left out)\n", exchange, folder.c_str());
    } else {
      cases.push_back({exchange, std::move(messages)});
    }
  }
  return cases;
}

void print_tables(const std::string& folder) {
  constexpr const char* kColumns =
      "| messages         | raw  | alone | zlib 1 | zlib 6 | greedy 1 |   1 base |  2 bases | 1 / z1 | 2 / "
      "z1 |\n";
  std::vector<Case> cases = recorded(folder);
  cases.push_back({"synthetic ticker", synthetic_ticker(100, 15000)});
  std::printf("Bytes a message, ten topics a subscriber\n\n%s", kColumns);
  for (const Case& given : cases) print_bytes(given);

  std::printf("\nThe same, 400 topics a subscriber: most bases are out of reach\n\n%s", kColumns);
  Case many{"named one by one", synthetic_ticker(400, 8000), 400, 8000, 1};
  print_bytes(many);
  many.name = "by one pattern";
  many.one_pattern = true;
  print_bytes(many);

  std::printf("\nMicroseconds an assembly\n\n| messages         | greedy 1 | 1 base | 2 bases |\n");
  for (const Case& given : cases) {
    std::printf("| %-16s |", given.name.c_str());
    for (const std::size_t way : {1U, 2U, 3U})
      std::printf(" %6.1f |", assemble_us(given.messages, kWays[way]));
    std::printf("\n");
  }

  std::printf(
      "\nNanoseconds a delivery (where the bases lie, link, note the place) of a synthetic update\n\n"
      "| streams | bases | link | zlib 1 | ratio |\n");
  for (const std::size_t streams : {1000U, 20000U}) {
    for (const std::size_t bases : {1U, 2U}) print_link(streams, bases);
  }
}

}  // namespace
}  // namespace tickwire::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: codec_bench FOLDER\n");
    return 2;
  }
  tickwire::bench::print_tables(argv[1]);
}
