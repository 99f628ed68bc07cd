#include "tests/sim/sim_wire.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace revcache::sim {

namespace {

constexpr std::size_t other(std::size_t end) { return 1 - end; }

class SimStream final : public net::Stream {
 public:
  SimStream(std::shared_ptr<SimWire> wire, std::size_t end,
            std::shared_ptr<std::size_t> open_streams)
      : wire_(std::move(wire)), end_(end), open_streams_(std::move(open_streams)) {
    ++*open_streams_;
  }
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;
  ~SimStream() override {
    --*open_streams_;
    wire_->close(end_);
  }

  void start_reading(net::StreamReader& reader) override { wire_->start_reading(end_, reader); }
  void stop_reading() override { wire_->stop_reading(end_); }
  std::size_t try_write(std::span<const std::string_view> pieces) override {
    return wire_->try_write(end_, pieces);
  }
  void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) override {
    wire_->write(end_, std::move(pieces), std::move(done));
  }
  void shutdown_write() override { wire_->shutdown_write(end_); }
  [[nodiscard]] SocketAddress peer_address() const override {
    return wire_->address_of(other(end_));
  }
  [[nodiscard]] SocketAddress local_address() const override { return wire_->address_of(end_); }

 private:
  std::shared_ptr<SimWire> wire_;
  std::size_t end_;
  std::shared_ptr<std::size_t> open_streams_;
};

}  // namespace

std::unique_ptr<net::Stream> make_sim_stream(std::shared_ptr<SimWire> wire, std::size_t end,
                                             std::shared_ptr<std::size_t> open_streams) {
  return std::make_unique<SimStream>(std::move(wire), end, std::move(open_streams));
}

SimWire::SimWire(SimScheduler& scheduler, const LinkProfile& profile, SocketAddress client,
                 SocketAddress server)
    : scheduler_(scheduler), addresses_{client, server} {
  directions_[0].profile = profile.to_client;
  directions_[1].profile = profile.to_server;
}

void SimWire::start_reading(std::size_t end, net::StreamReader& reader) {
  directions_[end].reader = &reader;
  deliver_soon(end);
}

void SimWire::stop_reading(std::size_t end) { directions_[end].reader = nullptr; }

std::size_t SimWire::window_of(const Direction& direction) const {
  const std::size_t used = direction.in_flight + direction.unread.size();
  return direction.profile.window_bytes > used ? direction.profile.window_bytes - used : 0;
}

std::size_t SimWire::try_write(std::size_t end, std::span<const std::string_view> pieces) {
  const std::size_t to = other(end);
  Direction& direction = directions_[to];
  if (directions_[end].broken || direction.fin_wanted || !direction.waiting.empty()) return 0;
  std::size_t taken = 0;
  for (const auto piece : pieces) {
    const auto part = piece.substr(0, window_of(direction));
    transmit(to, part);
    taken += part.size();
    if (part.size() < piece.size()) break;
  }
  return taken;
}

void SimWire::write(std::size_t end, std::vector<SharedBytes> pieces, Callback<Result<void>> done) {
  const std::size_t to = other(end);
  CHECK(!directions_[to].fin_wanted);
  directions_[to].waiting.push_back({std::move(pieces), std::move(done)});
  scheduler_.after(std::chrono::nanoseconds(0),
                   [self = shared_from_this(), to] { self->pump(to); });
}

void SimWire::shutdown_write(std::size_t end) {
  const std::size_t to = other(end);
  directions_[to].fin_wanted = true;
  pump(to);
}

