# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run by cpack before it begins. Without dpkg-shlibdeps it would make a package that names no library, and be content with it.
cmake_policy(SET CMP0109 NEW) # a program can be executed
foreach(tool dpkg-shlibdeps file)
	find_program(tool_${tool} ${tool} NO_CACHE)
	if(NOT tool_${tool})
		message(FATAL_ERROR "the Debian package is not made: ${tool} is not here (tests/install-packages package)")
	endif()
endforeach()
