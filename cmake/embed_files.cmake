# Files of the tree that are compiled in: the product is one binary.

# revcache_embed_files(target source FILES file… [ENTRY text]): adds to `target` a source made of
# SOURCE.in in the current folder, where "@entries@" stands for one initializer of each file. In
# ENTRY @name@ is the file's name, @sha256@ that of its octets, and @text@ a literal of them; a file
# may not have ")embedded" in it, nor, as CMake reads it, a NUL.
function(revcache_embed_files target source)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "ENTRY" "FILES")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_FILES} ${source}.in)
  set(entries "")
  foreach(file ${arg_FILES})
    get_filename_component(name ${file} NAME)
    file(SHA256 ${file} sha256)
    file(READ ${file} text)
    string(REPLACE "@name@" "${name}" entry "${arg_ENTRY}")
    string(REPLACE "@sha256@" "${sha256}" entry "${entry}")
    string(REPLACE "@text@" "R\"embedded(${text})embedded\"" entry "${entry}")
    string(APPEND entries "    ${entry},\n")
  endforeach()
  file(READ ${source}.in made)
  string(REPLACE "@entries@" "${entries}" made "${made}")
  # Copied only when it differs, so that nothing is compiled without need.
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${source}.new "${made}")
  configure_file(${CMAKE_CURRENT_BINARY_DIR}/${source}.new
                 ${CMAKE_CURRENT_BINARY_DIR}/${source} COPYONLY)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${source})
endfunction()
