// Demand: which topics somebody wants right now, told to each feed for its own pattern.
//
// A feed that names the topics it can make is asked for those of them that an exact or a pattern subscription
// wants; a feed that names none is asked for exact topics only. Any thread; one lock, held while the listener
// is told, so that changes arrive in order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "model/pattern_filter.h"
#include "model/pattern_index.h"
#include "model/topic_name.h"

namespace tickwire {

class DemandListener {
 public:
  virtual ~DemandListener() = default;
  // The first subscriber of `topic` came, or its last went. Any thread; may not call back into Demand or Hub.
  virtual void on_demand(std::uint32_t feed, const std::string& topic, bool wanted) = 0;
};

class Demand {
 public:
  // Null: nobody listens (feeds may not be added then).
  void set_listener(DemandListener* listener);

  // `topics`: what the feed can make; nothing: unknown. Tells the listener what is wanted already.
  void add_feed(std::uint32_t feed, const Pattern& pattern, std::optional<std::vector<std::string>> topics);
  void set_feed_topics(std::uint32_t feed, std::vector<std::string> topics);
  // Says nothing to the listener.
  void remove_feed(std::uint32_t feed);
  // From now on the feed produces only what is wanted. False: it did already, or is not known.
  bool follow(std::uint32_t feed);
  // A feed that follows demand could be asked for `topic`, and is not.
  [[nodiscard]] bool is_given_up(std::uint32_t feed, std::string_view topic) const;
  // What feeds that follow demand are no longer asked for since the last call, in order.
  std::vector<std::pair<std::uint32_t, std::string>> take_given_up();

  // One more or one less sink wants it.
  void topic_wanted(const std::string& topic, bool wanted);
  // Of the pattern, what `filter` lets.
  void pattern_wanted(const Pattern& pattern, const FilterPtr& filter, bool wanted);

 private:
  struct Feed {
    Pattern pattern;
    std::optional<std::set<std::string, std::less<>>> topics;
    std::set<std::string, std::less<>> wanted;
    bool follows = false;
  };

  // How many sinks want what part of a pattern.
  struct WantedPart {
    FilterPtr filter;
    int sinks = 0;
  };

  [[nodiscard]] bool is_wanted(const Feed& feed, std::string_view topic) const REQUIRES(mutex_);
  void update_one(std::uint32_t id, Feed& feed, const std::string& topic) REQUIRES(mutex_);
  void update_all(std::uint32_t id, Feed& feed) REQUIRES(mutex_);
  void set_wanted(std::uint32_t id, Feed& feed, const std::string& topic, bool now) REQUIRES(mutex_);
  // After what `filter` lets of the pattern was wanted, or no longer.
  void update_matching(std::uint32_t id, Feed& feed, const Pattern& pattern, const FilterPtr& filter,
                       bool wanted) REQUIRES(mutex_);

  mutable Mutex mutex_;
  DemandListener* listener_ GUARDED_BY(mutex_) = nullptr;
  std::map<std::uint32_t, Feed> feeds_ GUARDED_BY(mutex_);
  std::map<std::string, int, std::less<>> topics_ GUARDED_BY(mutex_);
  PatternIndex<std::vector<WantedPart>> patterns_ GUARDED_BY(mutex_);
  std::vector<std::pair<std::uint32_t, std::string>> given_up_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
