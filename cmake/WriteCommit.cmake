# SPDX-License-Identifier: Apache-2.0
# cmake -D SOURCE=<checkout> -D HEADER=<file> -P WriteCommit.cmake
#
# Run at every build, so that result files name the commit they were made from; touches the header only when it changed.
cmake_minimum_required(VERSION 3.23)

set(commit unknown)
find_program(git_program git)
if(git_program)
  execute_process(COMMAND ${git_program} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#pragma once\n#define INHIBITOR_COMMIT \"@commit@\"\n" @ONLY)
