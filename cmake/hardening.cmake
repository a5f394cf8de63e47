# What release builds are hardened with, and so wheels: what a fault in memory can be made into is less.
#
# The address of everything is random (PIE), and what the dynamic linker has written is read-only before the
# first line of ours runs (full RELRO). A write past an array on the stack, or past a buffer whose size the
# compiler can tell, ends the process (stack protector, FORTIFY), and so does an index past the end of a
# container (_GLIBCXX_ASSERTIONS). On x86 every place that an indirect call may reach is marked (CET).
# tests/test_wheel.py reads all of this in the wheel's files. Builds for tests have asserts and sanitizers
# instead, and are to compile quickly.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT TICKWIRE_SANITIZE)
  # Distributions that set FORTIFY themselves set it to less.
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i[3-6]86)$")
    add_compile_options(-fcf-protection)
  endif()
  add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
endif()
