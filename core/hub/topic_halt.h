// TopicHalt: a topic that an operator holds: what is shown of it, and what would be shown if it were not.
// The topic's lock protects it.
#pragma once

#include <cstdint>
#include <string>

#include "model/halt.h"
#include "model/image_fields.h"
#include "model/topic_kind.h"

namespace tickwire {

struct TopicHalt {
  HaltPtr shown;
  TopicStatus beneath = TopicStatus::kLive;  // the status once it is over
  std::uint64_t withheld = 0;                // updates that came meanwhile
  // The image of a value topic with what was withheld; empty: nothing was.
  std::string image = {};
  ImageFields fields = {};
};

}  // namespace tickwire
