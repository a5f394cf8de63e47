// Loader: brings a hub that has nothing to where the log is: from the rows of the table, which are of
// different moments, and from the entries of the log that are still there.
//
//     log       ... 41 42 43 44 45 46 47 48 ...
//     row of a        ^ seq 7                       entries after 42 are applied to a,
//     row of b                 ^ seq 12             and the updates in those before become its ring
//
// What is there of the log must join up with the table without a hole, else it begins again. Two steps: what
// reads may fail and is repeated; only then the hub changes.
//
// Thread: the one that follows the log.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/follower.h"
#include "cluster/log.h"
#include "hub/hub.h"

namespace tickwire::cluster {

inline constexpr std::size_t kEntriesAtOnce = 64;

class Loader {
 public:
  // kUnavailable: the engine did not answer, or what it said does not join up (its table and its log are read
  // one after the other): try again.
  Status read(Log& log, Table& table, const std::string& node);
  // After read(). The hub has no update and no epoch.
  void apply(Hub& hub, Follower& follower);
  // The batches of the node up to this one are in what was read.
  [[nodiscard]] std::uint64_t batch() const { return batch_; }

 private:
  Status read_rows(Table& table);
  Status read_log(Log& log, std::uint64_t until);
  [[nodiscard]] bool joins_up(const Position& table) const;
  void find_epochs(const Position& table);
  void gather_rings();
  [[nodiscard]] AdoptedTopic adopted(const Row& row);

  std::unordered_map<std::string, Row> rows_;
  Position table_;
  std::vector<Entry> entries_;
  std::uint64_t batch_ = 0;
  std::string first_epoch_;         // of the hub at first
  std::uint64_t epoch_begins_ = 0;  // with this entry; 0: none that is there begins one
  struct Ring {
    std::vector<StoredEvent> events;
    std::uint64_t in_epoch = 0;  // how many of them are of the last epoch
  };
  std::unordered_map<std::string_view, Ring> rings_;
};

}  // namespace tickwire::cluster
