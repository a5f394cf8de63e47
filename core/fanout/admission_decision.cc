// What the answers of authorizers decide, and which part of a pattern somebody may subscribe to: see
// model/pattern_filter.h.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "access/pattern_cover.h"
#include "fanout/admission.h"
#include "fanout/pace_grid.h"

namespace tickwire {
namespace {

std::vector<Pattern> overlapping(const std::vector<Pattern>& patterns, const Pattern& pattern) {
  std::vector<Pattern> out;
  Work::count(patterns.size() / 8);
  std::ranges::copy_if(patterns, std::back_inserter(out),
                       [&](const Pattern& each) { return each.overlaps(pattern); });
  return out;
}

// It says what is needed of the guards of one pattern.
struct Guards {
  const Pattern& pattern;
  std::vector<GuardPart> parts = {};

  void add(const GuardPart& said) {
    if (!said.guard.overlaps(pattern)) return;
    GuardPart part{said.guard, said.all, {}};
    if (!part.all) part.only = overlapping(overlapping(said.only, pattern), said.guard);
    // All of the guard's topics, or of the pattern's, are all that it could let be seen here.
    if (covers(part.only, part.guard.text()) || covers(part.only, pattern.text())) {
      part.all = true;
      part.only.clear();
    }
    parts.push_back(std::move(part));
  }
  [[nodiscard]] bool let_all() const {
    return std::ranges::all_of(parts, [](const GuardPart& part) { return part.all; });
  }
  [[nodiscard]] bool one_covers() const {
    return std::ranges::any_of(parts,
                               [this](const auto& part) { return covers(part.guard, pattern.text()); });
  }
  // One that has a say about all of the pattern lets nothing of it be seen.
  [[nodiscard]] bool let_nothing() const {
    return std::ranges::any_of(parts, [this](const GuardPart& part) {
      return !part.all && part.only.empty() && covers(part.guard, pattern.text());
    });
  }
  [[nodiscard]] bool one_lets_some() const {
    return std::ranges::any_of(parts, [](const auto& part) { return part.all || !part.only.empty(); });
  }
};

}  // namespace

Result<Grant> Admission::decision_of(const Session& session, Action action, const std::string& topic,
                                     const AccessAnswer& answer) const {
  if (answer.ruling == Ruling::kUnavailable) return unavailable_about(topic, answer.text);
  if (action == Action::kSubscribe && is_pattern(topic)) return part_of(session, topic, answer);
  if (answer.ruling == Ruling::kDeny) return denied_about(topic, answer.text);
  Grant grant{.guarded = true,
              .expires_us = end_of(answer),
              .claims = topic.empty() ? answer.text : "",
              .subject = topic.empty() ? answer.subject : "",
              .pace_ms = pace_ms_of(answer.max_rate)};
  return grant;
}

std::int64_t Admission::end_of(const AccessAnswer& answer) const {
  if (answer.ttl_ms <= 0) return kForeverUs;
  return parts_.clock.steady_us() + std::min(answer.ttl_ms, kTtlMsMax) * 1000;
}

Result<Grant> Admission::part_of(const Session& session, const std::string& text,
                                 const AccessAnswer& answer) const {
  const Pattern pattern = Pattern::parse(text).value();
  Grant grant{.guarded = true, .expires_us = end_of(answer), .pace_ms = pace_ms_of(answer.max_rate)};
  const bool own = session.framing.carrier == Carrier::kInProcess;  // the server's own program
  if (own && answer.ruling == Ruling::kAllow) return grant;
  const SessionGrants::Held& held = grant_of(session);
  PatternSetPtr shown =
      held.expired(parts_.clock.steady_us()) || held.grant == nullptr ? nullptr : held.grant->seen;
  if (shown != nullptr && !overlaps(shown->patterns(), text)) shown = nullptr;
  PatternSetPtr open = parts_.access.open_part();
  if (!overlaps(open->patterns(), text)) open = nullptr;
  Guards guards{pattern};
  for (const GuardPart& part : answer.guards) guards.add(part);
  if (answer.ruling == Ruling::kDeny) guards.add({pattern, false, {}});  // of all that was asked about
  const bool some_is_open = open != nullptr || guards.one_lets_some();
  if (shown == nullptr && (guards.let_nothing() || !some_is_open)) return denied_about(text, answer.text);
  const bool all_is_open = open != nullptr && covers(open->patterns(), text);
  if (guards.let_all() && (all_is_open || guards.one_covers())) return grant;
  if (shown != nullptr) {
    grant.by_token = held.expires_us <= grant.expires_us;
    grant.expires_us = std::min(grant.expires_us, held.expires_us);
    grant.pace_ms = std::max(grant.pace_ms, pace_ms_of(held.grant->max_rate));
  }
  grant.filter = std::make_shared<const PatternFilter>(std::move(shown), std::move(open), guards.parts);
  return grant;
}

}  // namespace tickwire
