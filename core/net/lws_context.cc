#include "net/lws_context.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "net/lws_log.h"
#include "net/net_config.h"
#include "net/tls.h"

namespace tickwire {
namespace {

// lws sends no more than this of a write and takes the rest for a blocked socket: above any write of ours.
constexpr std::size_t kTxPacketBytes = std::size_t{16} << 20U;

// lws sizes its tables by the soft limit on descriptors, and falls back to 2560 where that is absurdly high,
// as in some containers. So it sees at most kDescriptorsMax; a lower limit is raised for good.
class DescriptorLimit {
 public:
  DescriptorLimit() {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) return;
    rlimit wanted = before_;
    wanted.rlim_cur = std::min<rlim_t>(before_.rlim_max, kDescriptorsMax);
    changed_ = ::setrlimit(RLIMIT_NOFILE, &wanted) == 0;
    max_ = static_cast<int>(changed_ ? wanted.rlim_cur : std::min<rlim_t>(before_.rlim_cur, kDescriptorsMax));
  }
  ~DescriptorLimit() {
    if (changed_ && before_.rlim_cur > kDescriptorsMax) ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  [[nodiscard]] int max() const { return max_; }

 private:
  rlimit before_{};
  bool changed_ = false;
  int max_ = 1024;
};

}  // namespace

// The function through which lws calls us. It notes what happened; nothing of ours runs within it.
struct LwsCallback {
  static int call(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) {
    switch (reason) {
      case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        return owner(wsi).tls_->configure(static_cast<SSL_CTX*>(user)) ? 0 : 1;
      case LWS_CALLBACK_RAW_RX:
        take(owner(wsi), static_cast<const char*>(in), size);
        return 0;
      case LWS_CALLBACK_WSI_DESTROY:
        if (owner(wsi).serving_ == wsi) owner(wsi).destroyed_ = true;
        return 0;
      default:
        return 0;
    }
  }

  static LwsContext& owner(lws* wsi) {
    return *static_cast<LwsContext*>(lws_context_user(lws_get_context(wsi)));
  }

  static void take(LwsContext& context, const char* bytes, std::size_t size) {
    context.received_ = std::min(size, context.buffer_.size());
    std::copy_n(bytes, context.received_, context.buffer_.begin());
  }

  static constexpr std::array<lws_protocols, 2> protocols() {
    lws_protocols protocol{};
    protocol.name = "tickwire";
    protocol.callback = call;
    protocol.tx_packet_size = kTxPacketBytes;
    return {protocol, lws_protocols{}};
  }
};

namespace {

constexpr std::array kProtocols = LwsCallback::protocols();

}  // namespace

LwsContext::~LwsContext() {
  close();
}

Status LwsContext::open(TlsServer* tls) {
  lws_log_to_spdlog();
  const DescriptorLimit limit;
  descriptors_max_ = limit.max();
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
  info.protocols = kProtocols.data();
  info.pt_serv_buf_size = LWS_PRE + kReadBytes;
  info.user = this;
  info.vhost_name = "tickwire";
  info.alpn = "http/1.1";
  tls_ = tls;
  if (tls != nullptr) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    client_tls_ = {SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
    info.provided_client_ssl_ctx = client_tls_.get();
  }
  context_ = lws_create_context(&info);
  if (context_ != nullptr) vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ == nullptr) {
    close();
    return Error{ErrorCode::kInternal, "libwebsockets could not be set up", ""};
  }
  return ok_status();
}

void LwsContext::close() {
  if (context_ != nullptr) lws_context_destroy(context_);
  context_ = nullptr;
  vhost_ = nullptr;
}

lws* LwsContext::adopt(int socket, Transport transport) {
  unsigned type = LWS_ADOPT_SOCKET;
  if (transport == Transport::kTls) type |= LWS_ADOPT_ALLOW_SSL;
  lws_sock_file_fd_type descriptor{};
  descriptor.sockfd = socket;
  lws* wsi =
      lws_adopt_descriptor_vhost(vhost_, static_cast<lws_adoption_type>(type), descriptor, nullptr, nullptr);
  if (wsi != nullptr && transport == Transport::kTls) forget_deadline(wsi);
  return wsi;
}

void LwsContext::forget_deadline(lws* wsi) {
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
}

bool LwsContext::serve(lws* wsi, short events) {
  serving_ = wsi;
  destroyed_ = false;
  received_ = 0;
  lws_pollfd seen{lws_get_socket_fd(wsi), POLLIN | POLLOUT, events};
  (void)lws_service_fd(context_, &seen);
  serving_ = nullptr;
  return !destroyed_;
}

}  // namespace tickwire
