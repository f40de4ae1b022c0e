# SPDX-License-Identifier: Apache-2.0
# inhibitor_read_alone_test(<name> <target> <file>...): a test that reads every file alone, as sources of <target> are compiled
# (tests/packaging/read_alone.sh). Much cheaper than compiling, for code that no build of the tests compiles.
function(inhibitor_read_alone_test name target)
  list(JOIN ARGN "\n" files)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.txt CONTENT "@files@\n" @ONLY)
  set(includes $<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>)
  set(definitions $<TARGET_PROPERTY:${target},INTERFACE_COMPILE_DEFINITIONS>)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set(includes $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
    set(definitions $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>)
  endif()
  add_test(NAME ${name}
           COMMAND ${PROJECT_SOURCE_DIR}/tests/packaging/read_alone.sh ${CMAKE_CURRENT_BINARY_DIR}/${name}.txt
                   ${PROJECT_SOURCE_DIR}/include:${PROJECT_SOURCE_DIR}/examples:${PROJECT_SOURCE_DIR}/bench ${CMAKE_CXX_COMPILER}
                   -std=c++17 $<$<BOOL:${OpenMP_CXX_FOUND}>:-fopenmp> "$<$<BOOL:${includes}>:-I$<JOIN:${includes},;-I>>"
                   "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>"
           COMMAND_EXPAND_LISTS)
endfunction()
