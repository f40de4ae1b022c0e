# SPDX-License-Identifier: Apache-2.0
# In a checkout an overlay port of it: vcpkg install inhibitor[io,text] --overlay-ports=packaging/vcpkg
# For a registry packaging/vcpkg/write-port replaces the next line by the address and the commit of the source.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)

set(VCPKG_BUILD_TYPE release) # headers only, one flavour is enough

vcpkg_check_features(OUT_FEATURE_OPTIONS features FEATURES
  io INHIBITOR_IO
  text INHIBITOR_TEXT
  training INHIBITOR_TRAINING)
vcpkg_find_acquire_program(PKGCONFIG)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    ${features}
    -DINHIBITOR_BUILD_TESTS=OFF
    -DINHIBITOR_BUILD_BENCHMARKS=OFF
    -DINHIBITOR_BUILD_EXAMPLES=OFF
    -DINHIBITOR_INSTALL=ON
    "-DPKG_CONFIG_EXECUTABLE=${PKGCONFIG}")
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/inhibitor)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/lib")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
