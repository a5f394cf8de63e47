// nearest_name: what somebody who typed a name wrongly most likely meant. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tickwire {

// The name with the least edit distance (insert, delete, replace, swap of neighbours), the first of equals.
// `names` is not empty.
std::string nearest_name(std::string_view typed, const std::vector<std::string>& names);

}  // namespace tickwire
