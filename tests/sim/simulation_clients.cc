#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "simulation.h"

namespace tickwire::sim {

// --- the clients ----------------------------------------------------------------------------------------

void Simulation::command(Peer& peer, const std::string& text, const std::string& begins, bool last) {
  peer.model.ask(begins, last);
  peer.shard->on_message(*peer.session, peer.socket->encoded(text));
  while (peer.session->working && peer.session->state() == SessionState::kOpen) {
    if (pick(2) == 0) publish();
    if (pick(2) == 0) plant_->offload.run_one();
    peer.shard->run();
  }
}

void Simulation::subscribe(Peer& peer) {
  if (peer.session == nullptr || peer.socket->closed) return;
  static constexpr std::array<std::string_view, 6> kPatterns{">", "v.>", "e.>", "*.x.*", "e.x.*", "v.*.1"};
  const int topic = static_cast<int>(pick(kTopics));
  const bool pattern = pick(3) == 0;
  const std::string text = pattern ? std::string(kPatterns.at(pick(kPatterns.size()))) : topic_name(topic);
  if (peer.carrier() != Carrier::kWebSocket) return ask_anew(peer, "", text);
  listen(peer);
  // What is subscribed already, or heard by a pattern, may change its pace and ask for no snapshot.
  const bool heard = !pattern && peer.model.topics.contains(topic) && peer.model.wants(topic);
  const bool known = heard || peer.model.wanted.contains(text);
  std::string options = pick(4) == 0 ? ",\"max_rate\":" + std::to_string(1 + pick(20)) : "";
  peer.model.wanted.insert(text);
  const bool snapshot = !known || pick(3) > 0;
  if (!snapshot) options += ",\"snapshot\":false";
  const bool last = pick(3) == 0;
  if (last) options += ",\"last\":" + std::to_string(1 + pick(5));
  command(peer, R"({"type":"subscribe","topics":[")" + text + "\"]" + options + "}", snapshot ? text : "",
          last);
}

void Simulation::unsubscribe(Peer& peer) {
  if (peer.session == nullptr || peer.socket->closed || peer.model.wanted.empty()) return;
  auto any = peer.model.wanted.begin();
  std::advance(any, pick(peer.model.wanted.size()));
  const std::string gone = *any;
  if (peer.carrier() != Carrier::kWebSocket) return ask_anew(peer, gone, "");
  listen(peer);
  command(peer, R"({"type":"unsubscribe","topics":[")" + gone + "\"]}");
  listen(peer);
  peer.model.forget(gone);
}

void Simulation::ask_anew(Peer& peer, const std::string& gone, const std::string& begins) {
  const Carrier carrier = peer.carrier();
  disconnect(peer);
  if (!gone.empty()) peer.model.forget(gone);
  if (!begins.empty()) peer.model.wanted.insert(begins);
  connect_http(peer, carrier);
}

void Simulation::unblock(Peer& peer) {
  peer.socket->block_next = false;
  if (!std::exchange(peer.socket->blocked, false) || peer.socket->closed) return;
  peer.shard->on_writable(*peer.session);
}

std::string quoted(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : ",\"") + name + "\"";
  return list;
}

// Reconnects to any shard by any road, and goes on from what the client knows.
void Simulation::connect(Peer& peer) {
  const auto carrier = static_cast<Carrier>(pick(4));
  if (carrier == Carrier::kEvents || carrier == Carrier::kRequest) return connect_http(peer, carrier);
  connect_websocket(peer);
}

void Simulation::open(Peer& peer, Framing framing) {
  peer.socket = std::make_unique<SimSocket>(framing);
  peer.shard = plant_->shards[pick(plant_->shards.size())].get();
  peer.session = &peer.shard->open(*peer.socket, {}, framing);
  peer.model.begin();
}

void Simulation::connect_websocket(Peer& peer) {
  const std::string before = peer.model.epoch;
  const auto known = peer.model.topics;
  peer.model.cursor.clear();  // what the client knows goes beyond it from here on
  const auto format = static_cast<Format>(pick(3));
  open(peer, {.format = format,
              .compression = compressing_ ? static_cast<Compression>(pick(3)) : Compression::kNone});
  listen(peer);
  if (peer.model.wanted.empty()) return;
  std::string since;
  for (const auto& [topic, state] : known) {
    since += (since.empty() ? "\"" : ",\"") + topic_name(topic) + "\":" + std::to_string(state.seq);
  }
  std::string command = R"({"type":"subscribe","topics":[)" + quoted(peer.model.wanted) + "]";
  if (!before.empty() && pick(4) > 0) {
    command += ",\"epoch\":\"" + before + "\",\"since\":{" + since + "}";
    ++totals_.resumes;
  } else {
    peer.model.topics.clear();
  }
  this->command(peer, command + "}");
}

