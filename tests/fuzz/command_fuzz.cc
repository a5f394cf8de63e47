// A client's message in each of the formats, and the error that answers it.
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz.h"
#include "protocol/command.h"
#include "protocol/encode.h"
#include "protocol/salvage.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  constexpr Format kFormats[] = {Format::kJson, Format::kMsgpack, Format::kCbor};
  const Format format = kFormats[input.byte() % 3];
  const std::string_view message = input.rest();
  std::string id;
  const Result<Command> command = parse_command(message, id, format);
  if (!id.empty()) {
    require(nlohmann::json::accept(id), "an id can be echoed");
    require(id == salvage(format, message).id, "the id is found whatever else is wrong");
  }
  if (!command) {
    const std::string answer = encode_error(id, command.error());
    require(nlohmann::json::accept(answer), "an error is JSON whatever it quotes");
    require(answer.size() < 4'096, "an error is short");
  } else if (const auto* publish = std::get_if<PublishCommand>(&command->body)) {
    require(nlohmann::json::accept(publish->data), "data is JSON");
  }
  return 0;
}
