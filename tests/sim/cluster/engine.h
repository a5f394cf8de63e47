// Engine: what the nodes of a simulated cluster share, as Redis keeps it: one process that answers its
// scripts one after the other, may be copied to a replica that lags, and loses what it held when it is
// replaced by that. An engine that was replaced may live on for those who are cut off with it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/log.h"

namespace tickwire::sim {

// What stands against a fault, and is left out to show that the simulation notices.
struct Guards {
  bool token = true;       // each append proves which engine, and so which epoch, it is meant for
  bool dedup = true;       // the log takes each batch of a node once
  bool checkpoint = true;  // the table is written by one node, and never by one that is behind it
};

class Engine {
 public:
  // All that it keeps.
  struct State {
    bool open = false;
    std::string token;  // of the engine that the epoch is of
    cluster::Position head;
    std::map<std::string, std::uint64_t> members;
    std::deque<cluster::Entry> log;
    std::map<std::string, cluster::Row> rows;
    cluster::Position written;
    std::string right;
    std::string writer;
    std::int64_t writer_until = 0;
    std::string seeder;
    std::int64_t seeder_until = 0;
  };

  Engine(std::string token, State state, const Guards& guards)
      : token(std::move(token)), state(std::move(state)), guards_(guards) {}

  const std::string token;
  State state;
  std::int64_t now_ms = 0;

  cluster::LogState hello(const std::string& token, const cluster::Hello& hello);
  cluster::LogState look(const std::string& node) const;
  cluster::Appended append(const std::string& token, const cluster::Batch& batch);
  std::vector<cluster::Entry> read(std::uint64_t after, std::size_t most) const;
  bool begin(const std::string& token, const std::string& right, const std::string& node,
             const std::string& epoch, std::uint64_t n);
  bool write(const std::string& token, const std::string& right, const std::vector<cluster::Row>& rows);
  bool end(const std::string& token, const std::string& right, const cluster::Position& at,
           std::uint64_t trim);
  bool claim_seed(const std::string& node);
  bool seed(const std::string& node, const std::vector<cluster::Row>& rows);
  bool open(const std::string& token, const std::string& node, const cluster::Position& at,
            const std::string& epoch, const std::string& nonce);
  // Drops the entries up to `n`, but for those that the table does not have.
  void trim(std::uint64_t n);

 private:
  void add(cluster::Entry entry);
  [[nodiscard]] bool may_write(const std::string& token, const std::string& right) const;

  const Guards& guards_;
};

}  // namespace tickwire::sim
