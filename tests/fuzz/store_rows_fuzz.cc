// The rows of a store whose file something else has written to: a start takes them, or says that the file is
// damaged.
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"
#include "fakes/temporary_folder.h"
#include "fuzz.h"
#include "hub/hub.h"
#include "store/store.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

class File {
 public:
  File() { require(Store::open(path_).ok(), "a store is made"); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Rows as the input has them, with texts that are no UTF-8, and numbers of any size.
  void fill(fuzz::Input& input) {
    require(sqlite3_open(path_.c_str(), &handle_) == SQLITE_OK, "it can be opened");
    run("PRAGMA synchronous=OFF; BEGIN; DELETE FROM image; DELETE FROM event");
    sqlite3_stmt* const images =
        prepare("INSERT OR REPLACE INTO image(topic, seq, ts, status, image, delivery) VALUES(?,?,?,?,?,?)");
    sqlite3_stmt* const events =
        prepare("INSERT OR REPLACE INTO event(topic, seq, ts, data) VALUES(?,?,?,?)");
    for (int row = 0; row < 8 && !input.empty(); ++row) {
      const std::uint8_t kind = input.byte();
      sqlite3_stmt* const into = (kind & 1U) == 0 ? images : events;
      text(into, 1, input.until('\n'));
      sqlite3_bind_int64(into, 2, number(input));
      sqlite3_bind_int64(into, 3, number(input));
      if (into == images) {
        constexpr std::string_view kStatus[] = {"live", "stale", "halted", "closed"};
        text(into, 4, (kind & 2U) == 0 ? kStatus[kind >> 6U] : input.until('\n'));
        text(into, 5, input.until('\n'));
        text(into, 6, (kind & 4U) == 0 ? "" : (kind & 8U) == 0 ? "event" : input.until('\n'));
      } else {
        text(into, 4, input.until('\n'));
      }
      sqlite3_step(into);
      sqlite3_reset(into);
    }
    run("COMMIT");
    sqlite3_finalize(images);
    sqlite3_finalize(events);
    sqlite3_close(handle_);
  }

 private:
  void run(const char* text) {
    require(sqlite3_exec(handle_, text, nullptr, nullptr, nullptr) == SQLITE_OK, text);
  }
  sqlite3_stmt* prepare(const char* text) {
    sqlite3_stmt* made = nullptr;
    require(sqlite3_prepare_v2(handle_, text, -1, &made, nullptr) == SQLITE_OK, "the schema is known");
    return made;
  }
  static void text(sqlite3_stmt* into, int parameter, std::string_view value) {
    sqlite3_bind_text(into, parameter, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
  }
  static std::int64_t number(fuzz::Input& input) {
    std::uint64_t value = 0;
    for (int i = input.byte() % 9; i > 0; --i) value = value << 8U | input.byte();
    return static_cast<std::int64_t>(value);
  }

  const TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "ticks.db").string();
  sqlite3* handle_ = nullptr;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static File* const file = new File;  // for the whole run
  fuzz::Input input(data, size);
  file->fill(input);
  auto store = Store::open(file->path());
  require(store.ok(), "rows do not make it another file");
  FakeClock clock;
  Hub hub(clock, {{.pattern = "stored.>", .ring = 4, .stored = true}});
  hub.set_epoch("e1");
  const Status restored = (*store)->restore(hub);
  if (!restored) {
    require(restored.error().code == ErrorCode::kStoreDamaged, "it says that the file is damaged");
    require(hub.topic_count() == 0, "everything is put back, or nothing");
    return 0;
  }
  const auto all = Pattern::parse(">").value();
  for (const UpdatePtr& update : hub.list(all, "", 100))
    require(check_topic(update->topic().name).ok(), "only names that a topic may have");
  return 0;
}
