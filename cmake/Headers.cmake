# SPDX-License-Identifier: Apache-2.0

# inhibitor_header_set(<target> <folder>...): all headers in include/inhibitor/<folder> become the public header set of
# an INTERFACE target. The set is what gets installed and what the self-containment test compiles header by header.
#
# The headers are globbed, which for compiled sources is a bad habit: a new file goes unnoticed until CMake runs again.
# Here CONFIGURE_DEPENDS has the build look again each time, and a hand-written list could only fail worse, by leaving a
# new header out of both installation and test without anything breaking in this tree.
function(inhibitor_header_set target)
  set(root ${PROJECT_SOURCE_DIR}/include)
  set(headers)
  foreach(folder IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS ${root}/inhibitor/${folder}/*.hpp)
    list(APPEND headers ${found})
  endforeach()
  target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${root} FILES ${headers})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${INHIBITOR_BUILD_TESTS})
endfunction()
