// MessageWriter: writes a message in the format of its session, value by value and without a tree of it, so
// that a long one can be written in pieces and costs what its bytes cost. The bytes are those that
// transcode.h makes of the same message as JSON.
//
// Pure; any thread, one at a time. The caller says how many fields and elements come, and then writes that
// many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/format.h"

namespace tickwire {

class MessageWriter {
 public:
  explicit MessageWriter(Format format) : format_(format) {}

  void begin_map(std::size_t fields);
  void end_map() { end('}'); }
  void begin_array(std::size_t elements);
  void end_array() { end(']'); }
  // ASCII in which nothing needs to be escaped.
  void key(std::string_view name);
  // What is not UTF-8 in it becomes U+FFFD.
  void text(std::string_view value);
  void number(std::uint64_t value);
  void flag(bool value);
  // A value that is JSON text already.
  void json(std::string_view value);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

 private:
  void separate();
  void end(char bracket);
  void put(std::uint64_t value, int bytes);
  void cbor_head(unsigned major, std::uint64_t value);
  void string_head(std::size_t bytes);

  const Format format_;
  std::string out_;
  bool after_value_ = false;  // of JSON: a comma comes before the next one
};

}  // namespace tickwire
