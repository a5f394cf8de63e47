#include "redis/redis_log.h"

#include <array>
#include <utility>

#include "redis/rows.h"

namespace tickwire::redis {
namespace {

constexpr std::array<std::string_view, 6> kKeys{"meta", "log", "img", "right", "seed", "nodes"};
constexpr std::size_t kMeta = 0;
constexpr std::size_t kLog = 1;
constexpr std::size_t kImages = 2;

cluster::Entry entry_of(const redisReply* reply) {
  cluster::Entry entry;
  const std::string_view id = text_of(item_of(reply, 0));
  entry.n = number_of(id.substr(0, id.find('-')));
  const auto fields = items_of(item_of(reply, 1));
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const std::string_view name = text_of(fields[i]);
    const redisReply* const value = fields[i + 1];
    if (name == "e") entry.epoch = text_of(value);
    if (name == "p") entry.previous = text_of(value);
    if (name == "c") entry.nonce = text_of(value);
    if (name == "o") entry.node = text_of(value);
    if (name == "i") entry.batch = number_of(value);
    if (name == "t") entry.ts = number_of<std::int64_t>(value);
    if (name == "b") entry.records = text_of(value);
  }
  return entry;
}

}  // namespace

RedisLog::RedisLog(const RedisUrl& url, const std::string& name, std::chrono::milliseconds timeout)
    : link_(url, timeout) {
  for (const std::string_view key : kKeys) keys_.push_back("{tw:" + name + "}:" + std::string(key));
}

Result<Reply> RedisLog::run(Script script, const Words& arguments) {
  // While it is not connected, there is no script: the call connects only.
  if (!link_.connected()) return link_.call({"PING"});
  const std::string count = std::to_string(keys_.size());
  Words words{"EVALSHA", link_.sha(script), count};
  words.insert(words.end(), keys_.begin(), keys_.end());
  words.emplace_back(link_.run_id());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return link_.call(words);
}

Result<bool> RedisLog::decide(const Words& arguments) {
  const auto answer = run(kKeep, arguments);
  if (!answer) return answer.error();
  return number_of<int>(answer->get()) == 1;
}

Error RedisLog::not_ours(const std::string& what) {
  problem_ = "cluster.name: what Redis keeps under this name is not this server's: " + what +
             "; another version of tickwire may have written it, so give this one another name";
  return {ErrorCode::kBadConfig, problem_, "cluster.name"};
}

Result<cluster::LogState> RedisLog::state_of(const redisReply* reply) {
  problem_.clear();
  cluster::LogState state;
  const std::string_view format = text_of(item_of(reply, 0));
  state.empty = format == "empty";
  if (state.empty) return state;
  if (format != kFormat) return not_ours("its format is \"" + std::string(format) + "\", not " + kFormat);
  state.head = {number_of(item_of(reply, 1)), std::string(text_of(item_of(reply, 2))),
                std::string(text_of(item_of(reply, 3))), number_of<std::int64_t>(item_of(reply, 4))};
  // Lua ends an array before what is not there.
  state.is_member = !is_nil(item_of(reply, 5));
  state.batch = number_of(item_of(reply, 5));
  return state;
}

// --- Log ------------------------------------------------------------------------------------------------

Result<cluster::LogState> RedisLog::hello(const cluster::Hello& hello) {
  if (Status opened = link_.open(); !opened) return opened.error();
  const std::string gone = std::to_string(kMemberGoneMs);
  const auto answer =
      run(kKeep, {"hello", hello.node, hello.joins ? "1" : "0", hello.epoch, hello.nonce, gone});
  if (!answer) return answer.error();
  return state_of(answer->get());
}

Result<cluster::Appended> RedisLog::append(const cluster::Batch& batch) {
  const std::string no = std::to_string(batch.no);
  const auto answer = run(kAppend, {batch.epoch, batch.node, no, batch.nonce, batch.records});
  if (!answer) return answer.error();
  const std::string_view what = text_of(answer->get());
  if (what == "done") return cluster::Appended::kDone;
  return what == "gone" ? cluster::Appended::kGone : cluster::Appended::kFenced;
}

