#include "fanout/awaited_names.h"

#include <utility>

#include "base/work.h"

namespace tickwire {

void AwaitedNames::add(std::string_view name) {
  Work::count();
  const auto found = names_.find(name);
  if (found == names_.end()) {
    names_.emplace(name, Awaited{.by = 1});
    return;
  }
  ++found->second.by;
  // The text of the earlier subscribe goes before that of this one.
  auto node = names_.extract(found);
  node.key() = name;
  names_.insert(std::move(node));
}

bool AwaitedNames::remove(std::string_view name, std::uint64_t since) {
  Work::count();
  const auto found = names_.find(name);
  const bool withdrawn = found->second.withdrawn_in > since;
  if (--found->second.by == 0) names_.erase(found);
  return withdrawn;
}

bool AwaitedNames::withdraw(std::string_view name) {
  if (names_.empty()) return false;
  Work::count();
  const auto found = names_.find(name);
  if (found == names_.end()) return false;
  found->second.withdrawn_in = withdrawals_;
  return true;
}

bool AwaitedNames::is_withdrawn(std::string_view name, std::uint64_t since) const {
  return withdrawals_ != since && names_.at(name).withdrawn_in > since;
}

}  // namespace tickwire
