# SPDX-License-Identifier: Apache-2.0
cmake_minimum_required(VERSION 3.23)
# cmake -DNM=<nm> -DOBJECTS="<object> <object>..." -P isa_symbols.cmake
# Fails when a function is defined weakly in more than one of the objects, which are compiled for different instruction
# sets: the linker would keep either of them, and the program could run instructions that the machine does not have.
# Functions of the library carry the flags in their name, so what is found comes from a library it uses.
separate_arguments(OBJECTS)
set(shared)
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9a-f]+ W [^\n]+" functions "${symbols}")
  if(NOT functions)
    message(FATAL_ERROR "no functions in ${object}: nothing was checked")
  endif()
  foreach(line IN LISTS functions)
    string(REGEX REPLACE "^[0-9a-f]+ W " "" name "${line}")
    if(DEFINED seen_${name})
      list(APPEND shared "${name} (${seen_${name}} and ${object})")
    endif()
    set(seen_${name} ${object})
  endforeach()
endforeach()
if(shared)
  list(JOIN shared "\n  " text)
  message(FATAL_ERROR "functions shared by instruction sets:\n  ${text}")
endif()
