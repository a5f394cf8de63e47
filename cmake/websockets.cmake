# Ends the configuration on a libwebsockets that does not work. WEBSOCKETS_VERSION is what pkg-config said;
# Debian writes "4.1.6-", so only the numbers count.
string(REGEX MATCH "^[0-9]+\\.[0-9]+\\.[0-9]+" version "${WEBSOCKETS_VERSION}")
if(version MATCHES "^4\\.4\\.[01]$")
  message(FATAL_ERROR
    "libwebsockets ${version} answers WebSocket handshakes wrongly when an extension is negotiated. "
    "Versions 4.4.0 and 4.4.1 are refused: install 4.1.6 to 4.3.x, or 4.4.2 or later.")
endif()
