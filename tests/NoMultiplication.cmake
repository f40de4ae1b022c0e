# SPDX-License-Identifier: Apache-2.0
# The claim of the add-only kernels, read from the machine code of every instruction set (no_multiplication.cmake). It
# covers the float path between the projections and the u8 score step. It leaves out, by name, the rescaling of a u8
# distance to its threshold (one integer product per query and key) and, on x86, the u8 value step, which multiplies by
# signs (VNNI sign-dot, pmaddubsw).
#
# Compiled without automatic vectorization, which would compute addresses with vector products: the kernels' own
# vectors are written out.

function(inhibitor_disassemble name isa)
  cmake_parse_arguments(arg "" "SOURCE;KERNEL;COUNT;REJECT" "DEFINITIONS;OPTIONS" ${ARGN})
  set(object ${name}.${isa}.object)
  inhibitor_isa_flags(flags ${isa})
  add_library(${object} OBJECT support/${arg_SOURCE}.cpp)
  target_link_libraries(${object} PRIVATE inhibitor::inhibitor)
  target_compile_definitions(${object} PRIVATE INHIBITOR_COMPILED_ISA=${isa} NDEBUG ${arg_DEFINITIONS})
  target_compile_options(${object} PRIVATE ${flags} -O3
                         $<IF:$<CXX_COMPILER_ID:GNU>,-fno-tree-vectorize,-fno-vectorize;-fno-slp-vectorize>)
  set(reject)
  if(arg_REJECT)
    set(reject "-DREJECT=${arg_REJECT}")
  endif()
  add_test(NAME no_multiplication.${name}.${isa}
           COMMAND ${CMAKE_COMMAND} -DOBJDUMP=${CMAKE_OBJDUMP} -DNM=${CMAKE_NM} -DOBJECT=$<TARGET_OBJECTS:${object}>
                   -DKERNEL=${arg_KERNEL} -DCOUNT=${arg_COUNT} ${reject} ${arg_OPTIONS}
                   -P ${CMAKE_CURRENT_SOURCE_DIR}/no_multiplication.cmake)
endfunction()

foreach(isa scalar sse2 avx2 avx512 neon)
  if(NOT isa IN_LIST inhibitor_test_isas OR NOT CMAKE_OBJDUMP)
    continue()
  endif()
  inhibitor_disassemble(plain ${isa} SOURCE add_only_kernels KERNEL attention_forward COUNT 8 DEFINITIONS INHIBITOR_CENTERED=false)
  # The mean of a row divides, once per query.
  inhibitor_disassemble(centered ${isa} SOURCE add_only_kernels KERNEL attention_forward COUNT 8 DEFINITIONS INHIBITOR_CENTERED=true
                        OPTIONS -DDIVISION=ON)
  inhibitor_disassemble(u8_distances ${isa} SOURCE u8_distance_kernels KERNEL u8_distances COUNT 2)
  if(isa MATCHES "^(scalar|neon)$")
    inhibitor_disassemble(u8_values ${isa} SOURCE u8_value_kernels KERNEL u8_aggregate COUNT 2)
  endif()
endforeach()

# That the search can fail: a multiplication, a division where none is allowed, a product by signs. One instruction set tells.
foreach(isa scalar neon)
  if(NOT isa IN_LIST inhibitor_test_isas OR NOT CMAKE_OBJDUMP)
    continue()
  endif()
  inhibitor_disassemble(sees_scales ${isa} SOURCE ordinary_kernels KERNEL attention_forward COUNT 2 REJECT "[^a-z](v?mul[sp]s|v?fn?madd[0-9]+[sp]s|fmul|fmla)"
                        OPTIONS -DDIVISION=ON)
  inhibitor_disassemble(sees_division ${isa} SOURCE ordinary_kernels KERNEL attention_forward COUNT 2 REJECT "[^a-z](v?div[sp]s|fdiv)")
endforeach()
if("sse2" IN_LIST inhibitor_test_isas AND CMAKE_OBJDUMP)
  inhibitor_disassemble(sees_sign_products sse2 SOURCE u8_value_kernels KERNEL u8_aggregate COUNT 2 REJECT "[^a-z]v?pm(add|ul)")
endif()
