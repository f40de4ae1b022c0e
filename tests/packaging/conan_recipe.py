#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""conan_recipe.py <repository> <scratch folder>: what the Conan recipe packs and tells, without Conan.

The few functions of Conan that the recipe calls are written here, so that the test runs everywhere: every header must belong to
the core or to a component, and every component must be packed when it is asked for and only then.
"""

import fnmatch
import os
import shutil
import sys
import types


def copy(_, pattern, src, dst, excludes=()):
    for folder, _, files in os.walk(src):
        for file in files:
            name = os.path.relpath(os.path.join(folder, file), src)
            if fnmatch.fnmatch(name, pattern) and not any(fnmatch.fnmatch(name, e) for e in excludes):
                os.makedirs(os.path.dirname(os.path.join(dst, name)), exist_ok=True)
                shutil.copy(os.path.join(src, name), os.path.join(dst, name))


def load(_, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Options(types.SimpleNamespace):
    def get_safe(self, name):
        return getattr(self, name, None)


class Info:
    def __init__(self):
        self.properties, self.requires = {}, []

    def set_property(self, name, value):
        self.properties[name] = value


class Components(dict):
    def __missing__(self, name):
        self[name] = Info()
        return self[name]


def main():
    repository, scratch = sys.argv[1:]
    for name, members in (("conan", {"ConanFile": object}), ("conan.tools", {}), ("conan.tools.files", {"copy": copy, "load": load}),
                          ("conan.tools.layout", {"basic_layout": None})):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(members)
    recipe_folder = os.path.join(repository, "packaging", "conan")
    sys.path.insert(0, recipe_folder)
    sys.dont_write_bytecode = True
    import conanfile

    folders = set(os.listdir(os.path.join(repository, "include", "inhibitor")))
    wanted = {"core": set()}
    for chosen in ((), ("io",), ("text",), ("io", "text", "training")):
        recipe = conanfile.InhibitorConan()
        recipe.recipe_folder = recipe_folder
        recipe.set_version()
        assert recipe.version.count(".") == 2, recipe.version
        package = os.path.join(scratch, "-".join(chosen) or "core")
        shutil.rmtree(package, ignore_errors=True)
        recipe.export_sources_folder = recipe.source_folder = os.path.join(package, "source")
        recipe.package_folder = os.path.join(package, "package")
        recipe.options = Options(**{f"with_{part}": part in chosen for part in ("io", "text", "training")})
        recipe.required = []
        recipe.requires = lambda name, **_: recipe.required.append(name.split("/")[0])
        recipe.cpp_info = Info()
        recipe.cpp_info.components = Components()
        recipe.configure()
        recipe.requirements()
        recipe.export_sources()
        recipe.package()
        recipe.package_info()
        packed = set(os.listdir(os.path.join(recipe.package_folder, "include", "inhibitor")))
        absent = {folder for part, (_, names, _) in conanfile.COMPONENTS.items() for folder in names
                  if part != "models" and part not in chosen}
        assert packed == folders - absent, (chosen, packed)
        parts = recipe.cpp_info.components
        assert set(parts) == {"core", "models", *chosen}, parts
        for info in parts.values():
            for needed in info.requires:
                assert needed in parts or needed.split("::")[0] in recipe.required, (chosen, needed)
        names = [info.properties["cmake_target_name"] for info in (recipe.cpp_info, *parts.values())]
        assert len(set(names)) == len(names), names
        for module in recipe.cpp_info.properties["cmake_build_modules"]:
            text = load(None, os.path.join(recipe.package_folder, module))
            assert "function(inhibitor_add_isa_variants" in text
        assert os.path.exists(os.path.join(recipe.package_folder, conanfile.MODULES, "isa_variant.cpp"))


main()
