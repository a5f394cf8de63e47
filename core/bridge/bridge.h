// Bridge: the border between the C++ core and Python plugins: feeds on one side of the hub, authorizers on
// the other, and plain data in queues between them.
//
// Any thread may call anything. Loop threads enter through Access and DemandListener, where nothing waits and
// nothing knows of Python; the Python side waits on notify_fd() and calls the rest. Hub and publisher outlive
// it.
// Locks: guards_mutex_, feeds_mutex_ and the queue's are leaves: no other is taken while one is held.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "bridge/event_queue.h"
#include "bridge/plugin_states.h"
#include "fanout/access.h"
#include "hub/demand.h"
#include "hub/hub.h"
#include "model/topic_kind.h"
#include "model/topic_name.h"

namespace tickwire {

// ClientInfo::remote of an in-process session, to which everything is allowed: it is the server's own
// program.
inline constexpr std::string_view kLocalRemote = "local";

// auth.publish. grant: what a token or an authorizer for publishing allows; open: also what is not guarded,
// neither for publishing nor for subscribing.
enum class PublishPolicy : std::uint8_t { kNone, kOpen, kGrant };

// What is guarded where no authorizer guards it.
struct AccessPolicy {
  PublishPolicy publish = PublishPolicy::kNone;
  // The server verifies tokens itself (auth.jwt): then every topic is guarded but those that one of these
  // covers.
  bool by_token = false;
  std::vector<Pattern> open_topics = {};
};

struct FeedSpec {
  std::string name;                                // for errors
  std::string pattern;                             // it may publish to these topics only
  std::optional<std::vector<std::string>> topics;  // what it can make; nothing: unknown
  std::optional<Delivery> delivery;                // nothing: as the configuration says
};

class Bridge final : public Access, public DemandListener {
 public:
  using AnswerRoute = std::function<void(std::uint32_t shard, AccessAnswer answer)>;
  using GuardRoute = std::function<void(const Pattern& guard)>;

  // `publisher`: where everything that is published goes.
  Bridge(Hub& hub, Publisher& publisher, AccessPolicy policy);
  ~Bridge() override;
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // Where answers go. Before any loop runs.
  void set_answer_route(AnswerRoute route);
  // Who is told of each guard of subscriptions that is added from now on, after check() knows it.
  void set_guard_route(GuardRoute route);

  // --- loop threads -----------------------------------------------------------------------------------
  [[nodiscard]] Verdict check(Action action, std::string_view topic) const override;
  // In-process sessions are allowed everything; their answers are routed at once.
  Status ask(AccessQuestion question) override;
  [[nodiscard]] const PatternSetPtr& open_part() const override { return open_part_; }
  void close(std::uint64_t id) override;
  void on_demand(std::uint32_t feed, const std::string& topic, bool wanted) override;

  // --- events for Python ------------------------------------------------------------------------------
  Result<int> notify_fd() { return queue_.notify_fd(); }
  std::vector<BridgeEvent> take_events() { return queue_.take(); }
  // Once per question; one that is not open any more is dropped.
  void answer(AccessAnswer answer);

  // --- feeds ------------------------------------------------------------------------------------------
  // kBadTopic. Events of what is wanted already may be taken before it returns.
  Result<FeedId> add_feed(const FeedSpec& spec);
  Status set_feed_topics(FeedId feed, std::vector<std::string> topics);
  // What one of its topics is, where the configuration leaves that open. As add_feed, for a feed whose topics
  // are of several kinds. kBadTopic.
  Status declare(FeedId feed, std::string_view topic, Delivery delivery);
  // It looks at what is wanted, and produces only that from now on.
  void follow_demand(FeedId feed);
  // Its topics become stale.
  void feed_down(FeedId feed);
  void remove_feed(FeedId feed);
  // As the publisher's, and kBadTopic outside the feed's pattern; feed 0 may publish to any topic.
  Publisher::Outcome publish(FeedId feed, std::string_view topic, std::string_view data,
                             const Publisher::Done& done = {});
  Publisher::Outcome publish(FeedId feed, std::string_view topic, ImageView data,
                             const Publisher::Done& done = {});
  Status publish_rows(FeedId feed, std::span<const std::string_view> topics, Payloads& payloads,
                      std::size_t& taken);
  // Whether publish would take them; `passed` counts those before the first that it would not.
  Status check_topics(FeedId feed, std::span<const std::string_view> topics, std::size_t& passed) const;
  Status set_status(FeedId feed, std::string_view topic, TopicStatus status);

  // --- authorizers ------------------------------------------------------------------------------------
  // kBadTopic. `action` is kSubscribe or kPublish.
  Status add_authorizer(std::string_view pattern, Action action);
  void set_authenticator(bool present);

  // --- what an admin wants ----------------------------------------------------------------------------
  // kBadMessage: no plugin has that name.
  Status restart_plugin(const std::string& name);
  void set_log_level(const std::string& level) { queue_.push_log_level(level); }

  // --- health -----------------------------------------------------------------------------------------
  PluginStates& plugins() { return plugins_; }
  [[nodiscard]] const PluginStates& plugins() const { return plugins_; }

 private:
  struct Feed {
    std::string name;
    Pattern pattern;
  };
  // Some authorizer's pattern overlaps.
  [[nodiscard]] bool is_guarded(Action action, std::string_view topic) const;
  // It needs a token, where no authorizer decides.
  [[nodiscard]] bool needs_token(std::string_view topic) const;
  [[nodiscard]] Status check_feed_topic(FeedId feed, std::string_view topic) const;
  // The same but for the topic's grammar, which the hub checks when it has to.
  [[nodiscard]] Status check_feed_pattern(FeedId feed, std::string_view topic) const;

  template <typename Data>
  Publisher::Outcome publish_inside(FeedId feed, std::string_view topic, const Data& data,
                                    const Publisher::Done& done);

  Hub& hub_;
  Publisher& publisher_;
  const AccessPolicy policy_;
  const PatternSetPtr open_part_;
  AnswerRoute route_;
  EventQueue queue_;
  PluginStates plugins_;

  mutable SharedMutex guards_mutex_;
  std::vector<Pattern> subscribe_guards_ GUARDED_BY(guards_mutex_);
  std::vector<Pattern> publish_guards_ GUARDED_BY(guards_mutex_);
  bool authenticator_ GUARDED_BY(guards_mutex_) = false;
  GuardRoute guard_route_ GUARDED_BY(guards_mutex_);

  mutable SharedMutex feeds_mutex_;
  std::map<FeedId, Feed> feeds_ GUARDED_BY(feeds_mutex_);
  FeedId last_feed_ GUARDED_BY(feeds_mutex_) = 0;
};

}  // namespace tickwire
