# SPDX-License-Identifier: GPL-3.0-or-later
#
# The Debian package, for the Debian that it is built on:
#
#     tests/install-packages build package
#     cmake --preset release && cmake --build --preset release && (cd build/release && cpack -G DEB)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME zonefan)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "zonefan <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "brings the DNS zones of DirectAdmin to every data centre")
set(CPACK_PACKAGE_DESCRIPTION
"zonefan is the single Extra DNS server between DirectAdmin masters and the
databases that the CoreDNS of each data centre reads. It makes every push
durable before it answers, and delivers it until every database holds it.")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/tools.cmake)
# Who makes the user and the folders that the package's sysusers.d and tmpfiles.d name.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
	"ca-certificates, systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/postinst ${CMAKE_CURRENT_LIST_DIR}/prerm
	${CMAKE_CURRENT_LIST_DIR}/postrm ${CMAKE_CURRENT_LIST_DIR}/conffiles)
include(CPack)
