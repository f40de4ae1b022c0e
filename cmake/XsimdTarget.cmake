# SPDX-License-Identifier: Apache-2.0
# Included after find_package(xsimd), by our own build and by the installed package: makes `xsimd` a target that links.

# Installations call it xsimd or xsimd::xsimd; ours is the plain name.
if(TARGET xsimd::xsimd AND NOT TARGET xsimd)
  add_library(xsimd INTERFACE IMPORTED)
  target_link_libraries(xsimd INTERFACE xsimd::xsimd)
endif()

# Debian's libxsimd-dev names xtl as a library to link without depending on it. xtl is header-only and needed for one
# optional feature that we do not use, so where it is absent every program would fail with "cannot find -lxtl".
if(TARGET xsimd AND NOT TARGET xtl)
  get_target_property(xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
  if("xtl" IN_LIST xsimd_links)
    list(REMOVE_ITEM xsimd_links xtl)
    set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "${xsimd_links}")
  endif()
  unset(xsimd_links)
endif()
