// A message as an event of text/event-stream (WHATWG HTML, server-sent events). Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace tickwire {

inline constexpr std::string_view kEventHead = "data: ";
inline constexpr std::string_view kEventTail = "\n\n";
inline constexpr std::size_t kEventExtraBytes = kEventHead.size() + kEventTail.size();
inline constexpr std::string_view kEventHeartbeat = ":\n\n";  // a comment

// Behind a payload of JSON that lies there, with room for the tail; returns its end. An event's line has to
// be one: between the tokens of JSON, where alone a line may end, a blank means the same.
inline char* end_event(char* payload, std::size_t bytes) {
  const auto ends_line = [](char c) { return c == '\n' || c == '\r'; };
  std::replace_if(payload, payload + bytes, ends_line, ' ');
  return std::copy(kEventTail.begin(), kEventTail.end(), payload + bytes);
}

// What the client sends as Last-Event-ID when it connects again; no message.
inline std::string event_id(std::string_view id) {
  std::string text = "id: ";
  return text.append(id).append(kEventTail);
}

// How long the client waits before that.
inline void append_retry(std::string& out, int ms) {
  out.append("retry: ").append(std::to_string(ms)).append(kEventTail);
}

}  // namespace tickwire
