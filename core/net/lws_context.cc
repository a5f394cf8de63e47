#include "net/lws_context.h"

#include <libwebsockets.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "net/deflate_extension.h"
#include "net/lws_callbacks.h"
#include "net/lws_log.h"
#include "net/net_config.h"
#include "protocol/format.h"

namespace tickwire {
namespace {

// lws sends no more than this of a write and takes the rest for a blocked socket: above any write of ours.
constexpr std::size_t kTxPacketBytes = std::size_t{16} << 20U;
// Shared by all connections: what is read or answered at once.
constexpr unsigned kServiceBufferBytes = 16U << 10U;

constexpr lws_protocols client_protocol(const char* name) {
  lws_protocols protocol{};
  protocol.name = name;
  protocol.callback = client_callback;
  protocol.rx_buffer_size = kSocketReadBytesMax;
  protocol.tx_packet_size = kTxPacketBytes;
  return protocol;
}

// The first also serves HTTP, and WebSocket clients that ask for no subprotocol: JSON.
constexpr std::array kProtocols{client_protocol(kSubprotocols[0]), client_protocol(kSubprotocols[1]),
                                client_protocol(kSubprotocols[2]), lws_protocols{}};
static_assert(kProtocols.size() == kSubprotocols.size() + 1);

// All zero: lws keeps no timers of its own for pings. They stand in one sorted list, which each insertion
// walks.
constexpr lws_retry_bo_t kNoLwsPings{};

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

LwsContext::~LwsContext() {
  close();
}

Status LwsContext::open() {
  lws_log_to_spdlog();
  const DescriptorLimit limit;
  descriptors_max_ = limit.max();
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
  info.protocols = kProtocols.data();
  info.pt_serv_buf_size = kServiceBufferBytes;
  info.retry_and_idle_policy = &kNoLwsPings;
  info.extensions = deflate_extensions();
  info.alpn = "http/1.1";
  info.vhost_name = "tickwire";
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

bool LwsContext::adopt(int socket, Connection* client, std::string_view bytes) {
  const AdoptionScope adoption(client, socket);
  return lws_adopt_socket_vhost_readbuf(vhost_, socket, bytes.data(), bytes.size()) != nullptr;
}

bool LwsContext::serve(int socket, short events) {
  lws_pollfd seen{socket, POLLIN | POLLOUT, events};
  return lws_service_fd(context_, &seen) == 0;
}

}  // namespace tickwire
