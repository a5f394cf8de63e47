// Update: one immutable message of a topic, made once in the hub and shared by reference with everyone who
// registered interest: shards, store, in-process subscribers. Nothing else travels.
//
// Any thread. What those who send it make of it once and for all is kept in it, unknown to the hub
// (UpdateForms). Invariants: seq is the topic's; a data update's seq is the previous one + 1, a status update
// repeats it.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/lazy.h"
#include "model/halt.h"
#include "model/topic_kind.h"

namespace tickwire {

class Topic;

// The encoded forms of an update, as fanout/forms.h makes them.
class UpdateForms {
 public:
  virtual ~UpdateForms() = default;
};

class Update {
 public:
  struct Parts {
    Topic* topic = nullptr;  // of the hub, which outlives its updates
    std::uint64_t revision = 0;
    std::uint64_t seq = 0;
    std::int64_t ts = 0;  // server Unix time, ms
    TopicStatus status = TopicStatus::kLive;
    Delivery delivery = Delivery::kValue;
    bool status_only = false;  // no data: the status changed
    bool is_kept = false;      // in a ring, and without its image: see kept()
    std::string data;          // the feed's bytes; empty when status_only
    std::string image;         // all updates merged; empty: the same bytes as data
    HaltPtr halt = {};         // an operator's; null: there is none
  };
  explicit Update(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Topic& topic() const { return *parts_.topic; }
  // Per topic, + 1 with every Update, also one that changes only the status: which of two is newer.
  [[nodiscard]] std::uint64_t revision() const { return parts_.revision; }
  [[nodiscard]] std::uint64_t seq() const { return parts_.seq; }
  [[nodiscard]] std::int64_t ts() const { return parts_.ts; }
  [[nodiscard]] TopicStatus status() const { return parts_.status; }
  // Null: no operator holds the topic. One whose status is halted without it was halted by its feed.
  [[nodiscard]] const Halt* halt() const { return parts_.halt.get(); }
  // The topic's, when it was made.
  [[nodiscard]] Delivery delivery() const { return parts_.delivery; }
  [[nodiscard]] bool status_only() const { return parts_.status_only; }
  [[nodiscard]] std::string_view data() const { return parts_.data; }
  [[nodiscard]] std::string_view image() const {
    assert(!parts_.is_kept);
    return parts_.image.empty() ? parts_.data : parts_.image;
  }
  // What a ring keeps of `update`, to send it again or to store it: the update itself, or, where its image is
  // large, one without it, whose image() must not be asked for.
  static std::shared_ptr<const Update> kept(const std::shared_ptr<const Update>& update);

  // The same update of a topic whose delivery is another one now.
  static std::shared_ptr<const Update> delivered(const Update& update, Delivery delivery);

  // What it holds once it was sent in the usual forms of JSON, about; the same at each call. Forms in a
  // binary format come on top, where one is spoken.
  [[nodiscard]] std::size_t memory_bytes() const {
    constexpr std::size_t kFormsBytes = 96;
    return sizeof(Update) + kFormsBytes + 4 * parts_.data.size() + parts_.image.size();
  }

  // Its forms, which `make` returns at first need; all callers name the same type. They go with the update.
  template <typename Forms, typename Make>
  [[nodiscard]] const Forms& forms(Make&& make) const {
    return forms_.get<Forms>(std::forward<Make>(make));
  }

 private:
  const Parts parts_;
  Lazy<UpdateForms> forms_;
};

using UpdatePtr = std::shared_ptr<const Update>;

}  // namespace tickwire
