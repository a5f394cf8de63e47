# What a system has besides the daemon, where Debian expects it: the unit, its settings, man pages and
# completion. They are the component `system`, which no wheel contains.
set(deploy ${PROJECT_SOURCE_DIR}/deploy)
install(FILES ${deploy}/man/tickwired.8 DESTINATION ${CMAKE_INSTALL_DATADIR}/man/man8 COMPONENT system)
install(FILES ${deploy}/man/tickwire.1 DESTINATION ${CMAKE_INSTALL_DATADIR}/man/man1 COMPONENT system)
install(DIRECTORY ${deploy}/completion/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT system)
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/install_service.cmake COMPONENT system)
