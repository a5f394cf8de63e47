#include "model/table.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/json_write.h"

namespace tickwire {
namespace {

template <typename T>
T value_at(const Column& column, std::size_t row) {
  T value;
  std::memcpy(&value, column.values + static_cast<std::ptrdiff_t>(row) * column.stride, sizeof(value));
  return value;
}

std::string_view text_at(const Column& column, std::size_t row) {
  return value_at<std::string_view>(column, row);
}

std::size_t text_bytes(const Column& column, std::size_t row) {
  const std::string_view text = text_at(column, row);
  return column.type == ColumnType::kJson ? text.size() : json_string_bytes(text);
}

char* write_word(char* out, std::string_view word) {
  return std::copy(word.begin(), word.end(), out);
}

template <typename Real>
char* write_real_or_null(char* out, Real number) {
  return std::isfinite(number) ? write_json_number(out, number) : write_word(out, "null");
}

template <typename T>
char* write_int(char* out, const Column& column, std::size_t row) {
  using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  return write_json_number(out, static_cast<Wide>(value_at<T>(column, row)));
}

char* write_value(char* out, const Column& column, std::size_t row) {
  switch (column.type) {
    case ColumnType::kFloat64:
      return write_real_or_null(out, value_at<double>(column, row));
    case ColumnType::kFloat32:
      return write_real_or_null(out, value_at<float>(column, row));
    case ColumnType::kInt64:
      return write_int<std::int64_t>(out, column, row);
    case ColumnType::kInt32:
      return write_int<std::int32_t>(out, column, row);
    case ColumnType::kInt16:
      return write_int<std::int16_t>(out, column, row);
    case ColumnType::kInt8:
      return write_int<std::int8_t>(out, column, row);
    case ColumnType::kUint64:
      return write_int<std::uint64_t>(out, column, row);
    case ColumnType::kUint32:
      return write_int<std::uint32_t>(out, column, row);
    case ColumnType::kUint16:
      return write_int<std::uint16_t>(out, column, row);
    case ColumnType::kUint8:
      return write_int<std::uint8_t>(out, column, row);
    case ColumnType::kBool:
      return write_word(out, value_at<std::uint8_t>(column, row) != 0 ? "true" : "false");
    case ColumnType::kText:
      return write_json_string(out, text_at(column, row));
    case ColumnType::kJson:
      return write_word(out, text_at(column, row));
  }
  return out;
}

Error bad_value(const Column& column, std::size_t row, const std::string& fault) {
  const std::string field = "columns." + column.name + "[" + std::to_string(row) + "]";
  return {ErrorCode::kBadData, field + ": " + fault, field};
}

Error row_too_large(std::size_t row, std::size_t bytes) {
  return {ErrorCode::kBadData,
          "columns: row " + std::to_string(row) + " may take " + std::to_string(bytes) + " bytes, at most " +
              std::to_string(kPayloadBytesMax) + " are allowed",
          "columns", Limit::kPayloadBytes};
}

template <typename Real>
Status check_finite(const Column& column, std::size_t rows) {
  for (std::size_t row = 0; row < rows; ++row) {
    const Real number = value_at<Real>(column, row);
    if (std::isfinite(number)) continue;
    return bad_value(column, row,
                     "JSON has no " + std::string(std::isnan(number) ? "NaN" : "infinity") +
                         "; nan=\"null\" publishes null in its place");
  }
  return ok_status();
}

}  // namespace

std::optional<NonFinite> parse_non_finite(std::string_view name) {
  if (name == "error") return NonFinite::kError;
  if (name == "null") return NonFinite::kNull;
  return std::nullopt;
}

Result<Table> Table::create(const std::vector<Column>& columns, std::size_t rows, NonFinite non_finite) {
  Table table;
  for (const Column& column : columns) {
    Status finite = ok_status();
    if (non_finite == NonFinite::kError && column.type == ColumnType::kFloat64)
      finite = check_finite<double>(column, rows);
    if (non_finite == NonFinite::kError && column.type == ColumnType::kFloat32)
      finite = check_finite<float>(column, rows);
    if (!finite) return finite.error();
    table.add(column);
  }
  if (Status fits = table.make_room(rows); !fits) return fits.error();
  return table;
}

void Table::add(const Column& column) {
  Part part{column, parts_.empty() ? "{" : ","};
  append_json_string(part.key, column.name);
  part.key += ':';
  JsonField field;
  field.key_size = static_cast<std::uint32_t>(part.key.size() - std::string_view(R"(,"":)").size());
  field.key_escaped = part.key.find('\\') != std::string::npos;
  fields_.push_back(field);
  parts_.push_back(std::move(part));
}

Status Table::make_room(std::size_t rows) {
  std::size_t numbers = parts_.empty() ? 2 : 1;  // the braces that no key brings along
  std::vector<const Column*> texts;
  for (const auto& [column, key] : parts_) {
    numbers += key.size();
    if (column.type == ColumnType::kText || column.type == ColumnType::kJson) {
      texts.push_back(&column);
    } else {
      numbers += kNumberCharsMax;
    }
  }
  std::size_t longest = numbers;
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t bytes = numbers;
    for (const Column* column : texts) bytes += text_bytes(*column, row);
    if (bytes > kPayloadBytesMax) return row_too_large(row, bytes);
    longest = std::max(longest, bytes);
  }
  text_.resize(longest);
  return ok_status();
}

std::string Table::keys() const {
  std::string keys;
  for (const Part& part : parts_) keys += part.key;
  return keys;
}

ImageView Table::row(std::size_t at) {
  char* const start = text_.data();
  char* out = start;
  const auto place = [&] { return static_cast<std::uint32_t>(out - start); };
  ShapeId shape = shape_;
  if (parts_.empty()) *out++ = '{';
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    JsonField& field = fields_[i];
    field.key = place() + 2;
    out = write_word(out, part.key);
    field.value = place();
    out = write_value(out, part.column, at);
    field.value_size = place() - field.value;
    if (start[field.value] == 'n') shape = 0;  // null: nothing else begins like it
  }
  *out++ = '}';
  return {{start, out}, fields_, shape};
}

}  // namespace tickwire
