# SPDX-License-Identifier: Apache-2.0

# inhibitor_readme_snippet(<file>): writes the first ```cpp block of README.md to <file>, and again whenever README.md
# changes, so that what a newcomer copies is what the tests compile and run.
function(inhibitor_readme_snippet output)
  set(readme ${PROJECT_SOURCE_DIR}/README.md)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${readme})
  file(READ ${readme} text)
  string(FIND "${text}" "```cpp\n" begin)
  if(begin EQUAL -1)
    message(FATAL_ERROR "README.md has no ```cpp block")
  endif()
  math(EXPR begin "${begin} + 7")
  string(SUBSTRING "${text}" ${begin} -1 text)
  string(FIND "${text}" "```" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  file(CONFIGURE OUTPUT ${output} CONTENT "@text@" @ONLY)
  # The same program lies in examples/ for those who look there first; it may differ in the license line alone.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/quickstart.cpp)
  file(READ ${PROJECT_SOURCE_DIR}/examples/quickstart.cpp example)
  if(NOT example STREQUAL "// SPDX-License-Identifier: Apache-2.0\n${text}")
    message(FATAL_ERROR "the program in README.md and examples/quickstart.cpp differ")
  endif()
endfunction()
