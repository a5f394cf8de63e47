// Store: keeps the last update of every topic with the delivery that its feed declared, the rings of those
// whose history is stored, and the subjects that were revoked, in one SQLite file, so that they and the epoch
// survive a restart. Never on the fan-out path: it takes what changed from the hub on a thread of its own.
//
// open -> restore -> start -> stop, from one thread; flush and stats from any (flush may wait for the disk).
// Invariants: the file says `clean` only between a complete stop() and the next start(), so an epoch goes on
// only where nothing that was published is missing. A batch that could not be written is kept and tried
// again before anything newer; meanwhile the hub keeps the rest, at most one update a topic in each. A file
// that is gone is noticed by the next flush and written anew, one that was replaced is left alone
// (store_file.h).
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "access/revocations.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/error.h"
#include "base/mutex.h"
#include "hub/hub.h"
#include "store/store_file.h"

namespace tickwire {

inline constexpr std::size_t kTopicsPerTransactionMax = 10'000;

enum class StoreState : std::uint8_t {
  kOk,
  kDegraded,  // the last write failed; nothing is lost while the process lives
  kOff,       // no store
};
std::string_view name_of(StoreState state);

// What the store counts; written under its lock, read on any thread.
struct StoreCounters {
  Counter degraded;  // 1: the state is kDegraded
  Counter flushes;
  Counter rows;
  Counter failures;
  Histogram flush{kTimeBoundsUs};
};

struct StoreCountRow {
  CounterInfo info;
  Counter StoreCounters::* counter;
};
inline constexpr std::array<StoreCountRow, 4> kStoreCounts{{
    {{"store_degraded", CounterKind::kGauge, "", "",
      "1 while the last write to the store failed; it is tried again until it succeeds."},
     &StoreCounters::degraded},
    {{"store_flushes", CounterKind::kCounter, "", "", "Transactions that wrote something to the store."},
     &StoreCounters::flushes},
    {{"store_rows", CounterKind::kCounter, "", "", "Topics that these transactions wrote."},
     &StoreCounters::rows},
    {{"store_failures", CounterKind::kCounter, "", "", "Transactions and checks of the file that failed."},
     &StoreCounters::failures},
}};
inline constexpr CounterInfo kStoreFlush{
    "store_flush", CounterKind::kHistogram, "s", "",
    "Time that a flush took, from the lock of the file to the end of the "
    "last transaction; flushes that had nothing to write are left out."};

struct StoreStats {
  StoreState state = StoreState::kOff;
  std::uint64_t flushes = 0;   // transactions that wrote something
  std::uint64_t rows = 0;      // written by them
  std::uint64_t failures = 0;  // transactions that failed
};

class Store {
 public:
  // kStoreMissing, kStoreLocked, kStoreForeign, kStoreDamaged, kStoreNewer, kStoreIo. `path` is not empty.
  static Result<std::unique_ptr<Store>> open(const std::string& path);
  ~Store();  // stops
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The epoch of this run: that of the last run if it ended cleanly, otherwise a new one.
  [[nodiscard]] const std::string& epoch() const { return epoch_; }

  // Puts every image and ring back, or nothing. kStoreDamaged, kStoreIo.
  Status restore(Hub& hub);
  // Puts back the revocations of an earlier run that still count at `now_ms`, and keeps those that come from
  // start() on. Once, before it; `revocations` and `clock` outlive stop(). kStoreDamaged, kStoreIo, kTooMany.
  Status keep_revocations(Revocations& revocations, const Clock& clock);
  // Marks the file as in use, durably, then writes what changes every `flush_ms`. Nothing may be published
  // before. `hub` outlives stop(). kStoreIo.
  Status start(Hub& hub, int flush_ms);
  // Writes what was published before the call. kStoreIo: kept, and tried again.
  Status flush();
  // Writes what was published before the call, then copies the store to the new file `target`, whose first
  // start begins a new epoch. Any thread, between open() and stop(); takes as long as the disk does.
  // kStoreIo.
  Status backup(const std::string& target);
  // Ends the thread, writes the rest and marks the file clean. Idempotent; without start() it changes
  // nothing.
  void stop();

  [[nodiscard]] StoreStats stats() const;
  [[nodiscard]] const StoreCounters& counters() const { return counters_; }

 private:
  using Rings = std::map<std::string, std::vector<StoredEvent>>;

  struct Kept {
    bool ring = false;
    std::optional<Delivery> declared = {};
  };

  Store(StoreFile file, std::string epoch);

  void run(const std::stop_token& stopping, int flush_ms);
  void on_fault();
  Status flush_locked() REQUIRES(mutex_);
  Status keep_file() REQUIRES(mutex_);
  void take_everything() REQUIRES(mutex_);
  Status write_batch() REQUIRES(mutex_);
  Status write_rows(std::span<const Dirty> topics) REQUIRES(mutex_);
  Status write_revocations() REQUIRES(mutex_);
  Result<std::vector<StoredTopic>> read_images() REQUIRES(mutex_);
  Result<Rings> read_rings() REQUIRES(mutex_);
  [[nodiscard]] Error damaged(std::string_view topic, std::string_view what) REQUIRES(mutex_);
  Status mark_clean(bool clean) REQUIRES(mutex_);
  void note(const Status& written, std::size_t rows);
  void set_degraded(const Status& outcome);

  const std::string epoch_;

  Mutex mutex_;
  StoreFile file_ GUARDED_BY(mutex_);
  bool is_open_ GUARDED_BY(mutex_) = true;
  bool is_new_ GUARDED_BY(mutex_) = false;  // the file was lost; it has yet to get its mark and every image
  Hub* hub_ GUARDED_BY(mutex_) = nullptr;   // null: not started, or stopped
  std::vector<Dirty> batch_ GUARDED_BY(mutex_);            // taken from the hub, not yet written
  Revocations* revocations_ GUARDED_BY(mutex_) = nullptr;  // null: none are kept
  const Clock* clock_ GUARDED_BY(mutex_) = nullptr;        // the same
  std::vector<Revocation> revoked_ GUARDED_BY(mutex_);     // taken from them, not yet written
  // Topics of which the file has more than an image.
  std::map<std::string, Kept, std::less<>> kept_ GUARDED_BY(mutex_);

  StoreCounters counters_;

  std::mutex sleep_mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;
};

}  // namespace tickwire
