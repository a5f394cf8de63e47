#include "access/revocations.h"

#include "store_fixture.h"

namespace tickwire {
namespace {

constexpr std::int64_t kLifeMs = 60'000;

class KeptRevocations : public StoreTest {
 protected:
  // Opens the store, as a server does that starts; nothing is published.
  std::unique_ptr<Store> start(Revocations& revocations) {
    auto store = open_store();
    EXPECT_TRUE(store->keep_revocations(revocations, clock_));
    EXPECT_TRUE(store->start(hub_, kNeverFlushMs));
    return store;
  }
  [[nodiscard]] std::int64_t now_ms() const { return clock_.wall_ms(); }
  [[nodiscard]] double now_s() const { return static_cast<double>(now_ms()) / 1'000; }

  Hub hub_{clock_, {}};
};

TEST_F(KeptRevocations, AreThereAfterARestartAndAfterAKill) {
  EXPECT_EQ(in_dying_process([this] {
              Revocations revocations(kLifeMs);
              const auto store = start(revocations);
              EXPECT_TRUE(revocations.add({"mi\"a", now_ms()}, now_ms()));
              EXPECT_TRUE(store->flush());
            }),
            0);
  for (int restarts = 0; restarts < 2; ++restarts) {
    Revocations revocations(kLifeMs);
    const auto store = start(revocations);
    EXPECT_TRUE(revocations.refuses("mi\"a", now_s(), now_ms()));
    EXPECT_FALSE(revocations.refuses("paul", now_s(), now_ms()));
    store->stop();
  }
}

TEST_F(KeptRevocations, ALaterOneTakesThePlaceOfAnEarlierOne) {
  {
    Revocations revocations(kLifeMs);
    const auto store = start(revocations);
    EXPECT_TRUE(revocations.add({"mia", now_ms() - 5'000}, now_ms()));
    EXPECT_TRUE(store->flush());
    EXPECT_TRUE(revocations.add({"mia", now_ms()}, now_ms()));
    store->stop();
  }
  EXPECT_EQ(sql("SELECT at FROM revocation"), (std::vector<std::string>{std::to_string(now_ms())}));
}

TEST_F(KeptRevocations, ThoseThatAreOverAreForgottenInTheFileToo) {
  {
    Revocations revocations(kLifeMs);
    const auto store = start(revocations);
    EXPECT_TRUE(revocations.add({"over", now_ms() - kLifeMs}, now_ms() - kLifeMs));
    EXPECT_TRUE(revocations.add({"mia", now_ms()}, now_ms() - kLifeMs));
    store->stop();
  }
  Revocations revocations(kLifeMs);
  const auto store = start(revocations);
  EXPECT_EQ(revocations.size(), 1U);
  EXPECT_TRUE(revocations.add({"paul", now_ms()}, now_ms()));
  store->stop();
  EXPECT_EQ(sql("SELECT subject FROM revocation ORDER BY subject"),
            (std::vector<std::string>{"mia", "paul"}));
}

TEST_F(KeptRevocations, AFileThatWasLostIsWrittenAnewWithAllOfThem) {
  Revocations revocations(kLifeMs);
  const auto store = start(revocations);
  EXPECT_TRUE(revocations.add({"mia", now_ms()}, now_ms()));
  EXPECT_TRUE(store->flush());
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + part);
  EXPECT_TRUE(store->flush());
  store->stop();
  EXPECT_EQ(sql("SELECT subject FROM revocation"), (std::vector<std::string>{"mia"}));
}

TEST_F(KeptRevocations, AFullDiskIsSaidAndTheyAreWrittenLater) {
  Revocations revocations(kLifeMs);
  const auto store = start(revocations);
  for (int i = 0; i < 2'000; ++i) {
    EXPECT_TRUE(revocations.add({std::string(100, 'x') + std::to_string(i), now_ms()}, now_ms()));
  }
  {
    const FullDisk full(64'000);
    EXPECT_FALSE(store->flush());
    EXPECT_EQ(store->stats().state, StoreState::kDegraded);
  }
  EXPECT_TRUE(store->flush());
  EXPECT_EQ(store->stats().state, StoreState::kOk);
  store->stop();
  EXPECT_EQ(sql("SELECT count(*) FROM revocation"), (std::vector<std::string>{"2000"}));
}

}  // namespace
}  // namespace tickwire
