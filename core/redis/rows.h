// A row of the cluster's table as the text that Redis keeps of it: its numbers in decimal, then the image, so
// that redis-cli shows what it means. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cluster/log.h"

namespace tickwire::redis {

// "n seq ts status delivery cut image"
std::string row_text(const cluster::Row& row);
// Nothing: it is not what row_text writes.
std::optional<cluster::Row> read_row(std::string_view topic, std::string_view text);

}  // namespace tickwire::redis
