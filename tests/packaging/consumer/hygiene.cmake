# SPDX-License-Identifier: Apache-2.0
# Slipped into an outside project by CMAKE_PROJECT_INCLUDE: looks, once that project is configured, for anything the
# library left behind in it. Whoever wants the core pays for nothing else: no lookup, no target, no flag beyond the
# language level.
if(NOT CMAKE_CURRENT_SOURCE_DIR STREQUAL CMAKE_SOURCE_DIR)
  return() # the library's own project() includes this file too
endif()

function(check_hygiene)
  foreach(package nlohmann_json CLI11 fmt Catch2 benchmark OpenMP)
    if(DEFINED CACHE{${package}_DIR} OR ${package}_FOUND)
      message(FATAL_ERROR "the core alone made CMake look for ${package}")
    endif()
  endforeach()
  foreach(property COMPILE_OPTIONS COMPILE_DEFINITIONS LINK_OPTIONS)
    get_target_property(leaked inhibitor::inhibitor INTERFACE_${property})
    if(leaked)
      message(FATAL_ERROR "inhibitor::inhibitor leaks ${property}: ${leaked}")
    endif()
  endforeach()
  foreach(variable CMAKE_CXX_STANDARD CMAKE_RUNTIME_OUTPUT_DIRECTORY CMAKE_BUILD_TYPE)
    if(${variable})
      message(FATAL_ERROR "${variable} was set for us: ${${variable}}")
    endif()
  endforeach()
  if(NOT INHIBITOR_FROM STREQUAL "find_package")
    get_property(targets DIRECTORY ${INHIBITOR_SOURCE} PROPERTY BUILDSYSTEM_TARGETS)
    if(NOT targets STREQUAL "inhibitor;inhibitor_models")
      message(FATAL_ERROR "as a sub-project the library brings the targets ${targets}")
    endif()
  endif()
  message(STATUS "hygiene: nothing left behind")
endfunction()
cmake_language(DEFER CALL check_hygiene)
