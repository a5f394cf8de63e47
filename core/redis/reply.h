// Reply: what an engine answered, as hiredis holds it. Values that one thread owns.
#pragma once

#include <hiredis.h>

#include <charconv>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tickwire::redis {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

// Empty: it is no text.
inline std::string_view text_of(const redisReply* reply) {
  const bool has_text = reply != nullptr && reply->str != nullptr;
  return has_text ? std::string_view(reply->str, static_cast<std::size_t>(reply->len)) : std::string_view();
}

// 0: it is no number.
template <typename Number = std::uint64_t>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}
template <typename Number = std::uint64_t>
Number number_of(const redisReply* reply) {
  if (reply != nullptr && reply->type == REDIS_REPLY_INTEGER) return static_cast<Number>(reply->integer);
  return number_of<Number>(text_of(reply));
}

// None: it is no array.
inline std::span<redisReply* const> items_of(const redisReply* reply) {
  if (reply == nullptr || reply->type != REDIS_REPLY_ARRAY) return {};
  return {reply->element, static_cast<std::size_t>(reply->elements)};
}
// Null: there is none.
inline const redisReply* item_of(const redisReply* reply, std::size_t nth) {
  const auto items = items_of(reply);
  return nth < items.size() ? items[nth] : nullptr;
}

inline bool is_nil(const redisReply* reply) {
  return reply == nullptr || reply->type == REDIS_REPLY_NIL;
}

}  // namespace tickwire::redis
