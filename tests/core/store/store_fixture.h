// What the tests of the store share: a folder of their own, a hub on a clock that stands still, raw SQL on
// the file behind the store's back, and processes that end without a word.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fakes/temporary_folder.h"
#include "hub/hub.h"
#include "store/store.h"

namespace tickwire {

class StillClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'790'000'000'000; }
  [[nodiscard]] std::int64_t steady_us() const override { return 0; }
};

// While it lives, no file of this process can grow past `bytes`.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

inline constexpr int kNeverFlushMs = 60'000;  // only flush() and stop() write

class StoreTest : public ::testing::Test {
 protected:
  // An open store, or the test fails.
  std::unique_ptr<Store> open_store() {
    auto store = Store::open(path_);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }

  // Runs SQL on the file; the first column of every row.
  std::vector<std::string> sql(const std::string& text) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    std::vector<std::string> out;
    const auto collect = [](void* rows, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(rows)->emplace_back(values[0] == nullptr ? "NULL" : values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), collect, &out, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
    return out;
  }

  // Writes `images` topics t.0, t.1, ... with one image each and ends cleanly.
  std::string fill(int images) {
    Hub hub(clock_, {});
    const auto store = open_store();
    EXPECT_TRUE(store->start(hub, kNeverFlushMs));
    for (int i = 0; i < images; ++i) {
      EXPECT_TRUE(hub.publish("t." + std::to_string(i),
                              R"({"last":"101.25","bid":1.00,"n":)" + std::to_string(i) + "}"));
    }
    store->stop();
    return store->epoch();
  }

  // Runs `body` in a process of its own, which then ends at once, as after kill -9.
  static int in_dying_process(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  StillClock clock_;
  const TemporaryFolder own_;
  const std::filesystem::path& folder_ = own_.path();
  std::string path_ = (folder_ / "ticks.db").string();
};

}  // namespace tickwire
