// A message of the server in the binary formats: what a client reads is what the text says.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz.h"
#include "model/json_object.h"
#include "model/utf8.h"
#include "protocol/ack.h"
#include "protocol/transcode.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;
using nlohmann::json;

json read(Format format, const std::string& bytes) {
  return format == Format::kCbor ? json::from_cbor(bytes, true, false)
                                 : json::from_msgpack(bytes, true, false);
}

// As JSON reads it: numbers as doubles, since a text may spell what no integer holds.
bool same(const json& one, const json& other) {
  if (one.is_number() && other.is_number()) return one.get<double>() == other.get<double>();
  if (one.type() != other.type() || one.size() != other.size()) return false;
  if (!one.is_structured()) return one == other;
  auto mine = one.begin();
  for (auto theirs = other.begin(); theirs != other.end(); ++theirs, ++mine) {
    if (one.is_object() && mine.key() != theirs.key()) return false;
    if (!same(*mine, *theirs)) return false;
  }
  return true;
}

void check_ack(Format format, std::string_view words) {
  const TopicResult good{std::string(words), {}, {}};
  const TopicResult bad{std::string(words), {}, Error{ErrorCode::kDenied, std::string(words), ""}};
  const std::string text = encode_ack(Format::kJson, "7", {good, bad});
  require(json::accept(text), "an ack is JSON whatever it quotes");
  require(same(json::parse(text), read(format, encode_ack(format, "7", {good, bad}))),
          "an ack is the same in every format");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const Format format = input.byte() % 2 == 0 ? Format::kMsgpack : Format::kCbor;
  const std::string_view text = input.rest();
  std::vector<JsonField> fields;
  if (!scan_object(text, fields)) {
    if (valid_utf8(text)) check_ack(format, text);
    return 0;
  }
  const json said = json::parse(text, nullptr, false);
  require(!said.is_discarded(), "what the scanner takes is JSON");
  const json heard = read(format, to_binary(format, text));
  require(!heard.is_discarded(), "a message can be read");
  require(same(said, heard), "a client reads what was said");
  return 0;
}
