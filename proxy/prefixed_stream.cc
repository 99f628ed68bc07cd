#include "proxy/prefixed_stream.h"

#include <utility>

namespace revcache::proxy {

namespace {

class PrefixedStream final : public net::Stream {
 public:
  PrefixedStream(std::unique_ptr<net::Stream> inner, std::string prefix, net::Timers& timers)
      : inner_(std::move(inner)), prefix_(std::move(prefix)), timers_(timers) {}

  void start_reading(net::StreamReader& reader) override {
    if (prefix_.empty()) return inner_->start_reading(reader);
    if (delivery_) return;
    // In a turn of its own: a reader is never called inside start_reading.
    delivery_ = timers_.after(std::chrono::milliseconds(0), [this, &reader] {
      const auto prefix = std::exchange(prefix_, {});
      const auto finished = std::move(delivery_);
      inner_->start_reading(reader);
      reader.on_read(prefix);  // may destroy this stream
    });
  }

  void stop_reading() override {
    delivery_.reset();
    inner_->stop_reading();
  }

  std::size_t try_write(std::span<const std::string_view> pieces) override {
    return inner_->try_write(pieces);
  }
  void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) override {
    inner_->write(std::move(pieces), std::move(done));
  }
  void shutdown_write() override { inner_->shutdown_write(); }
  [[nodiscard]] SocketAddress peer_address() const override { return inner_->peer_address(); }
  [[nodiscard]] SocketAddress local_address() const override { return inner_->local_address(); }

 private:
  std::unique_ptr<net::Stream> inner_;
  std::string prefix_;
  net::Timers& timers_;
  std::unique_ptr<net::Timer> delivery_;
};

}  // namespace

std::unique_ptr<net::Stream> with_prefix(std::unique_ptr<net::Stream> inner, std::string prefix,
                                         net::Timers& timers) {
  if (prefix.empty()) return inner;
  return std::make_unique<PrefixedStream>(std::move(inner), std::move(prefix), timers);
}

}  // namespace revcache::proxy
