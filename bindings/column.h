// Columns: what Python hands in as a table's columns, held for as long as it is published.
//
// Made and destroyed with the GIL; columns() may be used without. Owns references to the buffers, so that
// nobody resizes or frees them meanwhile.
#pragma once

#include <pybind11/pybind11.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/table.h"

namespace tickwire {

// The UTF-8 of a str, valid as long as it. kBadData without a field.
Result<std::string_view> utf8_of(pybind11::handle text);
// The same error about `field`.
Error about(const std::string& field, const Error& error);

class Columns {
 public:
  // `non_finite`: what a NaN, an infinity or a masked value becomes where values are read one by one.
  explicit Columns(NonFinite non_finite) : non_finite_(non_finite) {}
  ~Columns();
  Columns(const Columns&) = delete;
  Columns& operator=(const Columns&) = delete;

  // `rows`: how many values it must have. kBadData that names column, what it is and what is allowed.
  Status add(std::string name, pybind11::handle values, std::size_t rows);

  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }

 private:
  struct Source {
    std::string field;  // "columns.bid"
    std::string name;
    std::size_t rows;
  };
  Status add_values(const Source& source, pybind11::handle values);
  Status add_buffer(const Source& source, pybind11::handle values);

  std::vector<Column> columns_;
  std::deque<Py_buffer> buffers_;
  struct Texts {
    std::string spelled;  // values that are no str, one after the other
    std::vector<std::string_view> views;
  };
  Status spell(const std::string& field, const pybind11::tuple& values, Texts& texts) const;

  const NonFinite non_finite_;
  std::deque<Texts> texts_;
  std::vector<pybind11::object> owners_;  // of what texts_ show
};

}  // namespace tickwire
