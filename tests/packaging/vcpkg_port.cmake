# SPDX-License-Identifier: Apache-2.0
# cmake -D SOURCE=<repository> -D WORK=<scratch folder> -D CXX=<compiler> -D GENERATOR=<generator> -P vcpkg_port.cmake
#
# Runs the port without vcpkg, whose functions are written here as far as it calls them, and looks at what it installs; then the
# port for registries must be the same one with another source.
cmake_minimum_required(VERSION 3.23)

file(REMOVE_RECURSE ${WORK})
set(CURRENT_PORT_DIR ${SOURCE}/packaging/vcpkg/inhibitor)
set(CURRENT_PACKAGES_DIR ${WORK}/packages)
set(FEATURES core io text training)

function(vcpkg_check_features)
  cmake_parse_arguments(arg "" "OUT_FEATURE_OPTIONS" "FEATURES" ${ARGN})
  set(options)
  while(arg_FEATURES)
    list(POP_FRONT arg_FEATURES feature option)
    if(feature IN_LIST FEATURES)
      list(APPEND options -D${option}=ON)
    else()
      list(APPEND options -D${option}=OFF)
    endif()
  endwhile()
  set(${arg_OUT_FEATURE_OPTIONS} "${options}" PARENT_SCOPE)
endfunction()
function(vcpkg_find_acquire_program name)
  find_program(${name} NAMES pkg-config pkgconf REQUIRED)
endfunction()
function(vcpkg_cmake_configure)
  cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${ARGN})
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK}/build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX}
                          -D CMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} ${arg_OPTIONS}
                  COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()
function(vcpkg_cmake_install)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(arg "" "CONFIG_PATH" "" ${ARGN})
  file(RENAME ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/inhibitor)
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(arg "" "" "FILE_LIST" ${ARGN})
  configure_file(${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/inhibitor/copyright COPYONLY)
endfunction()

include(${CURRENT_PORT_DIR}/portfile.cmake)
foreach(file include/inhibitor/inhibitor.hpp share/inhibitor/inhibitorConfig.cmake share/inhibitor/inhibitor-training.cmake
             share/inhibitor/copyright share/pkgconfig/inhibitor.pc)
  if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/${file})
    message(FATAL_ERROR "the port installs no ${file}")
  endif()
endforeach()
file(READ ${CURRENT_PORT_DIR}/vcpkg.json manifest)
foreach(feature io text training)
  string(JSON described GET "${manifest}" features ${feature} description)
endforeach()

find_program(git git)
if(git AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${SOURCE}/packaging/vcpkg/write-port ${WORK}/registry https://example.org/inhibitor.git
                  COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${WORK}/registry/inhibitor/portfile.cmake written)
  file(READ ${CURRENT_PORT_DIR}/portfile.cmake overlay)
  string(REGEX REPLACE "^.*\n\nset\\(VCPKG_BUILD_TYPE" "set(VCPKG_BUILD_TYPE" rest "${overlay}")
  string(FIND "${written}" "${rest}" same)
  if(same EQUAL -1 OR written MATCHES "CURRENT_PORT_DIR"
     OR NOT written MATCHES "vcpkg_from_git\\(OUT_SOURCE_PATH SOURCE_PATH URL \"https://example.org/inhibitor.git\" REF [0-9a-f]+\\)")
    message(FATAL_ERROR "the port for registries:\n${written}")
  endif()
endif()
