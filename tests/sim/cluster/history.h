// History: what the updates of a cluster mean, whoever says it: for each epoch, topic and seq the bytes that
// were published and the image after them. Two that say different things are a violation, and so is a message
// that has two seqs in one epoch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "sim_socket.h"

namespace tickwire::sim {

class History {
 public:
  void data(const std::string& epoch, const std::string& topic, std::uint64_t seq, std::string_view data) {
    learn(data_, {epoch, topic, seq}, data);
    const auto [known, is_new] = seqs_.emplace(std::tuple(epoch, topic, std::string(data)), seq);
    if (known->second != seq) fail("published twice", {epoch, topic, seq}, data);
  }
  void image(const std::string& epoch, const std::string& topic, std::uint64_t seq, std::string_view image) {
    learn(images_, {epoch, topic, seq}, image);
  }
  [[nodiscard]] std::size_t size() const { return data_.size(); }

 private:
  using Key = std::tuple<std::string, std::string, std::uint64_t>;

  static void learn(std::map<Key, std::string>& known, const Key& key, std::string_view text) {
    const auto [at, is_new] = known.emplace(key, text);
    if (at->second != text) fail("two meanings, the other being " + at->second, key, text);
  }
  [[noreturn]] static void fail(const std::string& what, const Key& key, std::string_view text) {
    throw Violation(what + ": " + std::get<0>(key) + " " + std::get<1>(key) + " " +
                    std::to_string(std::get<2>(key)) + " " + std::string(text));
  }

  std::map<Key, std::string> data_;
  std::map<Key, std::string> images_;
  std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t> seqs_;
};

}  // namespace tickwire::sim
