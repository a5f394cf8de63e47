# Run by `cmake --install`: the unit, which names the program where it is installed, and its settings, where
# there are none yet.
set(deploy ${CMAKE_CURRENT_LIST_DIR}/../deploy)

file(READ ${deploy}/tickwired.service unit)
string(REPLACE "=/usr/bin/" "=${CMAKE_INSTALL_PREFIX}/bin/" unit "${unit}")
set(file "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/tickwired.service")
message(STATUS "Installing: ${file}")
file(WRITE "${file}" "${unit}")

set(settings "$ENV{DESTDIR}/etc/tickwire/tickwire.toml")
if(EXISTS "${settings}")
  message(STATUS "Kept as it is: ${settings}")
else()
  message(STATUS "Installing: ${settings}")
  configure_file(${deploy}/installed.toml "${settings}" COPYONLY)
endif()
