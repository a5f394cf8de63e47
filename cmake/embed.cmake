# tickwire_embed(target folder): compiles the pages and scripts of folder into target, as static_files() of
# net/static_file.h, so that a server serves its pages from wherever it is installed.
#
# Run as a script (-P, with FOLDER and OUTPUT) it writes that source: at build time, so that editing a page
# does not configure anew. Comments that fill whole lines of a script stay in the source: a browser gets empty
# lines in their place, so that the numbers of lines agree. tests/page/test_served.py compares the two.
# Where the folder has no library for charts, an empty module is served in its place: a page asks for no file
# that is not there.
function(tickwire_embed target folder)
  set(source ${PROJECT_BINARY_DIR}/static_files.cc)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.html ${folder}/*.css ${folder}/*.js ${folder}/openapi.json ${folder}/vendor/*)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${source} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    DEPENDS ${files} ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
  target_sources(${target} PRIVATE ${source})
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB names RELATIVE ${FOLDER}
    ${FOLDER}/*.html ${FOLDER}/*.css ${FOLDER}/*.js ${FOLDER}/openapi.json ${FOLDER}/vendor/*)
  list(APPEND names vendor/lightweight-charts.js)
  list(REMOVE_DUPLICATES names)
  list(SORT names)
  set(entries "")
  foreach(name ${names})
    set(text "export {};\n")
    if(EXISTS ${FOLDER}/${name})
      file(READ ${FOLDER}/${name} text)
    endif()
    if(name MATCHES "^[^/]+\\.js$")
      foreach(pass 1 2)  # neighbours share a newline, so one pass takes every other line
        string(REGEX REPLACE "\n *(//[^\n]*|/\\*\\*|/\\*\\*[^\n]*\\*/|\\*|\\* [^\n]*|\\*/)\n" "\n\n" text "\n${text}")
        string(SUBSTRING "${text}" 1 -1 text)
      endforeach()
    endif()
    string(HEX "${text}" bytes)
    string(LENGTH "${bytes}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    string(SHA256 tag "${bytes}")
    string(SUBSTRING ${tag} 0 16 tag)
    string(APPEND entries "      {\"${name}\", {\"${bytes}\", ${size}}, \"${tag}\"},\n")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"net/static_file.h\"\n\n"
    "namespace tickwire {\n\n"
    "const std::vector<StaticFile>& static_files() {\n"
    "  static const std::vector<StaticFile> files{\n${entries}  };\n"
    "  return files;\n"
    "}\n\n"
    "}  // namespace tickwire\n")
endif()
