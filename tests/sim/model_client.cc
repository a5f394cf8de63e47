#include "model_client.h"

#include <charconv>

namespace tickwire::sim {
namespace {

[[noreturn]] void fail(std::string_view what, std::string_view message) {
  throw Violation(std::string(what) + ": " + std::string(message));
}

// What follows `"name":` up to the end of a number or string; the simulation publishes nothing that could be
// taken for it.
std::string_view value_of(std::string_view text, std::string_view name) {
  std::size_t at = text.find(name, 1);
  const auto is_key = [&] { return text[at - 1] == '"' && text.substr(at + name.size(), 2) == "\":"; };
  while (at != std::string_view::npos && !is_key()) at = text.find(name, at + 1);
  if (at == std::string_view::npos) fail("without " + std::string(name), text);
  std::string_view rest = text.substr(at + name.size() + 2);
  if (rest.starts_with('"')) {
    rest.remove_prefix(1);
    return rest.substr(0, rest.find('"'));
  }
  return rest.substr(0, rest.find_first_of(",}"));
}

std::uint64_t number_of(std::string_view text, std::string_view name) {
  const std::string_view digits = value_of(text, name);
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc{} || end != digits.data() + digits.size()) fail("no number", text);
  return number;
}

std::string_view data_of(std::string_view text) {
  const std::size_t at = text.find("\"data\":");
  if (at == std::string_view::npos) fail("without data", text);
  return text.substr(at + 7, text.size() - at - 8);
}

// {"f0":1,"f2":3}
Fields fields_of(std::string_view data) {
  Fields fields;
  fields.fill(kAbsent);
  for (std::size_t at = data.find("\"f"); at != std::string_view::npos; at = data.find("\"f", at + 1)) {
    const auto field = static_cast<std::size_t>(data[at + 2] - '0');
    const auto [end, failed] =
        std::from_chars(data.data() + at + 5, data.data() + data.size(), fields.at(field));
    if (failed != std::errc{}) fail("an image with something else than numbers", data);
  }
  return fields;
}

// Compares token for token: `*` matches one token, a last `>` all remaining ones.
bool matches(std::string_view pattern, std::string_view topic) {
  while (!pattern.empty() && !topic.empty()) {
    const std::string_view token = pattern.substr(0, pattern.find('.'));
    const std::string_view name = topic.substr(0, topic.find('.'));
    if (token == ">") return true;
    if (token != "*" && token != name) return false;
    pattern.remove_prefix(std::min(pattern.size(), token.size() + 1));
    topic.remove_prefix(std::min(topic.size(), name.size() + 1));
  }
  return pattern.empty() && topic.empty();
}

// Of a status in a cursor.
std::string letter_of(std::string_view status) {
  return status == "live" ? "" : std::string(status.substr(0, 1));
}

}  // namespace

bool ModelClient::wants(int topic) const {
  const std::string name = topic_name(topic);
  for (const std::string& text : wanted) {
    if (matches(text, name)) return true;
  }
  return false;
}

void ModelClient::forget(const std::string& gone) {
  wanted.erase(gone);
  std::erase_if(topics, [&](const auto& entry) { return !wants(entry.first); });
}

void ModelClient::ask(const std::string& subscribed, bool last) {
  asked_.push_back({subscribed, last});
}

void ModelClient::hear_ack(std::string_view text) {
  if (asked_.empty()) fail("an answer to nothing", text);
  const Asked asked = asked_.front();
  asked_.pop_front();
  for (int topic = 0; topic < kTopics; ++topic) {
    if (asked.subscribed.empty() || !matches(asked.subscribed, topic_name(topic))) continue;
    fresh_.insert(topic);
    if (asked.last && is_event(topic)) ++last_[topic];
  }
}

