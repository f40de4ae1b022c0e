# SPDX-License-Identifier: Apache-2.0
"""Conan 2 recipe. In a checkout: conan create packaging/conan [-o "&:with_io=True"] [-o "&:with_text=True"]"""

import os
import re

from conan import ConanFile
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class InhibitorConan(ConanFile):
    name = "inhibitor"
    description = "Inhibitor attention for CPUs: Manhattan-distance scores, signed-ReLU aggregation"
    license = "Apache-2.0"
    topics = ("attention", "transformer", "simd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_io": [True, False], "with_text": [True, False]}
    default_options = {"with_io": False, "with_text": False}
    no_copy_source = True

    def _repository(self):
        return os.path.normpath(os.path.join(self.recipe_folder, "..", ".."))

    def set_version(self):
        text = load(self, os.path.join(self._repository(), "include", "inhibitor", "version.hpp"))
        self.version = ".".join(re.findall(r"#define INHIBITOR_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, src=self._repository(), dst=self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/[>=3.4 <6]", transitive_headers=True)
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)
        if self.options.with_io:
            self.requires("nlohmann_json/[>=3.11.2 <4]", transitive_headers=True)
        if self.options.with_text:
            self.requires("utf8proc/[>=2.8 <3]", transitive_headers=True)

    def package_id(self):
        # Headers are the same on every machine; only the add-ons change what is in the package.
        self.info.settings.clear()

    def layout(self):
        basic_layout(self)

    def package(self):
        # The files are copied rather than installed by CMake, which would have to find the dependencies first.
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        unwanted = [f"inhibitor/{part}/*" for part in ("io", "text") if not self.options.get_safe(f"with_{part}")]
        copy(self, "*.hpp", src=os.path.join(self.source_folder, "include"),
             dst=os.path.join(self.package_folder, "include"), excludes=unwanted)

    def package_info(self):
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "inhibitor::inhibitor")
        core.set_property("pkg_config_name", "inhibitor")
        core.bindirs, core.libdirs = [], []
        core.requires = ["eigen::eigen", "xsimd::xsimd"]
        for part, package in (("io", "nlohmann_json::nlohmann_json"), ("text", "utf8proc::utf8proc")):
            if self.options.get_safe(f"with_{part}"):
                component = self.cpp_info.components[part]
                component.set_property("cmake_target_name", f"inhibitor::{part}")
                component.bindirs, component.libdirs = [], []
                component.requires = ["core", package]
