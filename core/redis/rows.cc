#include "redis/rows.h"

#include <charconv>

namespace tickwire::redis {

std::string row_text(const cluster::Row& row) {
  std::string text;
  const auto append = [&text](auto number) { (text += std::to_string(number)) += ' '; };
  append(row.n);
  append(row.seq);
  append(row.ts);
  append(static_cast<int>(row.status));
  append(static_cast<int>(row.delivery));
  append(row.cut);
  return text += row.image;
}

std::optional<cluster::Row> read_row(std::string_view topic, std::string_view text) {
  bool ok = true;
  const auto take = [&](auto& number) {
    const std::size_t blank = text.find(' ');
    const auto [end, fault] =
        std::from_chars(text.data(), text.data() + std::min(blank, text.size()), number);
    ok = ok && blank != std::string_view::npos && fault == std::errc() && end == text.data() + blank;
    text.remove_prefix(ok ? blank + 1 : 0);
  };
  cluster::Row row;
  row.topic = topic;
  std::size_t status = 0;
  std::size_t delivery = 0;
  take(row.n);
  take(row.seq);
  take(row.ts);
  take(status);
  take(delivery);
  take(row.cut);
  if (!ok || status >= kTopicStatusNames.size() || delivery >= kDeliveryNames.size()) return std::nullopt;
  row.status = static_cast<TopicStatus>(status);
  row.delivery = static_cast<Delivery>(delivery);
  row.image = text;
  return row;
}

}  // namespace tickwire::redis
