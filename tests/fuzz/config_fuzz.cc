// A configuration from every source: a file, the environment, overrides of a program, the command line.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "engine/config.h"
#include "fuzz.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

// A file that lies in memory.
class File {
 public:
  explicit File(std::string_view text) : descriptor_(::memfd_create("config", 0)) {
    require(::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
            "the file is written");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

void check(const ConfigSources& sources) {
  const Result<Config> config = load_config(sources);
  if (!config) {
    require(!config.error().message.empty(), "an error says what is wrong");
    return;
  }
  for (const ConfigEntry& entry : config_entries(*config))
    require(!entry.key.empty() && !entry.source.empty(), "every value says where it is from");
  static_cast<void>(topic_rules(*config));
  static_cast<void>(parse_listens(*config));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t from = input.byte() % 4;
  ConfigSources sources;
  if (from == 0) {
    const File file(input.rest());
    sources.file = file.path();
    check(sources);
    return 0;
  }
  while (from != 2 && !input.empty()) {
    const std::string line(input.until('\n'));
    const std::size_t equals = line.find('=');
    if (from == 1) sources.sets.push_back(line);
    if (from == 3 && equals != std::string::npos)
      sources.environment.emplace_back("TICKWIRE_" + line.substr(0, equals), line.substr(equals + 1));
  }
  if (from == 2) sources.overrides = input.rest();
  check(sources);
  return 0;
}
