# SPDX-License-Identifier: Apache-2.0
# cmake -D HOW=<way> -D SOURCE=<repository> -D BUILD=<its build folder> -D WORK=<scratch folder> -D CXX=<compiler>
#       -D GENERATOR=<generator> -P consumer.cmake
# Builds and runs an outside project, examples/engine, against the installed library (find_package, pkg_config) or the
# source tree (add_subdirectory, fetch_content). The way `components` does it for every component with consumer/.
cmake_minimum_required(VERSION 3.23)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${code}): ${command}\n${text}")
  endif()
  set(run_output "${text}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(project ${SOURCE}/examples/engine)
set(programs engine)
set(hygiene ${CMAKE_CURRENT_LIST_DIR}/consumer/hygiene.cmake)
set(settings -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX})
if(HOW STREQUAL "components")
  set(project ${CMAKE_CURRENT_LIST_DIR}/consumer)
  set(programs core io models text training)
  list(TRANSFORM programs PREPEND uses_)
else()
  list(APPEND settings -D INHIBITOR_FROM=${HOW} -D INHIBITOR_SOURCE=${SOURCE} -D CMAKE_PROJECT_INCLUDE=${hygiene})
endif()

if(NOT HOW STREQUAL "add_subdirectory" AND NOT HOW STREQUAL "fetch_content")
  # Installed into one folder and moved to another: an absolute path in an installed file would be found out.
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/before_the_move --component inhibitor_dev)
  file(RENAME ${WORK}/before_the_move ${WORK}/prefix)
  list(APPEND settings -D CMAKE_PREFIX_PATH=${WORK}/prefix)
endif()

if(HOW STREQUAL "pkg_config")
  find_program(pkg_config NAMES pkg-config pkgconf REQUIRED)
  set(ENV{PKG_CONFIG_PATH} ${WORK}/prefix/share/pkgconfig)
  run(${pkg_config} --cflags --libs inhibitor)
  separate_arguments(flags UNIX_COMMAND "${run_output}")
  run(${CXX} -std=c++17 ${project}/engine.cpp ${flags} -pthread -o ${WORK}/engine)
  run(${WORK}/engine)
  return()
endif()

run(${CMAKE_COMMAND} -S ${project} -B ${WORK}/build ${settings})
if(NOT HOW STREQUAL "components" AND NOT run_output MATCHES "hygiene: nothing left behind")
  message(FATAL_ERROR "the hygiene check did not run:\n${run_output}")
endif()
run(${CMAKE_COMMAND} --build ${WORK}/build)

# Installed and run: our files must not turn up in what the outside project installs.
run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/installed)
file(GLOB_RECURSE installed RELATIVE ${WORK}/installed ${WORK}/installed/*)
list(TRANSFORM programs PREPEND bin/ OUTPUT_VARIABLE expected)
if(NOT installed STREQUAL expected)
  message(FATAL_ERROR "the outside project's installation holds: ${installed}")
endif()
foreach(program IN LISTS programs)
  run(${WORK}/installed/bin/${program})
endforeach()
