// PatternIndex: a value for each of many patterns, found by the topics that they match. A trie of tokens:
// what a look-up costs follows the patterns that begin like the topic, not all there are. NATS' sublist is
// the model.
//
// Not synchronized. References to values stay valid until their pattern is erased.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/work.h"
#include "model/topic_name.h"

namespace tickwire {

template <typename Value>
class PatternIndex {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // The pattern's value; a new one when there is none.
  Value& at(const Pattern& pattern) {
    Node* node = &root_;
    each_token(pattern.text(), [&](std::string_view token) {
      auto next = node->next.find(token);
      if (next == node->next.end()) {
        next = node->next.emplace(std::string(token), std::make_unique<Node>()).first;
      }
      node = next->second.get();
      return true;
    });
    if (!node->value) {
      node->value.emplace();
      ++size_;
    }
    return *node->value;
  }
  // Null: there is none.
  [[nodiscard]] Value* find(std::string_view pattern) {
    Node* node = &root_;
    each_token(pattern, [&](std::string_view token) {
      const auto next = node->next.find(token);
      node = next == node->next.end() ? nullptr : next->second.get();
      return node != nullptr;
    });
    return node != nullptr && node->value ? &*node->value : nullptr;
  }
  // It must be there.
  void erase(const Pattern& pattern) {
    erase_below(root_, std::string_view(pattern.text()));
    --size_;
  }

  // Calls `found` with the value of each pattern that matches `topic`, which must be valid.
  template <typename Found>
  void each_match(std::string_view topic, const Found& found) const {
    match(root_, topic, found);
  }
  // Whether one does, whose value `accept` (called with it) accepts; looks no further than that.
  template <typename Accept>
  [[nodiscard]] bool any_match(std::string_view topic, const Accept& accept) const {
    return matches(root_, topic, accept);
  }
  [[nodiscard]] bool any_match(std::string_view topic) const {
    return any_match(topic, [](const Value&) { return true; });
  }
  // Erases those whose value `gone` (called with each) wants erased.
  template <typename Gone>
  void erase_if(const Gone& gone) {
    erase_if(root_, gone);
  }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> next;  // by token, "*" and ">" among them
    std::optional<Value> value;
    [[nodiscard]] bool unused() const { return !value && next.empty(); }
  };

  static std::pair<std::string_view, std::string_view> split(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return {text, {}};
    return {text.substr(0, dot), text.substr(dot + 1)};
  }
  // As long as `use` says so.
  template <typename Use>
  static void each_token(std::string_view text, const Use& use) {
    while (!text.empty()) {
      const auto [token, rest] = split(text);
      if (!use(token)) return;
      text = rest;
    }
  }

  template <typename Found>
  static void match(const Node& node, std::string_view topic, Found& found) {
    Work::count();
    if (topic.empty()) {
      if (node.value) found(*node.value);
      return;
    }
    if (const auto rest = node.next.find(">"); rest != node.next.end()) found(*rest->second->value);
    const auto [token, rest] = split(topic);
    if (const auto any = node.next.find("*"); any != node.next.end()) match(*any->second, rest, found);
    if (const auto same = node.next.find(token); same != node.next.end()) match(*same->second, rest, found);
  }

  template <typename Accept>
  static bool matches(const Node& node, std::string_view topic, const Accept& accept) {
    Work::count();
    if (topic.empty()) return node.value && accept(*node.value);
    const auto [token, rest] = split(topic);
    if (const auto all = node.next.find(">"); all != node.next.end()) {
      if (matches(*all->second, {}, accept)) return true;
    }
    if (const auto any = node.next.find("*"); any != node.next.end()) {
      if (matches(*any->second, rest, accept)) return true;
    }
    const auto same = node.next.find(token);
    return same != node.next.end() && matches(*same->second, rest, accept);
  }

  static void erase_below(Node& node, std::string_view pattern) {
    if (pattern.empty()) return node.value.reset();
    const auto [token, rest] = split(pattern);
    const auto next = node.next.find(token);
    erase_below(*next->second, rest);
    if (next->second->unused()) node.next.erase(next);
  }

  template <typename Gone>
  void erase_if(Node& node, Gone& gone) {
    for (auto next = node.next.begin(); next != node.next.end();) {
      erase_if(*next->second, gone);
      next = next->second->unused() ? node.next.erase(next) : std::next(next);
    }
    if (!node.value || !gone(*node.value)) return;
    node.value.reset();
    --size_;
  }

  Node root_;
  std::size_t size_ = 0;
};

}  // namespace tickwire
