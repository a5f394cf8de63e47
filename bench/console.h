// Console: how run.py drives a program: a command line in on standard input, a JSON object out on standard
// output. The end of the input ends the program.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace tickwire::bench {

struct Command {
  std::string name;
  std::vector<double> numbers;

  [[nodiscard]] double number(std::size_t i, double otherwise) const {
    return i < numbers.size() ? numbers[i] : otherwise;
  }
};

inline void reply(const nlohmann::json& answer) {
  std::puts(answer.dump().c_str());
  std::fflush(stdout);
}

class Console {
 public:
  // Reads what is there, waiting when nothing is. False: the input has ended.
  bool read() {
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) return false;
    text_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  // The next whole line that was read.
  std::optional<Command> next() {
    const std::size_t end = text_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    std::istringstream words(text_.substr(0, end));
    text_.erase(0, end + 1);
    Command command;
    words >> command.name;
    for (double number = 0; words >> number;) command.numbers.push_back(number);
    return command;
  }

 private:
  std::string text_;
};

[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

}  // namespace tickwire::bench
