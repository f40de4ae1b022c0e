# SPDX-License-Identifier: Apache-2.0
# cmake -D NM=<nm> -D LIBRARY=<libinhibitor.so> -D HEADER=<inhibitor.h> -P symbols.cmake
#
# The shared library shows what inhibitor.h declares, each with a version, and nothing else.
cmake_minimum_required(VERSION 3.23)

execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE shown COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+ [^ \n]+ [^ \n]+" lines "${shown}")
set(names)
foreach(line IN LISTS lines)
  if(line MATCHES " A INHIBITOR_[0-9.]+(@@INHIBITOR_[0-9.]+)?$") # as GNU nm and as llvm-nm say it
    continue() # the version itself
  elseif(NOT line MATCHES " T (inhibitor_[a-z0-9_]+)@@INHIBITOR_[0-9]+\\.[0-9]+$")
    message(FATAL_ERROR "not a function of the interface: ${line}")
  endif()
  list(APPEND names ${CMAKE_MATCH_1})
endforeach()

file(READ ${HEADER} header)
string(REGEX MATCHALL "inhibitor_[a-z0-9_]+\\(" declared "${header}")
list(TRANSFORM declared REPLACE "\\(" "")
list(SORT declared)
list(SORT names)
if(NOT names OR NOT names STREQUAL declared)
  message(FATAL_ERROR "shown: ${names}\ndeclared: ${declared}")
endif()
list(LENGTH names count)
message(STATUS "symbols: ${count}")
