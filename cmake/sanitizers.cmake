# REVCACHE_SANITIZE: empty, "address,undefined" or "thread". Applies to the whole tree.
if(REVCACHE_SANITIZE)
  add_compile_options(-fsanitize=${REVCACHE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REVCACHE_SANITIZE})
endif()
