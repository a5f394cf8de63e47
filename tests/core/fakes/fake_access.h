// Access that allows everything, but for topics under "guarded." (asked about) and "secret." (denied).
#pragma once

#include <vector>

#include "fanout/access.h"

namespace tickwire {

class FakeAccess final : public Access {
 public:
  [[nodiscard]] Verdict check(Action action, std::string_view topic) const override {
    if (action == Action::kAuthenticate) return authenticator ? Verdict::kAsk : Verdict::kDeny;
    if (action == Action::kPublish && !publish) return Verdict::kDeny;
    if (topic.starts_with("guarded.")) return Verdict::kAsk;
    return topic.starts_with("secret.") ? Verdict::kDeny : Verdict::kAllow;
  }
  void ask(AccessQuestion question) override { questions.push_back(std::move(question)); }

  bool authenticator = false;
  bool publish = false;
  std::vector<AccessQuestion> questions;
};

}  // namespace tickwire
