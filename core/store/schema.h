// What a store's file looks like: whose it is, which version, and how an older one becomes today's.
//
// PRAGMA application_id tells our files from any other, PRAGMA user_version counts the migrations applied.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "store/sqlite.h"

namespace tickwire {

inline constexpr std::int64_t kStoreApplicationId = 0x7469'636B;  // "tick"
extern const int kStoreSchemaVersion;

// Whether this tickwire could start on the file; changes nothing. kStoreForeign (also an empty one),
// kStoreNewer, kStoreDamaged, kStoreIo.
Status check_schema(Database& database);

// Makes a new file a store and brings an older one up to date, each step in a transaction of its own.
// kStoreForeign, kStoreNewer (in both cases the file stays as it was), kStoreDamaged, kStoreIo.
Status prepare_schema(Database& database);

}  // namespace tickwire
