#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# two_flags.sh SOURCES WORK "COMPILER..." "LEVEL..." "ARCH..." EMULATOR FLAGS...
#
# Parts of one program compiled with different flags: the first for baseline x86-64, the second for ARCH, linked in both
# orders. Both parts must give right results here, and the first part alone on an emulated processor that has nothing
# beyond its flags (EMULATOR empty: not tried).
set -eu
sources=$1 work=$2 compilers=$3 levels=$4 archs=$5 emulator=$6
shift 6
mkdir -p "$work"
cd "$work"
for compiler in $compilers; do
  "$compiler" -O1 "$@" -c "$sources/main.cpp" -o main.o
  for level in $levels; do
    "$compiler" "$level" "$@" -march=x86-64 -DINHIBITOR_PART=first_part -c "$sources/part.cpp" -o first.o
    for arch in $archs; do
      "$compiler" "$level" "$@" "-march=$arch" -DINHIBITOR_PART=second_part -c "$sources/part.cpp" -o second.o
      for order in "first.o second.o" "second.o first.o"; do
        "$compiler" main.o $order -o two_flags
        echo "$compiler $level x86-64 and $arch, linked $order"
        ./two_flags both
        test -z "$emulator" || $emulator ./two_flags first
      done
    done
  done
done
