// ClientTopic: what a client knows of one topic. A value of ClientTopics, which changes it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "client/exact_text.h"
#include "model/image_fields.h"

namespace tickwire {

// A number for a topic's status (ClientTopics::status_number). Later servers may know further ones.
using StatusNumber = std::uint16_t;
inline constexpr StatusNumber kLiveStatus = 0;
inline constexpr StatusNumber kStaleStatus = 1;
inline constexpr StatusNumber kNoStatus = UINT16_MAX;
// Different statuses that a server may say; tickwire's says four.
inline constexpr std::size_t kStatusesMax = 64;

struct ClientTopic {
  ExactText name;   // empty: nothing is known under this number
  ExactText image;  // JSON object; empty where `image_version` is 0 or `image_elsewhere`
  ImageFields fields;
  std::uint64_t seq = 0;
  std::uint64_t image_version = 0;  // changes whenever the image does; 0: it has none
  std::uint64_t armed_in = 0;       // the generation in which it was armed; 0: never
  std::uint32_t number = 0;         // its place in the table, as long as it is known
  std::uint32_t route = 0;          // who reads it, while it is armed
  StatusNumber said = kLiveStatus;  // by the server
  StatusNumber shown = kNoStatus;   // to programs: stale while it is not in sync
  bool synced = false;              // nothing is missing up to now
  bool event = false;               // its image is its last message
  bool image_elsewhere = false;     // an image that the scanner refuses is kept by somebody else
  bool listed = false;              // among those that changed since somebody asked
};

}  // namespace tickwire
