# SPDX-License-Identifier: Apache-2.0

# inhibitor_header_set(<target> <folder>...): all headers in include/inhibitor/<folder> and the folders in it become the
# public header set of an INTERFACE target; "." stands for the top folder alone. The set is what gets installed and what the
# self-containment test compiles header by header.
#
# The headers are globbed, which for compiled sources is a bad habit: a new file goes unnoticed until CMake runs again.
# Here CONFIGURE_DEPENDS has the build look again each time, and a hand-written list could only fail worse, by leaving a
# new header out of both installation and test without anything breaking in this tree.
function(inhibitor_header_set target)
  set(root ${PROJECT_SOURCE_DIR}/include)
  set(headers)
  foreach(folder IN LISTS ARGN)
    if(folder STREQUAL ".")
      file(GLOB found CONFIGURE_DEPENDS ${root}/inhibitor/*.hpp)
    else()
      file(GLOB_RECURSE found CONFIGURE_DEPENDS ${root}/inhibitor/${folder}/*.hpp)
    endif()
    list(APPEND headers ${found})
  endforeach()
  target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${root} FILES ${headers})
endfunction()

# inhibitor_component(<name> FOLDERS <folder>... [LIBS <target>...]): the target inhibitor::<name> on top of the core.
function(inhibitor_component name)
  cmake_parse_arguments(arg "" "" "FOLDERS;LIBS" ${ARGN})
  add_library(inhibitor_${name} INTERFACE)
  add_library(inhibitor::${name} ALIAS inhibitor_${name})
  set_target_properties(inhibitor_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(inhibitor_${name} INTERFACE inhibitor ${arg_LIBS})
  inhibitor_header_set(inhibitor_${name} ${arg_FOLDERS})
endfunction()
