# Warnings, build types, sanitizers and ccache: the same for every target of our own.
add_library(tickwire_warnings INTERFACE)
target_compile_options(tickwire_warnings INTERFACE -Wall -Wextra -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # What is touched under which lock, and in which order locks are taken: base/mutex.h. Beta: the order.
  target_compile_options(tickwire_warnings INTERFACE -Wthread-safety -Wthread-safety-beta)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105329: a literal assigned to a std::string is taken for an overlapping copy; and what fmt writes
  # into its own buffer for a write past the end, at -O3.
  target_compile_options(tickwire_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow)
  if(TICKWIRE_SANITIZE)  # its own std::regex has false positives there
    target_compile_options(tickwire_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

if(TICKWIRE_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC takes a class that is local to one source file for one of a header, because unity builds include it.
  target_compile_options(tickwire_warnings INTERFACE -Wno-subobject-linkage)
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# Tests run on RelWithDebInfo: CMake's -DNDEBUG there would leave every assert unchecked.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")

if(TICKWIRE_SANITIZE)
  # vptr looks whether memory is readable by means of a pipe, and finds faults where descriptors have run out.
  add_compile_options(-fsanitize=${TICKWIRE_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")  # what sanitizers add takes twice as long to optimise
  add_link_options(-fsanitize=${TICKWIRE_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
