#include "fanout/publish_once.h"

#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kForgottenAtOnce = 2'000;  // well under a millisecond, and soon all that are old

// No topic has a blank.
std::string key_of(const PublishOnce::Name& name) {
  return name.topic + ' ' + name.once;
}

Error no_room_for_names(std::size_t most, std::string_view of_whom, Limit limit) {
  return {ErrorCode::kTooMany,
          "once: " + std::to_string(most) + " names " + std::string(of_whom) +
              " are kept for a minute each, that is the limit; publish without once, or later",
          "once", limit};
}

}  // namespace

std::string PublishOnce::client_of(const ClientInfo& client) {
  // A subject may have any text; an address is told from it by what stands before both.
  if (!client.subject.empty()) return "s" + client.subject;
  return "a" + std::to_string(client.address.key);
}

Result<std::optional<std::uint64_t>> PublishOnce::begin(const Name& name, std::int64_t now_us) {
  const std::string key = key_of(name);
  const MutexLock lock(mutex_);
  forget_old(now_us);
  if (const auto client = clients_.find(name.client); client != clients_.end()) {
    const auto known = client->second.find(key);
    if (known != client->second.end()) {
      if (known->second) return known->second;
      return Error{ErrorCode::kUnavailable, "once: this update is being published; ask again", "once"};
    }
    if (client->second.size() >= kOncePerClientMax)
      return no_room_for_names(kOncePerClientMax, "of a client", Limit::kOncePerClient);
  }
  if (size_ >= kOnceMax) return no_room_for_names(kOnceMax, "of all clients", Limit::kOnce);
  clients_[name.client].emplace(key, std::nullopt);
  ++size_;
  return std::optional<std::uint64_t>();
}

void PublishOnce::end(const Name& name, const Result<std::uint64_t>& outcome, std::int64_t now_us) {
  const std::string key = key_of(name);
  const MutexLock lock(mutex_);
  if (!outcome) return erase(name.client, key);
  clients_[name.client][key] = *outcome;
  endings_.push_back({now_us + kOnceMs * 1000, name.client, key});
}

std::size_t PublishOnce::size() const {
  const MutexLock lock(mutex_);
  return size_;
}

void PublishOnce::forget_old(std::int64_t now_us) {
  for (std::size_t i = 0; i < kForgottenAtOnce; ++i) {
    if (endings_.empty() || endings_.front().until_us > now_us) return;
    erase(endings_.front().client, endings_.front().key);
    endings_.pop_front();
  }
}

void PublishOnce::erase(const std::string& client, const std::string& key) {
  const auto found = clients_.find(client);
  if (found == clients_.end() || found->second.erase(key) == 0) return;
  --size_;
  if (found->second.empty()) clients_.erase(found);
}

}  // namespace tickwire
