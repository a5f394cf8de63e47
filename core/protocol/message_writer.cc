#include "protocol/message_writer.h"

#include "model/json_write.h"
#include "model/utf8.h"
#include "protocol/encode.h"
#include "protocol/transcode.h"

namespace tickwire {
namespace {

// RFC 8949 section 3.1.
constexpr unsigned kCborUnsigned = 0;
constexpr unsigned kCborText = 3;
constexpr unsigned kCborArray = 4;
constexpr unsigned kCborMap = 5;

}  // namespace

void MessageWriter::separate() {
  if (format_ == Format::kJson && after_value_) out_ += ',';
  after_value_ = true;
}

// Big endian.
void MessageWriter::put(std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out_ += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU);
}

void MessageWriter::cbor_head(unsigned major, std::uint64_t value) {
  const unsigned type = major << 5U;
  if (value < 24) {
    put(type | value, 1);
  } else if (value <= UINT8_MAX) {
    put(type | 24U, 1), put(value, 1);
  } else if (value <= UINT16_MAX) {
    put(type | 25U, 1), put(value, 2);
  } else if (value <= UINT32_MAX) {
    put(type | 26U, 1), put(value, 4);
  } else {
    put(type | 27U, 1), put(value, 8);
  }
}

void MessageWriter::begin_map(std::size_t fields) {
  separate();
  after_value_ = false;
  if (format_ == Format::kJson) {
    out_ += '{';
  } else if (format_ == Format::kCbor) {
    cbor_head(kCborMap, fields);
  } else if (fields < 16) {
    put(0x80U | fields, 1);
  } else {
    put(0xDF, 1), put(fields, 4);
  }
}

void MessageWriter::begin_array(std::size_t elements) {
  separate();
  after_value_ = false;
  if (format_ == Format::kJson) {
    out_ += '[';
  } else if (format_ == Format::kCbor) {
    cbor_head(kCborArray, elements);
  } else if (elements < 16) {
    put(0x90U | elements, 1);
  } else if (elements <= UINT16_MAX) {
    put(0xDC, 1), put(elements, 2);
  } else {
    put(0xDD, 1), put(elements, 4);
  }
}

void MessageWriter::end(char bracket) {
  if (format_ == Format::kJson) out_ += bracket;
  after_value_ = true;
}

void MessageWriter::string_head(std::size_t bytes) {
  if (format_ == Format::kCbor) {
    cbor_head(kCborText, bytes);
  } else if (bytes < 32) {
    put(0xA0U | bytes, 1);
  } else if (bytes <= UINT8_MAX) {
    put(0xD9, 1), put(bytes, 1);
  } else if (bytes <= UINT16_MAX) {
    put(0xDA, 1), put(bytes, 2);
  } else {
    put(0xDB, 1), put(bytes, 4);
  }
}

void MessageWriter::key(std::string_view name) {
  separate();
  after_value_ = false;
  if (format_ == Format::kJson) {
    out_.append("\"").append(name).append("\":");
  } else {
    string_head(name.size());
    out_.append(name);
  }
}

void MessageWriter::text(std::string_view value) {
  const bool valid = valid_utf8(value);
  if (format_ != Format::kJson && !valid) return json(quote_json(value));
  separate();
  if (format_ != Format::kJson) {
    string_head(value.size());
    out_.append(value);
  } else if (valid && json_string_bytes(value) == value.size() + 2) {
    out_.append("\"").append(value).append("\"");
  } else {
    out_.append(quote_json(value));
  }
}

void MessageWriter::number(std::uint64_t value) {
  separate();
  if (format_ == Format::kJson) {
    out_.append(std::to_string(value));
  } else if (format_ == Format::kCbor) {
    cbor_head(kCborUnsigned, value);
  } else if (value < 128) {
    put(value, 1);
  } else if (value <= UINT8_MAX) {
    put(0xCC, 1), put(value, 1);
  } else if (value <= UINT16_MAX) {
    put(0xCD, 1), put(value, 2);
  } else if (value <= UINT32_MAX) {
    put(0xCE, 1), put(value, 4);
  } else {
    put(0xCF, 1), put(value, 8);
  }
}

void MessageWriter::flag(bool value) {
  separate();
  if (format_ == Format::kJson) {
    out_.append(value ? "true" : "false");
  } else if (format_ == Format::kCbor) {
    put(value ? 0xF5 : 0xF4, 1);
  } else {
    put(value ? 0xC3 : 0xC2, 1);
  }
}

void MessageWriter::json(std::string_view value) {
  separate();
  if (format_ == Format::kJson) {
    out_.append(value);
  } else {
    out_.append(to_binary(format_, value));
  }
}

}  // namespace tickwire
