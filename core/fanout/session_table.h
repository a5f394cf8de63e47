// SessionTable: a shard's sessions by slot. A slot is reused; a SessionRef is not fooled by that.
// Loop thread. Owns the sessions.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "session/session.h"

namespace tickwire {

struct SessionRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  auto operator<=>(const SessionRef&) const = default;
};

class SessionTable {
 public:
  Session& add(Socket& socket, ClientInfo client, const Framing& framing) {
    std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot].session = std::make_unique<Session>(slot, socket, std::move(client), framing);
    ++count_;
    return *slots_[slot].session;
  }

  // Its connection is gone: no reference finds it any more, and it counts no more. It keeps its slot, which
  // topics name, until remove().
  void retire(Session& session) {
    session.on_gone();
    ++slots_[session.slot].generation;
    --count_;
  }

  // After retire(), once no topic names its slot any more.
  void remove(const Session& session) {
    const std::uint32_t slot = session.slot;
    slots_[slot].session.reset();
    free_.push_back(slot);
  }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }
  // Null: the slot is free. May be one that is retired: it is closing.
  [[nodiscard]] Session* at(std::uint32_t slot) const { return slots_[slot].session.get(); }
  // Null also where its session is closing.
  [[nodiscard]] Session* open_at(std::uint32_t slot) const {
    Session* session = at(slot);
    return session == nullptr || session->state() == SessionState::kClosing ? nullptr : session;
  }

  [[nodiscard]] SessionRef ref(const Session& session) const {
    return {session.slot, slots_[session.slot].generation};
  }
  // Null: that session is gone.
  [[nodiscard]] Session* find(SessionRef ref) const {
    return slots_[ref.slot].generation == ref.generation ? slots_[ref.slot].session.get() : nullptr;
  }

 private:
  struct Slot {
    std::unique_ptr<Session> session;
    std::uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t count_ = 0;
};

}  // namespace tickwire
