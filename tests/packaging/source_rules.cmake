# SPDX-License-Identifier: Apache-2.0
# cmake -D ROOT=<the repository> -P source_rules.cmake
#
# Rules that a person forgets: the license line on top of every source file, headers of at most 400 lines, one version
# number wherever a version is written, a README that stays short, nothing unknown at the top level.
cmake_minimum_required(VERSION 3.23)

set(problems)
set(license_line "// SPDX-License-Identifier: Apache-2.0")

set(patterns)
foreach(folder include tests bench examples packaging)
  foreach(suffix hpp cpp h c)
    list(APPEND patterns ${ROOT}/${folder}/*.${suffix})
  endforeach()
endforeach()
file(GLOB_RECURSE sources RELATIVE ${ROOT} ${patterns})
list(FILTER sources EXCLUDE REGEX "^tests/packaging/provoked/source_rules/") # offences on purpose
foreach(file IN LISTS sources)
  # Read as one text: a CMake list of source lines breaks on brackets and semicolons.
  file(READ ${ROOT}/${file} text)
  string(FIND "${text}" "${license_line}\n" at)
  if(NOT at EQUAL 0)
    list(APPEND problems "${file}: the first line is not ${license_line}")
  endif()
  if(file MATCHES "\\.hpp$")
    if(NOT text MATCHES "\n#pragma once\n")
      list(APPEND problems "${file}: no #pragma once")
    endif()
    string(REGEX REPLACE "[^\n]" "" newlines "${text}")
    string(LENGTH "${newlines}" lines)
    if(lines GREATER 400)
      list(APPEND problems "${file}: ${lines} lines, more than 400")
    endif()
  endif()
endforeach()

set(version)
foreach(part MAJOR MINOR PATCH)
  file(STRINGS ${ROOT}/include/inhibitor/version.hpp line REGEX "#define INHIBITOR_VERSION_${part} [0-9]+")
  string(REGEX REPLACE ".* ([0-9]+)$" "\\1" number "${line}")
  list(APPEND version "${number}")
endforeach()
list(JOIN version "." version)

# The newest entry of the change log is the first heading with a number; "Unreleased" may stand above it.
file(STRINGS ${ROOT}/CHANGELOG.md headings REGEX "^## \\[[0-9]+\\.[0-9]+\\.[0-9]+\\]")
list(GET headings 0 newest)
if(NOT newest MATCHES "^## \\[${version}\\] - [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$")
  list(APPEND problems "CHANGELOG.md: newest entry \"${newest}\" is not \"## <${version}> - <date>\", the version in version.hpp")
endif()
file(STRINGS ${ROOT}/CITATION.cff cited REGEX "^version: ")
if(NOT cited STREQUAL "version: ${version}")
  list(APPEND problems "CITATION.cff: \"${cited}\" is not \"version: ${version}\", the version in version.hpp")
endif()

file(READ ${ROOT}/packaging/vcpkg/inhibitor/vcpkg.json port)
string(JSON port_version GET "${port}" version-semver)
if(NOT port_version STREQUAL version)
  list(APPEND problems "packaging/vcpkg/inhibitor/vcpkg.json: \"${port_version}\" is not ${version}, the version in version.hpp")
endif()

file(STRINGS ${ROOT}/packaging/debian/changelog packaged LIMIT_COUNT 1)
string(REGEX REPLACE "^inhibitor \\(([0-9.]+)-[0-9]+\\).*$" "\\1" packaged "${packaged}")
if(NOT packaged STREQUAL version)
  list(APPEND problems "packaging/debian/changelog: \"${packaged}\" is not ${version}, the version in version.hpp")
endif()

file(READ ${ROOT}/README.md readme)
string(REGEX REPLACE "[^\n]" "" newlines "${readme}")
string(LENGTH "${newlines}" lines)
if(lines GREATER 119)
  list(APPEND problems "README.md: ${lines} lines, should stay under 120")
endif()

# What lies at the top level is known: scratch files of an experiment get into a commit there.
set(places bench cmake docs examples include packaging scripts tests CHANGELOG.md CITATION.cff CMakeLists.txt CMakePresets.json
    CONTRIBUTING.md LICENSE README.md SECURITY.md)
set(ignored build runs compile_commands.json) # as in .gitignore
file(GLOB entries RELATIVE ${ROOT} ${ROOT}/*)
list(REMOVE_ITEM entries ${places} ${ignored})
list(FILTER entries EXCLUDE REGEX "^\\.")
foreach(entry IN LISTS entries)
  list(APPEND problems "${entry}: has no place at the top level")
endforeach()

if(problems)
  list(JOIN problems "\n  " text)
  message(FATAL_ERROR "broken rules:\n  ${text}")
endif()
list(LENGTH sources count)
message(STATUS "source rules: ${count} files in order, version ${version}")
