# SPDX-License-Identifier: Apache-2.0
# Installs headers, CMake package (one export file per component) and pkg-config file. Nothing here depends on the machine:
# there is no compiled file, so everything goes below include/ and share/ and one installation serves every architecture.

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
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT) # below 1.0 a minor version may break
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/inhibitorConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/inhibitorConfigVersion.cmake
              cmake/XsimdTarget.cmake
              cmake/IsaVariants.cmake
              cmake/isa_variant.cpp
        DESTINATION ${inhibitor_package_folder} COMPONENT inhibitor_dev)

# Folders are written relative to the .pc file, so that the installed tree may be moved, unless they were given as absolute.
function(inhibitor_pkgconfig_folder out folder pc_folder)
  if(IS_ABSOLUTE ${folder} OR IS_ABSOLUTE ${pc_folder})
    cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} NORMALIZE)
    set(${out} ${folder} PARENT_SCOPE)
  else()
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY ${pc_folder})
    set(${out} "\${pcfiledir}/${folder}" PARENT_SCOPE)
  endif()
endfunction()
inhibitor_pkgconfig_folder(pkgconfig_includedir ${CMAKE_INSTALL_INCLUDEDIR} share/pkgconfig)
configure_file(cmake/inhibitor.pc.in inhibitor.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/inhibitor.pc DESTINATION share/pkgconfig COMPONENT inhibitor_dev)
install(FILES LICENSE DESTINATION share/doc/inhibitor COMPONENT inhibitor_dev)
