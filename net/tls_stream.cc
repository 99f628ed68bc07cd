#include "net/tls_stream.h"

#include <algorithm>
#include <array>
#include <utility>

namespace revcache::net {

namespace {

constexpr std::size_t kRecordBytesMax = std::size_t{16} * 1024;  // RFC 8446 5.1, plaintext

std::vector<SharedBytes> one_piece(std::string bytes) {
  std::vector<SharedBytes> pieces;
  pieces.push_back(SharedBytes::take(std::move(bytes)));
  return pieces;
}

}  // namespace

TlsStream::TlsStream(Executor& executor, std::unique_ptr<Stream> below, TlsSession session)
    : executor_(executor),
      session_(std::move(session)),
      life_(std::make_shared<TlsStream*>(this)),
      below_(std::move(below)) {}

TlsStream::~TlsStream() = default;

void TlsStream::handshake(Callback<Result<void>> done) {
  handshake_done_ = std::move(done);
  // Posted, as `done` must not run inside this call.
  executor_.post([life = std::weak_ptr(life_)] {
    const auto alive = life.lock();
    if (!alive) return;
    TlsStream& self = **alive;
    self.below_->start_reading(self);
    self.advance_handshake();
  });
}

void TlsStream::advance_handshake() {
  const Result<bool> complete = session_.handshake();
  send_output();  // on failure: the alert that says why
  if (!complete) return end_handshake(std::unexpected(complete.error()));
  if (!*complete) return;
  below_->stop_reading();
  end_handshake({});
}

// Nothing may follow it: the stream may be gone.
void TlsStream::end_handshake(Result<void> outcome) {
  if (!outcome) read_finished_ = write_finished_ = true;
  std::exchange(handshake_done_, nullptr)(std::move(outcome));
}

void TlsStream::start_reading(StreamReader& reader) {
  if (read_finished_) return;
  if (std::exchange(reader_, &reader) != nullptr) return;
  if (!session_.has_unread_input()) return below_->start_reading(*this);
  // What was fed before comes first, but not inside this call.
  executor_.post([life = std::weak_ptr(life_)] {
    if (const auto alive = life.lock()) (*alive)->read_more();
  });
}

void TlsStream::read_more() {
  if (reader_ != nullptr && deliver()) below_->start_reading(*this);
}

void TlsStream::stop_reading() {
  reader_ = nullptr;
  below_->stop_reading();
}

void TlsStream::on_read(std::string_view chunk) {
  session_.feed(chunk);
  if (handshake_done_) return advance_handshake();
  deliver();
}

// Hands on what can be decrypted, as long as the reader wants it. True: it wants more than there
// is.
bool TlsStream::deliver() {
  const std::weak_ptr life = life_;
  std::array<char, kRecordBytesMax> plaintext;
  while (reader_ != nullptr) {
    const auto got = session_.read(plaintext);
    send_output();  // answers to key updates, alerts
    if (!got) {
      end_reading(got.error());
      return false;
    }
    if (got->kind == TlsSession::ReadKind::wants_more) return true;
    if (got->kind == TlsSession::ReadKind::closed) {
      StreamReader& reader = *reader_;
      read_finished_ = true;
      stop_reading();
      reader.on_read_end();
      return false;
    }
    reader_->on_read({plaintext.data(), got->bytes});
    if (life.expired()) return false;
  }
  return false;
}

void TlsStream::on_read_end() {
  Error cut{ErrorCode::disconnected, session_.blame(),
            handshake_done_ ? "connection closed during the TLS handshake"
                            : "connection closed without close_notify: something may be missing"};
  on_read_error(std::move(cut));
}

void TlsStream::on_read_error(Error error) {
  if (handshake_done_) return end_handshake(std::unexpected(std::move(error)));
  end_reading(std::move(error));
}

// Nothing may follow it: the stream may be gone.
void TlsStream::end_reading(Error error) {
  read_finished_ = true;
  if (reader_ == nullptr) return;
  StreamReader& reader = *reader_;
  stop_reading();
  reader.on_read_error(std::move(error));
}

std::size_t TlsStream::try_write(std::span<const std::string_view> pieces) {
  if (unsent_ > 0 || write_finished_) return 0;
  // Joined, so that a head and its body share records.
  std::string plaintext;
  for (const std::string_view piece : pieces) {
    plaintext += piece.substr(0, kTryWriteBytesMax - plaintext.size());
    if (plaintext.size() == kTryWriteBytesMax) break;
  }
  if (plaintext.empty()) return 0;
  if (!session_.write(plaintext)) {
    write_finished_ = true;
    return 0;
  }
  send_output();
  return plaintext.size();
}

void TlsStream::write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) {
  Result<void> encrypted;
  if (write_finished_) {
    encrypted = fail(ErrorCode::disconnected, session_.blame(), "TLS write after its end");
  }
  for (const SharedBytes& piece : pieces) {
    if (encrypted) encrypted = session_.write(piece.text());
  }
  if (!encrypted) write_finished_ = true;
  ++unsent_;
  // Through the stream below also on failure: what was encrypted is sent, and `done` has its turn.
  below_->write(
      one_piece(session_.take_output()),
      [this, encrypted = std::move(encrypted), done = std::move(done)](Result<void> sent) mutable {
        --unsent_;
        done(encrypted ? std::move(sent) : std::move(encrypted));
      });
}

void TlsStream::shutdown_write() {
  if (write_finished_) return;
  write_finished_ = true;
  session_.close_write();
  send_output();
  below_->shutdown_write();
}

void TlsStream::send_output() {
  std::string ciphertext = session_.take_output();
  if (ciphertext.empty()) return;
  if (unsent_ == 0) {
    const std::string_view whole = ciphertext;
    const std::size_t sent = below_->try_write({&whole, 1});
    if (sent == ciphertext.size()) return;
    ciphertext.erase(0, sent);
  }
  ++unsent_;
  below_->write(one_piece(std::move(ciphertext)), [this](Result<void>) { --unsent_; });
}

}  // namespace revcache::net
