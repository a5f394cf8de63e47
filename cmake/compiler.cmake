# Warnings, sanitizers and ccache: the same for every target of our own.
add_library(tickwire_warnings INTERFACE)
target_compile_options(tickwire_warnings INTERFACE -Wall -Wextra -Wconversion -Werror)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

if(TICKWIRE_SANITIZE)
  add_compile_options(-fsanitize=${TICKWIRE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TICKWIRE_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
