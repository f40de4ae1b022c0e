# SPDX-License-Identifier: Apache-2.0
# cmake -D SOURCE=<repository> -D WORK=<scratch folder> -D CXX=<compiler> -D GENERATOR=<generator> -P installed_elsewhere.cmake
#
# Installs the headers with an include folder outside the prefix, as some distributions do, and looks for them with
# find_package and pkg-config; and asks find_package for versions that semantic versioning allows and forbids.
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
# Not below WORK: CMake takes an include folder inside the source tree for a mistake.
run(mktemp -d)
string(STRIP "${run_output}" headers)
set(off -D INHIBITOR_BUILD_TESTS=OFF -D INHIBITOR_BUILD_BENCHMARKS=OFF -D INHIBITOR_BUILD_EXAMPLES=OFF -D INHIBITOR_TRAINING=OFF
        -D INHIBITOR_IO=OFF -D INHIBITOR_TEXT=OFF)
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX} ${off}
    -D CMAKE_INSTALL_PREFIX=${WORK}/prefix -D CMAKE_INSTALL_INCLUDEDIR=${headers}/include)
run(${CMAKE_COMMAND} --install ${WORK}/build)

find_program(pkg_config NAMES pkg-config pkgconf REQUIRED)
set(ENV{PKG_CONFIG_PATH} ${WORK}/prefix/share/pkgconfig)
run(${pkg_config} --variable=includedir inhibitor)
string(STRIP "${run_output}" folder)
if(NOT EXISTS ${folder}/inhibitor/inhibitor.hpp)
  message(FATAL_ERROR "pkg-config names a folder without the headers: ${folder}")
endif()

if(NOT folder STREQUAL "${headers}/include")
  message(FATAL_ERROR "pkg-config names ${folder}, installed were ${headers}/include")
endif()

# Versions next to the one that is installed.
file(STRINGS ${SOURCE}/include/inhibitor/version.hpp lines REGEX "#define INHIBITOR_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
list(POP_FRONT numbers major minor patch)
math(EXPR next_minor "${minor} + 1")
math(EXPR next_patch "${patch} + 1")
math(EXPR next_major "${major} + 1")
set(checks)
foreach(version ${major}.${minor} ${major}.${minor}.${patch})
  string(APPEND checks "expect(${version} TRUE)\n")
endforeach()
set(others ${major}.${next_minor} ${major}.${minor}.${next_patch} ${next_major}.0)
if(minor GREATER 0)
  math(EXPR earlier "${minor} - 1")
  list(APPEND others ${major}.${earlier})
endif()
foreach(version IN LISTS others)
  string(APPEND checks "expect(${version} FALSE)\n")
endforeach()
file(WRITE ${WORK}/project/CMakeLists.txt "cmake_minimum_required(VERSION 3.23)
project(elsewhere LANGUAGES CXX)
function(expect version wanted)
  unset(inhibitor_DIR CACHE)
  find_package(inhibitor \${version} QUIET)
  if((inhibitor_FOUND AND NOT wanted) OR (wanted AND NOT inhibitor_FOUND))
    message(FATAL_ERROR \"find_package(inhibitor \${version}): found \${inhibitor_FOUND}\")
  endif()
endfunction()
${checks}
find_package(inhibitor REQUIRED)
get_target_property(folders inhibitor::inhibitor INTERFACE_INCLUDE_DIRECTORIES)
list(GET folders 0 folder)
if(NOT EXISTS \${folder}/inhibitor/inhibitor.hpp)
  message(FATAL_ERROR \"the package names a folder without the headers: \${folders}\")
endif()
")
run(${CMAKE_COMMAND} -S ${WORK}/project -B ${WORK}/project/build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX}
    -D CMAKE_PREFIX_PATH=${WORK}/prefix)
file(REMOVE_RECURSE ${headers})
