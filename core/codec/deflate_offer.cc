#include "codec/deflate_offer.h"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

namespace tickwire {
namespace {

constexpr std::string_view kExtension = "permessage-deflate";

bool is_token_char(char c) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || kSymbols.find(c) != std::string_view::npos;
}

// Reads the header from left to right; what reads nothing leaves its place unchanged, but for white space.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}

  [[nodiscard]] bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Empty: there is none.
  std::string_view token() {
    skip_space();
    const auto* end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    return pop(static_cast<std::size_t>(end - rest_.begin()));
  }
  // A token, or a quoted string that holds one.
  std::optional<std::string> value() {
    if (!take('"')) {
      const std::string_view plain = token();
      return plain.empty() ? std::nullopt : std::optional(std::string(plain));
    }
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (!rest_.empty()) text += pop(1);
    }
    const bool closed = take('"');
    if (!closed || text.empty() || !std::all_of(text.begin(), text.end(), is_token_char)) return std::nullopt;
    return text;
  }
  // To the next comma that is not within quotes, or to the end.
  void skip_offer() {
    bool quoted = false;
    while (!rest_.empty() && (quoted || rest_.front() != ',')) {
      if (quoted && rest_.front() == '\\') rest_.remove_prefix(1);
      if (!rest_.empty() && pop(1) == "\"") quoted = !quoted;
    }
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  std::string_view pop(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
};

// A decimal without leading zeros, 8 to 15.
std::optional<int> window_bits(const std::string& text) {
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() != 2 || text[0] != '1' || text[1] < '0' || text[1] > '5') return std::nullopt;
  return 10 + (text[1] - '0');
}

bool set_once(bool& flag) {
  return !std::exchange(flag, true);
}

// One parameter into `agreement`; false: it rules the offer out.
class Parameters {
 public:
  explicit Parameters(DeflateAgreement& agreement) : agreement_(agreement) {}

  bool apply(std::string_view name, const std::optional<std::string>& value) {
    if (name == "server_no_context_takeover")
      return !value && set_once(agreement_.server_no_context_takeover);
    if (name == "client_no_context_takeover")
      return !value && set_once(agreement_.client_no_context_takeover);
    if (name != "client_max_window_bits" || !set_once(window_seen_)) return false;
    if (!value) return true;  // "I can limit it if you like"
    const std::optional<int> bits = window_bits(*value);
    if (bits) agreement_.client_window_bits = std::max(*bits, kClientWindowBitsMin);
    return bits.has_value();
  }

 private:
  DeflateAgreement& agreement_;
  bool window_seen_ = false;
};

// The parameters of one offer, up to its comma; false: it is malformed or not for us.
bool read_parameters(Cursor& cursor, DeflateAgreement& agreement) {
  Parameters parameters(agreement);
  while (cursor.take(';')) {
    const std::string_view name = cursor.token();
    std::optional<std::string> value;
    if (cursor.take('=') && !(value = cursor.value())) return false;
    if (!parameters.apply(name, value)) return false;
  }
  return true;
}

}  // namespace

std::string DeflateAgreement::response() const {
  assert(accepted);
  std::string text(kExtension);
  if (server_no_context_takeover) text += "; server_no_context_takeover";
  return text;
}

std::vector<DeflateAgreement> read_deflate_offers(std::string_view header) {
  std::vector<DeflateAgreement> offers;
  Cursor cursor(header);
  while (!cursor.at_end()) {
    DeflateAgreement agreement;
    const bool ours = cursor.token() == kExtension;
    agreement.accepted = ours && read_parameters(cursor, agreement) && (cursor.at_end() || cursor.take(','));
    if (!agreement.accepted) {
      cursor.skip_offer();
      cursor.take(',');
    }
    if (ours) offers.push_back(agreement);
  }
  return offers;
}

DeflateAgreement agree_on_deflate(std::string_view header) {
  const std::vector<DeflateAgreement> offers = read_deflate_offers(header);
  const auto taken = std::ranges::find_if(offers, &DeflateAgreement::accepted);
  return taken == offers.end() ? DeflateAgreement{} : *taken;
}

}  // namespace tickwire
