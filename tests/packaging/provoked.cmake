# SPDX-License-Identifier: Apache-2.0
# cmake -D CHECK=<script> -D ROOT=<tree made to break it> -P provoked.cmake
#
# A check that never fails proves nothing. This runs one on a tree full of offences and demands that it fails and names
# every offence listed in <tree>/expected.txt, and no others (its problem lines are those indented by four spaces).
cmake_minimum_required(VERSION 3.23)

execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${ROOT} -P ${CHECK} RESULT_VARIABLE code OUTPUT_VARIABLE text
                ERROR_VARIABLE text)
if(code EQUAL 0)
  message(FATAL_ERROR "${CHECK} passed on ${ROOT}, which is made of offences")
endif()
file(STRINGS ${ROOT}/expected.txt expected)
foreach(line IN LISTS expected)
  string(FIND "${text}" "${line}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "not reported: ${line}\nThe check said:\n${text}")
  endif()
endforeach()
string(REGEX MATCHALL "\n    [^ \n]" reported "${text}")
list(LENGTH reported reported_count)
list(LENGTH expected expected_count)
if(NOT reported_count EQUAL expected_count)
  message(FATAL_ERROR "${reported_count} offences reported, ${expected_count} expected. The check said:\n${text}")
endif()
