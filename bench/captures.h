// Recorded exchange sessions as the messages tickwire would send for them, and a synthetic ticker beside
// them.
//
// The payloads are the exchange's own bytes; what wraps them is our `update` message (docs/PROTOCOL.md).
// Book snapshots of thousands of levels, which a feed would not publish as updates, are left out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tickwire::bench {

inline constexpr std::size_t kTopicsPerStream = 10;

struct Message {
  std::string topic;
  std::string text;
};

// What stands after `key` up to the next quote; empty when there is none.
inline std::string_view text_after(std::string_view json, std::string_view key) {
  const std::size_t at = json.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = json.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

// <channel>.<exchange>.<product>, in the exchange's words; empty for what is no update.
inline std::string topic_of(std::string_view json, std::string_view exchange) {
  std::string_view channel, product;
  if (exchange == "coinbase") {
    channel = text_after(json, "\"type\":\"");
    product = text_after(json, "\"product_id\":\"");
    if (channel == "last_match") channel = "match";
    if (channel != "l2update" && channel != "ticker" && channel != "match") return {};
  } else if (exchange == "kraken") {  // [id,{...},"book-1000","XMR/USD"]
    if (!json.starts_with("[") || json.find("\"as\":") != std::string_view::npos) return {};
    const std::size_t comma = json.rfind(",\"");
    product = text_after(json.substr(comma), "\"");
    channel = text_after(json.substr(json.rfind(",\"", comma - 1)), "\"");
  } else if (exchange == "binance") {  // nknusdt@depth@100ms
    const std::string_view stream = text_after(json, "\"stream\":\"");
    product = stream.substr(0, stream.find('@'));
    channel = text_after(json, "\"e\":\"");
    if (channel.empty()) channel = "bookTicker";
  } else {  // diff_order_book_ethusd
    const std::string_view name = text_after(json, "\"channel\":\"");
    if (json.find("\"event\":\"bts:") != std::string_view::npos) return {};
    channel = name.substr(0, name.rfind('_'));
    product = name.substr(std::min(name.rfind('_') + 1, name.size()));
  }
  if (channel.empty() || product.empty()) return {};
  std::string topic = std::string(channel) + "." + std::string(exchange) + "." + std::string(product);
  std::replace(topic.begin(), topic.end(), '/', '-');
  return topic;
}

inline std::string update_message(const std::string& topic, std::uint64_t seq, const std::string& ts,
                                  std::string_view data) {
  return R"({"type":"update","topic":")" + topic + R"(","seq":)" + std::to_string(seq) + R"(,"ts":)" + ts +
         R"(,"data":)" + std::string(data) + "}";
}

// Empty when the file is not there.
inline std::vector<Message> load_capture(const std::string& path, const std::string& exchange) {
  struct Close {
    void operator()(FILE* file) const { pclose(file); }
  };
  const std::unique_ptr<FILE, Close> pipe(popen(("xz -dc '" + path + "' 2>/dev/null").c_str(), "r"));
  std::vector<Message> messages;
  std::map<std::string, std::uint64_t> seqs;
  char* line = nullptr;
  std::size_t capacity = 0;
  while (pipe && getline(&line, &capacity, pipe.get()) > 0) {
    std::string_view text(line);
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);
    const std::size_t colon = text.find(": ");
    if (text.starts_with("wss:") || colon == std::string_view::npos) continue;
    const std::string_view json = text.substr(colon + 2);
    const std::string topic = topic_of(json, exchange);
    if (topic.empty()) continue;
    const auto ms =
        static_cast<std::uint64_t>(std::strtod(std::string(text.substr(0, colon)).c_str(), nullptr) * 1000);
    messages.push_back({topic, update_message(topic, ++seqs[topic], std::to_string(ms), json)});
  }
  std::free(line);
  return messages;
}

// A hundred topics that tick alike: prices walk, sizes are random, totals grow.
inline std::vector<Message> synthetic_ticker(std::size_t topics, std::size_t count) {
  std::mt19937 random(42);
  const auto below = [&random](std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); };
  const auto fixed = [](std::uint64_t hundredths) {
    const std::string cents = std::to_string(100 + hundredths % 100).substr(1);
    return "\"" + std::to_string(hundredths / 100) + "." + cents + "\"";
  };
  struct State {
    std::uint64_t price, open, volume, seq;
  };
  std::vector<State> states;
  for (std::size_t i = 0; i < topics; ++i) {
    const std::uint64_t price = 1000 + below(5000000);
    states.push_back({price, price, below(100000000), 1000 + below(100000)});
  }
  std::vector<Message> messages;
  std::uint64_t microseconds = 1700000000000000;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t which = below(static_cast<std::uint32_t>(topics));
    State& s = states[which];
    s.price += below(21) - 10 + (s.price < 500 ? 10 : 0);
    s.volume += below(5000);
    microseconds += 100;
    const std::string symbol = "SYM" + std::to_string(1000 + which).substr(1) + "-USD";
    const std::string data = R"({"last":)" + fixed(s.price) + R"(,"bid":)" + fixed(s.price - 1 - below(4)) +
                             R"(,"ask":)" + fixed(s.price + 1 + below(4)) + R"(,"bid_size":)" +
                             fixed(below(100000)) + R"(,"ask_size":)" + fixed(below(100000)) +
                             R"(,"volume":)" + fixed(s.volume) + R"(,"open":)" + fixed(s.open) + "}";
    const std::string topic = "ticker." + symbol;
    messages.push_back({topic, update_message(topic, s.seq++, std::to_string(microseconds / 1000), data)});
  }
  return messages;
}

}  // namespace tickwire::bench