void ModelClient::hear(std::string_view text, const Oracle& oracle) {
  if (text.starts_with("id: ")) return hear_cursor(text.substr(4));
  const std::string_view type = value_of(text, "type");
  if (type == "welcome") {
    enter(value_of(text, "epoch"));
    return begin();
  }
  if (type == "ack") return hear_ack(text);
  if (type == "heartbeat" || type == "drain") return;
  if (type == "error") fail("an error", text);
  const int topic = topic_of(value_of(text, "topic"));
  if (topic < 0 || !wants(topic)) fail("not wanted", text);
  ++messages;
  Known& known = topics[topic];
  if (type == "snapshot") return hear_snapshot(text, known, topic, oracle);
  if (type == "update") return hear_update(text, known, topic, oracle);
  if (type == "gap") {
    const std::uint64_t from = number_of(text, "from");
    const std::uint64_t to = number_of(text, "to");
    const bool follows = from == known.seq + 1 || begins_again(known, topic, from);
    if (!is_event(topic) || !follows || to < from) {
      fail("a wrong gap after " + std::to_string(known.seq), text);
    }
    known.seq = to;
    ++gaps;
  } else if (type == "status") {
    if (number_of(text, "seq") != known.seq) fail("a status out of turn", text);
    known.status = value_of(text, "status");
  } else {
    fail("unknown", text);
  }
}

void ModelClient::enter(std::string_view now) {
  if (now == epoch) return;
  epoch = now;
  topics.clear();
  cursor.clear();
}

void ModelClient::begin() {
  asked_.clear();
  fresh_.clear();
  last_.clear();
}

void ModelClient::hear_cursor(std::string_view text) {
  cursor = text;
  at_cursor_.clear();
  std::string_view rest = text.substr(std::min(text.size(), text.find(',')));
  if (text.substr(0, text.size() - rest.size()) != epoch) fail("a cursor of another epoch", text);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(entry.size());
    const std::size_t equals = entry.find('=');
    const int topic = topic_of(entry.substr(0, equals));
    // Of a topic that was empty, the client has all up to 0.
    const auto known =
        entry.substr(equals).starts_with("=0") ? topics.try_emplace(topic).first : topics.find(topic);
    if (known == topics.end() || !wants(topic)) fail("a cursor with what the client does not have", text);
    const std::string seq = std::to_string(known->second.seq);
    const std::string_view said = entry.substr(equals + 1);
    if (said != seq + letter_of(known->second.status) && said != seq + '?') {
      fail("a cursor that is not where the client is, " + seq + " " + known->second.status, text);
    }
    at_cursor_[topic] = known->second;
  }
  for (const auto& [topic, known] : topics) {
    if (is_event(topic) && !at_cursor_.contains(topic)) fail("a cursor without " + topic_name(topic), text);
  }
}

std::string ModelClient::go_back() {
  topics = at_cursor_;
  std::erase_if(topics, [&](const auto& entry) { return !wants(entry.first); });
  return cursor;
}

std::string ModelClient::own_cursor() const {
  std::string text = epoch;
  for (const auto& [topic, known] : topics) {
    text += "," + topic_name(topic) + "=" + std::to_string(known.seq) + letter_of(known.status);
  }
  return text;
}

void ModelClient::hear_snapshot(std::string_view text, Known& known, int topic, const Oracle& oracle) {
  const std::uint64_t seq = number_of(text, "seq");
  if (seq < known.seq) fail("back in time from " + std::to_string(known.seq), text);
  const bool begins = known.seq == 0 || fresh_.erase(topic) > 0;
  if (is_event(topic) && seq > known.seq && !begins) {
    fail("events after " + std::to_string(known.seq) + " are left out", text);
  }
  const Oracle::Entry* entry = oracle.at(topic, seq);
  if (entry == nullptr) fail("a seq that was never published", text);
  const bool right =
      is_event(topic) ? data_of(text) == entry->data : fields_of(data_of(text)) == entry->image;
  if (!right) fail("a wrong image", text);
  known = {seq, std::string(value_of(text, "status"))};
  ++snapshots;
}

bool ModelClient::begins_again(const Known& known, int topic, std::uint64_t seq) {
  const auto asked = last_.find(topic);
  if (asked == last_.end() || asked->second == 0 || (known.seq > 0 && seq > known.seq)) return false;
  --asked->second;
  return true;
}

void ModelClient::hear_update(std::string_view text, Known& known, int topic, const Oracle& oracle) {
  const std::uint64_t seq = number_of(text, "seq");
  if (seq != known.seq + 1 && !begins_again(known, topic, seq)) {
    fail("after " + std::to_string(known.seq), text);
  }
  const Oracle::Entry* entry = oracle.at(topic, seq);
  if (entry == nullptr || data_of(text) != entry->data) fail("not what was published", text);
  known.seq = seq;
  if (known.status == "stale") known.status = "live";
}

}  // namespace tickwire::sim
