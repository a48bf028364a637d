# SPDX-License-Identifier: GPL-3.0-or-later
# Writes one line { "name", "text" }, per file of FILES to OUT.
set(lines "")
foreach(file ${FILES})
	get_filename_component(name ${file} NAME)
	file(READ ${file} text HEX)
	string(REGEX REPLACE "(..)" "\\\\x\\1" text "${text}")
	string(REGEX REPLACE "((\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..))" "\\1\"\n\t\"" text "${text}")
	string(APPEND lines "{ \"${name}\",\n\t\"${text}\" },\n")
endforeach()
file(WRITE ${OUT} "${lines}")
