#include "net/http_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>
#include <vector>

#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

constexpr std::uint64_t kUpdatesPerLook = 512;  // a look copies so many references under the topic's lock
constexpr std::size_t kBytesAStep = 1'024;      // they are copied

Result<std::uint64_t> parse_number(std::string_view name, std::string_view text, std::uint64_t least,
                                   std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= least && number <= most)
    return number;
  return Error{
      ErrorCode::kBadMessage,
      fmt::format("{}: must be an integer from {} to {}, not {}", name, least, most, text.substr(0, 40)),
      std::string(name)};
}

// The seq of the first update that the query asks for.
std::uint64_t first_of(const HistoryQuery& query, std::uint64_t end, bool fits) {
  if (query.since) return fits ? *query.since + 1 : 1;
  return query.last == 0 || query.last >= end ? 1 : end - query.last + 1;
}

}  // namespace

Result<HistoryQuery> read_history_query(const HttpRequest& request) {
  HistoryQuery query;
  for (const auto& [name, value] : request.query) {
    if (value.empty()) continue;
    if (name == "epoch") query.epoch = value;
    if (name == "since") {
      const auto since = parse_number(name, value, 0, UINT64_MAX - 1);
      if (!since) return since.error();
      query.since = *since;
    }
    if (name == "last") {
      const auto last = parse_number(name, value, 1, kLastMax);
      if (!last) return last.error();
      query.last = *last;
    }
  }
  if (!query.since || query.last == 0) return query;
  return Error{ErrorCode::kBadMessage, "last: cannot go with since", "last"};
}

HttpHistory::HttpHistory(TopicPtr topic, std::string epoch, const HistoryQuery& query)
    : topic_(std::move(topic)),
      epoch_(std::move(epoch)),
      since_(query.since),
      end_(topic_->last()->seq()),
      fits_(query.since.value_or(0) <= end_ && (query.epoch.empty() || query.epoch == epoch_)),
      next_(std::max(first_of(query, end_, fits_), topic_->first_kept())) {}

std::optional<std::string> HttpHistory::run(const Budget& budget) {
  bool more = true;
  while (more && next_ <= end_) {
    if (budget.spent()) return std::nullopt;
    const std::vector<UpdatePtr> found =
        topic_->ring_between(next_, std::min(end_, next_ + kUpdatesPerLook - 1));
    Work::count(1 + found.size() / 8);
    more = !found.empty();
    if (more && body_.empty()) begin(found.front()->seq());
    for (const UpdatePtr& update : found) {
      more = update->seq() == next_ && add(*update);
      if (!more) break;
    }
  }
  if (body_.empty()) begin(next_);
  body_ += !more && any_ ? fmt::format(R"(],"next":{}}})", next_ - 1) : R"(],"next":null})";
  return std::move(body_);
}

void HttpHistory::begin(std::uint64_t first) {
  next_ = first;
  body_ = fmt::format(R"({{"topic":"{}","epoch":{},"seq":{},)", topic_->name, quote_json(epoch_), end_);
  if (since_) body_ += fmt::format(R"("recovered":{},)", fits_ && first == *since_ + 1);
  body_ += R"("updates":[)";
}

bool HttpHistory::add(const Update& update) {
  const std::size_t before = body_.size();
  cut_short_ = any_ && before + update.data().size() > kGetBytesMax;
  if (cut_short_) return false;
  if (any_) body_ += ',';
  fmt::format_to(std::back_inserter(body_), R"({{"seq":{},"ts":{},"data":)", update.seq(), update.ts());
  body_.append(update.data());
  body_ += '}';
  any_ = true;
  next_ = update.seq() + 1;
  Work::count(1 + (body_.size() - before) / kBytesAStep);
  return true;
}

}  // namespace tickwire
