#include "fanout/publish_once.h"

#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kForgottenAtOnce = 2'000;  // well under a millisecond, and soon all that are old

constexpr char kSubject = 's';

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
  if (!client.subject.empty()) return kSubject + client.subject;
  return "a" + std::to_string(client.address.key);
}

PublishOnce::Room& PublishOnce::room_of(const std::string& client) {
  return client.starts_with(kSubject) ? subjects_ : addresses_;
}

Result<std::optional<std::uint64_t>> PublishOnce::begin(const Name& name, std::int64_t now_us) {
  std::string key = key_of(name);
  const MutexLock lock(mutex_);
  Room& room = room_of(name.client);
  forget_old(room, now_us);
  if (const auto found = room.clients.find(name.client); found != room.clients.end()) {
    Client& client = found->second;
    room.size -= forget_old(client, now_us, kForgottenAtOnce);
    const auto known = client.names.find(key);
    if (known != client.names.end()) {
      const auto& [seq, until_us] = known->second;
      if (seq && until_us > now_us) return seq;
      if (!seq)
        return Error{ErrorCode::kUnavailable, "once: this update is being published; ask again", "once"};
    } else if (client.names.size() >= kOncePerClientMax) {
      return no_room_for_names(kOncePerClientMax, "of a client", Limit::kOncePerClient);
    }
  }
  if (room.size >= kOnceMax) return no_room_for_names(kOnceMax, "of all clients", Limit::kOnce);
  if (room.clients[name.client].names.insert_or_assign(std::move(key), Entry{}).second) ++room.size;
  return std::optional<std::uint64_t>();
}

void PublishOnce::end(const Name& name, const Result<std::uint64_t>& outcome, std::int64_t now_us) {
  std::string key = key_of(name);
  const MutexLock lock(mutex_);
  Room& room = room_of(name.client);
  Client& client = room.clients[name.client];
  if (outcome) {
    const std::int64_t until_us = now_us + kOnceMs * 1000;
    client.names[key] = {*outcome, until_us};
    client.ended.push_back({until_us, std::move(key)});
    room.ended.push_back({until_us, name.client});
    return;
  }
  room.size -= client.names.erase(key);
  if (client.names.empty()) room.clients.erase(name.client);
}

std::size_t PublishOnce::size() const {
  const MutexLock lock(mutex_);
  return subjects_.size + addresses_.size;
}

void PublishOnce::forget_old(Room& room, std::int64_t now_us) {
  for (std::size_t i = 0; i < kForgottenAtOnce; ++i) {
    if (room.ended.empty() || room.ended.front().until_us > now_us) return;
    const auto found = room.clients.find(room.ended.front().what);
    room.ended.pop_front();
    if (found == room.clients.end()) continue;
    room.size -= forget_old(found->second, now_us, 1);
    if (found->second.names.empty()) room.clients.erase(found);
  }
}

// Returns how many names that were. One that was published again since is kept.
std::size_t PublishOnce::forget_old(Client& client, std::int64_t now_us, std::size_t most) {
  const std::size_t before = client.names.size();
  for (std::size_t i = 0; i < most; ++i) {
    if (client.ended.empty() || client.ended.front().until_us > now_us) break;
    const auto old = client.names.find(client.ended.front().what);
    if (old != client.names.end() && old->second.seq && old->second.until_us <= now_us)
      client.names.erase(old);
    client.ended.pop_front();
  }
  return before - client.names.size();
}

}  // namespace tickwire
