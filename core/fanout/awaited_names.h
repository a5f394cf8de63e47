// AwaitedNames: the topics for which subscribes of one session wait, and which of them an unsubscribe took
// back. A subscribe adds its names before it waits and removes them before it is carried out, each of which
// may be done in pieces.
//
// Loop thread. Copies no name: the text of one that is added belongs to the subscribe that added it last.
// Invariant: subscribes remove their names in the order in which they added them, so that text is there as
// long as the name is.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "model/keyed_hash.h"

namespace tickwire {

class AwaitedNames {
 public:
  [[nodiscard]] bool empty() const { return names_.empty(); }
  // How many withdrawals there were so far.
  [[nodiscard]] std::uint64_t withdrawals() const { return withdrawals_; }

  // One more subscribe waits for the name.
  void add(std::string_view name);
  // One less does, which came after so many withdrawals. True: an unsubscribe took the name back meanwhile.
  bool remove(std::string_view name, std::uint64_t since);
  // An unsubscribe comes; what it names is withdrawn.
  void begin_withdrawal() { ++withdrawals_; }
  // True: a subscribe waits for the name.
  bool withdraw(std::string_view name);
  // A name that is awaited was withdrawn after so many withdrawals.
  [[nodiscard]] bool is_withdrawn(std::string_view name, std::uint64_t since) const;

 private:
  struct Awaited {
    std::uint32_t by = 0;            // how many subscribes
    std::uint64_t withdrawn_in = 0;  // the last withdrawal that named it; 0: none
  };

  std::unordered_map<std::string_view, Awaited, KeyedHash> names_;
  std::uint64_t withdrawals_ = 0;
};

}  // namespace tickwire
