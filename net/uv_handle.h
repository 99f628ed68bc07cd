// Owning pointers to libuv handles. libuv may touch a handle until its close callback has run, so
// the handle lives on the heap and outlives its owner. For net/, and for programs that measure or
// test it.
#pragma once

#include <uv.h>

#include <memory>

namespace revcache::net {

struct CloseThenFree {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    handle->data = nullptr;  // a late callback finds no owner and returns
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

// Holds a handle that has been initialised on a loop: give it one only after uv_*_init succeeded.
template <class Handle>
using UvHandle = std::unique_ptr<Handle, CloseThenFree>;

template <class Handle>
uv_handle_t* as_handle(Handle* handle) noexcept {
  return reinterpret_cast<uv_handle_t*>(handle);
}

template <class Handle>
uv_stream_t* as_stream(Handle* handle) noexcept {
  return reinterpret_cast<uv_stream_t*>(handle);
}

}  // namespace revcache::net
