# SPDX-License-Identifier: Apache-2.0
# cmake -D HOW=<way> -D SOURCE=<repository> -D BUILD=<its build folder> -D WORK=<scratch folder> -D CXX=<compiler>
#       -D GENERATOR=<generator> -P consumer.cmake
# Builds and runs the outside project in consumer/ against the installed library (find_package, pkg_config) or the source
# tree (add_subdirectory, fetch_content).
cmake_minimum_required(VERSION 3.23)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${code}): ${command}\n${text}")
  endif()
endfunction()

set(here ${CMAKE_CURRENT_LIST_DIR})
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(settings -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX} -D HOW=${HOW} -D INHIBITOR_SOURCE=${SOURCE})

if(HOW MATCHES "^find_package" OR HOW STREQUAL "pkg_config")
  # Installed into one folder and moved to another: an absolute path in an installed file would be found out.
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/before_the_move --component inhibitor_dev)
  file(RENAME ${WORK}/before_the_move ${WORK}/prefix)
  list(APPEND settings -D CMAKE_PREFIX_PATH=${WORK}/prefix)
endif()

if(HOW STREQUAL "pkg_config")
  find_program(pkg_config NAMES pkg-config pkgconf REQUIRED)
  set(ENV{PKG_CONFIG_PATH} ${WORK}/prefix/share/pkgconfig)
  execute_process(COMMAND ${pkg_config} --cflags --libs inhibitor OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run(${CXX} -std=c++17 ${here}/consumer/core.cpp ${flags} -o ${WORK}/consumer)
  run(${WORK}/consumer)
  return()
endif()

run(${CMAKE_COMMAND} -S ${here}/consumer -B ${WORK}/build ${settings})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
if(HOW STREQUAL "find_package_components")
  run(${WORK}/build/consumer_addons)
endif()

# Our files must not turn up in what the consumer installs.
run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/installed)
file(GLOB_RECURSE installed RELATIVE ${WORK}/installed ${WORK}/installed/*)
if(NOT installed STREQUAL "bin/consumer")
  message(FATAL_ERROR "the consumer's installation holds: ${installed}")
endif()
