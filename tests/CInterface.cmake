# SPDX-License-Identifier: Apache-2.0
# The C interface: called from C99 and compared with the reference (test_c_interface), called from Python without a binding,
# and the symbols that its shared library shows.
target_sources(test_c_interface PRIVATE c/caller.c)
set_source_files_properties(c/caller.c PROPERTIES SKIP_PRECOMPILE_HEADERS ON
  COMPILE_OPTIONS "-std=c99;-Wall;-Wextra;-Wpedantic;-Wstrict-prototypes;-Werror")
target_compile_definitions(test_c_interface PRIVATE INHIBITOR_EXPECTED_VERSION="${PROJECT_VERSION}")
if(INHIBITOR_SANITIZE)
  # Sizes that no machine has are asked for on purpose.
  set_tests_properties(test_c_interface PROPERTIES ENVIRONMENT "${inhibitor_test_environment};ASAN_OPTIONS=allocator_may_return_null=1")
endif()

add_test(NAME c_interface_symbols
  COMMAND ${CMAKE_COMMAND} -D NM=${CMAKE_NM} -D LIBRARY=$<TARGET_FILE:inhibitor_c_shared>
          -D HEADER=${PROJECT_SOURCE_DIR}/packaging/c/inhibitor.h -P ${CMAKE_CURRENT_SOURCE_DIR}/c/symbols.cmake)

# A Python that loads a library made under sanitizers would need their run-time first.
if(INHIBITOR_PYTHON AND NOT INHIBITOR_SANITIZE)
  add_test(NAME c_interface_ctypes
    COMMAND ${INHIBITOR_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/c/from_python.py $<TARGET_FILE:inhibitor_c_shared>)
endif()
