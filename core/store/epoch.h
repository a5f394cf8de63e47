// new_epoch: the name of one unbroken history of sequence numbers. Any thread.
#pragma once

#include <string>

namespace tickwire {

// 16 hexadecimal digits, never the same twice.
std::string new_epoch();

}  // namespace tickwire
