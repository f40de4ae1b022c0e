# SPDX-License-Identifier: Apache-2.0
# Finds what the wanted parts need and nothing else. The core needs Eigen and xsimd; everything below them is looked up
# only for the add-ons (INHIBITOR_IO, INHIBITOR_TEXT), the programs, the tests and the benchmarks.
#
# Every lookup is unversioned and the version compared afterwards: Eigen and xsimd install version files of the kind
# SameMajorVersion, so a version inside find_package would refuse their newer majors.

include(FetchContent)

# inhibitor_find(<package> TARGET <target> MINIMUM <version> DEBIAN <apt package> PINNED <version>)
# Leaves <target> usable, or stops with one message that says what to do. Sets <package>_missing in the caller instead
# of stopping when INHIBITOR_FETCH_DEPENDENCIES allows a download.
function(inhibitor_find package)
  cmake_parse_arguments(arg "" "TARGET;MINIMUM;DEBIAN;PINNED" "" ${ARGN})
  set(${package}_missing FALSE PARENT_SCOPE)
  # A target that is there already comes from the project that contains us, whose choice of version counts.
  set(given FALSE)
  if(TARGET ${arg_TARGET})
    set(given TRUE)
  else()
    find_package(${package} QUIET)
  endif()
  if(package STREQUAL "xsimd")
    include(${PROJECT_SOURCE_DIR}/cmake/XsimdTarget.cmake)
  endif()
  if(given)
    return()
  endif()
  if(NOT ${package}_FOUND)
    set(problem "was not found")
  elseif(${package}_VERSION AND ${package}_VERSION VERSION_LESS arg_MINIMUM)
    set(problem "was found in version ${${package}_VERSION} (${${package}_DIR})")
  elseif(NOT TARGET ${arg_TARGET})
    set(problem "was found (${${package}_DIR}) but does not define the target ${arg_TARGET}")
  else()
    message(STATUS "inhibitor uses ${package} ${${package}_VERSION}")
    return()
  endif()
  if(INHIBITOR_FETCH_DEPENDENCIES)
    message(STATUS "inhibitor downloads ${package} ${arg_PINNED}: ${package} >= ${arg_MINIMUM} ${problem}")
    set(${package}_missing TRUE PARENT_SCOPE)
    return()
  endif()
  message(FATAL_ERROR "inhibitor needs ${package} >= ${arg_MINIMUM}, which ${problem}.\n"
          "  Debian, Ubuntu: apt install ${arg_DEBIAN}\n"
          "  installed elsewhere: -D${package}_DIR=<folder of its CMake files> or -DCMAKE_PREFIX_PATH=<prefix>\n"
          "  download ${arg_PINNED} instead: -DINHIBITOR_FETCH_DEPENDENCIES=ON")
endfunction()

# Header-only packages are only unpacked, their own CMake files stay unread: no options, tests or install rules of
# theirs enter this build. The SOURCE_SUBDIR that does not exist is FetchContent's documented way to say so.
function(inhibitor_fetch_headers package target repository tag include_folder)
  FetchContent_Declare(${package} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON
                       SOURCE_SUBDIR no-cmake-files-wanted)
  FetchContent_MakeAvailable(${package})
  string(TOLOWER ${package} lower)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${${lower}_SOURCE_DIR}/${include_folder})
endfunction()

