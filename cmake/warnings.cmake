# The warnings that every file of ours is compiled with. REVCACHE_WERROR makes them errors (CI).
add_library(revcache_warnings INTERFACE)
target_compile_options(revcache_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wundef
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  $<$<BOOL:${REVCACHE_WERROR}>:-Werror>)
