// RedisProcess: a real redis-server on a free port of loopback, in a folder of its own, which keeps nothing
// on disk. It ends with the test, however that ends. One thread.
#pragma once

#include <hiredis.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fakes/temporary_folder.h"
#include "redis/redis_url.h"
#include "redis/reply.h"

namespace tickwire::redis {

class RedisProcess {
 public:
  explicit RedisProcess(std::vector<std::string> options = {}) : options_(std::move(options)) {
    std::signal(SIGPIPE, SIG_IGN);  // as tickwired and Python do
    port_ = free_port();
    start();
  }
  ~RedisProcess() { stop(); }
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  [[nodiscard]] RedisUrl url() const {
    return {.host = "127.0.0.1", .port = port_, .user = "", .password = ""};
  }
  void signal(int number) const { kill(pid_, number); }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void start() {
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const std::string port = std::to_string(port_);
      std::vector<std::string> words{
          "redis-server",          "--port",    port,       "--bind", "127.0.0.1", "--save", "", "--dir",
          folder_.path().string(), "--logfile", "redis.log"};
      words.insert(words.end(), options_.begin(), options_.end());
      std::vector<char*> texts;
      for (std::string& word : words) texts.push_back(word.data());
      texts.push_back(nullptr);
      execvp(texts.front(), texts.data());
      _exit(127);
    }
    while (ask({"PING"}).empty()) {
      if (waitpid(pid_, nullptr, WNOHANG) != 0)
        throw std::runtime_error("redis-server does not start; `make setup` installs it");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  // What it answers to a command; empty: it is not there.
  std::string ask(const std::vector<std::string>& words) {
    redisContext* const context = redisConnect("127.0.0.1", port_);
    std::string text;
    if (context != nullptr && context->err == 0) {
      std::vector<const char*> texts;
      std::vector<std::size_t> sizes;
      for (const std::string& word : words) texts.push_back(word.data()), sizes.push_back(word.size());
      const Reply reply(static_cast<redisReply*>(
          redisCommandArgv(context, static_cast<int>(words.size()), texts.data(), sizes.data())));
      if (reply)
        text = reply->type == REDIS_REPLY_INTEGER ? std::to_string(reply->integer) : text_of(reply.get());
    }
    if (context != nullptr) redisFree(context);
    return text;
  }

 private:
  static int free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    bind(fd, any, size);
    getsockname(fd, any, &size);
    close(fd);
    return ntohs(address.sin_port);
  }

  const std::vector<std::string> options_;
  TemporaryFolder folder_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace tickwire::redis
