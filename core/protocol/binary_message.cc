#include "protocol/binary_message.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "model/json_object.h"
#include "model/utf8.h"
#include "protocol/cbor_guard.h"
#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::size_t kDepthMax = kJsonDepthMax + 1;  // the message, and `data` within it
constexpr std::size_t kShownKeyBytesMax = 40;         // in an error

// Hears from nlohmann what the bytes hold and writes it down as text. The names of the methods are
// nlohmann's; false stops it.
class TextWriter {
 public:
  bool null() { return put_value("null"); }
  bool boolean(bool value) { return put_value(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) { return put_value(std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) { return put_value(std::to_string(value)); }
  bool number_float(double value, const std::string& /*spelling*/) {
    if (!std::isfinite(value)) return put_fault(std::isnan(value) ? "NaN is no number" : "must be finite");
    return put_value(json(value).dump());  // the shortest spelling that reads as the same double
  }
  bool string(const std::string& value) {
    return valid_utf8(value) ? put_value(quote_json(value)) : put_fault("not UTF-8");
  }
  bool binary(const json::binary_t& /*value*/) {
    return put_fault("bytes and extension types are not taken");
  }

  bool start_object(std::size_t /*size*/) { return open('{'); }
  bool key(const std::string& name) {
    begin_item();
    levels_.back().key = name;
    if (!valid_utf8(name)) note_fault("the key is not UTF-8");
    text_ += quote_json(name) + ":";
    return fits();
  }
  bool end_object() { return close('}'); }
  bool start_array(std::size_t /*size*/) { return open('['); }
  bool end_array() { return close(']'); }

  bool parse_error(std::size_t /*at*/, const std::string& /*token*/, const json::exception& error) {
    const std::string_view what = error.what();
    const std::size_t name = what.find("] ");  // of nlohmann's exception
    return stop({ErrorCode::kBadMessage,
                 "message: " + std::string(name == std::string_view::npos ? what : what.substr(name + 2)),
                 ""});
  }

  Result<BinaryMessage> finish() && {
    if (end_) return std::move(*end_);
    return BinaryMessage{std::move(text_), std::move(fault_)};
  }

 private:
  struct Level {
    bool array = false;
    std::size_t count = 0;
    std::string key;  // the last one
  };

  bool stop(Error error) {
    end_ = std::move(error);
    return false;
  }
  bool fits() {
    if (text_.size() <= kMessageBytesMax) return true;
    return stop({ErrorCode::kTooLarge,
                 "message: as JSON text over " + std::to_string(kMessageBytesMax) + " bytes, the limit", "",
                 Limit::kMessageBytes});
  }
  void begin_item() {
    if (levels_.back().count++ > 0) text_ += ',';
  }
  bool begin_value() {
    if (levels_.empty()) return stop({ErrorCode::kBadMessage, "message: must be a map", ""});
    if (levels_.back().array) begin_item();
    return true;
  }
  bool put_value(std::string_view spelled) {
    if (!begin_value()) return false;
    text_ += spelled;
    return fits();
  }
  bool put_fault(const char* problem) {
    if (!put_value("null")) return false;
    note_fault(problem);
    return true;
  }
  bool open(char bracket) {
    const bool array = bracket == '[';
    if ((!levels_.empty() || array) && !begin_value()) return false;
    if (levels_.size() == kDepthMax) {
      if (levels_.front().key == "data") {
        return stop({ErrorCode::kBadData,
                     "data: nested deeper than " + std::to_string(kJsonDepthMax) + ", the limit", "data",
                     Limit::kJsonDepth});
      }
      return stop({ErrorCode::kBadMessage,
                   "message: nested deeper than " + std::to_string(kDepthMax) + ", the limit", "",
                   Limit::kJsonDepth});
    }
    levels_.push_back({array, 0, ""});
    text_ += bracket;
    return fits();
  }
  bool close(char bracket) {
    levels_.pop_back();
    text_ += bracket;
    return fits();
  }

  void note_fault(const char* problem) {
    if (fault_) return;
    const std::string place = field();
    const bool in_data = !levels_.empty() && levels_.front().key == "data";
    fault_ = Error{in_data ? ErrorCode::kBadData : ErrorCode::kBadMessage,
                   (place.empty() ? "message" : place) + ": " + problem, place};
  }
  // "data.levels[3]": where the value just written stands.
  [[nodiscard]] std::string field() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.array) {
        path += "[" + std::to_string(level.count - 1) + "]";
      } else if (level.count > 0) {
        path += (path.empty() ? "" : ".") + level.key.substr(0, kShownKeyBytesMax);
      }
    }
    return path;
  }

  std::string text_;
  std::vector<Level> levels_;
  std::optional<Error> fault_;
  std::optional<Error> end_;
};

}  // namespace

Result<BinaryMessage> read_binary_message(Format format, std::string_view bytes) {
  const bool cbor = format == Format::kCbor;
  if (cbor) {
    if (Status status = check_cbor(bytes); !status) return status.error();
  }
  TextWriter writer;
  json::sax_parse(bytes.begin(), bytes.end(), &writer,
                  cbor ? json::input_format_t::cbor : json::input_format_t::msgpack);
  return std::move(writer).finish();
}

}  // namespace tickwire