Result<cluster::LogState> RedisLog::state(const std::string& node) {
  const auto answer = run(kKeep, {"state", node});
  if (!answer) return answer.error();
  return state_of(answer->get());
}

Result<std::vector<cluster::Entry>> RedisLog::read(std::uint64_t after, std::size_t most) {
  const auto answer = link_.call({"XREAD", "COUNT", std::to_string(most), "BLOCK", std::to_string(kReadMsMax),
                                  "STREAMS", keys_[kLog], std::to_string(after)});
  if (!answer) return answer.error();
  std::vector<cluster::Entry> entries;
  for (const redisReply* const entry : items_of(item_of(item_of(answer->get(), 0), 1)))
    entries.push_back(entry_of(entry));
  return entries;
}

// --- Table ----------------------------------------------------------------------------------------------

Result<bool> RedisLog::begin(const std::string& right, const std::string& node, const std::string& epoch,
                             std::uint64_t n) {
  return decide({"begin", right, node, epoch, std::to_string(n), std::to_string(kRightMs)});
}

Result<bool> RedisLog::write(const std::string& right, const std::vector<cluster::Row>& rows) {
  return put_rows("write", right, kRightMs, rows);
}

Result<bool> RedisLog::end(const std::string& right, const cluster::Position& at, std::uint64_t trim) {
  return decide(
      {"end", right, std::to_string(at.n), at.chain, at.epoch, std::to_string(at.ts), std::to_string(trim)});
}

Result<cluster::Position> RedisLog::written() {
  const auto answer = link_.call({"HMGET", keys_[kMeta], "wn", "wchain", "wepoch", "wts"});
  if (!answer) return answer.error();
  const redisReply* const reply = answer->get();
  return cluster::Position{number_of(item_of(reply, 0)), std::string(text_of(item_of(reply, 1))),
                           std::string(text_of(item_of(reply, 2))),
                           number_of<std::int64_t>(item_of(reply, 3))};
}

Result<cluster::Rows> RedisLog::read_rows(const std::string& cursor) {
  const std::string from = cursor.empty() ? "0" : cursor;
  const auto answer = link_.call({"HSCAN", keys_[kImages], from, "COUNT", std::to_string(500)});
  if (!answer) return answer.error();
  cluster::Rows out;
  const std::string_view next = text_of(item_of(answer->get(), 0));
  if (next != "0") out.cursor = next;
  const auto pairs = items_of(item_of(answer->get(), 1));
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const std::string_view topic = text_of(pairs[i]);
    if (topic.empty()) continue;  // the format
    auto row = read_row(topic, text_of(pairs[i + 1]));
    if (!row) return not_ours("the row of " + std::string(topic) + " cannot be read");
    out.rows.push_back(std::move(*row));
  }
  return out;
}

Result<bool> RedisLog::put_rows(std::string_view act, const std::string& right, int ms,
                                const std::vector<cluster::Row>& rows) {
  const std::string time = std::to_string(ms);
  std::size_t next = 0;
  do {
    std::vector<std::string> texts;
    std::size_t bytes = 0;
    const std::size_t first = next;
    for (; next < rows.size() && (bytes == 0 || bytes < kRowBytesAtOnce); ++next) {
      texts.push_back(row_text(rows[next]));
      bytes += texts.back().size();
    }
    Words words{act, right, time};
    for (std::size_t i = first; i < next; ++i) {
      words.emplace_back(rows[i].topic);
      words.emplace_back(texts[i - first]);
    }
    auto put = decide(words);
    if (!put || !*put) return put;
  } while (next < rows.size());
  return true;
}

Result<bool> RedisLog::claim_seed(const std::string& attempt) {
  return decide({"claim", attempt, std::to_string(kSeedMs)});
}

Result<bool> RedisLog::seed(const std::string& attempt, const std::vector<cluster::Row>& rows) {
  return put_rows("seed", attempt, kSeedMs, rows);
}

Result<bool> RedisLog::open(const std::string& attempt, const cluster::Position& at, const std::string& epoch,
                            const std::string& nonce) {
  return decide({"open", attempt, std::to_string(at.n), at.chain, at.epoch, std::to_string(at.ts), epoch,
                 nonce, kFormat});
}

}  // namespace tickwire::redis
