# SPDX-License-Identifier: Apache-2.0
# inhibitor_add_isa_test(<folder>/test_<subject> [ISAS ...] [LIBS ...]): the same test source built once per instruction set, with exactly the
# flags of that set, as tests test_<subject>.<isa> with the label isa_<isa>. On a CPU that lacks an instruction set CTest
# reports the test as skipped, and its output names what is missing.

inhibitor_isa_names(inhibitor_test_isas)
if(INHIBITOR_TEST_ISAS)
  list(FILTER inhibitor_test_isas INCLUDE REGEX "^(${INHIBITOR_TEST_ISAS})$")
endif()

# Compiled without any of those flags, so that it can look before the test's own static initialization runs.
add_executable(run_if_supported support/run_if_supported.cpp)
target_link_libraries(run_if_supported PRIVATE inhibitor::inhibitor inhibitor_program_settings)
set_target_properties(run_if_supported PROPERTIES INHIBITOR_ISA scalar)

function(inhibitor_add_isa_test source)
  get_filename_component(name ${source} NAME)
  cmake_parse_arguments(arg "" "" "ISAS;LIBS" ${ARGN})
  foreach(isa IN LISTS inhibitor_test_isas)
    if(arg_ISAS AND NOT isa IN_LIST arg_ISAS)
      continue()
    endif()
    inhibitor_isa_flags(flags ${isa})
    set(target ${name}.${isa})
    add_executable(${target} ${source}.cpp)
    set_target_properties(${target} PROPERTIES INHIBITOR_ISA ${isa})
    target_compile_definitions(${target} PRIVATE INHIBITOR_COMPILED_ISA=${isa})
    target_compile_options(${target} PRIVATE ${flags} $<$<CONFIG:Release>:-O2>)
    target_link_libraries(${target} PRIVATE inhibitor::inhibitor inhibitor_program_settings Catch2::Catch2WithMain ${arg_LIBS})
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    add_test(NAME ${target} COMMAND run_if_supported ${isa} $<TARGET_FILE:${target}>)
    set_tests_properties(${target} PROPERTIES SKIP_RETURN_CODE 77 LABELS isa_${isa} ENVIRONMENT "${inhibitor_test_environment}")
  endforeach()
endfunction()
