// Access that allows everything, but for topics under "guarded." (asked about) and "secret." (denied). With
// `tokens`, everything else needs a token, but for topics under "open.". With `guards`, the topics that they
// match are asked about instead, and patterns that overlap one.
#pragma once

#include <vector>

#include "access/pattern_cover.h"
#include "fanout/access.h"

namespace tickwire {

class FakeAccess final : public Access {
 public:
  [[nodiscard]] Verdict check(Action action, std::string_view topic) const override {
    const Verdict otherwise = tokens ? Verdict::kTokenOnly : Verdict::kDeny;
    if (action == Action::kAuthenticate) return authenticator ? Verdict::kAsk : otherwise;
    if (action == Action::kPublish && !publish) return Verdict::kDeny;
    if (!guards.empty() ? overlaps(guards, topic) : topic.starts_with("guarded.")) return Verdict::kAsk;
    if (topic.starts_with("secret.")) return Verdict::kDeny;
    return tokens && !topic.starts_with("open.") ? Verdict::kTokenOnly : Verdict::kAllow;
  }
  Status ask(AccessQuestion question) override {
    if (!room) {
      ++refused;
      return Error{ErrorCode::kUnavailable, "too many wait", "", Limit::kOpenQuestions};
    }
    questions.push_back(std::move(question));
    return ok_status();
  }
  [[nodiscard]] const PatternSetPtr& open_part() const override { return tokens ? open : all; }
  void close(std::uint64_t id) override { closed.push_back(id); }

  bool authenticator = false;
  bool publish = false;
  bool tokens = false;
  bool room = true;
  std::size_t refused = 0;  // for lack of room
  std::vector<Pattern> guards;
  std::vector<AccessQuestion> questions;
  const PatternSetPtr all = std::make_shared<const PatternSet>(std::vector{Pattern::parse(">").value()});
  const PatternSetPtr open =
      std::make_shared<const PatternSet>(std::vector{Pattern::parse("open.>").value()});
  std::vector<std::uint64_t> closed;
};

}  // namespace tickwire
