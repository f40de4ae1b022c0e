# SPDX-License-Identifier: Apache-2.0
"""Conan 2 recipe. In a checkout: conan create packaging/conan [-o "&:with_io=True"] [-o "&:with_text=True"]
[-o "&:with_training=True"]"""

import os
import re

from conan import ConanFile
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"

# Components beyond the core: what they lean on, their folders of include/inhibitor, the packages they need.
COMPONENTS = {
    "models": (["core"], ["nn", "optim", "models"], []),
    "io": (["core"], ["io"], ["nlohmann_json::nlohmann_json", "zlib::zlib"]),
    "text": (["core"], ["text", "metrics"], ["utf8proc::utf8proc"]),
    "training": (["models", "io", "text"], ["pretrained", "data", "training"], []),
}
MODULES = os.path.join("lib", "cmake", "inhibitor")


class InhibitorConan(ConanFile):
    name = "inhibitor"
    description = "Inhibitor attention for CPUs: Manhattan-distance scores, signed-ReLU aggregation"
    license = "Apache-2.0"
    topics = ("attention", "transformer", "simd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_io": [True, False], "with_text": [True, False], "with_training": [True, False]}
    default_options = {"with_io": False, "with_text": False, "with_training": False}
    no_copy_source = True

    def _repository(self):
        return os.path.normpath(os.path.join(self.recipe_folder, "..", ".."))

    def _components(self):
        return [part for part in COMPONENTS if part == "models" or self.options.get_safe(f"with_{part}")]

    def set_version(self):
        text = load(self, os.path.join(self._repository(), "include", "inhibitor", "version.hpp"))
        self.version = ".".join(re.findall(r"#define INHIBITOR_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, src=self._repository(), dst=self.export_sources_folder)

    def configure(self):
        if self.options.with_training:
            self.options.with_io = self.options.with_text = True

    def requirements(self):
        self.requires("eigen/[>=3.4 <6]", transitive_headers=True)
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)
        if self.options.with_io:
            self.requires("nlohmann_json/[>=3.11.2 <4]", transitive_headers=True)
            self.requires("zlib/[>=1.2.11 <2]", transitive_headers=True)
        if self.options.with_text:
            self.requires("utf8proc/[>=2.8 <3]", transitive_headers=True)

    def package_id(self):
        # Headers are the same on every machine; only the components change what is in the package.
        self.info.settings.clear()

    def layout(self):
        basic_layout(self)

    def package(self):
        # The files are copied rather than installed by CMake, which would have to find the dependencies first.
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        absent = [part for part in COMPONENTS if part not in self._components()]
        unwanted = [f"inhibitor/{folder}/*" for part in absent for folder in COMPONENTS[part][1]]
        copy(self, "*.hpp", src=os.path.join(self.source_folder, "include"),
             dst=os.path.join(self.package_folder, "include"), excludes=unwanted)
        # inhibitor_add_isa_variants, and the source that it compiles once per instruction set.
        for file in ("IsaVariants.cmake", "isa_variant.cpp"):
            copy(self, file, src=os.path.join(self.source_folder, "cmake"), dst=os.path.join(self.package_folder, MODULES))

    def package_info(self):
        # The target of the package as a whole; inhibitor::inhibitor is the core, as everywhere.
        self.cpp_info.set_property("cmake_target_name", "inhibitor::everything")
        self.cpp_info.set_property("cmake_build_modules", [os.path.join(MODULES, "IsaVariants.cmake")])
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "inhibitor::inhibitor")
        core.set_property("cmake_target_aliases", ["inhibitor::core"])
        core.set_property("pkg_config_name", "inhibitor")
        core.bindirs, core.libdirs = [], []
        core.requires = ["eigen::eigen", "xsimd::xsimd"]
        for part in self._components():
            needs, _, packages = COMPONENTS[part]
            component = self.cpp_info.components[part]
            component.set_property("cmake_target_name", f"inhibitor::{part}")
            component.bindirs, component.libdirs = [], []
            component.requires = needs + packages
