#include "engine/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <map>
#include <string_view>
#include <thread>
#include <utility>

#include "base/fault.h"
#include "engine/config_keys.h"
#include "engine/health.h"
#include "engine/identity_keys.h"
#include "engine/jwt_rules.h"
#include "engine/logging.h"
#include "engine/metrics.h"
#include "engine/net_keys.h"
#include "engine/session_gathering.h"
#include "net/socket_address.h"
#include "store/epoch.h"

namespace tickwire {
namespace {

constexpr unsigned kShardsByDefaultMax = 8;

constexpr std::string_view kServerName = "tickwire/" TICKWIRE_VERSION;

std::uint32_t shard_count(const Config& config) {
  if (config.shards > 0) return static_cast<std::uint32_t>(config.shards);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kShardsByDefaultMax);
}

std::map<std::string, std::string> settings_of(const Config& config) {
  std::map<std::string, std::string> settings;
  for (const ConfigEntry& entry : config_entries(config)) settings[entry.key] = entry.value;
  for (const auto& key : config_keys()) {  // an entry does not tell one secret from another
    if (key.is_secret()) settings[std::string(key.name)] = read_value(key, config);
  }
  return settings;
}

bool is_tls(const ListenAddress& address) {
  return address.transport == Transport::kTls;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(Config config) {
  Result<std::vector<ListenAddress>> listen = parse_listens(config);
  if (!listen) return listen.error();
  std::unique_ptr<TlsFiles> tls;
  if (std::ranges::any_of(*listen, is_tls)) {
    auto opened = TlsFiles::create(config);
    if (!opened) return opened.error();
    tls = std::move(*opened);
  }
  std::optional<TokenRules> tokens;
  if (verifies_tokens(config)) {
    Result<JwtRules> read = read_jwt_rules(config);
    if (!read) return read.error();
    tokens = std::move(read->rules);
  }
  if (const auto admin = parse_admin_listen(config); !admin) return admin.error();
  set_up_logging(config.log_level);
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);
  return std::unique_ptr<Engine>(
      new Engine(std::move(config), std::move(*listen), std::move(tls), std::move(tokens)));
}

Engine::Engine(Config config, std::vector<ListenAddress> listen, std::unique_ptr<TlsFiles> tls,
               std::optional<TokenRules> tokens)
    : config_(std::move(config)),
      hub_(clock_, topic_rules(config_), static_cast<std::size_t>(config_.ring_mb) << 20U,
           std::chrono::microseconds(config_.linger).count(), hub_limits(config_)),
      cluster_(config_.cluster_url.empty() ? nullptr : std::make_unique<ClusterNode>(config_, hub_, clock_)),
      bridge_(hub_, publisher(), access_policy(config_)),
      revocations_(token_life_ms(tokens.value_or(TokenRules{}))),
      tls_(std::move(tls)),
      tokens_(tokens ? std::make_unique<TokenVerifier>(std::move(*tokens), &revocations_) : nullptr),
      key_fetcher_({clock_, &get_key_set,
                    [this] {
                      const MutexLock lock(reload_mutex_);
                      reload_tokens();
                    }}),
      listen_(std::move(listen)),
      shared_rates_(rate_limits(config_)),
      gate_(gate_limits(config_)),
      settings_(settings_of(config_)),
      token_config_(config_) {
  bridge_.set_answer_route([this](std::uint32_t shard, AccessAnswer answer) {
    loops_.at(shard)->shard().answer(std::move(answer));
  });
}

Engine::~Engine() {
  stop();
}

// --- start ----------------------------------------------------------------------------------------------

Status Engine::start() {
  assert(!started_);
  Status ready = open_store();
  if (ready) ready = open_loops();
  if (ready) ready = open_admin();
  if (ready && store_) ready = store_->start(hub_, static_cast<int>(config_.store_flush.count()));
  if (!ready) {
    loops_.clear();
    admin_.close();
    store_.reset();
    return ready;
  }
  housekeeping_.emplace(hub_, config_.memory_mb, [this] {
    if (tls_) tls_->look(clock_.wall_ms() / 1'000);
  });
  run_loops();
  if (cluster_) join_cluster();
  return ready;
}

void Engine::join_cluster() {
  std::vector<Shard*> shards;
  shards.reserve(loops_.size());
  for (const auto& loop : loops_) shards.push_back(&loop->shard());
  cluster_->start(std::move(shards));
}

void Engine::run_loops() {
  std::vector<const LoopPulse*> pulses;
  pulses.reserve(loops_.size());
  for (const auto& loop : loops_) pulses.push_back(&loop->pulse());
  watchdog_.emplace(pulses);
  session_ender_.emplace(SessionEnder::Parts{clock_, revocations_, workers_, store_.get()});
  if (const std::vector<std::string> urls = key_set_urls(config_); !urls.empty()) {
    key_fetcher_.fetch(urls);
    const MutexLock lock(reload_mutex_);
    reload_tokens();  // from here on the keys are asked for
  }
  bridge_.set_guard_route([this](const Pattern& guard) {
    for (const auto& loop : loops_) loop->shard().guard_loaded(guard);
  });
  started_ = true;
  for (const auto& loop : loops_) loop->start();
}

Status Engine::open_store() {
  if (cluster_) return cluster_->check_engine();  // which names the epoch
  if (config_.store_path.empty()) {
    hub_.set_epoch(new_epoch());
    return ok_status();
  }
  Status ready = open_and_restore();
  if (!ready && ready.error().code == ErrorCode::kStoreDamaged &&
      config_.store_on_damage == OnDamage::kStartEmpty) {
    store_.reset();  // lets go of the file
    const Result<std::string> aside = StoreFile::set_aside(config_.store_path, "damaged");
    if (!aside) return aside.error();
    spdlog::error("store: {}; set aside as {}, starting empty", ready.error().message, *aside);
    ready = open_and_restore();
  }
  return ready;
}

Status Engine::open_and_restore() {
  Result<std::unique_ptr<Store>> store = Store::open(config_.store_path);
  if (!store) return store.error();
  store_ = std::move(*store);
  hub_.set_epoch(store_->epoch());
  if (Status restored = store_->keep_revocations(revocations_, clock_); !restored) return restored;
  return store_->restore(hub_);
}

Status Engine::open_loops() {
  for (std::uint32_t index = 0; index < shard_count(config_); ++index) {
    loops_.push_back(std::make_unique<Loop>(hub_, clock_, bridge_, shard_config(index), net_config(), *this));
    if (Status bound = loops_.back()->open(); !bound) return bound;
    // Where a port was 0 the others join the first loop.
    for (std::size_t i = 0; i < listen_.size(); ++i) listen_[i].port = loops_.back()->port(i);
  }
  return ok_status();
}

Status Engine::open_admin() {
  if (Status opened = admin_.open(config_, address()); !opened) return opened;
  if (admin_.socket() < 0) return ok_status();
  spdlog::info("admin listener: {}", admin_.address());
  return loops_.front()->serve_admin(admin_.socket(), admin_.door());
}

ShardConfig Engine::shard_config(std::uint32_t index) {
  ShardConfig shard;
  shard.index = index;
  shard.server = kServerName;
  shard.fanout_load = config_.fanout_load;
  shard.access_deadline_ms = config_.auth_deadline.count();
  shard.behind_ms_max = std::chrono::milliseconds(config_.behind).count();
  shard.publisher = &publisher();
  shard.tokens = tokens_.get();
  shard.revocations = &revocations_;
  shard.once = &once_;
  shard.offload = &workers_;
  apply_limits(config_, shard);
  shard.shared_rates = &shared_rates_;
  shard.session.heartbeat_s = static_cast<int>(config_.heartbeat.count());
  return shard;
}

NetConfig Engine::net_config() {
  NetConfig net;
  net.listen = listen_;
  net.tls = tls_ == nullptr ? nullptr : &tls_->server();
  apply_limits(config_, net);
  net.gate = &gate_;
  net.hosts = config_.hosts;
  net.origins = config_.origins;
  net.identity = identity_rules(config_);
  net.proxies = proxy_rules(config_);
  net.echo = config_.echo;
  net.admin_token = config_.auth_admin_token.reveal();
  net.stop_ms_max = static_cast<int>(std::chrono::milliseconds(config_.drain).count());
  return net;
}

// --- stop -----------------------------------------------------------------------------------------------

void Engine::stop() {
  if (!started_ || stopped_.exchange(true)) return;
  drain_loops(Shard::Drained::kEverybody);
  {
    // Side by side, so that server.drain_s is for all of them.
    std::vector<std::jthread> stopping;
    stopping.reserve(loops_.size());
    for (const auto& loop : loops_) {
      stopping.emplace_back(
          [&loop] { contained(Boundary::kStop, "the end of a loop", [&loop] { loop->stop(); }); });
    }
  }
  if (cluster_) cluster_->stop();
  watchdog_->stop();
  key_fetcher_.stop();
  workers_.stop();
  admin_.close();
  housekeeping_.reset();
  if (store_) store_->stop();
}

// --- reload ---------------------------------------------------------------------------------------------

// Whether topics need a token at all does not change while it runs: sessions have what they were given.
void Engine::reload_tokens() {
  Result<JwtRules> read = read_jwt_rules(token_config_, key_fetcher_.sets());
  if (!read) return spdlog::error("the keys of tokens stay as they were: {}", read.error().message);
  spdlog::info("keys of tokens read again: {}", read->rules.keys.size());
  if (!key_set_urls(token_config_).empty()) {
    read->rules.ask_for_keys = [this] { return key_fetcher_.ask(); };
  }
  revocations_.set_life_ms(token_life_ms(read->rules));
  tokens_->replace(std::move(read->rules));
}

void Engine::reload(const Config& fresh) {
  const MutexLock lock(reload_mutex_);
  const bool tokens = tokens_ != nullptr && verifies_tokens(fresh);
  std::map<std::string, std::string> wanted = settings_of(fresh);
  for (const auto& [key, value] : settings_) wanted.try_emplace(key);  // empty: it is there no more
  std::vector<std::string> changed;
  std::vector<std::string> refused;
  for (const auto& [key, value] : wanted) {
    if (settings_[key] == value) continue;
    const bool reloadable = key == "log.level" || key.starts_with("topics.") || key == "tls.certificate" ||
                            key == "tls.key" || (tokens && key.starts_with("auth.jwt."));
    (reloadable ? changed : refused).push_back(key);
    if (reloadable) settings_[key] = value;
  }
  if (!changed.empty()) {
    if (std::ranges::find(changed, "log.level") != changed.end()) set_log_level(fresh.log_level);
    hub_.set_rules(topic_rules(fresh));
  }
  if (tls_) tls_->reload(fresh);
  if (tokens) {
    token_config_ = fresh;
    key_fetcher_.fetch(key_set_urls(fresh));
    reload_tokens();
  }
  spdlog::info("reloaded: {}",
               changed.empty() ? "nothing changed" : fmt::format("{}", fmt::join(changed, ", ")));
  if (!refused.empty()) spdlog::warn("needs a restart: {}", fmt::join(refused, ", "));
}

// --- what it says of itself -----------------------------------------------------------------------------

Shard& Engine::shard() {
  assert(started_);
  return loops_.front()->shard();
}

std::string Engine::address() const {
  return address_text(listen_.front().host, listen_.front().port);
}

std::vector<std::string> Engine::urls() const {
  std::vector<std::string> urls;
  urls.reserve(listen_.size());
  for (const ListenAddress& listen : listen_) {
    urls.push_back(
        fmt::format("{}://{}", is_tls(listen) ? "https" : "http", address_text(listen.host, listen.port)));
  }
  return urls;
}

HealthAnswer Engine::health(HealthDetail detail) const {
  HealthFacts facts;
  facts.draining = stopped_ || drained_;
  facts.server = kServerName;
  facts.ts = clock_.wall_ms();
  facts.topics = hub_.topic_count();
  facts.stale = hub_.stale_count();
  if (detail == HealthDetail::kAll) facts.plugins = bridge_.plugins().json();
  if (tls_) facts.certificate_expires_s = tls_->expires_s();
  if (!started_) return describe_health(facts, detail);
  const std::string address = this->address();
  const std::string epoch = hub_.epoch();
  facts.epoch = epoch;
  facts.address = address;
  facts.watchdog = &*watchdog_;
  for (const auto& loop : loops_) facts.shards += loop->shard().stats();
  if (store_) facts.store = store_->stats();
  if (cluster_) facts.cluster = cluster_->stats();
  return describe_health(facts, detail);
}

std::string_view Engine::not_ready() const {
  if (!serves()) return HttpSource::not_ready();
  return cluster_ ? cluster_->not_ready() : std::string_view();
}

TextInPieces Engine::metrics() const {
  Metrics::Sources sources;
  sources.hub = &hub_;
  sources.plugins = bridge_.plugins().all();
  if (tls_) sources.certificate_expires_s = tls_->expires_s();
  if (started_) {
    for (const auto& loop : loops_) sources.shards.push_back(&loop->shard().counters());
    if (store_) sources.store = &store_->counters();
    if (cluster_) sources.cluster = cluster_->stats();
    sources.watchdog = &*watchdog_;
    sources.memory = &housekeeping_->memory();
  }
  const auto metrics = std::make_shared<Metrics>(std::move(sources));
  return [metrics](const Budget& budget) { return metrics->run(budget); };
}

// A loop that stands still would be waited for: its sessions are left out. The first loop asks, so it turns.
void Engine::list_sessions(const SessionsQuery& query, std::function<void(std::string)> done) {
  std::vector<Shard*> shards;
  shards.reserve(loops_.size());
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (i == 0 || !watchdog_->loops()[i].standing()) shards.push_back(&loops_[i]->shard());
  }
  gather_sessions(std::move(shards), query, workers_, std::move(done));
}

}  // namespace tickwire