inhibitor_find(Eigen3 TARGET Eigen3::Eigen MINIMUM 3.4.0 DEBIAN libeigen3-dev PINNED 3.4.0)
if(Eigen3_missing)
  inhibitor_fetch_headers(Eigen3 Eigen3::Eigen https://gitlab.com/libeigen/eigen.git 3.4.0 .)
endif()

inhibitor_find(xsimd TARGET xsimd MINIMUM 8.1.0 DEBIAN libxsimd-dev PINNED 8.1.0)
if(xsimd_missing)
  inhibitor_fetch_headers(xsimd xsimd https://github.com/xtensor-stack/xsimd.git 8.1.0 include)
endif()

if(INHIBITOR_IO)
  inhibitor_find(nlohmann_json TARGET nlohmann_json::nlohmann_json MINIMUM 3.11.2 DEBIAN nlohmann-json3-dev
                 PINNED 3.11.3)
  if(nlohmann_json_missing)
    inhibitor_fetch_headers(nlohmann_json nlohmann_json::nlohmann_json https://github.com/nlohmann/json.git v3.11.3
                            single_include)
  endif()
  inhibitor_find(ZLIB TARGET ZLIB::ZLIB MINIMUM 1.2.11 DEBIAN zlib1g-dev PINNED 1.3.1)
  if(ZLIB_missing)
    FetchContent_Declare(zlib GIT_REPOSITORY https://github.com/madler/zlib.git GIT_TAG v1.3.1 GIT_SHALLOW ON)
    set(ZLIB_BUILD_EXAMPLES OFF CACHE BOOL "" FORCE)
    FetchContent_MakeAvailable(zlib)
    target_include_directories(zlibstatic SYSTEM INTERFACE ${zlib_SOURCE_DIR} ${zlib_BINARY_DIR})
    add_library(ZLIB::ZLIB ALIAS zlibstatic)
  endif()
endif()

if(INHIBITOR_TEXT AND NOT TARGET PkgConfig::utf8proc)
  # utf8proc is found by pkg-config because Debian's package carries no CMake files. No minimum is asked for: the .pc file
  # states the version of the binary interface (2.6.0 for release 2.8.0), and all of interface 2 has what we call.
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(utf8proc QUIET IMPORTED_TARGET libutf8proc)
  endif()
  if(utf8proc_FOUND)
    message(STATUS "inhibitor uses utf8proc ${utf8proc_VERSION}")
  elseif(INHIBITOR_FETCH_DEPENDENCIES)
    message(STATUS "inhibitor downloads utf8proc 2.9.0: pkg-config finds no libutf8proc")
    FetchContent_Declare(utf8proc GIT_REPOSITORY https://github.com/JuliaStrings/utf8proc.git GIT_TAG v2.9.0
                         GIT_SHALLOW ON)
    set(UTF8PROC_INSTALL OFF CACHE BOOL "" FORCE)
    FetchContent_MakeAvailable(utf8proc)
    add_library(PkgConfig::utf8proc ALIAS utf8proc)
  else()
    message(FATAL_ERROR "inhibitor::text needs utf8proc (libutf8proc), which pkg-config did not find.\n"
            "  Debian, Ubuntu: apt install libutf8proc-dev pkg-config\n"
            "  installed elsewhere: set PKG_CONFIG_PATH\n"
            "  download 2.9.0 instead: -DINHIBITOR_FETCH_DEPENDENCIES=ON\n"
            "  not wanted: -DINHIBITOR_TEXT=OFF with tests and examples off")
  endif()
endif()

if(INHIBITOR_BUILD_EXAMPLES OR INHIBITOR_BUILD_TESTS)
  inhibitor_find(CLI11 TARGET CLI11::CLI11 MINIMUM 2.1.2 DEBIAN libcli11-dev PINNED 2.4.2)
  if(CLI11_missing)
    inhibitor_fetch_headers(CLI11 CLI11::CLI11 https://github.com/CLIUtils/CLI11.git v2.4.2 include)
  endif()
endif()

if(INHIBITOR_BUILD_EXAMPLES OR INHIBITOR_BUILD_TESTS OR INHIBITOR_BUILD_BENCHMARKS)
  inhibitor_find(fmt TARGET fmt::fmt MINIMUM 9.1.0 DEBIAN libfmt-dev PINNED 10.2.1)
  if(fmt_missing)
    FetchContent_Declare(fmt GIT_REPOSITORY https://github.com/fmtlib/fmt.git GIT_TAG 10.2.1 GIT_SHALLOW ON)
    FetchContent_MakeAvailable(fmt)
  endif()
endif()

if(INHIBITOR_BUILD_TESTS)
  inhibitor_find(Catch2 TARGET Catch2::Catch2WithMain MINIMUM 2.13.10 DEBIAN catch2 PINNED 3.7.1)
  if(Catch2_missing)
    FetchContent_Declare(Catch2 GIT_REPOSITORY https://github.com/catchorg/Catch2.git GIT_TAG v3.7.1 GIT_SHALLOW ON)
    FetchContent_MakeAvailable(Catch2)
  endif()
endif()

if(INHIBITOR_BUILD_BENCHMARKS)
  inhibitor_find(benchmark TARGET benchmark::benchmark MINIMUM 1.7.1 DEBIAN libbenchmark-dev PINNED 1.9.1)
  if(benchmark_missing)
    set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
    set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(benchmark GIT_REPOSITORY https://github.com/google/benchmark.git GIT_TAG v1.9.1
                         GIT_SHALLOW ON)
    FetchContent_MakeAvailable(benchmark)
  endif()
endif()

if(INHIBITOR_BUILD_EXAMPLES OR INHIBITOR_BUILD_TESTS OR INHIBITOR_BUILD_BENCHMARKS)
  # Threads for our own executables. Without OpenMP everything still builds and runs on one thread.
  find_package(OpenMP COMPONENTS CXX)
endif()
