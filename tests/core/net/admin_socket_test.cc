#include "net/admin_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "live_loop.h"
#include "raw_client.h"

namespace tickwire {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

class AdminSocketTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name = "a.sock") const {
    return (folder_.path() / name).string();
  }
  // Why it cannot listen; empty: it can.
  static std::string refused(const std::string& path) {
    SocketFile file;
    const auto socket = file.listen(path, 1);
    if (socket) {
      ::close(*socket);
      return "";
    }
    EXPECT_EQ(socket.error().code, ErrorCode::kListen);
    return socket.error().message;
  }
  // What is left of a server that was killed.
  static void leave_dead(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), kSocketPathBytesMax);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(socket);
  }
  static mode_t mode(const std::string& path) {
    struct stat found{};
    EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
    return found.st_mode & 07777U;
  }

  TemporaryFolder folder_;
};

TEST_F(AdminSocketTest, IsForThisUserAloneWhateverTheUmaskAndGoesWithItsOwner) {
  const mode_t before = ::umask(0);
  {
    SocketFile file;
    const auto socket = file.listen(path(), 1);
    ASSERT_TRUE(socket) << socket.error().message;
    EXPECT_EQ(mode(path()), 0600U);
    EXPECT_TRUE(RawClient(path()).connected());
    ::close(*socket);
  }
  ::umask(before);
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(AdminSocketTest, ReplacesOneOnWhichNobodyListensAndNoOther) {
  leave_dead(path());
  EXPECT_EQ(refused(path()), "");

  SocketFile live;
  const auto socket = live.listen(path(), 1);
  ASSERT_TRUE(socket);
  EXPECT_NE(refused(path()).find("another server listens there"), std::string::npos);
  EXPECT_TRUE(RawClient(path()).connected()) << "the one that was there goes on";
  ::close(*socket);

  std::ofstream(path("file")) << "precious";
  EXPECT_NE(refused(path("file")).find("no socket"), std::string::npos);
  EXPECT_EQ(fs::file_size(path("file")), 8U);
}

TEST_F(AdminSocketTest, FollowsNoLink) {
  leave_dead(path("target.sock"));
  fs::create_symlink(path("target.sock"), path("link.sock"));
  EXPECT_NE(refused(path("link.sock")).find("no socket"), std::string::npos);
  fs::create_symlink(path("nowhere"), path("dangling.sock"));
  EXPECT_NE(refused(path("dangling.sock")), "");
  EXPECT_FALSE(fs::exists(path("nowhere")));
  EXPECT_TRUE(fs::exists(path("target.sock")));
}

TEST_F(AdminSocketTest, RemovesOnlyTheFileItMade) {
  SocketFile file;
  const auto socket = file.listen(path(), 1);
  ASSERT_TRUE(socket);
  fs::remove(path());
  std::ofstream(path()) << "of somebody else";
  file.remove();
  EXPECT_TRUE(fs::exists(path()));
  ::close(*socket);
}

TEST_F(AdminSocketTest, ThePathHasAsManyBytesAsASocketTakes) {
  const std::string longest =
      path(std::string(kSocketPathBytesMax - folder_.path().string().size() - 1, 'x'));
  ASSERT_EQ(longest.size(), kSocketPathBytesMax);
  EXPECT_EQ(refused(longest), "");
  EXPECT_NE(refused(longest + "x").find("108 bytes, and the path of a socket 107 at most"), std::string::npos)
      << refused(longest + "x");
}

TEST_F(AdminSocketTest, AFolderThatIsNotThereIsNamed) {
  EXPECT_NE(refused(path("no/a.sock")).find(path("no") + ": No such file"), std::string::npos)
      << refused(path("no/a.sock"));
}

TEST_F(AdminSocketTest, AFolderOfOurOwnIsMadeAndClosedToOthers) {
  ASSERT_TRUE(make_private_folder(path("new")));
  EXPECT_EQ(mode(path("new")), 0700U);
  fs::permissions(path("new"), fs::perms::all);
  ASSERT_TRUE(make_private_folder(path("new")));
  EXPECT_EQ(mode(path("new")), 0700U);
}

TEST_F(AdminSocketTest, AFolderIsNoLinkNoFileAndNobodyElses) {
  fs::create_directory(path("real"));
  fs::create_directory_symlink(path("real"), path("link"));
  EXPECT_FALSE(make_private_folder(path("link")));
  std::ofstream(path("file")) << "x";
  EXPECT_FALSE(make_private_folder(path("file")));
  EXPECT_FALSE(make_private_folder(path("no/new")));
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to somebody";
  ASSERT_EQ(::chown(path("real").c_str(), kNobody, kNobody), 0);
  const Status refused = make_private_folder(path("real"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("belongs to user 65534"), std::string::npos);
}

TEST_F(AdminSocketTest, DeadSocketsAreRemovedAndNothingElse) {
  leave_dead(path("dead.sock"));
  leave_dead(path("dead.other"));
  std::ofstream(path("file.sock")) << "x";
  SocketFile live;
  const auto socket = live.listen(path("live.sock"), 1);
  ASSERT_TRUE(socket);
  remove_dead_sockets(folder_.path().string());
  EXPECT_FALSE(fs::exists(path("dead.sock")));
  for (const char* name : {"dead.other", "file.sock", "live.sock"})
    EXPECT_TRUE(fs::exists(path(name))) << name;
  remove_dead_sockets(path("no such folder"));
  ::close(*socket);
}

// What another user's process reads of a connection that it was handed: 0: it was hung up on.
ssize_t read_as_nobody(RawClient (*connect)(LiveLoop&), LiveLoop& live) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(kNobody) != 0) ::_exit(100);
    RawClient client = connect(live);
    client.send("GET /v1/topics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::array<char, 16> bytes{};
    const ssize_t size = ::recv(client.fd(), bytes.data(), bytes.size(), 0);
    ::_exit(client.connected() ? (size > 0 ? 1 : 0) : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(AdminListener, AnotherUserIsHungUpOnThoughTheFileWouldLetHimIn) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  LiveLoop live;
  const auto connect = [](LiveLoop& to) { return to.connect_admin(); };
  EXPECT_EQ(read_as_nobody(connect, live), 2) << "the folder and the socket keep him out";
  fs::permissions(live.folder.path(), fs::perms::all);
  fs::permissions(live.admin_file.path(), fs::perms::all);
  EXPECT_EQ(read_as_nobody(connect, live), 0) << "SO_PEERCRED does";
  EXPECT_EQ(live.connect_admin().get("/v1/topics").status, 200);
}

TEST(AdminListener, OneWhoNeverSendsHoldsNobodyUpAndIsHungUpOn) {
  NetConfig net;
  net.request_ms_max = 300;
  LiveLoop live(net);
  std::vector<RawClient> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(live.connect_admin());
  EXPECT_EQ(live.connect_admin().get("/health").status, 200);
  EXPECT_TRUE(live.answers());
  for (RawClient& client : silent) EXPECT_EQ(client.reply().status, 0);
}

TEST(AdminListener, SpeaksNoWebSocket) {
  LiveLoop live;
  EXPECT_EQ(live.connect_admin().upgrade(), 404);
}

TEST(AdminListener, ThePublicPortTellsNoSessionsWhoeverAsks) {
  LiveLoop live;
  RawClient client = live.connect();
  client.send("GET /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n");
  const HttpReply reply = client.reply();
  EXPECT_EQ(reply.status, 403);
  EXPECT_NE(reply.body.find("admin.listen"), std::string::npos);
  EXPECT_EQ(live.source.asked(), 0U);
}

TEST(AdminListener, GoesOnWhileTheServerDrainsAndEndsWithIt) {
  LiveLoop live;
  live.loop.drain(0);
  ASSERT_TRUE(eventually([&] { return !live.connect().connected(); }));
  EXPECT_EQ(live.connect_admin().get("/health").status, 503);
  live.loop.stop();
  EXPECT_FALSE(live.connect_admin().connected());
}

}  // namespace
}  // namespace tickwire
