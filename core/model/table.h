// Table: columns of values that lie in somebody else's memory, and each row of them as the JSON object it
// stands for: {"bid":100.25,"ask":100.5}.
//
// One thread at a time. The memory must outlive the table; a number that changes in it meanwhile is read
// once, and one that is no longer finite then becomes null, so what comes out is always JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/image.h"

namespace tickwire {

enum class ColumnType : std::uint8_t {
  kFloat64,
  kFloat32,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUint64,
  kUint32,
  kUint16,
  kUint8,
  kBool,
  kText,
  kJson
};

// A value of kText is UTF-8 and becomes a JSON string; one of kJson is a JSON value as it is written.
struct Column {
  std::string name;  // UTF-8
  ColumnType type = ColumnType::kFloat64;
  const std::byte* values = nullptr;  // of row 0, aligned or not; kText, kJson: a string_view a row
  std::ptrdiff_t stride = 0;          // bytes from one row to the next
};

// What a NaN or an infinity becomes, which JSON lacks.
enum class NonFinite : std::uint8_t { kError, kNull };
std::optional<NonFinite> parse_non_finite(std::string_view name);

class Table {
 public:
  // Checks every value. kBadData that names row and column.
  static Result<Table> create(const std::vector<Column>& columns, std::size_t rows, NonFinite non_finite);

  // All keys as they are written, which is what makes its shape.
  [[nodiscard]] std::string keys() const;
  // Sets the shape of the rows without nulls.
  void set_shape(ShapeId shape) { shape_ = shape; }

  // Valid until the next call.
  ImageView row(std::size_t at);

 private:
  struct Part {
    Column column;
    std::string key;  // {"name": or ,"name":
  };
  Table() = default;
  void add(const Column& column);
  // kBadData when a row may pass kPayloadBytesMax, each number taken at its longest.
  Status make_room(std::size_t rows);

  std::vector<Part> parts_;
  std::string text_;  // as long as the longest row may get
  std::vector<JsonField> fields_;
  ShapeId shape_ = 0;
};

}  // namespace tickwire
