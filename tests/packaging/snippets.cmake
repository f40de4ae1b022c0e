# SPDX-License-Identifier: Apache-2.0

# inhibitor_snippet(<page> <language> <file>): writes the first block of that language on a page to <file>, and again whenever the
# page changes, so that what a newcomer copies is what the tests compile and run.
function(inhibitor_snippet page language output)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${page})
  file(READ ${PROJECT_SOURCE_DIR}/${page} text)
  string(FIND "${text}" "```${language}\n" begin)
  if(begin EQUAL -1)
    message(FATAL_ERROR "${page} has no ```${language} block")
  endif()
  string(LENGTH "```${language}\n" length)
  math(EXPR begin "${begin} + ${length}")
  string(SUBSTRING "${text}" ${begin} -1 text)
  string(FIND "${text}" "```" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  file(CONFIGURE OUTPUT ${output} CONTENT "@text@" @ONLY)
endfunction()

# The program of README.md lies in examples/ for those who look there first; it may differ in the license line alone.
function(inhibitor_same_as_example snippet example)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${example})
  file(READ ${snippet} text)
  file(READ ${PROJECT_SOURCE_DIR}/${example} example_text)
  if(NOT example_text STREQUAL "// SPDX-License-Identifier: Apache-2.0\n${text}")
    message(FATAL_ERROR "the program in README.md and ${example} differ")
  endif()
endfunction()
