#pragma once
namespace tickwire {
struct SessionConfig {};
class Session;
}  // namespace tickwire