void Simulation::connect_http(Peer& peer, Carrier carrier) {
  ModelClient& model = peer.model;
  std::string command = R"({"type":"subscribe","topics":[)" + quoted(model.wanted) + "]";
  if (pick(4) == 0) command += ",\"max_rate\":" + std::to_string(1 + pick(20));
  if (!model.epoch.empty() && pick(8) > 0) {
    const bool servers = !model.cursor.empty() && pick(2) == 0;
    std::string from = servers ? model.go_back() : model.own_cursor();
    if (mutation_ == Mutation::kCursorAhead && pick(20) == 0) mutate_cursor(from);
    command += R"(,"cursor":")" + from + '"';
    ++totals_.cursors;
  } else {
    model.topics.clear();
  }
  open(peer, {.carrier = carrier});
  if (carrier == Carrier::kEvents) listen(peer);
  if (!model.wanted.empty()) this->command(peer, command + "}");
}

void Simulation::answer(Peer& peer) {
  Session* session = peer.session;
  const bool owed = session == nullptr || session->working || !session->behind().empty();
  if (owed || peer.socket->closed) return;
  const std::string cursor = peer.shard->cursor(*session);
  std::vector<std::string> texts = peer.socket->take();
  peer.model.enter(std::string_view(cursor).substr(0, cursor.find(',')));
  texts.push_back("id: " + cursor);
  hang_up(peer);
  hear(peer, std::move(texts));
  ++totals_.polls;
}

void Simulation::disconnect(Peer& peer) {
  if (peer.session == nullptr) return;
  if (peer.socket->closed) ++totals_.cuts;
  try {
    // A poll may be cut before its answer.
    if (peer.carrier() != Carrier::kRequest || pick(2) == 0) listen(peer);
  } catch (const Violation&) {
    if (mutation_ == Mutation::kNone) throw;
  }
  hang_up(peer);
}

void Simulation::hang_up(Peer& peer) {
  if (Session* gone = std::exchange(peer.session, nullptr)) peer.shard->on_closed(*gone);
}

void Simulation::listen(Peer& peer) {
  check_bounds(peer);
  if (peer.carrier() == Carrier::kRequest) return answer(peer);
  hear(peer, peer.socket->take());
}

void Simulation::hear(Peer& peer, std::vector<std::string> texts) {
  for (std::string& text : texts) {
    const bool update = text.starts_with(R"({"type":"update")");
    if (mutation_ == Mutation::kSkipSeq && update && pick(500) == 0) continue;
    if (mutation_ == Mutation::kStaleImage) mutate(text);
    peer.model.hear(text, oracle_);
    if (mutation_ == Mutation::kRepeat && update && pick(500) == 0) peer.model.hear(text, oracle_);
  }
  totals_.messages += std::exchange(peer.model.messages, 0);
  totals_.snapshots += std::exchange(peer.model.snapshots, 0);
  totals_.gaps += std::exchange(peer.model.gaps, 0);
}

// Now and then a snapshot has the image of the seq before.
void Simulation::mutate(std::string& text) {
  if (!text.starts_with(R"({"type":"snapshot")") || pick(50) > 0) return;
  const std::size_t topic = text.find("\"topic\":\"") + 9;
  const std::size_t seq = text.find("\"seq\":") + 6;
  const Oracle::Entry* before =
      oracle_.at(topic_of(text.substr(topic, 5)), std::stoull(text.substr(seq)) - 1);
  if (before != nullptr) text.replace(text.find("\"data\":") + 7, std::string::npos, before->data + "}");
}

// Says of a topic that the client is one further than it is.
void Simulation::mutate_cursor(std::string& cursor) {
  const std::size_t equals = cursor.find('=');
  if (equals == std::string::npos) return;
  const std::uint64_t seq = std::stoull(cursor.substr(equals + 1));
  const int topic = topic_of(cursor.substr(equals - 5, 5));
  if (oracle_.at(topic, seq + 1) == nullptr) return;
  const std::size_t end = cursor.find_first_not_of("0123456789", equals + 1);
  cursor.replace(equals + 1, end - equals - 1, std::to_string(seq + 1));
}

}  // namespace tickwire::sim
