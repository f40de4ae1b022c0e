# SPDX-License-Identifier: Apache-2.0
# cmake -D OBJDUMP=<objdump> -D NM=<nm> -D OBJECT=<object> -D KERNEL=<name> -D COUNT=<n> [-D DIVISION=ON]
#       [-D REJECT=<regex>] -P no_multiplication.cmake
#
# Disassembles an object that holds nothing but kernels, at least COUNT functions named KERNEL among them, and fails on
# any instruction that multiplies numbers: floating point, x87, vector integer, fused, dot product or scaling by a power
# of two, on x86 and aarch64. Division and square root are refused too unless DIVISION is given (the mean of a row), and
# so is a call to anything but memory functions, behind which a multiplication could hide.
#
# Integer products in general registers (imul, mulx, lea; mul, madd with x or w registers) are addresses: row times
# stride. No query, key, score, weight or value of these kernels is ever in a general register but as a copy. They are
# counted in the output and not refused.
#
# REJECT turns the test round, for kernels that must be rejected: one of the instructions refused has to match it.
cmake_minimum_required(VERSION 3.23)

execute_process(COMMAND ${OBJDUMP} -d -r --no-show-raw-insn -C ${OBJECT} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${NM} -C -u ${OBJECT} OUTPUT_VARIABLE outside COMMAND_ERROR_IS_FATAL ANY)

# x86, AT&T spelling; a leading v is the AVX form. GNU objdump writes a tab after the address, that of LLVM blanks as well.
set(x86_multiply "v?mul[sp][shd][a-z]*|fi?mul[a-z]*|v?f(n?m(add|sub|addsub|subadd))[0-9]*[sp][shd]|v?fc?m(ul|add)c?[sp]h"
                 "v?pmul[a-z0-9]*|v?pmadd[a-z0-9]*|v?pclmul[a-z]*|vpdp[a-z0-9]*|v?dpp[sd]|vdpbf16ps|tdp[a-z0-9]*|vscalef[a-z0-9]*")
# aarch64: general registers are x and w, everything else is a number.
set(arm_multiply "fn?m(ul|la|ls|add|sub|ulx|lal|lsl)[a-z0-9]*|[su]q?r?d?(mul|mla|mls)[a-z0-9]*|[su]dot|usdot|bfdot|bfmmla|[su]mmla"
                 "(mul|mla|mls)\tv[0-9a-z.]*|fscale")
set(divide "v?div[sp][shd]|fi?divr?p?|fdiv|v?r?sqrt[sp][shd]|vrsqrt14[sp][sd]|v?rcp[sp]s|vrcp14[sp][sd]|fsqrt|frecp[esx]|frsqrt[es]")
list(JOIN x86_multiply "|" x86_multiply)
list(JOIN arm_multiply "|" arm_multiply)
set(refused "${x86_multiply}|${arm_multiply}")
if(NOT DIVISION)
  set(refused "${refused}|${divide}")
endif()
set(addresses "imul[a-z]*|mulx|(mul|madd|msub|smull|umull|smaddl|umaddl|smulh|umulh)\t[xw]")

string(REGEX REPLACE "[;\\[]" "," text "${text}")
string(REPLACE "]" "," text "${text}")
string(REPLACE "\n" ";" lines "${text}")
set(kernels 0)
set(products 0)
set(found)
foreach(line IN LISTS lines)
  if(line MATCHES "^[0-9a-f]+ <(.*)>:$")
    set(function "${CMAKE_MATCH_1}")
    string(FIND "${function}" "${KERNEL}<" at)
    if(at GREATER -1)
      math(EXPR kernels "${kernels} + 1")
    endif()
  elseif(line MATCHES ":[ \t]+([su]mull|[su]mulh|smaddl|umaddl)\t[xw]" OR line MATCHES ":[ \t]+(${addresses})([ \t,]|$)")
    math(EXPR products "${products} + 1")
  elseif(line MATCHES ":[ \t]+({[a-z0-9]+} )?(${refused})([ \t,]|$)")
    list(APPEND found "${function}: ${line}")
  endif()
endforeach()
string(REGEX MATCHALL "U [^\n]+" calls "${outside}")
foreach(call IN LISTS calls)
  if(NOT call MATCHES "^U (mem(set|cpy|move)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__assert_fail|__gxx_personality_v0)$")
    list(APPEND found "call of ${call}")
  endif()
endforeach()

if(kernels LESS COUNT)
  message(FATAL_ERROR "expected ${COUNT} functions ${KERNEL}, found ${kernels}: nothing was proved")
endif()
list(JOIN found "\n" message)
if(REJECT)
  if(NOT message MATCHES "${REJECT}")
    message(FATAL_ERROR "nothing like ${REJECT} was found in kernels that have it:\n${message}")
  endif()
  message(STATUS "${kernels} kernels, rejected as they must be")
elseif(found)
  message(FATAL_ERROR "multiplications in add-only kernels:\n${message}")
else()
  message(STATUS "${kernels} kernels without multiplication; ${products} products for addresses")
endif()
