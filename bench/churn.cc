// Churn: so many clients a second come, subscribe, wait for the snapshots of all their topics, stay a moment,
// close and go. Each is due at a time fixed beforehand, and its wait counts from there.
//
//   churn --port PORT --rate 1000 --stay-ms 500 --topics 100 --each 10
//
// It says {"ready": ...} once the first have gone, then takes commands:
//
//   stats     since the last reset: clients that came, had all snapshots, left, were lost or wait for too
//   long;
//             percentiles of the time from when a client was due to its last snapshot
//   reset     start counting again
//   quit
#include <CLI/CLI.hpp>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client.h"
#include "usage.h"
#include "visitors.h"

namespace tickwire::bench {
namespace {

constexpr std::uint64_t kConsole = UINT64_MAX;
constexpr std::int64_t kPatienceUs = 5'000'000;
constexpr std::uint64_t kLiveMax =
    8000;  // so that a server that answers nobody does not take all descriptors

class Churn {
 public:
  Churn(LoadConfig config, double rate, std::int64_t stay_us)
      : config_(std::move(config)), rate_(rate), stay_us_(stay_us), start_us_(now_us()) {
    poll_.add(STDIN_FILENO, EPOLLIN, kConsole);
  }

  void run() {
    std::array<epoll_event, 256> events;
    while (!quit_) {
      const std::int64_t now = now_us();
      let_go(now);
      let_come(now);
      const std::size_t count = poll_.wait(events, std::max<std::int64_t>(next_us() - now_us(), 0));
      for (std::size_t i = 0; i < count; ++i) {
        if (events[i].data.u64 == kConsole) {
          obey();
        } else {
          serve(events[i].data.u64, events[i].events);
        }
      }
      if (!said_ready_ && left_ > 0) {
        said_ready_ = true;
        reply({{"ready", left_}});
      }
    }
  }

 private:
  struct Visit {
    Client client;
    std::int64_t due_us;
    bool served = false;  // it has all its snapshots

    Visit(std::uint32_t index, const LoadConfig& config, Counts& counts, std::int64_t due)
        : client(index, config, counts), due_us(due) {}
  };

  [[nodiscard]] std::int64_t due_of(std::uint64_t visit) const {
    return start_us_ + static_cast<std::int64_t>(static_cast<double>(visit) / rate_ * 1e6);
  }
  [[nodiscard]] std::int64_t next_us() const {
    return leaving_.empty() ? due_of(next_) : std::min(due_of(next_), leaving_.front().first);
  }

  void let_come(std::int64_t now) {
    for (; due_of(next_) <= now; ++next_) {
      ++came_;
      if (visits_.size() >= kLiveMax) {
        ++turned_away_;
        continue;
      }
      const auto index = static_cast<std::uint32_t>(next_ % kVisitors);
      auto visit = std::make_unique<Visit>(index, config_, counts_, due_of(next_));
      visit->client.connect(hosts_.host(next_));
      poll_.add(visit->client.fd(), EPOLLIN | EPOLLOUT, next_);
      visits_.emplace(next_, std::move(visit));
    }
  }
  void let_go(std::int64_t now) {
    for (; !leaving_.empty() && leaving_.front().first <= now; leaving_.pop_front()) {
      const auto found = visits_.find(leaving_.front().second);
      if (found == visits_.end()) continue;
      found->second->client.leave();
      write(*found->second, found->first);
    }
  }

  void serve(std::uint64_t number, std::uint32_t events) {
    const auto found = visits_.find(number);
    if (found == visits_.end()) return;
    Visit& visit = *found->second;
    if ((events & ~EPOLLOUT) != 0) {
      const auto got = visit.client.read(buffer_);
      if (!got) return gone(number, visit);
      const std::int64_t now = now_us();
      if (*got > 0) visit.client.receive({buffer_.data(), *got}, now);
      if (!visit.served && visit.client.has_all()) serve_ended(number, visit, now);
    }
    write(visit, number, (events & EPOLLOUT) != 0);
  }
  void serve_ended(std::uint64_t number, Visit& visit, std::int64_t now) {
    visit.served = true;
    ++served_;
    wait_us_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(now - visit.due_us, 0)));
    leaving_.emplace_back(now + stay_us_, number);
  }
  void gone(std::uint64_t number, Visit& visit) {
    left_ += visit.client.leaving() ? 1 : 0;
    visit.client.end();
    visits_.erase(number);
  }
  void write(Visit& visit, std::uint64_t number, bool was_full = false) {
    Client& client = visit.client;
    client.write();
    if (client.wants_to_write() != was_full)
      poll_.change(client.fd(), EPOLLIN | (client.wants_to_write() ? EPOLLOUT : 0U), number);
  }

  // --- commands ---------------------------------------------------------------------------------------
  void obey() {
    quit_ = !console_.read();
    while (const auto command = console_.next()) {
      if (command->name == "quit") quit_ = true;
      if (command->name == "reset") reset();
      reply(stats());
    }
  }
  void reset() {
    counts_ = {};
    wait_us_ = {};
    came_ = served_ = left_ = turned_away_ = 0;
  }
  [[nodiscard]] nlohmann::json stats() const {
    std::uint64_t overdue = 0;
    const std::int64_t now = now_us();
    for (const auto& [number, visit] : visits_) {
      const std::int64_t until = visit->due_us + kPatienceUs + (visit->served ? stay_us_ : 0);
      if (until > now) break;  // they are in the order in which they were due
      ++overdue;
    }
    return {{"t_us", now},
            {"cpu_s", process_cpu_s()},
            {"came", came_},
            {"served", served_},
            {"left", left_},
            {"turned_away", turned_away_},
            {"overdue", overdue},
            {"here", visits_.size()},
            {"snapshots", counts_.snapshots},
            {"closed", counts_.closed},
            {"last_close", counts_.last_close},
            {"wait_us", percentiles(wait_us_)}};
  }

  const LoadConfig config_;
  const double rate_;
  const std::int64_t stay_us_;
  const std::int64_t start_us_;
  const SourceHosts hosts_;
  Counts counts_;
  Histogram wait_us_;
  std::map<std::uint64_t, std::unique_ptr<Visit>> visits_;            // by number, those that are here
  std::deque<std::pair<std::int64_t, std::uint64_t>> leaving_;        // when, who
  std::uint64_t next_ = 0;                                            // number of the next that comes
  std::uint64_t came_ = 0, served_ = 0, left_ = 0, turned_away_ = 0;  // since the last reset
  bool said_ready_ = false;
  bool quit_ = false;
  Poll poll_;
  Console console_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16U);
};

}  // namespace
}  // namespace tickwire::bench

int main(int argc, char** argv) {
  tickwire::bench::LoadConfig config;
  double rate = 1000;
  std::int64_t stay_ms = 500;
  CLI::App app("WebSocket clients that come, subscribe and go");
  app.add_option("--port", config.port, "of the server, on 127.0.0.1")->required();
  app.add_option("--rate", rate, "clients a second")->check(CLI::PositiveNumber);
  app.add_option("--stay-ms", stay_ms, "from the last snapshot to the close")->check(CLI::NonNegativeNumber);
  app.add_option("--topics", config.topics, "topics there are")->check(CLI::PositiveNumber);
  app.add_option("--each", config.topics_each, "topics of a client")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  tickwire::bench::Churn(std::move(config), rate, stay_ms * 1000).run();
}
