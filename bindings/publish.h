// Publishing from Python, the one path whose cost a call matters.
//
// Only with the GIL, which is kept for one small publish (giving it up would cost more than the publish; the
// hub's locks are never held by a thread that wants the GIL) and given up for a large one and between
// batches.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/engine.h"
#include "hub/topic.h"

namespace tickwire {

inline constexpr std::size_t kBytesUnderGilMax = 16U << 10U;
inline constexpr std::size_t kPublishBatch = 256;  // updates of a publish_many between two looks at the GIL

// The seq it got. `feed` 0: any topic; else only those of that feed's pattern.
std::uint64_t publish(Engine& engine, std::string_view topic, pybind11::handle data, FeedId feed);
// How many. A faulty pair loses no other: the error, raised after all others are published, is about the
// first
// ("pairs[3].data.bid") and says how many there were. What the iterable itself raises passes; the pairs
// before it are published.
std::size_t publish_many(Engine& engine, const pybind11::iterable& pairs, FeedId feed);

}  // namespace tickwire
