// What tickwire._core gives the Python client: the topics that it knows, and the stream of a connection,
// which takes the messages that change nothing but a value and hands out all others. Only with the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bindings/update_ring.h"
#include "client/client_topics.h"
#include "client/message_reader.h"

namespace tickwire {

// ClientTopics, the names of its topics as Python strings, and its routes: who reads what.
class PyTopics {
 public:
  // seq, in sync, event topic, status as the server said it.
  using State = std::tuple<std::uint64_t, bool, bool, std::string>;

  [[nodiscard]] std::optional<State> find(const std::string& name) const;
  // Keeps `name`, where the topic has no Python string yet.
  void put(const pybind11::str& name, const State& state);
  bool forget(const std::string& name);
  [[nodiscard]] bool contains(const std::string& name) const { return topics_.find(name) != nullptr; }
  [[nodiscard]] std::size_t size() const { return topics_.size(); }
  [[nodiscard]] pybind11::list names();

  // Raises ProtocolError past kStatusesMax.
  StatusNumber status_number(const std::string& status);
  void show(const std::string& name, const std::optional<std::string>& status);
  [[nodiscard]] std::optional<std::string> shown(const std::string& name) const;
  pybind11::list names_shown();

  bool replace_image(const std::string& name, std::string_view data);
  bool merge_image(const std::string& name, std::string_view data);
  void move_image_out(const std::string& name);
  // 0: it has no image.
  [[nodiscard]] std::uint64_t image_version(const std::string& name) const;
  // Nothing: its owner keeps it.
  [[nodiscard]] std::optional<std::string> image(const std::string& name) const;
  // The JSON text of a field of the image.
  [[nodiscard]] std::optional<std::string> field(const std::string& name, std::string_view field);
  pybind11::list names_with_image();
  pybind11::list take_changed();
  // Names, and for each field a bytearray of float64: NaN where it is no number.
  pybind11::tuple columns(const std::vector<std::string>& fields, const std::string& pattern);
  [[nodiscard]] std::size_t memory_bytes() const;

  // A number for `rings`, until forget_routes.
  std::uint32_t route(const pybind11::list& rings);
  void arm(const std::string& name, std::uint32_t route);
  void disarm(const std::string& name) { topics_.disarm(name); }
  void disarm_all() { topics_.disarm_all(); }
  void forget_routes();

  ClientTopics& topics() { return topics_; }
  // Borrowed.
  PyObject* name_of(const ClientTopic& topic);
  [[nodiscard]] const std::vector<UpdateRing*>& rings_of(const ClientTopic& topic) const {
    return routes_[topic.route].rings;
  }
  // The Python object of one of them.
  [[nodiscard]] pybind11::object owner_of(const ClientTopic& topic, const UpdateRing* ring) const;

 private:
  struct Route {
    std::vector<UpdateRing*> rings;
    pybind11::list owners;
  };

  ClientTopics topics_;
  std::vector<pybind11::object> names_;  // by the topic's number; null until it is needed
  std::vector<Route> routes_;
  std::vector<JsonField> fields_;  // scratch
};

class ClientStream {
 public:
  ClientStream(const pybind11::object& topics, const MessageReader::Config& config,
               const pybind11::object& decode);

  pybind11::memoryview room();
  void received(std::size_t bytes) { reader_.received(bytes); }
  [[nodiscard]] bool filled() const { return reader_.filled(); }
  // None: all was read. A str: a message that is to be judged. bytes: for the WebSocket library. False: a
  // ring is full, or got something while stop_each.
  pybind11::object next();
  // The rings that got something since the last call.
  pybind11::list take_touched();

  bool stop_each = false;     // next() returns after each update that it took
  std::uint64_t updates = 0;  // that it took

 private:
  // True: next() must return.
  bool deliver(const ClientTopic& topic, const MessageHead& head, std::uint64_t seq_before);

  pybind11::object topics_owner_;
  PyTopics& topics_;
  MessageReader reader_;
  pybind11::object decode_;  // null: the module's
  std::vector<pybind11::object> touched_;
};

}  // namespace tickwire
