// Random tokens, guards, subscriptions, refreshes, expiries and revocations against a model of who may see
// what: nobody sees what the model denies, and everybody sees what it allows, also of a pattern of which it
// may see only a part.
//
// TICKWIRE_ACCESS_STEPS: how many steps instead of the few that a run of all tests has time for.
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "access/pattern_cover.h"
#include "access_model.h"
#include "answering.h"
#include "fakes/token_maker.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr int kStepsDefault = 6'000;

class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed) {
    plant_.access.tokens = true;
    plant_.access.publish = true;
    for (const char* const guard : kGuards) {
      if (pick(2) == 0) plant_.access.guards.push_back(pattern_of(guard));
    }
    if (plant_.access.guards.empty()) plant_.access.guards.push_back(pattern_of("guarded.>"));
    for (Peer& peer : peers_) peer = newcomer();
  }

  void step() {
    Peer& peer = peers_.at(pick(peers_.size()));
    now_said_.clear();
    switch (pick(13)) {
      case 0:
        authenticate(peer);
        break;
      case 1:
        return_as_another(peer);
        break;
      case 2:
      case 3:
        pass_time();
        break;
      case 4:
        unsubscribe(peer);
        break;
      case 5:
        client_publishes(peer);
        break;
      case 6:
        list(peer);
        break;
      case 7:
      case 9:
        subscribe(peer);
        break;
      case 10:
        get(peer);
        break;
      case 8:
        revoke(peer);
        break;
      default:
        publish(kTopics.at(pick(kTopics.size())));
    }
    settle();
    for (Peer& each : peers_) check(each);
  }

 private:
  struct Peer {
    std::unique_ptr<Client> client;
    Model model;
    std::map<std::string, int> seen;  // the last value of each topic
  };

  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  [[nodiscard]] std::int64_t now() const { return plant_.clock.wall_ms(); }
  std::string say(std::string what) {
    now_said_ = std::move(what);
    return now_said_;
  }

  std::vector<std::string> some_texts() {
    std::vector<std::string> out(pick(4));
    for (std::string& text : out) text = kTexts.at(pick(kTexts.size()));
    return out;
  }

  // Answers what authorizers are asked until nobody asks any more.
  void settle() {
    for (plant_.run(); answered_ < plant_.access.questions.size(); plant_.run()) {
      const AccessQuestion question = plant_.access.questions[answered_++];
      const std::string& claims = question.client->claims;
      const std::string subject = claims.empty() ? "" : json::parse(claims)["sub"].get<std::string>();
      const std::int64_t ttl_ms = pick(2) == 0 ? 0 : 3'000;
      if (question.action == Action::kSubscribe && is_pattern(question.topic)) {
        AccessAnswer parts = allow(question, ttl_ms);
        for (const Pattern& guard : plant_.access.guards) {
          if (overlaps({guard}, question.topic))
            parts.guards.push_back(part_of(subject, guard, question.topic));
        }
        plant_.shard.answer(parts);
        continue;
      }
      const bool allows = authorizer_allows(subject, question.topic);
      plant_.shard.answer(allows ? allow(question, ttl_ms) : deny(question, "no"));
    }
    plant_.access.questions.clear();
    answered_ = 0;
  }

  void authenticate(Peer& peer) {
    Model& model = peer.model;
    const bool good = pick(4) != 0;
    const std::string subject = "s" + std::to_string(pick(4));
    const auto subscribe = some_texts();
    const auto publish = some_texts();
    const std::int64_t expires_s = now() / 1'000 + (good ? static_cast<std::int64_t>(1 + pick(8)) : -5);
    json claims{
        {"sub", subject}, {"exp", expires_s}, {"tickwire", {{"subscribe", subscribe}, {"publish", publish}}}};
    std::int64_t issued_ms = 0;  // not said: as good as before every revocation
    if (pick(8) != 0) {
      claims["iat"] = now() / 1'000 - static_cast<std::int64_t>(pick(4));
      issued_ms = claims["iat"].get<std::int64_t>() * 1'000;
    }
    say("auth " + claims.dump());
    const std::string token = issuer_.token(claims);
    peer.client->say(json{{"type", "auth"}, {"token", token}}.dump());
    const auto revoked = revoked_ms_.find(subject);
    const bool is_revoked = revoked != revoked_ms_.end() && issued_ms <= revoked->second;
    const bool taken = expires_s * 1'000 > now() && !is_revoked;
    model.has_token = taken;
    model.subject = taken ? subject : "";
    model.expires_ms = expires_s * 1'000;
    model.subscribe = taken ? parsed(subscribe) : std::vector<Pattern>();
    model.publish = taken ? parsed(publish) : std::vector<Pattern>();
    model.decide_all_again(now());
  }

  // A subject, or a session; who is revoked comes back as somebody without a token.
  void revoke(const Peer& peer) {
    if (pick(4) != 0) return;
    SessionTarget target;
    if (pick(2) == 0) {
      target.session = peer.client->session->client.session;
    } else {
      target.subject = "s" + std::to_string(pick(4));
      revoked_ms_[target.subject] = now();
      ASSERT_TRUE(revocations_.add({target.subject, now()}, now()));
    }
    say("revoke " + target.subject + target.session);
    plant_.shard.end_sessions(target, SessionEnd::kRevoked, std::make_shared<std::atomic<std::size_t>>(0));
    settle();
    for (Peer& each : peers_) {
      const bool ends = &each == &peer ? target.subject.empty() || each.model.subject == target.subject
                                       : !target.subject.empty() && each.model.subject == target.subject;
      EXPECT_EQ(each.client->socket.close_code, ends ? 4502 : 0) << now_said_;
      if (!ends) continue;
      static_cast<void>(answer_to(each));
      std::erase_if(came_, [&each](const auto& one) { return one.first == &each; });
      each.client->leave();
      each = newcomer();
    }
  }

  // In one of the formats, compressed or not.
  Peer newcomer() {
    static constexpr std::array kFormats{Format::kJson, Format::kMsgpack, Format::kCbor};
    const Compression compression = pick(2) == 0 ? Compression::kNone : Compression::kContext;
    Peer peer{std::make_unique<Client>(plant_, ClientInfo{}, compression, kFormats.at(pick(3))), {}, {}};
    peer.model.guards = &plant_.access.guards;
    return peer;
  }

  static std::vector<Pattern> parsed(const std::vector<std::string>& texts) {
    std::vector<Pattern> out;
    out.reserve(texts.size());
    for (const std::string& text : texts) out.push_back(Pattern::parse(text).value());
    return out;
  }

  // The next session may get the slot of this one, and nothing else of it.
  void return_as_another(Peer& peer) {
    if (pick(4) != 0) return;
    say("comes back");
    peer.client->leave();
    peer = newcomer();
  }

  // In small steps: an authorizer that is asked answers before a lease ends.
  void pass_time() {
    say("time passes");
    for (std::size_t i = 0, steps = 1 + pick(20); i < steps; ++i) {
      plant_.clock.advance_ms(100);
      settle();
    }
    for (Peer& peer : peers_) peer.model.decide_all_again(now());
  }

  void subscribe(Peer& peer) {
    const std::string text = kTexts.at(pick(kTexts.size()));
    json command{{"type", "subscribe"}, {"id", "s"}, {"topics", {text}}};
    if (pick(3) == 0) command["last"] = 2;
    if (pick(3) == 0) {
      command["epoch"] = "e1";
      for (const char* const topic : kTopics) {
        const int seq = static_cast<int>(pick(3));
        command["since"][topic] = seq;
        if (seq == values_[topic]) peer.seen[topic] = seq;  // it says that it has the last one
      }
    }
    say(command.dump());
    peer.client->say(command.dump());
    settle();
    Model& model = peer.model;
    const Answer answer = model.decide(text, model.subscribe, now());
    const json result = expect_code(peer, code_of(answer));
    if (answer == Answer::kYes) {
      const bool partial = std::ranges::any_of(kTopics, [&](const char* topic) {
        return matches(text, topic) && !model.may_see(text, topic, now());
      });
      EXPECT_TRUE(!partial || result.value("partial", false)) << now_said_;
    }
    // What nobody can say now leaves a held subscription as it is, and makes no new one.
    if (answer == Answer::kYes) model.kept[text] = Model::Kept::kServed;
    if (answer == Answer::kNo) model.kept.erase(text);
  }

  void unsubscribe(Peer& peer) {
    const std::string text = kTexts.at(pick(kTexts.size()));
    say("unsubscribe " + text);
    peer.client->say(json{{"type", "unsubscribe"}, {"id", "s"}, {"topics", {text}}}.dump());
    settle();
    expect_code(peer, peer.model.kept.erase(text) > 0 ? "" : "not_subscribed");
  }

  void client_publishes(Peer& peer) {
    const std::string topic = kTopics.at(pick(kTopics.size()));
    say("client publishes " + topic);
    const int value = values_[topic] + 1;
    peer.client->say(
        json{{"type", "publish"}, {"id", "s"}, {"topic", topic}, {"data", {{"n", value}}}}.dump());
    settle();
    const Answer answer = peer.model.decide(topic, peer.model.publish, now());
    expect_code(peer, code_of(answer));
    if (answer == Answer::kYes) values_[topic] = value;
  }

  void publish(const std::string& topic) {
    say("publish " + topic);
    plant_.publish(topic, json{{"n", ++values_[topic]}}.dump());
  }

  void list(Peer& peer) {
    say("list");
    peer.client->say(R"({"type":"list","id":"s"})");
    settle();
    const std::optional<json> answer = answer_to(peer);
    ASSERT_TRUE(answer);
    std::vector<std::string> expected;
    for (const auto& [topic, value] : values_) {
      const Model& model = peer.model;
      const bool by_token = model.token_is_good(now()) && covers(model.subscribe, topic);
      const bool is_open = topic.starts_with("open.") && !overlaps(plant_.access.guards, topic);
      if (value > 0 && (is_open || by_token)) expected.push_back(topic);
    }
    EXPECT_EQ((*answer)["topics"].get<Lines>(), expected);
  }

  // Page by page, of one topic each.
  void get(Peer& peer) {
    const std::string text = kTexts.at(pick(kTexts.size()));
    say("get " + text);
    const Answer answer = peer.model.decide(text, peer.model.subscribe, now());
    json command{{"type", "get"}, {"id", "s"}, {"topics", {text}}, {"limit", 1}};
    std::map<std::string, int> got;
    std::map<std::string, int> expected;
    for (const auto& [topic, value] : values_) {
      const bool seen =
          answer == Answer::kYes && matches(text, topic) && peer.model.may_see(text, topic, now());
      if (seen && value > 0) expected[topic] = value;
    }
    for (bool more = true; more;) {
      peer.client->say(command.dump());
      settle();
      const std::optional<json> page = answer_to(peer);
      ASSERT_TRUE(page) << now_said_;
      for (const json& result : (*page)["results"]) {
        if (result.contains("data")) got[result["topic"]] = result["data"]["n"];
      }
      more = page->contains("next");
      if (!more) break;
      command["after"] = (*page)["next"];
      const std::string next = command["after"];
      const auto colon = next.find(':');
      EXPECT_TRUE(colon == std::string::npos || expected.contains(next.substr(colon + 1)))
          << now_said_ << next;
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(got, expected) << now_said_;
  }

  // Keeps the data that came on the way.
  std::optional<json> answer_to(Peer& peer) {
    std::optional<json> found;
    for (json& message : peer.client->socket.take()) {
      if (message.value("id", "") == "s") {
        found = std::move(message);
      } else {
        came_.emplace_back(&peer, std::move(message));
      }
    }
    return found;
  }

  // The result.
  json expect_code(Peer& peer, const std::string& code) {
    const std::optional<json> answer = answer_to(peer);
    EXPECT_TRUE(answer) << now_said_;
    if (!answer) return {};
    const json& result = answer->contains("results") ? (*answer)["results"][0] : *answer;
    const json& error = result.contains("error") ? result["error"] : result;
    EXPECT_EQ(error.value("code", ""), code) << now_said_;
    return result;
  }

  void check(Peer& peer) {
    static_cast<void>(answer_to(peer));
    for (const auto& [to, message] : came_) {
      if (to != &peer || !message.contains("data")) continue;
      const std::string topic = message["topic"];
      EXPECT_TRUE(peer.model.sees(topic, now())) << now_said_ << ": " << message;
      peer.seen[topic] = message["data"]["n"];
    }
    std::erase_if(came_, [&peer](const auto& one) { return one.first == &peer; });
    for (const auto& [topic, value] : values_) {
      if (value == 0 || !peer.model.sees(topic, now())) continue;
      EXPECT_EQ(peer.seen[topic], value) << now_said_ << ": does not see " << topic;
    }
  }

  const TokenMaker issuer_{SignatureAlgorithm::kHs256};
  Revocations revocations_{token_life_ms({})};
  TokenVerifier verifier_{[this] {
                            TokenRules rules;
                            rules.keys = {issuer_.key()};
                            return rules;
                          }(),
                          &revocations_};
  Answering plant_{[this] {
                     ShardConfig config;
                     config.tokens = &verifier_;
                     config.revocations = &revocations_;
                     return config;
                   }(),
                   {{.pattern = "*.b", .delivery = Delivery::kEvent}}};
  std::mt19937_64 random_;
  std::array<Peer, 3> peers_;
  std::map<std::string, std::int64_t> revoked_ms_;  // of each subject
  std::map<std::string, int> values_;               // of each topic, the last one published
  std::vector<std::pair<const Peer*, json>> came_;
  std::size_t answered_ = 0;
  std::string now_said_;
};

int steps() {
  const char* const text = std::getenv("TICKWIRE_ACCESS_STEPS");  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? kStepsDefault : std::atoi(text);       // NOLINT(cert-err34-c)
}

TEST(AccessProperty, NobodySeesWhatTheModelDeniesAndEverybodySeesWhatItAllows) {
  constexpr int kStepsOfOne = 500;
  for (int seed = 0; seed < steps() / kStepsOfOne; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < kStepsOfOne && !testing::Test::HasFailure(); ++i) play.step();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tickwire
