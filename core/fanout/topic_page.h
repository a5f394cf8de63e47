// TopicPage: one page of the topics that the asker may know of, for the command `list` and GET /v1/topics,
// found in pieces. Anybody may know of open topics, the bearer of a token also of those that it lets
// subscribe to. Any other guarded name is its authorizer's to tell, so neither topics() nor next() ever hold
// one, nor does next() say that only guarded ones follow.
//
// Any thread, one at a time. Hub and access outlive it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/token_grant.h"
#include "base/work.h"
#include "fanout/access.h"
#include "hub/hub.h"
#include "protocol/command.h"

namespace tickwire {

class TopicPage {
 public:
  // The page has the topics after `after` that exist and match, at most `limit`.
  TopicPage(const Hub& hub, const Access& access, Pattern pattern, std::string_view after, std::size_t limit)
      : hub_(hub), access_(access), pattern_(std::move(pattern)), place_(after), limit_(limit) {}

  // What the asker's token allows, too; null: it has none. Before run().
  void show_also(std::shared_ptr<const TokenGrant> grant) { grant_ = std::move(grant); }
  // Looks on; true: the page is complete.
  bool run(const Budget& budget);
  [[nodiscard]] const std::vector<UpdatePtr>& topics() const { return topics_; }  // in order of name
  // By kListTopicsMax, and not by what the client asked for.
  [[nodiscard]] bool cut_short() const { return more_ && limit_ == kListTopicsMax; }
  // `after` of the next page: the last name of this one; empty: there is none.
  [[nodiscard]] std::string_view next() const;

 private:
  [[nodiscard]] bool is_shown(std::string_view topic) const;

  const Hub& hub_;
  const Access& access_;
  const Pattern pattern_;
  std::string place_;
  const std::size_t limit_;
  std::shared_ptr<const TokenGrant> grant_;
  std::vector<UpdatePtr> topics_;
  bool more_ = false;
};

}  // namespace tickwire
