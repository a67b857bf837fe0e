# SPDX-License-Identifier: MIT
#
# cmake --install: headers, both libraries, the CMake package, the pkg-config file, the documents, the gdb printers.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/threadingpp)

install(TARGETS threadingpp threadingpp_static EXPORT threadingpp-targets FILE_SET HEADERS)
install(EXPORT threadingpp-targets NAMESPACE threadingpp:: DESTINATION ${package_dir})

configure_package_config_file(cmake/threadingpp-config.cmake.in threadingpp-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(threadingpp-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/threadingpp-config.cmake
  ${PROJECT_BINARY_DIR}/threadingpp-config-version.cmake
  DESTINATION ${package_dir})
install(FILES cmake/trace.cmake DESTINATION ${package_dir})

list(TRANSFORM THREADINGPP_BACKTRACE PREPEND " -l" OUTPUT_VARIABLE pc_backtrace)
# Relative to the file itself, so that an installed tree may be moved.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/threadingpp.pc.in threadingpp.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/threadingpp.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# For readers: README.md, and what its links and theirs lead to. A source distribution has less.
set(doc_dir ${CMAKE_INSTALL_DOCDIR})
install(FILES ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE README.md DESTINATION ${doc_dir} OPTIONAL)
install(DIRECTORY docs examples DESTINATION ${doc_dir} OPTIONAL)
foreach(document apps/threadsum/README.md bench/README.md python/COMPAT.md)
  cmake_path(GET document PARENT_PATH folder)
  install(FILES ${document} DESTINATION ${doc_dir}/${folder} OPTIONAL)
endforeach()

install(FILES tools/gdb/threadingpp_gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/threadingpp/gdb OPTIONAL)
