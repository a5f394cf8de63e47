#include "engine.h"

#include <algorithm>
#include <utility>

namespace tickwire::sim {
namespace {

constexpr std::int64_t kRightMs = 3'000;
constexpr std::int64_t kSeedMs = 10'000;

cluster::LogState no_log() {
  cluster::LogState state;
  state.empty = true;
  return state;
}

}  // namespace

void Engine::add(cluster::Entry entry) {
  entry.n = state.head.n + 1;
  entry.previous = state.head.chain;
  entry.ts = std::max(state.head.ts, now_ms);
  state.head = {entry.n, entry.nonce, entry.epoch, entry.ts};
  state.log.push_back(std::move(entry));
}

cluster::LogState Engine::hello(const std::string& token, const cluster::Hello& hello) {
  if (!state.open) return no_log();
  if (state.token != token && guards_.token) {
    cluster::Entry begins;
    begins.epoch = hello.epoch;
    begins.nonce = hello.nonce;
    add(std::move(begins));
    state.token = token;
    state.right.clear();  // those of the epoch before are void
  }
  if (hello.joins) state.members.emplace(hello.node, 0);
  return look(hello.node);
}

cluster::LogState Engine::look(const std::string& node) const {
  if (!state.open) return no_log();
  const auto member = state.members.find(node);
  const bool known = member != state.members.end();
  return {.empty = false, .head = state.head, .is_member = known, .batch = known ? member->second : 0};
}

cluster::Appended Engine::append(const std::string& token, const cluster::Batch& batch) {
  const bool proven = state.open && state.token == token && state.head.epoch == batch.epoch;
  if (!state.open || (!proven && guards_.token)) return cluster::Appended::kFenced;
  const auto member = state.members.find(batch.node);
  if (member == state.members.end()) return cluster::Appended::kGone;
  if (batch.no <= member->second && guards_.dedup) return cluster::Appended::kDone;
  add({0, state.head.epoch, "", batch.nonce, batch.node, batch.no, 0, batch.records});
  member->second = std::max(member->second, batch.no);
  return cluster::Appended::kDone;
}

std::vector<cluster::Entry> Engine::read(std::uint64_t after, std::size_t most) const {
  std::vector<cluster::Entry> out;
  for (const cluster::Entry& entry : state.log) {
    if (entry.n > after && out.size() < most) out.push_back(entry);
  }
  return out;
}

bool Engine::begin(const std::string& token, const std::string& right, const std::string& node,
                   const std::string& epoch, std::uint64_t n) {
  if (!state.open) return false;
  const bool held = state.writer != node && now_ms < state.writer_until;
  const bool proven = state.token == token && state.head.epoch == epoch;
  if (guards_.checkpoint && (held || !proven || n < state.written.n)) return false;
  state.writer = node;
  state.writer_until = now_ms + kRightMs;
  state.right = right;
  return true;
}

bool Engine::may_write(const std::string& token, const std::string& right) const {
  return state.open && ((right == state.right && token == state.token) || !guards_.checkpoint);
}

bool Engine::write(const std::string& token, const std::string& right,
                   const std::vector<cluster::Row>& rows) {
  if (!may_write(token, right)) return false;
  for (const cluster::Row& row : rows) state.rows[row.topic] = row;
  state.writer_until = now_ms + kRightMs;
  return true;
}

bool Engine::end(const std::string& token, const std::string& right, const cluster::Position& at,
                 std::uint64_t trim_to) {
  if (!may_write(token, right)) return false;
  if (guards_.checkpoint && at.n < state.written.n) return false;
  state.written = at;
  trim(trim_to);
  return true;
}

void Engine::trim(std::uint64_t n) {
  const std::uint64_t until = std::min(n, state.written.n);
  while (!state.log.empty() && state.log.front().n <= until) state.log.pop_front();
}

bool Engine::claim_seed(const std::string& node) {
  if (state.open || (state.seeder != node && now_ms < state.seeder_until)) return false;
  state = {};
  state.seeder = node;
  state.seeder_until = now_ms + kSeedMs;
  return true;
}

bool Engine::seed(const std::string& node, const std::vector<cluster::Row>& rows) {
  if (state.open || state.seeder != node) return false;
  for (const cluster::Row& row : rows) state.rows[row.topic] = row;
  return true;
}

bool Engine::open(const std::string& token, const std::string& node, const cluster::Position& at,
                  const std::string& epoch, const std::string& nonce) {
  if (state.open || state.seeder != node) return false;
  state.open = true;
  state.token = token;
  state.head = state.written = at;
  cluster::Entry begins;
  begins.epoch = epoch;
  begins.nonce = nonce;
  add(std::move(begins));
  state.seeder.clear();
  return true;
}

}  // namespace tickwire::sim
