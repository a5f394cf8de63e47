// ClientTopics: all topics that a client knows, by name: seq, status and image, and whether a message that
// only goes on may be applied without asking anybody ("armed").
//
// It applies; it does not judge. Its owner says what follows (python/tickwire/_client/topics.py), arms a
// topic that is in step with all who read it, and disarms it when anything else but its value changes. Every
// change by its owner disarms the topic, so forgetting to is impossible.
//
// One thread at a time. References to states stay valid until the topic is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "client/client_topic.h"
#include "client/message_head.h"
#include "model/json_object.h"
#include "model/slot_table.h"

namespace tickwire {

class ClientTopics {
 public:
  ClientTopics();

  // --- by its owner -------------------------------------------------------------------------------------
  [[nodiscard]] const ClientTopic* find(std::string_view name) const;
  // The topic, disarmed; a new one (seq 0, not in sync) if it is not known.
  ClientTopic& change(std::string_view name);
  // True if it was known.
  bool forget(std::string_view name);

  // kNoStatus: it would be one more than kStatusesMax.
  StatusNumber status_number(std::string_view status);
  [[nodiscard]] const std::string& status_name(StatusNumber number) const { return statuses_.at(number); }

  // False: `data` is nothing that the scanner takes, or an image would become too long; nothing changes.
  bool replace_image(ClientTopic& topic, std::string_view data);
  bool merge_image(ClientTopic& topic, std::string_view data);
  // From here on its owner keeps the image.
  void move_image_out(ClientTopic& topic);

  // `route` is the owner's word for who reads the topic.
  void arm(ClientTopic& topic, std::uint32_t route) const;
  void disarm(std::string_view name);
  void disarm_all() { ++generation_; }
  [[nodiscard]] bool is_armed(const ClientTopic& topic) const { return topic.armed_in == generation_; }

  // Calls `use` with each topic that is known.
  template <typename Use>
  void each(const Use& use) const {
    for (const ClientTopic& topic : topics_) {
      if (!topic.name.empty()) use(topic);
    }
  }
  [[nodiscard]] std::size_t size() const { return topics_.size() - free_.size(); }

  // Calls `use` with each topic whose image changed since the last call; the first time with each that has
  // one. A topic that was forgotten meanwhile is left out.
  template <typename Use>
  void take_changed(const Use& use) {
    if (!lists_changes_) {
      lists_changes_ = true;
      each([&](const ClientTopic& topic) {
        if (topic.image_version != 0) use(topic);
      });
    }
    for (const std::uint32_t number : changed_) {
      ClientTopic& topic = topics_[number];
      if (!topic.listed) continue;
      topic.listed = false;
      use(topic);
    }
    changed_.clear();
  }

  // --- by the stream ------------------------------------------------------------------------------------
  // Applies a message that only goes on with an armed topic: the next update, or a later snapshot that is as
  // live as before. Returns null, and changes nothing, if it is any other; `text` is the whole message.
  // `seq_before` becomes the seq that the topic had.
  const ClientTopic* go_on(std::string_view text, const MessageHead& head, std::uint64_t& seq_before);

 private:
  [[nodiscard]] std::uint32_t number_of(std::string_view name) const;
  bool apply(ClientTopic& topic, std::string_view data, bool replaces);
  void image_changed(ClientTopic& topic);

  std::deque<ClientTopic> topics_;
  std::vector<std::uint32_t> free_;  // numbers of topics_ that are not in use
  SlotTable by_name_;
  std::vector<std::string> statuses_;
  std::uint64_t generation_ = 1;
  std::uint64_t versions_ = 0;
  bool lists_changes_ = false;
  std::vector<std::uint32_t> changed_;
  // Scratch, so that a message allocates nothing:
  std::vector<JsonField> fields_;
  std::string merged_;
};

}  // namespace tickwire