MonotonicTime SimWire::arrival_time(Direction& direction, std::size_t bytes) {
  const auto& profile = direction.profile;
  auto sent = std::max(direction.sent_until, scheduler_.monotonic());
  if (profile.bytes_per_second > 0) {
    sent += std::chrono::nanoseconds(bytes * 1'000'000'000ULL / profile.bytes_per_second);
  }
  direction.sent_until = sent;
  const auto jitter = scheduler_.uniform(std::chrono::nanoseconds(0), profile.jitter);
  direction.arrived_until = std::max(direction.arrived_until, sent + profile.latency + jitter);
  return direction.arrived_until;
}

// Hands bytes to the link, cut into segments so that a slow link delivers them bit by bit.
void SimWire::transmit(std::size_t to, std::string_view bytes) {
  constexpr std::size_t kSegmentBytes = 1460;
  Direction& direction = directions_[to];
  while (!bytes.empty()) {
    const bool slow = direction.profile.bytes_per_second > 0;
    const auto segment = bytes.substr(0, slow ? kSegmentBytes : bytes.size());
    bytes.remove_prefix(segment.size());
    direction.in_flight += segment.size();
    scheduler_.at(arrival_time(direction, segment.size()),
                  [self = shared_from_this(), to, text = std::string(segment)]() mutable {
                    self->arrive(to, std::move(text));
                  });
  }
}

void SimWire::arrive(std::size_t to, std::string bytes) {
  Direction& direction = directions_[to];
  if (direction.stalled || direction.broken) return;
  const auto& profile = direction.profile;
  const std::uint64_t before = direction.sent_bytes;
  direction.sent_bytes += bytes.size();
  const auto cut = [&](std::uint64_t at) {
    if (direction.sent_bytes < at) return false;
    if (before + bytes.size() > at) bytes.resize(at - before);
    return true;
  };
  const bool stalls = profile.stall_after_bytes && cut(*profile.stall_after_bytes);
  const bool resets = profile.reset_after_bytes && cut(*profile.reset_after_bytes);
  if (direction.receiver_gone) return break_end(other(to), "reset by a closed peer");
  // What a stall swallows goes on filling the window.
  direction.in_flight -= bytes.size();
  direction.unread += bytes;
  direction.stalled = stalls;
  deliver_soon(to);
  if (resets) reset();
}

void SimWire::send_fin(std::size_t to) {
  Direction& direction = directions_[to];
  if (std::exchange(direction.fin_sent, true)) return;
  scheduler_.at(arrival_time(direction, 0), [self = shared_from_this(), to] {
    Direction& arrived = self->directions_[to];
    if (arrived.stalled) return;
    arrived.fin_arrived = true;
    self->deliver_soon(to);
  });
}

// Moves what the sender has waiting into the window.
void SimWire::pump(std::size_t to) {
  Direction& direction = directions_[to];
  if (directions_[other(to)].broken) {
    if (!direction.waiting.empty()) finish_write(to);
    return;
  }
  while (!direction.waiting.empty() && window_of(direction) > 0) {
    auto& pieces = direction.waiting.front().pieces;
    if (pieces.empty()) return finish_write(to);
    SharedBytes& piece = pieces.front();
    const auto part = piece.text().substr(0, window_of(direction));
    transmit(to, part);
    piece = piece.slice(part.size(), piece.size());
    if (piece.empty()) pieces.erase(pieces.begin());
    if (pieces.empty()) return finish_write(to);
  }
  if (direction.waiting.empty() && direction.fin_wanted) send_fin(to);
}

// Reports the first waiting write, in an event of its own: its callback may close the stream.
void SimWire::finish_write(std::size_t to) {
  Direction& direction = directions_[to];
  direction.finished.push_back(std::move(direction.waiting.front()));
  direction.waiting.pop_front();
  scheduler_.after(std::chrono::nanoseconds(0),
                   [self = shared_from_this(), to] { self->report_write(to); });
}

void SimWire::report_write(std::size_t to) {
  Direction& direction = directions_[to];
  if (direction.finished.empty()) return;  // the sender has closed
  auto write = std::move(direction.finished.front());
  direction.finished.pop_front();
  const auto& broken = directions_[other(to)].broken;
  if (broken) {
    write.done(std::unexpected(*broken));
  } else {
    write.done({});
  }
  pump(to);
}

void SimWire::deliver_soon(std::size_t to) {
  if (std::exchange(directions_[to].delivery_due, true)) return;
  scheduler_.after(std::chrono::nanoseconds(0), [self = shared_from_this(), to] {
    self->directions_[to].delivery_due = false;
    self->deliver(to);
  });
}

void SimWire::deliver(std::size_t to) {
  Direction& direction = directions_[to];
  if (direction.reader == nullptr) return;
  // What arrived before a reset can still be read, as on Linux.
  if (direction.unread.empty()) return report_end(direction);
  std::size_t bytes = std::min(direction.unread.size(), direction.profile.chunk_bytes_max);
  if (direction.profile.split_chunks) bytes = scheduler_.uniform(1, bytes);
  const std::string chunk = direction.unread.substr(0, bytes);
  direction.unread.erase(0, bytes);
  direction.reader->on_read(chunk);
  deliver_soon(to);
  pump(to);
}

void SimWire::report_end(Direction& direction) {
  if (direction.end_reported || (!direction.broken && !direction.fin_arrived)) return;
  direction.end_reported = true;
  if (direction.broken) return direction.reader->on_read_error(*direction.broken);
  direction.reader->on_read_end();
}

void SimWire::break_end(std::size_t end, std::string_view why) {
  Direction& direction = directions_[end];
  if (direction.broken) return;
  direction.broken = Error{ErrorCode::disconnected, Blame::upstream, std::string(why)};
  deliver_soon(end);
  pump(other(end));
}

void SimWire::reset() {
  const auto self = shared_from_this();
  break_end(0, "connection reset");
  break_end(1, "connection reset");
}

void SimWire::stall() {
  for (auto& direction : directions_) direction.stalled = true;
}

void SimWire::close(std::size_t end) {
  const std::size_t to = other(end);
  Direction& receiving = directions_[end];
  Direction& sending = directions_[to];
  receiving.reader = nullptr;
  receiving.receiver_gone = true;
  const auto unsent = std::exchange(sending.waiting, {});
  const auto unrun = std::exchange(sending.finished, {});
  if (receiving.broken) return;
  if (receiving.unread.empty()) {
    send_fin(to);
  } else {
    // Closing with unread bytes resets (RFC 1122 4.2.2.13).
    scheduler_.at(arrival_time(sending, 0), [self = shared_from_this(), to] {
      if (!self->directions_[to].stalled) self->break_end(to, "connection reset");
    });
  }
}

}  // namespace revcache::sim
