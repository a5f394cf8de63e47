// Log and Table: what the nodes of a cluster share, as a node sees it: one log that decides what was
// published and in what order, and beside it a table of topics from which a node that comes late begins.
//
// Both are kept by an engine outside (redis/), which may lose what it said last, stand still, or begin anew.
// A call that fails with kUnavailable may or may not have been done. One thread at a time; a call may take
// as long as the engine's timeout.
//
// Invariants, of the engine's: entries are numbered from the first on without a hole, and each names the
// nonce of the one before it; within one epoch there is one history.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/topic_kind.h"

namespace tickwire::cluster {

// A place in the log: after the entry with this number.
struct Position {
  std::uint64_t n = 0;
  std::string chain;    // the nonce of that entry
  std::string epoch;    // its epoch
  std::int64_t ts = 0;  // its time
};

struct Entry {
  std::uint64_t n = 0;
  std::string epoch;
  std::string previous;  // the nonce of the entry before
  std::string nonce;
  std::string node;         // who wrote it; empty: it only begins an epoch
  std::uint64_t batch = 0;  // its number among those of that node
  std::int64_t ts = 0;      // Unix time, ms; that of an entry before at least
  std::string records;      // entry.h
};

// What the engine says of its log.
struct LogState {
  bool empty = false;  // there is no log, or not all of what belongs to it: somebody has to seed it
  Position head;
  bool is_member = false;   // the node that asks
  std::uint64_t batch = 0;  // the last one of that node that is in the log
};

struct Hello {
  std::string node;
  bool joins = false;  // it is new, and becomes a member
  std::string epoch;   // of the epoch to begin, where the engine is another than that of the last epoch
  std::string nonce;   // of the entry that says so
};

struct Batch {
  std::string node;
  std::uint64_t no = 0;  // + 1 with each of the node
  std::string epoch;
  std::string nonce;
  std::string records;
};

enum class Appended : std::uint8_t {
  kDone,    // it is in the log, perhaps by an earlier call
  kFenced,  // the engine, or the epoch, is another one: say hello
  kGone,    // the node is no member any more
};

class Log {
 public:
  virtual ~Log() = default;
  // Who appends says it first, after each failure, and when it is fenced.
  virtual Result<LogState> hello(const Hello& hello) = 0;
  virtual Result<Appended> append(const Batch& batch) = 0;
  virtual Result<LogState> state(const std::string& node) = 0;
  // The first entries that are there with a number greater than `after`, in order, at most `most`.
  virtual Result<std::vector<Entry>> read(std::uint64_t after, std::size_t most) = 0;
};

// A topic after all entries up to number `n`.
struct Row {
  std::string topic;
  std::uint64_t n = 0;
  std::uint64_t seq = 0;
  std::int64_t ts = 0;
  TopicStatus status = TopicStatus::kLive;
  Delivery delivery = Delivery::kValue;
  std::uint64_t cut = 0;  // the last entry of which an update of it was refused: its seqs say nothing before
  std::string image;
};

struct Rows {
  std::vector<Row> rows;
  std::string cursor;  // of what comes next; empty: there is no more
};

class Table {
 public:
  virtual ~Table() = default;
  // Takes the right to write, under a name that is used for this only, for some seconds from the last call
  // on. False: another node has it, or the table is newer than `n`, or the epoch is another one.
  virtual Result<bool> begin(const std::string& right, const std::string& node, const std::string& epoch,
                             std::uint64_t n) = 0;
  // False: the right is gone.
  virtual Result<bool> write(const std::string& right, const std::vector<Row>& rows) = 0;
  // All rows that changed up to `at` are written. Entries up to `trim` are not needed any more; those after
  // `at` are kept in any case.
  virtual Result<bool> end(const std::string& right, const Position& at, std::uint64_t trim) = 0;

  // Up to where the table is whole.
  virtual Result<Position> written() = 0;
  // Some of the rows, those after `cursor` ("": from the first on). A row may come twice, and may be newer
  // than written().
  virtual Result<Rows> read_rows(const std::string& cursor) = 0;

  // An engine that is empty is filled by one node: false: by another one, or it is not empty any more.
  // `attempt`: a name that is used for this only.
  virtual Result<bool> claim_seed(const std::string& attempt) = 0;
  virtual Result<bool> seed(const std::string& attempt, const std::vector<Row>& rows) = 0;
  // Opens the log after `at`, up to which the rows are, with an entry that begins the epoch.
  virtual Result<bool> open(const std::string& attempt, const Position& at, const std::string& epoch,
                            const std::string& nonce) = 0;
};

// Names that nobody else makes: of nodes, of epochs, of entries.
class Names {
 public:
  virtual ~Names() = default;
  virtual std::string make() = 0;
};

}  // namespace tickwire::cluster
