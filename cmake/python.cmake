# Python and pybind11, for the extension module and for a daemon that runs plugins.
# Sets TICKWIRE_EMBEDS_PYTHON: whether tickwired gets an interpreter.
set(TICKWIRE_EMBED_PYTHON AUTO CACHE STRING "embed Python in tickwired: AUTO (where libpython is found), ON, OFF")
set_property(CACHE TICKWIRE_EMBED_PYTHON PROPERTY STRINGS AUTO ON OFF)

set(TICKWIRE_EMBEDS_PYTHON OFF)
if(NOT TICKWIRE_DAEMON OR TICKWIRE_EMBED_PYTHON STREQUAL "OFF")
  set(embed_wanted OFF)
else()
  set(embed_wanted ON)
endif()

if(TICKWIRE_BINDINGS OR embed_wanted)
  find_package(Python 3.11 COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS Development.Embed)
  if(Python_Interpreter_FOUND AND NOT pybind11_DIR)  # a pybind11 from PyPI says itself where it lies
    execute_process(
      COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
      OUTPUT_VARIABLE pybind11_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  if(Python_Development.Module_FOUND)
    find_package(pybind11 3 CONFIG QUIET)
  endif()
endif()

if(TICKWIRE_BINDINGS AND NOT pybind11_FOUND)
  message(FATAL_ERROR "TICKWIRE_BINDINGS needs Python 3.11 or later with its headers, and pybind11 3 (pip install pybind11)")
endif()
if(embed_wanted AND Python_Development.Embed_FOUND AND pybind11_FOUND)
  set(TICKWIRE_EMBEDS_PYTHON ON)
elseif(TICKWIRE_EMBED_PYTHON STREQUAL "ON" AND TICKWIRE_DAEMON)
  message(FATAL_ERROR "TICKWIRE_EMBED_PYTHON=ON needs libpython and its headers, and pybind11 3 (pip install pybind11)")
endif()
if(TICKWIRE_DAEMON)
  message(STATUS "tickwired embeds Python (runs plugins): ${TICKWIRE_EMBEDS_PYTHON}")
endif()
