#include "protocol/command.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "model/json_object.h"
#include "protocol/binary_message.h"
#include "protocol/cursor.h"
#include "protocol/salvage.h"

namespace tickwire {
namespace {

using nlohmann::json;

Error bad(std::string_view field, const std::string& problem, ErrorCode code = ErrorCode::kBadMessage,
          std::optional<Limit> limit = {}) {
  return {code, std::string(field) + ": " + problem, std::string(field), limit};
}

struct TextLimit {
  std::size_t bytes_max;
  Limit limit;
};
constexpr TextLimit kAnyText{kMessageBytesMax, Limit::kMessageBytes};
constexpr TextLimit kIdText{kIdBytesMax, Limit::kIdBytes};
constexpr TextLimit kTokenText{kTokenBytesMax, Limit::kTokenBytes};

Error too_long(std::string_view field, std::size_t bytes, const TextLimit& most) {
  return bad(field,
             std::to_string(bytes) + " bytes, at most " + std::to_string(most.bytes_max) + " are allowed",
             ErrorCode::kBadMessage, most.limit);
}

Error wrong_type(std::string_view field, std::string_view wanted, const json& value) {
  const std::string_view name = value.is_number() ? "number" : value.type_name();
  const bool an = name == "array" || name == "object";
  return bad(field, "must be " + std::string(wanted) + ", not " + (an ? "an " : "a ") + std::string(name));
}

// The value of a field, or null when it is absent or null.
const json* field_of(const json& message, const char* name) {
  const auto found = message.find(name);
  return found == message.end() || found->is_null() ? nullptr : &*found;
}

// Reads `name` into `out` when it is there.
Status read_text(const json& message, const char* name, std::string& out, const TextLimit& most,
                 bool required) {
  const json* value = field_of(message, name);
  if (value == nullptr) return required ? Status(bad(name, "is required, a string")) : ok_status();
  if (!value->is_string()) return wrong_type(name, "a string", *value);
  out = value->get<std::string>();
  if (out.size() <= most.bytes_max) return ok_status();
  return too_long(name, out.size(), most);
}

Status read_topics(const json& message, std::vector<std::string>& out) {
  const json* value = field_of(message, "topics");
  if (value == nullptr) return bad("topics", "is required, an array of strings");
  if (!value->is_array()) return wrong_type("topics", "an array of strings", *value);
  if (value->empty()) return bad("topics", "is empty, at least one is needed");
  if (value->size() > kTopicsPerCommandMax) {
    return bad("topics",
               std::to_string(value->size()) + " topics, at most " + std::to_string(kTopicsPerCommandMax) +
                   " are allowed in one command",
               ErrorCode::kTooLarge, Limit::kTopicsPerCommand);
  }
  out.reserve(value->size());
  for (std::size_t i = 0; i < value->size(); ++i) {
    const json& topic = (*value)[i];
    if (!topic.is_string()) return wrong_type("topics[" + std::to_string(i) + "]", "a string", topic);
    out.push_back(topic.get<std::string>());
  }
  return ok_status();
}

using Body = decltype(Command::body);

Status read_since(const json& message, SubscribeCommand& command) {
  if (Status s = read_text(message, "epoch", command.epoch, kIdText, false); !s) return s;
  const json* value = field_of(message, "since");
  if (value == nullptr) return ok_status();
  if (!value->is_object()) return wrong_type("since", "an object of topics and their last seq", *value);
  if (command.epoch.empty()) return bad("epoch", "is required with since: the one that its seqs belong to");
  if (value->size() > kSinceTopicsMax) {
    return bad("since",
               std::to_string(value->size()) + " topics, at most " + std::to_string(kSinceTopicsMax) +
                   " are allowed",
               ErrorCode::kTooLarge, Limit::kSinceTopics);
  }
  for (const auto& [topic, seq] : value->items()) {
    if (!seq.is_number_unsigned()) return wrong_type("since." + topic, "an integer from 0", seq);
    command.since.emplace(topic, seq.get<std::uint64_t>());
  }
  return ok_status();
}

// One that is none of ours belongs to no history that is known here.
Status read_cursor(const json& message, SubscribeCommand& command) {
  const json* value = field_of(message, "cursor");
  if (value == nullptr) return ok_status();
  std::string text;
  if (Status s = read_text(message, "cursor", text, kAnyText, false); !s) return s;
  if (!command.epoch.empty() || !command.since.empty())
    return bad("cursor", "cannot go with since and epoch");
  std::optional<Cursor> cursor = parse_cursor(text);
  command.resumes = true;
  command.epoch = "?";
  if (!cursor) return ok_status();
  command.epoch = std::move(cursor->epoch);
  command.cut = cursor->cut;
  for (const auto& [topic, seen] : cursor->topics) command.since.emplace(topic, seen.seq);
  return ok_status();
}

Status read_last(const json& message, SubscribeCommand& command) {
  const json* value = field_of(message, "last");
  if (value == nullptr) return ok_status();
  if (!value->is_number_unsigned()) return wrong_type("last", "an integer from 0", *value);
  command.last = value->get<std::uint64_t>();
  if (command.last <= kLastMax) return ok_status();
  return bad("last", value->dump() + " is outside 0 to " + std::to_string(kLastMax));
}

Result<Body> parse_subscribe(const json& message) {
  SubscribeCommand command;
  if (Status status = read_topics(message, command.topics); !status) return status.error();
  if (const json* value = field_of(message, "snapshot")) {
    if (!value->is_boolean()) return wrong_type("snapshot", "true or false", *value);
    command.snapshot = value->get<bool>();
  }
  if (const json* value = field_of(message, "max_rate")) {
    if (!value->is_number()) return wrong_type("max_rate", "a number of messages a second", *value);
    command.max_rate = value->get<double>();
    const bool in_range = command.max_rate >= kMaxRateMin && command.max_rate <= kMaxRateMax;
    if (!in_range && command.max_rate != 0) {
      return bad("max_rate", value->dump() + " is outside " + json(kMaxRateMin).dump() + " to " +
                                 json(kMaxRateMax).dump() + " messages a second (0: every update)");
    }
  }
  if (Status s = read_since(message, command); !s) return s.error();
  if (Status s = read_cursor(message, command); !s) return s.error();
  if (Status s = read_last(message, command); !s) return s.error();
  return Body(std::move(command));
}

Result<Body> parse_unsubscribe(const json& message) {
  UnsubscribeCommand command;
  if (Status status = read_topics(message, command.topics); !status) return status.error();
  return Body(std::move(command));
}

Result<Body> parse_publish(const json& message, std::string_view data) {
  PublishCommand command;
  if (Status status = read_text(message, "topic", command.topic, kAnyText, true); !status) {
    return status.error();
  }
  const auto found = message.find("data");
  if (found == message.end()) return bad("data", "is required, an object");
  if (!found->is_object()) return bad("data", "must be an object", ErrorCode::kBadData);
  if (found->contains(kAuthorField))
    return bad("data.author", "cannot be sent: the server sets it, to the subject of the session's token",
               ErrorCode::kBadData);
  command.data = data;
  if (Status s = read_text(message, "once", command.once, kIdText, false); !s) return s.error();
  if (command.once.empty() && field_of(message, "once") != nullptr)
    return bad("once", "is empty, a name of 1 to " + std::to_string(kIdBytesMax) + " bytes is needed");
  return Body(std::move(command));
}

struct PageLimit {
  std::size_t topics_max;
  Limit limit;
};

// Where a page begins and how long it is.
Status read_page(const json& message, std::string& after, std::size_t& limit_out, const PageLimit& most) {
  if (Status s = read_text(message, "after", after, kAnyText, false); !s) return s.error();
  const json* value = field_of(message, "limit");
  if (value == nullptr) return ok_status();
  if (!value->is_number_integer()) return wrong_type("limit", "an integer", *value);
  const auto limit = value->get<std::int64_t>();
  const bool over = limit > static_cast<std::int64_t>(most.topics_max);
  if (limit < 1 || over) {
    return bad("limit", value->dump() + " is outside 1 to " + std::to_string(most.topics_max),
               ErrorCode::kBadMessage, over ? std::optional(most.limit) : std::nullopt);
  }
  limit_out = static_cast<std::size_t>(limit);
  return ok_status();
}

Result<Body> parse_list(const json& message) {
  ListCommand command;
  if (Status s = read_text(message, "pattern", command.pattern, kAnyText, false); !s) return s.error();
  if (Status s = read_page(message, command.after, command.limit, {kListTopicsMax, Limit::kListTopics}); !s)
    return s.error();
  return Body(std::move(command));
}

Result<Body> parse_get(const json& message) {
  GetCommand command;
  if (Status s = read_topics(message, command.topics); !s) return s.error();
  if (Status s = read_page(message, command.after, command.limit, {kGetTopicsMax, Limit::kGetTopics}); !s)
    return s.error();
  return Body(std::move(command));
}

Result<Body> parse_auth(const json& message) {
  AuthCommand command;
  if (Status s = read_text(message, "token", command.token, kTokenText, true); !s) return s.error();
  return Body(std::move(command));
}

Status read_id(const json& message, std::string& id) {
  const json* value = field_of(message, "id");
  if (value == nullptr) return ok_status();
  if (!value->is_string() && !value->is_number_integer()) {
    return wrong_type("id", "a string or an integer", *value);
  }
  if (value->is_string() && value->get_ref<const std::string&>().size() > kIdBytesMax) {
    return too_long("id", value->get_ref<const std::string&>().size(), kIdText);
  }
  id = value->dump();
  return ok_status();
}

Result<Body> parse_body(const json& message, std::string_view data) {
  std::string type;
  if (Status s = read_text(message, "type", type, kAnyText, true); !s) return s.error();
  if (type == "subscribe") return parse_subscribe(message);
  if (type == "unsubscribe") return parse_unsubscribe(message);
  if (type == "publish") return parse_publish(message, data);
  if (type == "list") return parse_list(message);
  if (type == "get") return parse_get(message);
  if (type == "auth") return parse_auth(message);
  if (type == "ping") return Body(PingCommand{});
  return bad("type",
             "'" + type.substr(0, 40) +
                 "' is no command; there are subscribe, unsubscribe, publish, list, get, auth, ping",
             ErrorCode::kUnknownCommand);
}

// The error about a text that cannot be parsed, with its id: about its `data` where that is at fault.
Error refusal(std::string_view text, std::string& id, Error otherwise) {
  Salvage found = salvage(Format::kJson, text);
  id = std::move(found.id);
  std::vector<JsonField> fields;
  if (found.data.starts_with('{')) {
    if (const Status s = scan_object(found.data, fields); !s) return s.error();
  }
  return otherwise;
}

constexpr JsonLimits kMessageLimits{.bytes_max = kMessageBytesMax,
                                    .bytes_limit = Limit::kMessageBytes,
                                    .depth_max = kJsonDepthMax + 1,
                                    .elements_max = kJsonElementsMax};

// `fault`: of the message that the text was made from.
Result<Command> parse_text(std::string_view text, std::string& id, const std::optional<Error>& fault) {
  // The scanner bounds size and depth before the tree is built (nlohmann's destructor and copy recurse), and
  // finds the bytes of `data`, which are the feed's and never re-serialised.
  std::vector<JsonField> fields;
  if (Status s = scan_object(text, fields, kMessageLimits); !s) {
    return refusal(text, id,
                   {ErrorCode::kBadMessage, "message" + s.error().message.substr(4), "", s.error().limit});
  }
  const json message = json::parse(text, nullptr, false);
  if (message.is_discarded()) return refusal(text, id, {ErrorCode::kBadMessage, "message: not JSON", ""});
  if (Status s = read_id(message, id); !s) return s.error();
  if (fault) return *fault;
  std::string_view data;
  for (const JsonField& field : fields) {
    if (field.key_in(text) == "data") data = field.value_in(text);
  }
  Result<Body> body = parse_body(message, data);
  if (!body) return body.error();
  return Command{id, std::move(*body)};
}

}  // namespace

Result<Command> parse_command(std::string_view message, std::string& id, Format format) {
  id.clear();
  if (format == Format::kJson) return parse_text(message, id, {});
  const Result<BinaryMessage> read = read_binary_message(format, message);
  if (read) return parse_text(read->text, id, read->fault);
  id = salvage(format, message).id;
  return read.error();
}

std::string quote_json(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace tickwire
