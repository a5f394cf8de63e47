// The table of contents of tickwire._core: each register_*.cc adds one noun to the module. Called once, with
// the GIL, by the extension's entry (module.cc) or by the daemon's built-in module.
#pragma once

#include <pybind11/pybind11.h>

namespace tickwire {

void register_config(pybind11::module_& module);         // Config, ConfigEntry
void register_events(pybind11::module_& module);         // DemandChange, AccessQuestion, AdminWish
void register_local_session(pybind11::module_& module);  // LocalSession
void register_engine(pybind11::module_& module);         // Engine
void register_update(pybind11::module_& module);         // Update
void register_update_ring(pybind11::module_& module);    // UpdateRing
void register_arrow_stream(pybind11::module_& module);   // arrow_stream
void register_client(pybind11::module_& module);         // ClientTopics, ClientStream
void register_store(pybind11::module_& module);          // backup_store, restore_store

// All of them, in an order in which each finds the types it mentions.
void register_all(pybind11::module_& module);

}  // namespace tickwire
