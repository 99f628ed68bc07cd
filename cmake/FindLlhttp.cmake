# llhttp 8.1 from Debian's node-llhttp: C sources, compiled here with strict mode on (the packaged
# header turns it off) and no lenient flag ever set. Target: Llhttp::Llhttp.
find_path(Llhttp_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
find_path(Llhttp_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Llhttp REQUIRED_VARS Llhttp_INCLUDE_DIR Llhttp_SOURCE_DIR)
if(Llhttp_FOUND AND NOT TARGET Llhttp::Llhttp)
  add_library(llhttp STATIC ${Llhttp_SOURCE_DIR}/api.c ${Llhttp_SOURCE_DIR}/http.c
                            ${Llhttp_SOURCE_DIR}/llhttp.c)
  target_include_directories(llhttp SYSTEM PUBLIC ${Llhttp_INCLUDE_DIR})
  target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
  # Generated code: its warnings are not ours to mend.
  target_compile_options(llhttp PRIVATE -w)
  add_library(Llhttp::Llhttp ALIAS llhttp)
endif()
