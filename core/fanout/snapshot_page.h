// SnapshotPage: one page of what `get` answers: the state of each topic that was asked for, of a pattern that
// of each topic that matches, or why there is none. In the order of the request, a pattern's topics in order
// of name; a topic that an earlier item has shown is not shown again. The page ends with its limit, or with
// kGetBytesMax bytes. Found and written in pieces.
//
// Any thread, one at a time. The hub outlives it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/work.h"
#include "fanout/admission.h"
#include "hub/hub.h"
#include "model/keyed_hash.h"
#include "model/pattern_index.h"
#include "protocol/ack.h"

namespace tickwire {

// What a listing of a pattern found, which is shown in pieces.
struct Listed {
  std::vector<UpdatePtr> updates;
  std::size_t next = 0;  // of them
  std::string looked_to;
  bool end = false;  // there is nothing behind looked_to
};

class SnapshotPage {
 public:
  // Where a page begins, or the next one does.
  struct Place {
    std::size_t item = 0;  // of the request's topics
    std::string after;     // of a pattern: the topics behind this one; empty: all
  };
  struct Extent {
    Place from;
    std::size_t limit = kGetTopicsMax;
    std::size_t patterns_max = 100;  // further ones are answered kTooMany
  };
  // Reads the `next` of a page; an empty text is the beginning. kBadMessage: it cannot be one of these
  // topics.
  static Result<Place> parse_place(std::string_view text, std::size_t topics);

  // `decisions`: one for each topic; one that was refused is answered with its error.
  SnapshotPage(const Hub& hub, std::vector<std::string> topics, Admission::Decisions decisions,
               Extent extent);

  // Looks on; true: the page is complete.
  bool run(const Budget& budget);
  [[nodiscard]] std::size_t count() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of its images and names
  // `after` of the next page; empty: there is none.
  [[nodiscard]] std::string next() const;
  // Writes the page, a piece of it; true: all was added.
  bool write(SnapshotsWriter& writer, const Budget& budget) const;
  // The limit that ended it, unless the client asked for no more; nothing: it ended by itself.
  [[nodiscard]] std::optional<Limit> cut_short() const;
  // Calls `each` with the errors of the page.
  template <typename Each>
  void each_error(const Each& each) const {
    for (const Entry& entry : entries_) {
      if (!entry.state) each(entry.state.error());
    }
  }

 private:
  struct Entry {
    std::string topic;  // of an error
    Result<UpdatePtr> state;
  };

  // Finds what is wrong with the items, and notes those before the page. True: all of them.
  bool note_items(const Budget& budget);
  void check(std::size_t item);
  // What it shows is shown no more.
  void note(std::size_t item);
  // Each: true when the item is done, false when the budget is spent or the page is full.
  bool add_item(const Budget& budget);
  bool add_topic(const std::string& topic);
  bool add_matches(const Pattern& pattern, const FilterPtr& filter, const Budget& budget);
  bool add(std::string topic, Result<UpdatePtr> state);
  // An item before the one at place_ has shown it. Costs a look at the patterns among them that begin like
  // the topic, up to the first that matches.
  [[nodiscard]] bool shown_before(std::string_view topic) const;

  const Hub* hub_;
  std::vector<std::string> topics_;
  Admission::Decisions decisions_;
  Place place_;
  // As Place::after, for the answer: the name of a topic that was shown, never one that is hidden.
  std::string shown_to_;
  std::size_t limit_;
  std::size_t patterns_max_;
  std::size_t checked_ = 0;
  std::size_t patterns_checked_ = 0;
  std::unordered_set<std::string_view, KeyedHash> exact_;  // of the items before the one at place_
  PatternIndex<FilterPtr> patterns_;                       // the same, and what of each is shown
  std::optional<Listed> listed_;                           // of the pattern at place_, behind place_.after
  std::vector<Entry> entries_;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

}  // namespace tickwire
