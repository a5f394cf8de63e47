// Names of topics, and patterns.
#include <string>

#include "fuzz.h"
#include "model/pattern_index.h"
#include "model/topic_name.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  const std::string topic(input.until('\n'));
  PatternIndex<int> index;
  int matching = 0;
  while (!input.empty()) {
    const std::string_view text = input.until('\n');
    const Result<Pattern> pattern = Pattern::parse(text);
    if (!pattern) {
      require(!pattern.error().message.empty() && pattern.error().message.size() < 1'000,
              "an error is short");
      continue;
    }
    require(pattern->text() == text, "a pattern is what was written");
    if (index.find(text) != nullptr) continue;
    index.at(*pattern) = 1;
    if (check_topic(topic) && pattern->matches(topic)) ++matching;
  }
  if (!check_topic(topic)) return 0;
  require(topic.size() <= kTopicNameBytesMax, "a topic is within its limit");
  int found = 0;
  index.each_match(topic, [&found](int one) { found += one; });
  require(found == matching, "the index finds the patterns that match, and no others");
  return 0;
}
