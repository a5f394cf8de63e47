# tickwire_layer(name [library...]): one static library from core/<name>, linked to the layer before.
#
# A layer's headers are reachable only through a directory of its own, <build>/layers/<name>/, in which
# <name> is a link to core/<name>. Each layer adds its directory for itself and those after it, so that
# `#include "session/session.h"` inside core/hub does not compile: there is no such file on its path.
set(TICKWIRE_LAST_LAYER "")
function(tickwire_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/${name}/*.cc)
  if(sources)
    add_library(tickwire_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(tickwire_${name} PRIVATE tickwire_warnings)
  else()
    add_library(tickwire_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  tickwire_headers(tickwire_${name} ${scope} ${name} ${PROJECT_SOURCE_DIR}/core/${name})
  target_link_libraries(tickwire_${name} ${scope} ${TICKWIRE_LAST_LAYER} ${ARGN})
  set(TICKWIRE_LAST_LAYER tickwire_${name} PARENT_SCOPE)
endfunction()

# tickwire_headers(target scope name folder): lets target include "<name>/..." from folder.
function(tickwire_headers target scope name folder)
  set(root ${PROJECT_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${folder} ${root}/${name} SYMBOLIC)
  target_include_directories(${target} ${scope} ${root})
endfunction()
