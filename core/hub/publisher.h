// Publisher: how everything that is published gets to its topic: what feeds and Python programs publish, and
// what clients do. The hub is the local one, which decides at once. One that shares its topics with other
// servers decides later, once the update has come back in the order that they all see.
//
// Any thread. It calls no `done` any more once its owner has stopped it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "hub/feed_id.h"
#include "model/image.h"
#include "model/topic_kind.h"

namespace tickwire {

// What publish_rows publishes. The view is valid until the next call.
class Payloads {
 public:
  virtual ~Payloads() = default;
  virtual Result<ImageView> at(std::size_t row) = 0;
};

class Publisher {
 public:
  // What became of an update: the seq it got, or why it was refused.
  using Outcome = Result<std::uint64_t>;
  using Done = std::function<void(const Outcome&)>;

  virtual ~Publisher() = default;

  // Calls `done`, unless that is empty, once: before it returns, or later on any thread. Returns the outcome
  // where it is known already, else seq 0. `data` is a JSON object with its fields; `feed`: who publishes, 0:
  // no plugin. kBadTopic, kBadData (also when the image would pass kImageBytesMax: it stays).
  virtual Outcome publish(std::string_view topic, ImageView data, FeedId feed, const Done& done) = 0;
  // The same for a text that is yet to be scanned. kBadData: it is no JSON object.
  Outcome publish(std::string_view topic, std::string_view data, FeedId feed, const Done& done);
  // One after the other, cheaper than one by one. Ends at the first that is refused; `taken` counts those
  // before.
  virtual Status publish_rows(std::span<const std::string_view> topics, Payloads& payloads, FeedId feed,
                              std::size_t& taken) = 0;
  // kBadTopic, kUnknownTopic. No change, no update.
  virtual Status set_status(std::string_view topic, TopicStatus status) = 0;
  // Each live topic that `feed` published last becomes stale.
  virtual void feed_down(FeedId feed) = 0;
  // Clients may have seen more of the topics elsewhere than there is here.
  [[nodiscard]] virtual bool is_shared() const { return false; }
  // Calls `then` once, at once or later on any thread: with true when all is here that was anywhere at the
  // time of the call; with false where nobody can say.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): who is not current keeps it
  virtual void when_current(std::function<void(bool current)> then) { then(true); }
};

// Scans a text that is to be published. kBadTopic before kBadData. The view is valid until the thread's next
// call.
Result<ImageView> scan_payload(std::string_view topic, std::string_view data);
// set_status of a topic without an update.
Error nothing_published(std::string_view topic);
// What is wrong with the topic, or else with the data.
Error topic_or(std::string_view topic, const Error& data);

}  // namespace tickwire
