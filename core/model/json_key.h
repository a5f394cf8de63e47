// JsonKey: what the key of a field says, however it is escaped ("\u0061" says a). No state; any thread.
#pragma once

#include <string>
#include <string_view>

#include "model/json_object.h"

namespace tickwire {

// `key`: what stands between the quotes; valid.
std::string unescape_key(std::string_view key);

// A view of a text, which must outlive it, or the unescaped key itself.
class JsonKey {
 public:
  JsonKey(std::string_view text, const JsonField& field)
      : unescaped_(field.key_escaped ? unescape_key(field.key_in(text)) : std::string()),
        plain_(field.key_escaped ? std::string_view() : field.key_in(text)),
        escaped_(field.key_escaped) {}

  [[nodiscard]] std::string_view text() const { return escaped_ ? std::string_view(unescaped_) : plain_; }

 private:
  std::string unescaped_;
  std::string_view plain_;
  bool escaped_;
};

}  // namespace tickwire
