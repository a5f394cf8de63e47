// ChangeLog: the topics of a shard in the order in which they changed last, each of them once. A pattern that
// is behind is one number in it, up to which its client has been shown everything.
//
// One thread. Every call costs a few steps however many topics there are: entries lie in chunks of kChunk
// numbers; one that changes again leaves a gap, and a chunk that is half gaps is packed. Memory: 16 bytes a
// topic, at most twice that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "hub/topic.h"

namespace tickwire {

class ChangeLog {
 public:
  static constexpr std::uint64_t kChunk = 1024;

  struct Entry {
    std::uint64_t number = 0;
    TopicId topic_id = 0;
  };

  // A change of a topic whose last one had the number `before` (0: none); returns its number, from 1 on.
  std::uint64_t add(TopicId topic_id, std::uint64_t before);
  // The topic of this last change is not followed any more; 0: it had none.
  void remove(std::uint64_t number);
  // The first change after `number`.
  [[nodiscard]] std::optional<Entry> first_after(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t last_number() const { return last_number_; }

 private:
  struct Slot {
    Entry entry;
    bool gap = false;
  };
  struct Chunk {
    std::vector<Slot> slots;  // ascending in number
    std::size_t gaps = 0;
  };

  std::map<std::uint64_t, Chunk> chunks_;  // by number / kChunk; each has a slot that is no gap
  std::uint64_t last_number_ = 0;
};

}  // namespace tickwire
