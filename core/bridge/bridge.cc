#include "bridge/bridge.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "access/pattern_cover.h"

namespace tickwire {

namespace {

// `sub` of an authentication's claims; empty: there are none, or it is no text.
std::string subject_of(const std::string& claims) {
  const auto read = nlohmann::json::parse(claims, nullptr, false);
  if (!read.is_object()) return {};
  const auto found = read.find("sub");
  return found != read.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<Pattern> everything() {
  return {Pattern::parse(">").value()};
}

}  // namespace

Bridge::Bridge(Hub& hub, Publisher& publisher, AccessPolicy policy)
    : hub_(hub),
      publisher_(publisher),
      policy_(std::move(policy)),
      open_part_(std::make_shared<const PatternSet>(policy_.by_token ? policy_.open_topics : everything())) {
  hub_.demand().set_listener(this);
}

Bridge::~Bridge() {
  hub_.demand().set_listener(nullptr);
}

void Bridge::set_answer_route(AnswerRoute route) {
  route_ = std::move(route);
}

void Bridge::set_guard_route(GuardRoute route) {
  const ExclusiveLock lock(guards_mutex_);
  guard_route_ = std::move(route);
}

Verdict Bridge::check(Action action, std::string_view topic) const {
  if (action == Action::kAuthenticate) {
    const SharedLock lock(guards_mutex_);
    if (authenticator_) return Verdict::kAsk;
    return policy_.by_token ? Verdict::kTokenOnly : Verdict::kDeny;
  }
  if (action == Action::kPublish && policy_.publish == PublishPolicy::kNone) return Verdict::kDeny;
  if (is_guarded(action, topic)) return Verdict::kAsk;
  if (needs_token(topic)) return Verdict::kTokenOnly;
  if (action == Action::kSubscribe) return Verdict::kAllow;
  // Nobody is let write where an authorizer says who may read, unless one says who may write, too.
  const bool open = policy_.publish == PublishPolicy::kOpen && !is_guarded(Action::kSubscribe, topic);
  if (open) return Verdict::kAllow;
  return policy_.by_token ? Verdict::kTokenOnly : Verdict::kDeny;
}

bool Bridge::needs_token(std::string_view topic) const {
  return policy_.by_token && !covers(policy_.open_topics, topic);
}

Status Bridge::ask(AccessQuestion question) {
  if (question.client->remote == kLocalRemote) {
    route_(question.shard, {.id = question.id, .ruling = Ruling::kAllow, .text = {}});
    return ok_status();
  }
  return queue_.push_question(std::move(question));
}

void Bridge::close(std::uint64_t id) {
  queue_.close_question(id);
}

void Bridge::on_demand(std::uint32_t feed, const std::string& topic, bool wanted) {
  queue_.push_demand(feed, topic, wanted);
}

void Bridge::answer(AccessAnswer answer) {
  // Here, and not on a loop, whose time claims of any length would take.
  if (answer.ruling == Ruling::kAllow) answer.subject = subject_of(answer.text);
  const std::optional<std::uint32_t> shard = queue_.close_question(answer.id);
  if (shard) route_(*shard, std::move(answer));
}

Result<FeedId> Bridge::add_feed(const FeedSpec& spec) {
  Result<Pattern> pattern = Pattern::parse(spec.pattern);
  if (!pattern) return pattern.error();
  if (const Status free = check_not_reserved(pattern->text()); !free) return free.error();
  FeedId feed = 0;
  {
    const ExclusiveLock lock(feeds_mutex_);
    feed = ++last_feed_;
    feeds_.emplace(feed, Feed{spec.name, *pattern});
  }
  for (const std::string& topic : spec.topics.value_or(std::vector<std::string>{})) {
    if (const Status inside = check_feed_topic(feed, topic); !inside) {
      remove_feed(feed);
      return inside.error();
    }
  }
  const TopicRule rule{.pattern = spec.pattern, .delivery = spec.delivery};
  if (const Status added = hub_.add_rule(rule); !added) return added.error();
  hub_.demand().add_feed(feed, *pattern, spec.topics);
  return feed;
}

Status Bridge::set_feed_topics(FeedId feed, std::vector<std::string> topics) {
  for (const std::string& topic : topics) {
    if (Status inside = check_feed_topic(feed, topic); !inside) return inside;
  }
  hub_.demand().set_feed_topics(feed, std::move(topics));
  return ok_status();
}

Status Bridge::declare(FeedId feed, std::string_view topic, Delivery delivery) {
  if (Status inside = check_feed_topic(feed, topic); !inside) return inside;
  return hub_.add_rule({.pattern = std::string(topic), .delivery = delivery});
}

void Bridge::follow_demand(FeedId feed) {
  hub_.follow_demand(feed);
}

void Bridge::feed_down(FeedId feed) {
  publisher_.feed_down(feed);
}

void Bridge::remove_feed(FeedId feed) {
  hub_.demand().remove_feed(feed);
  queue_.forget_feed(feed);
  const ExclusiveLock lock(feeds_mutex_);
  feeds_.erase(feed);
}

template <typename Data>
Publisher::Outcome Bridge::publish_inside(FeedId feed, std::string_view topic, const Data& data,
                                          const Publisher::Done& done) {
  const Status inside = check_feed_pattern(feed, topic);
  if (inside) return publisher_.publish(topic, data, feed, done);
  Publisher::Outcome refused = inside.error();
  if (done) done(refused);
  return refused;
}

Publisher::Outcome Bridge::publish(FeedId feed, std::string_view topic, std::string_view data,
                                   const Publisher::Done& done) {
  return publish_inside(feed, topic, data, done);
}

Publisher::Outcome Bridge::publish(FeedId feed, std::string_view topic, ImageView data,
                                   const Publisher::Done& done) {
  return publish_inside(feed, topic, data, done);
}

Status Bridge::publish_rows(FeedId feed, std::span<const std::string_view> topics, Payloads& payloads,
                            std::size_t& taken) {
  std::size_t inside = topics.size();
  Status fault = ok_status();
  for (std::size_t i = 0; feed != 0 && i < inside; ++i) {
    if (fault = check_feed_pattern(feed, topics[i]); !fault) inside = i;
  }
  Status published = publisher_.publish_rows(topics.first(inside), payloads, feed, taken);
  return published ? fault : published;
}

Status Bridge::check_topics(FeedId feed, std::span<const std::string_view> topics,
                            std::size_t& passed) const {
  for (passed = 0; passed < topics.size(); ++passed) {
    if (Status inside = check_feed_topic(feed, topics[passed]); !inside) return inside;
  }
  return ok_status();
}

Status Bridge::set_status(FeedId feed, std::string_view topic, TopicStatus status) {
  if (Status inside = check_feed_topic(feed, topic); !inside) return inside;
  return publisher_.set_status(topic, status);
}

Status Bridge::add_authorizer(std::string_view pattern, Action action) {
  assert(action != Action::kAuthenticate);
  Result<Pattern> parsed = Pattern::parse(pattern);
  if (!parsed) return parsed.error();
  GuardRoute route;
  {
    const ExclusiveLock lock(guards_mutex_);
    (action == Action::kPublish ? publish_guards_ : subscribe_guards_).push_back(*parsed);
    if (action == Action::kSubscribe) route = guard_route_;
  }
  if (route) route(*parsed);
  return ok_status();
}

void Bridge::set_authenticator(bool present) {
  const ExclusiveLock lock(guards_mutex_);
  authenticator_ = present;
}

Status Bridge::restart_plugin(const std::string& name) {
  const std::map<std::string, PluginState> plugins = plugins_.all();
  if (plugins.contains(name)) {
    queue_.push_restart(name);
    return ok_status();
  }
  std::string names;
  for (const auto& [known, state] : plugins) names.append(names.empty() ? "" : ", ").append(known);
  return Error{ErrorCode::kBadMessage,
               "plugin: no plugin has that name; there " + (names.empty() ? "is none" : "are: " + names),
               "plugin"};
}

bool Bridge::is_guarded(Action action, std::string_view topic) const {
  const SharedLock lock(guards_mutex_);
  const std::vector<Pattern>& guards = action == Action::kPublish ? publish_guards_ : subscribe_guards_;
  if (guards.empty()) return false;
  if (!is_pattern(topic)) {
    return std::ranges::any_of(guards, [topic](const Pattern& guard) { return guard.matches(topic); });
  }
  const Result<Pattern> asked = Pattern::parse(topic);
  assert(asked);
  return std::ranges::any_of(guards, [&](const Pattern& guard) { return guard.overlaps(*asked); });
}

Status Bridge::check_feed_topic(FeedId feed, std::string_view topic) const {
  if (Status valid = check_topic(topic); !valid) return valid;
  if (Status free = check_not_reserved(topic); !free) return free;
  return check_feed_pattern(feed, topic);
}

Status Bridge::check_feed_pattern(FeedId feed, std::string_view topic) const {
  if (feed == 0) return ok_status();
  const SharedLock lock(feeds_mutex_);
  const auto found = feeds_.find(feed);
  if (found == feeds_.end()) {
    return Error{ErrorCode::kDenied, "feed " + std::to_string(feed) + " has ended", "feed"};
  }
  if (found->second.pattern.matches(topic)) return ok_status();
  if (Status valid = check_topic(topic); !valid) return valid;
  return Error{ErrorCode::kBadTopic,
               std::string(topic) + ": outside " + found->second.pattern.text() + ", the pattern of feed " +
                   found->second.name,
               "topic"};
}

}  // namespace tickwire
