#include <sys/socket.h>
#include <unistd.h>

#include "net/curl_common.h"

static curl_socket_t gate_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct egress_gate *gate = context;
    bool allowed = gate->loopback_only ? egress_address_loopback(&to->addr)
                                       : egress_allows(gate->egress, gate->host, &to->addr);
    if (purpose != CURLSOCKTYPE_IPCXN || !allowed) {
        gate->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void curl_common_set(CURL *easy, struct egress_gate *gate, const struct curl_tls *tls)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, gate_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, gate);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                     (long)(tls->tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    if (tls->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
}
