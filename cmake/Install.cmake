# SPDX-License-Identifier: Apache-2.0
# Installs headers, CMake package (one export file per component) and pkg-config file. Nothing here depends on the machine:
# there is no compiled file, so everything goes below include/ and share/ and one installation serves every architecture.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(inhibitor_package_folder share/cmake/inhibitor)
set(inhibitor_components core)
set(inhibitor_target_core inhibitor)
foreach(component models io text training) # in the order in which they lean on each other
  if(TARGET inhibitor_${component})
    list(APPEND inhibitor_components ${component})
    set(inhibitor_target_${component} inhibitor_${component})
  endif()
endforeach()

# One export file per component, so that find_package loads only what it was asked for.
foreach(component IN LISTS inhibitor_components)
  install(TARGETS ${inhibitor_target_${component}} EXPORT inhibitor_${component}
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT inhibitor_dev)
  install(EXPORT inhibitor_${component} FILE inhibitor-${component}.cmake NAMESPACE inhibitor::
          DESTINATION ${inhibitor_package_folder} COMPONENT inhibitor_dev)
endforeach()

# Products of other libraries for inference: headers alone, whoever includes one brings its library.
install(DIRECTORY include/inhibitor/backends DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/inhibitor COMPONENT inhibitor_dev)

configure_package_config_file(cmake/inhibitorConfig.cmake.in inhibitorConfig.cmake
                              INSTALL_DESTINATION ${inhibitor_package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(inhibitorConfigVersion.cmake VERSION ${PROJECT_VERSION}
                                 COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/inhibitorConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/inhibitorConfigVersion.cmake
              cmake/XsimdTarget.cmake
              cmake/IsaVariants.cmake
              cmake/isa_variant.cpp
        DESTINATION ${inhibitor_package_folder} COMPONENT inhibitor_dev)

# The prefix is written relative to the .pc file, so the installed tree may be moved.
configure_file(cmake/inhibitor.pc.in inhibitor.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/inhibitor.pc DESTINATION share/pkgconfig COMPONENT inhibitor_dev)
install(FILES LICENSE DESTINATION share/doc/inhibitor COMPONENT inhibitor_dev)
