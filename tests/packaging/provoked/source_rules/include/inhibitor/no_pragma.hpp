// SPDX-License-Identifier: Apache-2.0

int no_guard();
