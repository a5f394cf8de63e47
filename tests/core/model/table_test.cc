#include "model/table.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

namespace tickwire {
namespace {

template <typename T>
Column column(std::string name, ColumnType type, const T* values, std::ptrdiff_t stride = sizeof(T)) {
  return {std::move(name), type, reinterpret_cast<const std::byte*>(values), stride};
}

Error fault(const std::vector<Column>& columns, std::size_t rows) {
  const auto table = Table::create(columns, rows, NonFinite::kError);
  EXPECT_FALSE(table);
  return table ? Error{} : table.error();
}

// What the table says of a row, having checked that its fields are where it says they are.
std::string row(Table& table, std::size_t at) {
  const ImageView view = table.row(at);
  std::vector<JsonField> scanned;
  EXPECT_TRUE(scan_object(view.text, scanned)) << view.text;
  EXPECT_EQ(scanned.size(), view.fields.size());
  for (std::size_t i = 0; i < std::min(scanned.size(), view.fields.size()); ++i) {
    EXPECT_EQ(scanned[i].key, view.fields[i].key);
    EXPECT_EQ(scanned[i].key_size, view.fields[i].key_size);
    EXPECT_EQ(scanned[i].key_escaped, view.fields[i].key_escaped);
    EXPECT_EQ(scanned[i].value, view.fields[i].value);
    EXPECT_EQ(scanned[i].value_size, view.fields[i].value_size);
  }
  return std::string(view.text);
}

template <typename T>
std::string both_ends(ColumnType type) {
  const std::array<T, 2> values{std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()};
  auto table = Table::create({column("a", type, values.data())}, 2, NonFinite::kError);
  return row(*table, 0) + row(*table, 1);
}

TEST(Table, ARowIsAnObjectOfItsValues) {
  const std::array bid{100.25, 1e16};
  const std::array<std::int32_t, 2> size{7, -8};
  const std::array<std::string_view, 2> text{"0.10", "a\"b"};
  const std::array<bool, 2> halted{true, false};
  auto table = Table::create(
      {column("bid", ColumnType::kFloat64, bid.data()), column("si\"ze", ColumnType::kInt32, size.data()),
       column("last", ColumnType::kText, text.data()), column("halted", ColumnType::kBool, halted.data())},
      2, NonFinite::kError);
  ASSERT_TRUE(table);
  EXPECT_EQ(row(*table, 0), R"({"bid":100.25,"si\"ze":7,"last":"0.10","halted":true})");
  EXPECT_EQ(row(*table, 1), R"({"bid":1e+16,"si\"ze":-8,"last":"a\"b","halted":false})");
}

TEST(Table, EveryTypeReachesFromItsLowestToItsHighest) {
  EXPECT_EQ(both_ends<std::int8_t>(ColumnType::kInt8), R"({"a":-128}{"a":127})");
  EXPECT_EQ(both_ends<std::int16_t>(ColumnType::kInt16), R"({"a":-32768}{"a":32767})");
  EXPECT_EQ(both_ends<std::int32_t>(ColumnType::kInt32), R"({"a":-2147483648}{"a":2147483647})");
  EXPECT_EQ(both_ends<std::int64_t>(ColumnType::kInt64),
            R"({"a":-9223372036854775808}{"a":9223372036854775807})");
  EXPECT_EQ(both_ends<std::uint8_t>(ColumnType::kUint8), R"({"a":0}{"a":255})");
  EXPECT_EQ(both_ends<std::uint16_t>(ColumnType::kUint16), R"({"a":0}{"a":65535})");
  EXPECT_EQ(both_ends<std::uint32_t>(ColumnType::kUint32), R"({"a":0}{"a":4294967295})");
  EXPECT_EQ(both_ends<std::uint64_t>(ColumnType::kUint64), R"({"a":0}{"a":18446744073709551615})");
  EXPECT_EQ(both_ends<float>(ColumnType::kFloat32), R"({"a":-3.4028235e+38}{"a":3.4028235e+38})");
  EXPECT_EQ(both_ends<double>(ColumnType::kFloat64),
            R"({"a":-1.7976931348623157e+308}{"a":1.7976931348623157e+308})");
}

TEST(Table, StridesMayBeAnyEvenBackwardsAndUnaligned) {
  std::array<char, 25> memory{};
  for (int i = 0; i < 3; ++i) {
    const double value = i + 0.5;
    std::memcpy(memory.data() + 1 + i * 8, &value, sizeof(value));
  }
  auto table = Table::create({column("up", ColumnType::kFloat64, memory.data() + 1, 8),
                              column("down", ColumnType::kFloat64, memory.data() + 17, -8),
                              column("same", ColumnType::kFloat64, memory.data() + 1, 0)},
                             3, NonFinite::kError);
  ASSERT_TRUE(table);
  EXPECT_EQ(row(*table, 2), R"({"up":2.5,"down":0.5,"same":0.5})");
}

TEST(Table, WithoutColumnsARowIsEmpty) {
  auto table = Table::create({}, 1, NonFinite::kError);
  EXPECT_EQ(row(*table, 0), "{}");
}

TEST(Table, NanAndInfinityAreAnErrorOfTheirPlaceOrNull) {
  std::array<double, 3> bid{1.0, std::nan(""), -INFINITY};
  const std::array<float, 3> ask{1.0F, 2.0F, INFINITY};
  const std::vector<Column> columns{column("ask", ColumnType::kFloat32, ask.data()),
                                    column("bid", ColumnType::kFloat64, bid.data())};
  EXPECT_EQ(fault(columns, 3).message,
            "columns.ask[2]: JSON has no infinity; nan=\"null\" publishes null in its place");
  EXPECT_EQ(fault(columns, 2).field, "columns.bid[1]");
  EXPECT_NE(fault(columns, 2).message.find("JSON has no NaN"), std::string::npos);
  auto table = Table::create(columns, 3, NonFinite::kNull);
  ASSERT_TRUE(table);
  EXPECT_EQ(row(*table, 1), R"({"ask":2.0,"bid":null})");
  EXPECT_EQ(row(*table, 2), R"({"ask":null,"bid":null})");
  auto checked = Table::create({columns[1]}, 1, NonFinite::kError);
  bid[0] = std::nan("");
  EXPECT_EQ(row(*checked, 0), R"({"bid":null})") << "changed behind the table's back, but JSON all the same";
}

TEST(Table, ARowStaysWithinThePayloadsLimit) {
  // {"a":"..."} has 8 bytes around the text.
  const std::string most(kPayloadBytesMax - 8, 'x');
  const std::string past = most + "x";
  const std::array<std::string_view, 3> values{"", most, past};
  const Column text = column("a", ColumnType::kText, values.data());
  auto table = Table::create({text}, 2, NonFinite::kError);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->row(1).text.size(), kPayloadBytesMax);
  EXPECT_EQ(fault({text}, 3).message, "columns: row 2 may take 1048577 bytes, at most 1048576 are allowed");
}

}  // namespace
}  // namespace tickwire
