# SPDX-License-Identifier: Apache-2.0
# Tests on every instruction set, as test_<subject>.<isa> with the label isa_<isa>. On a CPU that lacks an instruction set CTest
# reports the test as skipped, and its output names what is missing. The list is inhibitor_test_isas (cmake/ProgramSettings.cmake).
#
#   inhibitor_add_isa_test(<folder>/test_<subject> <isa>...)   the source built once per instruction set, with exactly its flags
#   inhibitor_run_on_isas(test_<subject> [<isa>...])     a test linked to inhibitor_dispatched_kernels, run with the kernels of
#                                                        every instruction set, or of those listed
#   inhibitor_add_dispatched_test(<folder>/test_<subject> [<isa>...])   a test of plain calls: added and run so

# Compiled without any of those flags, so that it can look before the test's own static initialization runs.
add_executable(run_if_supported support/run_if_supported.cpp)
target_link_libraries(run_if_supported PRIVATE inhibitor::inhibitor inhibitor_program_settings)
set_target_properties(run_if_supported PROPERTIES INHIBITOR_ISA scalar)

function(inhibitor_add_isa_test source)
  get_filename_component(name ${source} NAME)
  foreach(isa IN LISTS inhibitor_test_isas)
    if(NOT isa IN_LIST ARGN)
      continue()
    endif()
    inhibitor_isa_flags(flags ${isa})
    set(target ${name}.${isa})
    add_executable(${target} ${source}.cpp)
    set_target_properties(${target} PROPERTIES INHIBITOR_ISA ${isa})
    target_compile_definitions(${target} PRIVATE INHIBITOR_COMPILED_ISA=${isa})
    target_compile_options(${target} PRIVATE ${flags} $<$<CONFIG:Release>:-O2>)
    target_link_libraries(${target} PRIVATE inhibitor::inhibitor inhibitor_program_settings Catch2::Catch2WithMain)
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    add_test(NAME ${target} COMMAND run_if_supported ${isa} $<TARGET_FILE:${target}>)
    set_tests_properties(${target} PROPERTIES SKIP_RETURN_CODE 77 LABELS isa_${isa} ENVIRONMENT "${inhibitor_test_environment}")
  endforeach()
endfunction()

function(inhibitor_run_on_isas name)
  foreach(isa IN LISTS inhibitor_test_isas)
    if(ARGN AND NOT isa IN_LIST ARGN)
      continue()
    endif()
    add_test(NAME ${name}.${isa} COMMAND run_if_supported ${isa} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.${isa} PROPERTIES SKIP_RETURN_CODE 77 LABELS isa_${isa}
                         ENVIRONMENT "${inhibitor_test_environment};INHIBITOR_ISA=${isa}")
  endforeach()
endfunction()

function(inhibitor_add_dispatched_test source)
  get_filename_component(name ${source} NAME)
  inhibitor_add_test(${source} LIBS inhibitor_dispatched_kernels)
  inhibitor_run_on_isas(${name} ${ARGN})
endfunction()
