#include "hopper.h"
#include <cstdio>
#include <cstdlib>

namespace tickwire::sim {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& message) {
  throw Violation(what + ": " + message);
}

std::string_view data_of(const std::string& text) {
  const std::size_t at = text.find("\"data\":");
  if (at == std::string::npos) fail("without data", text);
  return std::string_view(text).substr(at + 7, text.size() - at - 8);
}

}  // namespace

std::string Hopper::subscribe() {
  asked_epoch_ = epoch;
  acked_ = false;
  nlohmann::json command{{"type", "subscribe"}, {"id", 1}, {"topics", topics_}};
  nlohmann::json since = nlohmann::json::object();
  for (auto& [topic, known] : topics) {
    known.asked = known.goes_on && known.seq > 0;
    if (known.asked) since[topic] = known.seq;
  }
  if (!since.empty()) {
    command["since"] = since;
    command["epoch"] = epoch;
  }
  if (getenv("DBG")) fprintf(stderr, "%p -> %s\n", static_cast<void*>(this), command.dump().c_str());
  return command.dump();
}

bool Hopper::hear(const std::string& text, History& history) {
  const auto message = nlohmann::json::parse(text);
  if (getenv("DBG")) fprintf(stderr, "%p %s\n", static_cast<void*>(this), text.c_str());
  const std::string type = message["type"];
  if (type == "welcome") {
    // What it holds is of its own epoch until the answer says that the server goes on from there.
    begin_epoch(message["epoch"], false);
    return true;
  }
  if (type == "epoch") {
    // The server goes on from what it was asked for, and from nothing else that the client holds.
    begin_epoch(message["epoch"], acked_);
    ++epochs;
    return true;
  }
  if (type == "ack") return hear_ack(message), true;
  if (type == "error") {
    if (message["code"] != "unavailable") fail("an error", text);
    return false;
  }
  if (type == "heartbeat" || type == "drain") return true;
  ++messages;
  const std::string topic = message["topic"];
  Known& known = topics[topic];
  if (type == "status") return true;
  if (type == "gap") {
    if (!follows(known, message["from"])) fail("a wrong gap after " + std::to_string(known.seq), text);
    known = {message["to"], true, false, known.asked};
    ++gaps;
    return true;
  }
  const std::uint64_t seq = message["seq"];
  if (type == "snapshot") {
    if (known.goes_on && seq < known.seq) fail("back in time from " + std::to_string(known.seq), text);
    history.image(epoch, topic, seq, data_of(text));
    ++snapshots;
  } else {
    if (!follows(known, seq)) fail("after " + std::to_string(known.seq), text);
    history.data(epoch, topic, seq, data_of(text));
  }
  known = {seq, true, false, known.asked};
  return true;
}

void Hopper::hear_ack(const nlohmann::json& message) {
  acked_ = true;
  for (const auto& result : message["results"]) {
    if (!result.contains("recovered")) continue;
    const bool all = result["recovered"];
    ++(all ? recovered : lost);
    const std::string topic = result["topic"];
    // The server knows how much was missed where what the client has is of its history.
    const bool goes_on = all || (!topic.ends_with(".*") && result.contains("missed"));
    for (auto& [name, known] : topics) {
      const bool by_pattern = topic.ends_with(".*") && name.starts_with(topic.substr(0, topic.size() - 1));
      if (!known.asked || (name != topic && !by_pattern)) continue;
      // Within one epoch what it holds is true, whatever a server says.
      known.goes_on = goes_on || (known.goes_on && epoch == asked_epoch_);
      if (by_pattern) known.may_go_on = !known.goes_on;
    }
  }
}

void Hopper::begin_epoch(const std::string& name, bool goes_on) {
  for (auto& [topic, known] : topics) {
    if (name != epoch && !goes_on) known.goes_on = known.may_go_on = false;
  }
  epoch = name;
}

bool Hopper::follows(const Known& known, std::uint64_t seq) {
  if ((known.goes_on || known.may_go_on) && seq == known.seq + 1) return true;
  // A topic that the server's history does not have begins with its first update.
  return !known.goes_on && seq == 1;
}

}  // namespace tickwire::sim
